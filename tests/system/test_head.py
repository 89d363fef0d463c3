"""A head node in a booted container, made by the agent: the munge key in a strict S3, slurmctld, and nodes that join it."""
import json
import random
import time

import pytest

from bed import agent, head, net, suites
from bed.cluster import BUCKET, CLUSTER, SEED, Identity, node_document
from bed.proc import wait_until
from fakes.aws import Aws
from fakes.sigcheck import Key

HEAD, OTHER, STATIC, CLOUD = "server-1", "server-2", "queue1-st-t3micro-5", "queue1-dy-t3micro-2"
ADDRESS = Identity(HEAD).address
STATE = "/var/lib/slurm/slurmctld"
CONF = head.SLURM_CONF.format(name=HEAD, address=ADDRESS, proctrack="proctrack/linuxproc", task="task/none").lstrip().replace(
    "/var/spool/slurmctld", STATE).replace("/usr/local/sbin/wait-for-power-up", "/usr/lib/hpc-node/slurm-prolog-wait")
PORT_TAKEN = {"bookworm": "Address already in use", "trixie": "listening on the ports"}[suites.OWN]
GUARD = 120                     # seconds: a hang guard


def spec(conf=CONF):
    """Our own sections; slurm.conf as the head's administrator has it."""
    indented = "".join(f"        {line}\n" for line in conf.splitlines())
    return f"""
munge: {{}}
roles:
  head:
    munge: {{create: true}}
    controller: {{}}
    files:
    - {{path: /etc/slurm/cgroup.conf, content: {json.dumps(suites.of().cgroup_conf)}}}
    - path: /etc/slurm/slurm.conf
      content: |
{indented}
  compute:
    mounts: [{{source: /srv/nfs/home, path: /home, type: bind}}]
"""


# ParallelCluster's file. Containers have no server for NFS, so homes are local; exports are in test_exports.py and in the
# golden cases.
FILE = SEED.read_text().replace("MaxCount: 10", "MaxCount: 12") + """
HpcNode:
  SharedHome: false
"""

class Store(Aws):
    """S3 as strict as AWS, which also counts what was written under a condition."""

    def __init__(self, swift):
        self.puts = []
        super().__init__([Key(swift.KEY, swift.SECRET, "bed-session-token")], net.ROUTER)
        self.conf = self.bucket(BUCKET)

    def _put(self, req, bucket, key):
        response = super()._put(req, bucket, key)
        self.puts.append((key, req.get("if-none-match")))
        return response

    def munge_key(self):
        versions = self.conf.objects.get(f"{CLUSTER}/munge.key".encode(), [])
        return versions[-1].body if versions else None


@pytest.fixture
def store(bed, monkeypatch):
    with Store(bed.s3) as s3:
        s3.conf.put(f"{CLUSTER}/cluster-config.yaml", spec().encode())
        monkeypatch.setitem(agent.ENVIRONMENT, "AWS_ENDPOINT_URL_S3", s3.url)
        yield s3


@pytest.fixture
def home(tmp_path):
    place = tmp_path / "home"
    (place / "alice").mkdir(parents=True)
    import os
    os.chown(place / "alice", 1000, 1000)
    return place


@pytest.fixture
def machine(bed, store, layer, home):
    """machine(name) is a booted container with the agent, not yet bootstrapped."""
    def make(name=HEAD, role="head", layers=(), **document):
        binds = [f"{home}:/home"] if role == "head" else [f"{home}:/srv/nfs/home"]
        values = {"role": role, "munge_key": None, "head": ADDRESS if role != "head" else None, "deadline": "60s", **document}
        box = bed.container(name, [layer, *layers], binds, user_data=node_document(name, **values))
        for action in ("resume", "suspend"):
            box.put(f"/usr/local/sbin/{action}", head.POWER.format(router=net.ROUTER, port=head.POWER_PORT, action=action), 0o755)
        return box.boot()
    return make


