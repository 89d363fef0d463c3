"""Every step against real peers, good days and bad, in booted containers: a scenario takes one to four seconds.

The containers' kernel has no NFS client, so here /home is a bind mount of the exported directory, and mounts that have
to fail call a stand-in for mount.nfs4; the real client is in test_guest.py.
"""
import random
import time

import pytest

from bed import agent, head
from bed.cluster import CLUSTER, BUCKET, node_document
from bed.proc import wait_until

NODE = "queue1-st-t3micro-5"
JOIN = 40                       # seconds: a hang guard

HOME_BOUND = "mounts:\n- {source: /srv/nfs/home, path: /home, type: bind}\n"
HOME_NFS = f"mounts:\n- {{source: '{head.ADDRESS}:/home', path: /home, type: nfs4}}\n"

HELPER_SAYS_NO_EXPORT = """#!/bin/sh
echo "mount.nfs4: mounting $1 failed, reason given by server: No such file or directory" >&2
exit 32
"""
HELPER_HANGS = "#!/bin/sh\nexec sleep 1000\n"
HELPER_LIES = "#!/bin/sh\nexit 0\n"


@pytest.fixture
def node(bed, controller, layer):
    """node(name, spec=..., helper=..., key=value...) is a booted container with the agent; the rest is its document."""
    def make(name=NODE, spec=HOME_BOUND, helper=None, before=None, **document):
        bed.put("cluster-config.yaml", spec)
        box = bed.container(name, [layer], [f"{controller.export}:/srv/nfs"],
                            user_data=node_document(name, **{"deadline": "30s", **document}))
        if helper:
            box.put("/sbin/mount.nfs4", helper, 0o755)
        if before:
            before(box)
        return box.boot()
    return make


def failed(box, *args):
    """Bootstraps a node that must fail; returns (exit status, status.json, what was printed)."""
    code, printed = agent.bootstrap(box, *args)
    status = agent.status(box)
    assert status.phase == "failed" and status.exit == code != 0, f"{printed}\n{status}"
    return code, status, printed


@pytest.mark.every_suite
def test_joins_at_boot_and_runs_a_job(node, controller):
    box = node(before=lambda box: box.run_inside_tree("systemctl", "enable", agent.UNIT))
    status = agent.wait_ended(box, JOIN)
    assert status.phase == "ready", status
    controller.wait_idle(NODE, 5)
    controller.alice(f"sbatch -W -w {NODE} -o boot.out --wrap hostname")
    assert (controller.export / "home/alice/boot.out").read_text() == NODE + "\n"


@pytest.mark.every_suite
def test_second_run_is_all_ok(node):
    box = node()
    code, printed = agent.bootstrap(box)
    assert code == 0, printed
    code, printed = agent.bootstrap(box)
    assert (code, agent.status(box).states()) == (0, {"ok"}), printed


def test_user_data_that_is_a_script_calling_us(bed, node):
    """The script's own arguments say everything; the agent must not take the script for a node document."""
    box = node(spec=HOME_BOUND + "munge: {}\n")      # its key is the one beside the configuration
    script = f"#!/bin/sh\nexec hpc-agent bootstrap --config s3://{BUCKET}/{CLUSTER}/cluster-config.yaml " \
             f"--node {NODE} --head {head.ADDRESS}\n"
    bed.register(NODE, user_data=script)
    box.put("/root/user-data", script, 0o755)
    settings = " ".join(f"{key}={value}" for key, value in agent.ENVIRONMENT.items())
    assert box.run(f"{settings} /root/user-data", 60)[0] == 0
    assert agent.status(box).phase == "ready"


def test_munged_of_the_image_runs_with_another_key(node):
    def stock(box):
        box.put("/etc/munge/munge.key", b"x" * 128, 0o400, "munge:munge")
        box.run_inside_tree("systemctl", "enable", "munge")
    box = node(before=stock)
    code, printed = agent.bootstrap(box)
    assert code == 0, printed


@pytest.mark.parametrize("helper,reasons", [
    (HELPER_SAYS_NO_EXPORT, {"mount-no-export"}),
    (HELPER_HANGS, {"mount-hung", "step-timeout", "mount-server-down"}),
    (HELPER_LIES, {"mount-not-seen"}),
], ids=["no-export", "helper-hangs", "helper-lies"])
def test_mount_that_fails(node, helper, reasons):
    box = node(spec=HOME_NFS, helper=helper, deadline="8s")
    _, status, printed = failed(box)
    assert set(status.failures()) == {"mounts:/home"}, status
    assert status.failures()["mounts:/home"] in reasons
    assert status.of("munge") == {"changed"}, status
    assert "mounts:/home" in printed
    assert " /home " not in box.read("/proc/self/mountinfo")
    wait_until(lambda: box.run("pgrep -f mount.nfs4", check=False)[0] == 1, 5, "the helper's end")


