"""The bed itself: it leaves nothing behind, however it ends."""
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from fakes.proc import die_with_parent

from bed import cgroups, enter, net, rootfs
from bed.proc import wait_until

# A run that takes everything a run can take, says so and waits.
VICTIM = """
import os, sys, time
from bed import cluster, head
bed = cluster.Bed()
controller = head.Head(bed.home / "head", cluster.MUNGE_KEY)
box = bed.container("queue1-st-t3micro-1").boot()
print("up", flush=True)
time.sleep(600)
"""


def start_victim(tmp_path):
    """A run inside a run: what it leaves can be seen from here, apart from the machine's own business."""
    env = {key: value for key, value in os.environ.items() if key != enter.FLAG}
    env |= {"HPC_BED_DISKS": str(tmp_path), "PYTHONPATH": str(Path(__file__).parents[1])}
    process = subprocess.Popen([sys.executable, "-m", "bed.enter", sys.executable, "-c", VICTIM], env=env,
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, preexec_fn=die_with_parent)
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "up\n":
            return process
    raise AssertionError("the run ended early:\n" + "".join(lines))


def traces():
    """Everything of a run that this machine would still show after it: processes, mounts, links."""
    processes = {pid for pid in os.listdir("/proc") if pid.isdigit()}
    links = subprocess.run(["ip", "-o", "link"], capture_output=True, text=True, check=True).stdout
    return processes, Path("/proc/self/mounts").read_text(), links


def check_ends(tmp_path, number):
    processes, mounts, links = traces()
    process = start_victim(tmp_path)
    inside = {pid for pid in os.listdir("/proc") if pid.isdigit()} - processes
    assert len(inside) > 20
    os.kill(process.pid, number)
    process.communicate(timeout=20)
    wait_until(lambda: not inside & {pid for pid in os.listdir("/proc") if pid.isdigit()}, 10, "all processes gone")
    assert Path("/proc/self/mounts").read_text() == mounts
    assert traces()[2] == links


def test_an_ended_run_leaves_nothing(tmp_path):
    check_ends(tmp_path, signal.SIGTERM)
    assert list(tmp_path.glob("hpc-bed-*")) == []
    assert not cgroups.left("hpc-bed-")


def test_a_killed_run_leaves_only_what_the_next_one_sweeps(tmp_path):
    check_ends(tmp_path, signal.SIGKILL)
    enter.DISK, old = tmp_path, enter.DISK
    try:
        enter.sweep()
    finally:
        enter.DISK = old
    assert list(tmp_path.glob("hpc-bed-*")) == []
    assert not cgroups.left("hpc-bed-")


def test_two_runs_do_not_see_each_other(session_bed, tmp_path):
    """The victim has the same addresses and names as this run's bed."""
    process = start_victim(tmp_path)
    try:
        assert subprocess.run(["ip", "link", "show", net.BRIDGE], check=False, capture_output=True).returncode == 0
    finally:
        process.terminate()
        process.communicate(timeout=20)


def test_trees_of_another_recipe_stay_for_a_day(tmp_path, monkeypatch):
    """Two checkouts with different recipes share the cache: neither takes the other's tree while it is used."""
    monkeypatch.setattr(rootfs, "CACHE", tmp_path)
    for name in ("image-1", "image-2"):
        with rootfs.building(name):
            pass
    with rootfs.building("image-1") as scratch:
        assert scratch is None
    long_ago = time.time() - rootfs.KEPT - 60
    os.utime(tmp_path / "image-2", (long_ago, long_ago))
    with rootfs.building("image-3"):
        pass
    assert sorted(path.name for path in tmp_path.glob("image-*")) == ["image-1", "image-3"]