def bootstrap(box):
    code, printed = agent.bootstrap(box, timeout=GUARD)
    return agent.status(box), f"{code}\n{printed}"


def ready(box):
    status, printed = bootstrap(box)
    assert status.phase == "ready", printed
    return status


def life(box):
    """Another one after a restart, and the same after a reconfiguration, in which slurmctld may replace its process."""
    return box.run("systemctl show -p InvocationID --value slurmctld")[1].strip()


def local_key(box):
    return box.run("base64 -w0 /etc/munge/munge.key")[1]


@pytest.mark.every_suite
def test_a_head_is_made_and_the_second_run_is_all_ok(machine, store):
    import base64
    box = machine()
    ready(box)
    assert box.run("sinfo -h -o '%R %a'")[1] == "queue1 up\n"
    assert base64.b64decode(local_key(box)) == store.munge_key() and len(store.munge_key()) == 1024
    assert store.puts == [(f"{CLUSTER}/munge.key".encode(), "*")]
    assert box.run(f"stat -c %U {STATE}")[1] == "slurm\n"
    before = life(box)
    assert ready(box).states() == {"ok"}
    assert life(box) == before and len(store.puts) == 1


@pytest.mark.every_suite
def test_what_changed_decides_between_reconfigure_and_restart(machine, store):
    box = machine()
    ready(box)
    before = life(box)
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", spec(CONF.replace("SuspendTime=600", "SuspendTime=700")).encode())
    assert ready(box).of("controller") == {"changed"} and life(box) == before
    assert "SuspendTime             = 700 sec" in box.run("scontrol show config")[1]
    assert ready(box).states() == {"ok"}
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", spec(CONF.replace("dy-t3micro-[1-10]", "dy-t3micro-[1-12]")).encode())
    assert ready(box).of("controller") == {"changed"} and life(box) != before
    assert box.run("sinfo -h -N -n queue1-dy-t3micro-12 -o %N")[1] == "queue1-dy-t3micro-12\n"
    assert ready(box).states() == {"ok"}


def test_state_and_key_are_kept_when_everything_volatile_is_gone(machine, store):
    box = machine()
    ready(box)
    job = box.run("cd /home/alice && runuser -u alice -- sbatch --parsable --hold --wrap hostname")[1].strip()
    key = local_key(box)
    box.run("systemctl stop slurmctld munge && rm -rf /run/hpc-node")
    ready(box)
    assert job in box.run("squeue -h -o %i")[1] and local_key(box) == key and len(store.puts) == 1


def test_killed_at_any_moment_the_key_is_made_once(machine, store):
    box, moments = machine(), random.Random()
    seed = moments.randrange(1 << 32)
    moments.seed(seed)
    print("seed", seed)
    for _ in range(6):
        run = box.popen("bash", "-c", "exec " + agent.call("bootstrap"))
        time.sleep(moments.uniform(0.0, 1.2))
        box.run("pkill -KILL -x hpc-agent", check=False)
        run.wait(10)
    ready(box)
    assert ready(box).states() == {"ok"}
    assert len(store.puts) == 1


def test_two_heads_that_race_end_with_one_key(machine, store):
    boxes = [machine(HEAD), machine(OTHER)]
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", b"roles: {head: {munge: {create: true}}}\n")
    runs = [box.popen("bash", "-c", "exec " + agent.call("bootstrap")) for box in boxes]
    assert [run.wait(GUARD) for run in runs] == [0, 0]
    assert local_key(boxes[0]) == local_key(boxes[1]) and len(store.puts) == 1