def test_something_else_is_mounted_there(node):
    box = node()
    box.run("mount -t tmpfs other /home")
    _, status, _ = failed(box)
    assert status.failures() == {"mounts:/home": "mount-busy"}, status
    assert box.run("findmnt -no SOURCE /home")[1] == "other\n"


def test_munge_key_of_the_wrong_size(bed, node):
    bed.put("munge.key", b"short")
    box = node()
    _, status, _ = failed(box)
    assert set(status.failures().values()) == {"munge-key-invalid"}, status
    assert box.run("test -e /etc/munge/munge.key", check=False)[0] == 1
    assert status.of("mounts") == {"changed"}, status


@pytest.mark.every_suite
def test_munge_key_of_another_cluster(bed, node):
    bed.put("munge.key", bytes(reversed(range(256))) * 4)
    box = node(deadline="12s")
    _, status, _ = failed(box)
    assert set(status.failures().values()) <= {"slurm-auth", "munge-refused"}, status
    assert status.failures()


@pytest.mark.every_suite
def test_controller_is_down_then_back(node, controller):
    box = node(deadline="8s")
    controller.run("systemctl stop slurmctld")
    try:
        _, status, _ = failed(box)
        assert set(status.failures().values()) == {"slurmctld-unreachable"}, status
    finally:
        controller.start_slurmctld()
    code, printed = agent.bootstrap(box)
    assert code == 0, printed


@pytest.mark.every_suite
def test_node_the_controller_does_not_know(node):
    box = node("stranger-1", deadline="12s")
    _, status, _ = failed(box)
    assert set(status.failures().values()) == {"slurm-node-unknown"}, status


@pytest.mark.every_suite
def test_node_smaller_than_configured(node):
    box = node("queue1-st-big-1", deadline="12s")
    _, status, printed = failed(box)
    assert set(status.failures().values()) == {"slurm-node-invalid"}, status
    assert "RealMemory" in printed or "memory" in printed.lower()


def test_two_agents_at_once(node):
    box = node(spec=HOME_NFS, helper=HELPER_HANGS, deadline="8s")
    first = box.popen("bash", "-c", agent.call("bootstrap"))
    wait_until(lambda: box.run("test -s /run/hpc-node/status.json", check=False)[0] == 0, 10, "the first run's status")
    code, printed = agent.bootstrap(box)
    assert code == 6, printed
    assert agent.status(box).phase in ("starting", "running")
    assert first.wait(30) != 0


@pytest.mark.every_suite
def test_killed_at_any_moment_the_next_run_converges(node):
    """Killed six times at random moments of one join; what each left is where the next began."""
    box, moments = node(), random.Random()
    seed = moments.randrange(1 << 32)
    moments.seed(seed)
    print("seed", seed)
    for _ in range(6):
        run = box.popen("bash", "-c", "exec " + agent.call("bootstrap"))
        time.sleep(moments.uniform(0.0, 0.8))
        box.run("pkill -KILL -x hpc-agent", check=False)
        run.wait(10)
        key = box.run("stat -c '%a %U:%G %s' /etc/munge/munge.key 2>/dev/null || echo none")[1].strip()
        assert key in ("none", "400 munge:munge 1024")
    code, printed = agent.bootstrap(box)
    assert code == 0, printed
    assert agent.bootstrap(box)[0] == 0
    assert agent.status(box).states() == {"ok"}, agent.status(box)


@pytest.mark.parametrize("spec,code,words", [
    ("munge:\n  kee: x\n", 3, ["cluster-config.yaml:2:3:", "kee", "key"]),
    ("Region: eu-west-1\nScheduling:\n  Scheduler: [slurm]\n", 3, ["cluster-config.yaml:3:14:"]),
    ("hostname: a\nhostname: b\n", 3, ["cluster-config.yaml:2:1:", "hostname"]),
], ids=["unknown-key", "wrong-type", "duplicate-key"])
def test_configuration_that_is_wrong(node, spec, code, words):
    box = node(spec=spec)
    got, printed = agent.bootstrap(box)
    assert got == code, printed
    for word in words:
        assert word in printed
    assert agent.status(box).phase == "failed"
    assert box.run("test -e /etc/munge/munge.key", check=False)[0] == 1


def test_configuration_that_is_not_the_pinned_one(node):
    box = node(config_sha256="0" * 64)
    code, printed = agent.bootstrap(box)
    assert code == 5, printed
    assert agent.status(box).reason() == "checksum-mismatch"


def test_configuration_that_is_not_there(node):
    box = node(config=f"s3://{BUCKET}/{CLUSTER}/nothing.yaml")
    code, printed = agent.bootstrap(box)
    assert code == 4, printed
    assert agent.status(box).reason() in ("s3-no-such-key", "s3-access-denied")
