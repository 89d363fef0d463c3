"""The compute node's image, as hpc-imagebuild makes it of recipes/, starts from its own disk, joins and runs a job."""
import os
import subprocess

import pytest

from bed import agent, disk
from conftest import BUILD

CGROUP = True
NODE = "queue1-st-t3micro-5"
START = 240                     # seconds: a hang guard; about 40 on an idle machine
FIRMWARE = ["uefi", "bios"] if os.environ.get("HPC_TEST_FULL") else ["uefi"]


@pytest.fixture(scope="module")
def image(tmp_path_factory):
    return disk.compute(BUILD, tmp_path_factory.mktemp("image"))


@pytest.fixture(scope="module", params=FIRMWARE)
def machine(request, session_bed, module_head, image):
    booted = session_bed.machine(NODE, image, request.param)
    booted.wait_ready(START)
    yield booted
    session_bed.terminate(NODE)
    module_head.run(f"scontrol update nodename={NODE} state=down reason=terminated")


def test_the_builder_starts_it_by_itself(image):
    done = subprocess.run([BUILD / "imagebuilder/hpc-imagebuild", "test", image], capture_output=True, text=True, timeout=START)
    assert done.returncode == 0 and "starts by UEFI" in done.stdout, done.stderr


def test_it_joins_and_runs_a_job_by_itself(machine, controller):
    controller.wait_idle(NODE, START)
    status = agent.wait_ended(machine, START)
    assert status.phase == "ready" and status.exit == 0, status
    controller.alice(f"sbatch -W -w {NODE} -o image.out --wrap 'hostname; id -un; grep -c /job_ /proc/self/cgroup'", START)
    assert (controller.export / "home/alice/image.out").read_text() == f"{NODE}\nalice\n1\n"


def test_nothing_failed_and_nothing_came_before_the_agent(machine):
    machine.run("systemctl is-system-running --wait", 120, check=False)
    assert machine.run("systemctl --failed --no-legend --plain")[1] == ""
    began = {unit: int(machine.run(f"systemctl show -P InactiveExitTimestampMonotonic {unit}")[1])
             for unit in ("hpc-agent.service", "munge.service", "slurmd.service")}
    assert 0 < began["hpc-agent.service"] < began["munge.service"] < began["slurmd.service"], began


def test_it_is_a_machine_of_its_own_on_the_whole_disk(machine):
    assert int(machine.run("df --output=size -B1M / | tail -1")[1]) > 4300
    assert machine.run("grep -c '^[0-9a-f]\\{32\\}$' /etc/machine-id")[1].strip() == "1"
    assert machine.run("ls /etc/ssh/ssh_host_*_key | wc -l")[1].strip() != "0"
    assert "/home nfs4" in machine.read("/proc/mounts")