@pytest.mark.parametrize("before,change,reason,words", [
    pytest.param(None, ("SuspendTime=600", "SuspendTim=600"), "slurm-conf", "SuspendTim", marks=pytest.mark.every_suite),
    (None, ("Nodes=ALL", "Nodes=nobody"), "slurm-conf", "partition queue1"),
    pytest.param("exec systemd-socket-activate -l 0.0.0.0:6817 sleep 600", None, "slurm-port", PORT_TAKEN,
                 marks=pytest.mark.every_suite),
    (None, (f"SlurmctldHost={HEAD}", "SlurmctldHost=another"), "slurm-host", "not a valid controller"),
    (None, (STATE, "/run/slurm-state"), "slurm-state", "/run/slurm-state"),
    (None, (STATE, "/var/spool"), "slurm-state", "'/var/spool' is not a directory of SlurmUser's"),
    (f"mkdir -p {STATE} && mount -t tmpfs -o size=1m,mode=0755 full {STATE}", None, "host-space", STATE),
    (None, ("SlurmUser=slurm", "SlurmUser=nobodyatall"), "host-user", "nobodyatall"),
    (None, ("Default=YES MaxTime=INFINITE State=UP", "Default=YES State=DOWN"), "slurm-partition", "queue1"),
], ids=["unknown-key", "unknown-node", "port", "host", "memory", "others", "full", "user", "partition"])
def test_why_a_controller_does_not_come_up(machine, store, before, change, reason, words):
    box = machine(deadline="15s")
    if change:
        assert change[0] in CONF
        store.conf.put(f"{CLUSTER}/cluster-config.yaml", spec(CONF.replace(*change)).encode())
    if before:
        port_taker = box.popen("bash", "-c", before) if "socket" in before else box.run(before)
        wait_until(lambda: "socket" not in before or ":1AA1 " in box.read("/proc/net/tcp"), 10, "the port is taken")
        del port_taker
    status, printed = bootstrap(box)
    assert status.failures() == {"controller": reason} and words in printed, printed
    # One that ends by itself is not started again; one whose partition is down goes on.
    unit = "active" if reason == "slurm-partition" else "inactive"
    assert box.run("systemctl is-active slurmctld", check=False)[1].strip() == unit
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", spec().encode())
    box.run(f"pkill -f '^(systemd-socket-activate|sleep 600)'; umount {STATE}", check=False)
    ready(box)


@pytest.mark.every_suite
def test_nodes_join_and_a_job_starts_when_its_node_is_up(bed, machine, home):
    controller = machine()
    ready(controller)
    ready(machine(STATIC, "compute"))
    alice = "cd /home/alice && runuser -u alice -- "
    controller.run(f"{alice} sbatch -W -w {STATIC} -o static.out --wrap hostname", GUARD)
    assert (home / "alice/static.out").read_text() == STATIC + "\n"

    def resume(name):
        box = machine(name, "compute")
        box.popen("bash", "-c", agent.call("bootstrap"))
    bed.resume = resume
    begun = time.monotonic()
    controller.run(f"{alice} sbatch -W -w {CLOUD} -o cloud.out --wrap hostname", GUARD)
    print(f"from sbatch to the end of a job on a resumed node: {time.monotonic() - begun:.1f} s")
    assert (home / "alice/cloud.out").read_text() == CLOUD + "\n"


def jobs(controller):
    """Each job with its state and where it runs, since when."""
    return controller.run("squeue -h -r -o '%i %T %N %S' | sort")[1].splitlines()


