"""Login nodes in booted containers: users of the file, sinfo and sbatch as they run them, and why a node does not come up.

Containers mount no NFS, so homes are each machine's own, or bound.
"""
import pytest

from bed.cluster import CLUSTER, MUNGE_KEY, node_document
from fakes.imds import KEY_PAIR
from test_head import FILE, GUARD, bootstrap, home, machine, ready, store  # noqa: F401 (fixtures)

LOGIN, STATIC = "login-1", "queue1-st-t3micro-5"
KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
LOGIN_FILE = FILE + f"""\
  Users:
  - Name: dora
    Uid: 2001
    Keys: {KEY}
    Sudo: true
  - Name: erik
    Uid: 70000
LoginNodes:
  Pools:
  - Name: first
    Count: 1
    InstanceType: t3.micro
    Networking:
      SubnetIds: [subnet-12121212]
  - Name: second
    Count: 1
    InstanceType: t3.micro
    GracetimePeriod: 3
    Networking:
      SubnetIds: [subnet-12121212]
"""
OWN = "munge: {}\nmounts: [{source: /srv/nfs/home, path: /home, type: bind}]\nlogin: {}\n"


def by(box, user, command, **more):
    """What a command prints that a user runs after a login."""
    return box.run(f"su -l {user} -c '{command}'", GUARD, **more)[1]


def test_a_login_node_of_a_parallelcluster_file(machine, store):
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", LOGIN_FILE.encode())
    controller = machine(node=None)
    ready(controller)
    login = machine(LOGIN, "login", pool="second")
    status = ready(login)
    assert status.of("login") == {"changed"} and "slurm" not in status.steps
    for box in (controller, login):
        assert box.run("id dora; id erik")[1] == ("uid=2001(dora) gid=2001(dora) groups=2001(dora)\n"
                                                  "uid=70000(erik) gid=70000(erik) groups=70000(erik)\n")
        assert box.run("id -un ec2-user; grep -c ec2-user /etc/sudoers.d/zz-hpc-node")[1] == "ec2-user\n1\n"
        assert box.read("/etc/ssh/hpc-node/ec2-user").endswith(f"\n{KEY_PAIR}\n")
        assert box.read("/etc/ssh/hpc-node/dora").endswith(f"\n{KEY}\n")
        assert box.run("stat -c '%U:%G %F' /home/dora")[1] == "dora:dora directory\n"
        assert box.run("grep -c dora /etc/sudoers.d/zz-hpc-node; stat -c %a /etc/sudoers.d/zz-hpc-node")[1] == "1\n440\n"
    assert by(login, "dora", "sinfo -h -o %R") == "queue1\n"
    job = by(login, "erik", "sbatch --parsable --hold --wrap hostname").strip()
    assert controller.run("squeue -h -o '%i %u'")[1] == f"{job} erik\n"
    assert login.run("systemctl is-active slurmd", check=False)[1] == "inactive\n"
    login.run("touch /run/mark")
    for box in (controller, login):
        assert ready(box).states() == {"ok"}
    assert login.run("find /etc /usr -newer /run/mark")[1] == ""


def test_which_pool_is_not_told(machine, store):
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", LOGIN_FILE.encode())
    box = machine(LOGIN, "login")
    status, printed = bootstrap(box)
    assert status.reason() == "input-required" and "'pool: first'" in printed, printed


@pytest.fixture
def login(bed, controller, layer):
    """login(document...) is a login node by our own sections, of the bed's own head."""
    def make(**document):
        bed.put("cluster-config.yaml", OWN)
        box = bed.container(LOGIN, [layer], [f"{controller.export}:/srv/nfs"],
                            user_data=node_document(LOGIN, role="login", **{"deadline": "30s", **document}))
        return box.boot()
    return make


def test_a_job_from_a_login_node(bed, login, controller, layer):
    box = login()
    ready(box)
    bed.put("cluster-config.yaml", OWN.replace("login: {}\n", ""))
    node = bed.container(STATIC, [layer], [f"{controller.export}:/srv/nfs"], user_data=node_document(STATIC)).boot()
    ready(node)
    by(box, "alice", f"sbatch -W -w {STATIC} -o login.out --wrap hostname")
    assert (controller.export / "home/alice/login.out").read_text() == STATIC + "\n"


def test_the_controller_is_down_then_back(login, controller):
    box = login(deadline="15s")
    controller.run("systemctl stop slurmctld")
    try:
        status, printed = bootstrap(box)
        assert status.failures() == {"login": "slurmctld-unreachable"}, printed
    finally:
        controller.start_slurmctld()
    ready(box)


def test_a_munge_key_of_another_cluster(bed, login):
    bed.put("munge.key", bytes(reversed(MUNGE_KEY)))
    box = login()
    status, printed = bootstrap(box)
    assert set(status.failures().values()) <= {"slurm-auth", "munge-refused"} and status.failures(), printed
