"""The whole join in stock Debian guests: late NIC, DHCP, kernel NFSv4.2, systemd, cgroups, against a real controller."""
import re

import pytest

from bed import agent, net
from bed.proc import wait_until

CGROUP = True                   # guests have a kernel of their own, so jobs are tracked as in production
STATIC, CLOUD, DYNAMIC = "queue1-st-t3micro-1", "queue1-dy-t3micro-1", "dyn-1"
JOIN = 180                      # seconds: a hang guard, many times what it takes on an idle machine


def job_output(controller, node):
    """Runs a batch job on the node and returns its output as the NFS server has it on disk."""
    controller.alice(f"sbatch -W -w {node} -o {node}.out --wrap 'hostname; cat /proc/self/cgroup; id -un'", JOIN)
    return (controller.export / f"home/alice/{node}.out").read_text()


def nothing_failed(guest):
    assert guest.run("systemctl --failed --no-legend --plain")[1] == ""


@pytest.fixture(scope="module")
def static(session_bed, module_head, payload):
    """A static node whose agent started before its network card arrived."""
    guest = session_bed.guest(STATIC, payload)
    agent.start(guest)
    assert guest.run(f"systemctl is-active {agent.UNIT}", check=False)[1].strip() == "activating"
    guest.plug_nic()
    yield guest
    session_bed.terminate(STATIC)


def test_static_node_joins_and_runs_a_job(static, controller):
    controller.wait_idle(STATIC, JOIN)
    assert controller.alice(f"srun -w {STATIC} hostname").strip() == STATIC
    output = job_output(controller, STATIC)
    assert output.splitlines()[0] == STATIC
    assert "slurmstepd.scope/job_" in output
    assert output.splitlines()[-1] == "alice"


def test_the_joined_node_is_as_promised(static, controller):
    status = agent.wait_ended(static, JOIN)
    assert status.phase == "ready" and status.exit == 0, status
    assert status.states() <= {"changed", "ok"}, status
    assert status.of("mounts") == status.of("munge") == status.of("slurm") == {"changed"}, status
    assert re.search(r"10\.77\.0\.10:/home /home nfs4 \S*vers=4\.[12],\S*hard", static.read("/proc/mounts"))
    assert static.run("stat -c '%a %U:%G' /etc/munge/munge.key")[1] == "400 munge:munge\n"
    assert static.run(f"systemctl is-active {agent.UNIT} hpc-node-ready.target munge slurmd")[1] == "active\n" * 4
    assert static.run("stat -c %a /run/hpc-node/status.json")[1] == "644\n"
    assert "ready" in static.console.wait("hpc-agent: ", 5)[1]
    nothing_failed(static)


def test_second_run_changes_nothing(static, controller):
    controller.wait_idle(STATIC, JOIN)
    code, printed = static.run(f"strace -f -y -qq -o /run/trace -e trace={WRITES} " + agent.call("bootstrap"), 60, check=False)
    assert code == 0, printed
    assert agent.status(static).states() == {"ok"}, agent.status(static)
    assert [call for call in static.read("/run/trace").splitlines() if changes_the_machine(call)] == []


WRITES = "open,openat,openat2,creat,rename,renameat,renameat2,unlink,unlinkat,rmdir,mkdir,mkdirat,symlink,symlinkat,link," \
         "linkat,chmod,fchmod,fchmodat,chown,fchown,fchownat,lchown,truncate,ftruncate,mount,umount2,fsconfig,move_mount," \
         "sethostname,mknod,mknodat,utimensat,setxattr"


def changes_the_machine(line):
    """Whether a line of strace is a change outside /run/hpc-node, where the agent says what it does."""
    call = line.split(None, 1)[1]
    if "run/hpc-node" in call or " = -1 E" in call or call.startswith(("+++", "---", "<...")):
        return False
    if call.startswith("open"):
        return bool(re.search(r"O_(WRONLY|RDWR|CREAT)", call)) and not re.search(r'"/(dev|proc)/', call)
    return True


def test_the_agents_own_unit_runs_again_at_the_next_boot(static, controller):
    static.reboot(JOIN)
    status = agent.wait_ended(static, JOIN)
    assert status.phase == "ready", status
    controller.wait_idle(STATIC, JOIN)
    assert controller.alice(f"srun -w {STATIC} hostname", 60).strip() == STATIC
    nothing_failed(static)


def test_cloud_node_is_resumed_joins_and_is_given_back(bed, controller, payload):
    def resume(name):
        guest = bed.guest(name, payload)
        agent.start(guest)
        guest.plug_nic()
    bed.resume = resume
    assert controller.state(CLOUD) == "idle~"
    assert job_output(controller, CLOUD).splitlines()[0] == CLOUD
    assert agent.wait_ended(bed.running[CLOUD], JOIN).phase == "ready"
    controller.run(f"scontrol update nodename={CLOUD} state=power_down")
    wait_until(lambda: CLOUD not in bed.running, 30, "the instance's end")


def test_dynamic_node_registers_itself(bed, controller, payload):
    from bed.cluster import node_document
    guest = bed.guest(DYNAMIC, payload, user_data=node_document(DYNAMIC, dynamic="Feature=spare"))
    agent.start(guest)
    guest.plug_nic()
    controller.wait_idle(DYNAMIC, JOIN)
    assert "spare" in controller.run(f"scontrol show node {DYNAMIC}")[1]
    assert job_output(controller, DYNAMIC).splitlines()[0] == DYNAMIC


def test_file_server_cut_off_in_mid_mount(bed, controller, payload):
    """The server takes the connection and then falls silent: the node fails in time, by name, and the rest is done."""
    from bed.cluster import node_document
    name = "queue1-st-t3micro-2"
    guest = bed.guest(name, payload, user_data=node_document(name, deadline="25s"))
    with net.Blackhole(2049, controller.box.netns, after=500):
        agent.start(guest)
        guest.plug_nic()
        status = agent.wait_ended(guest, 60)
    assert status.phase == "failed" and status.exit in (1, 4, 7), status
    assert list(status.failures()) == ["mounts:/home"], status
    assert status.failures()["mounts:/home"] in ("mount-server-down", "mount-hung", "step-timeout"), status
    assert status.of("munge") == status.of("hostname") == {"changed"}, status
    assert "/home nfs4" not in guest.read("/proc/mounts")
    assert guest.run(f"systemctl is-active {agent.UNIT}", check=False)[1].strip() == "failed"
    assert "mounts:/home" in guest.console.wait("hpc-agent: " + name, 5)[1]
    code, printed = agent.bootstrap(guest, "--deadline=60s", timeout=90)
    assert code == 0, printed          # the server is back: the next run converges