@pytest.mark.every_suite
def test_a_head_that_reboots_under_load_loses_no_job_and_no_node(machine, store, home):
    controller, names = machine(), [STATIC, "queue1-st-t3micro-6"]
    ready(controller)
    nodes = [machine(name, "compute") for name in names]
    for node in nodes:
        ready(node)
    submit = "cd /home/alice && runuser -u alice -- sbatch --parsable -p queue1 -w {} --array 1-6 -o %A.%a --wrap '{}'"
    work = "until test -e go; do sleep 0.2; done; echo done"
    ids = [controller.run(submit.format(name, work))[1].strip() for name in names]
    wait_until(lambda: sum(" RUNNING " in job for job in jobs(controller)) == 2, GUARD, "a job runs on each node", 0.1)
    # Of those that wait nobody knows when they would start.
    before = [job if " RUNNING " in job else job.split(" PENDING ")[0] for job in jobs(controller)]
    key, lives = local_key(controller), [node.run("systemctl show -p InvocationID --value slurmd")[1] for node in nodes]
    controller.put("/etc/hpc-node/environment", f"AWS_ENDPOINT_URL_S3={store.url}\n")
    controller.run(f"systemctl enable {agent.UNIT}")
    controller.reboot()
    status = agent.wait_ended(controller, GUARD)
    assert status.phase == "ready" and status.of("controller") == {"changed"}, status
    after = [job if " RUNNING " in job else job.split(" PENDING ")[0] for job in jobs(controller)]
    assert len(before) == 12 and after == before
    assert local_key(controller) == key and len(store.puts) == 1
    (home / "alice/go").touch()
    wait_until(lambda: not jobs(controller), GUARD, "every job has ended", 0.2)
    for number in range(1, 7):
        assert [(home / f"alice/{id}.{number}").read_text() for id in ids] == ["done\n", "done\n"]
    assert [node.run("systemctl show -p InvocationID --value slurmd")[1] for node in nodes] == lives
    assert controller.run(f"sinfo -h -N -n {','.join(names)} -o %T | sort -u")[1] == "idle\n"


@pytest.fixture
def file(store):
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", FILE.encode())


@pytest.mark.every_suite
def test_a_parallelcluster_file_alone_makes_the_head(machine, store, file):
    controller = machine(node=None)
    status = ready(controller)
    assert status.of("controller") == {"changed"} and status.of("munge") == {"changed"}
    assert controller.run("hostname")[1] == "head\n"
    assert controller.run("sinfo -h -o '%R %a %N'")[1] == "queue1 up queue1-dy-t3micro-[1-12]\n"
    assert controller.run("scontrol show config | grep -c '^ClusterName  *= test-cluster$'")[1] == "1\n"
    assert store.puts == [(f"{CLUSTER}/munge.key".encode(), "*")]
    before = life(controller)
    controller.run("touch /run/mark")
    assert ready(controller).states() == {"ok"}
    assert (life(controller), controller.run("find /etc /usr -newer /run/mark")[1]) == (before, "")
    assert len(store.puts) == 1


# Containers of the bed have no control groups for jobs: Slurm takes the last value of a key, which the file's include has.
MORE = "ProctrackType=proctrack/linuxproc\nTaskPlugin=task/none\nSlurmdParameters=config_overrides\n"
WITH_MORE = FILE.replace("  Scheduler: slurm\n", f"""  Scheduler: slurm
  SlurmSettings:
    CustomSlurmSettingsIncludeFile: s3://{BUCKET}/{CLUSTER}/more.conf
""")


def test_a_parallelcluster_file_runs_jobs_once_the_sites_programs_are_there(bed, machine, store):
    store.conf.put(f"{CLUSTER}/more.conf", MORE.encode())
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", WITH_MORE.encode())
    controller = machine(node=None)
    ready(controller)
    before = life(controller)
    for action in ("resume", "suspend", "resume-fail"):
        controller.put(f"/usr/lib/hpc-node/slurm-{action}",
                       head.POWER.format(router=net.ROUTER, port=head.POWER_PORT, action=action.partition("-")[0]), 0o755)
    status = ready(controller)
    assert status.of("controller") == {"changed"} and life(controller) != before
    assert ready(controller).states() == {"ok"}

    def resume(name):
        box = machine(name, "compute")
        box.popen("bash", "-c", agent.call("bootstrap"))
    bed.resume = resume
    assert controller.run(f"cd /tmp && runuser -u alice -- srun -w {CLOUD} hostname", GUARD)[1] == CLOUD + "\n"


def test_a_head_without_slurmctld_is_told_so(machine, file):
    box = machine(node=None)
    box.run("mv /usr/sbin/slurmctld /usr/sbin/slurmctld.away")
    code, printed = agent.bootstrap(box, timeout=GUARD)
    assert code == 1 and "there is no slurmctld" in printed, printed
    assert box.run("test -e /etc/slurm/slurm.conf", check=False)[0] == 1
