"""A head that keeps accounts: slurmdbd made by the agent, a real MariaDB, the password in a strict Secrets Manager.

Debian 12's only: slurmdbd 24.11.5 of Debian 13 ends with any server, as its libmariadb 11.8.9 lets no result have a column
(error 5027).
"""
import pytest

from bed import agent, head, net, rootfs
from bed.cluster import BUCKET, CLUSTER
from test_head import ADDRESS, CLOUD, FILE, GUARD, HEAD, MORE, OTHER, bootstrap, home, life, machine, ready, store  # noqa: F401

PASSWORD = "p #a\\ss=w'rd, 1"           # what slurmdbd.conf has quotes and escapes for
MARKS = ("p #a", "ss=w'rd")             # parts of it that no form of it hides
CONF = "/etc/slurm/slurmdbd.conf"


def with_settings(settings):
    return FILE.replace("  Scheduler: slurm\n", "  Scheduler: slurm\n  SlurmSettings:\n" + settings
                        + f"    CustomSlurmSettingsIncludeFile: s3://{BUCKET}/{CLUSTER}/more.conf\n")


@pytest.fixture
def secrets(store, monkeypatch):                                                                           # noqa: F811
    """secrets(password) is the ARN of a secret, and the cluster's file names it."""
    monkeypatch.setitem(agent.ENVIRONMENT, "AWS_ENDPOINT_URL_SECRETS_MANAGER", store.url)
    store.conf.put(f"{CLUSTER}/more.conf", (MORE + "JobAcctGatherType=jobacct_gather/linux\nJobAcctGatherFrequency=0\n").encode())

    def keep(password=PASSWORD, uri="127.0.0.1"):
        arn = store.secret("db", password)
        database = f"{{Uri: '{uri}', UserName: keeper, PasswordSecretArn: '{arn}'}}"
        store.conf.put(f"{CLUSTER}/cluster-config.yaml", with_settings(f"    Database: {database}\n").encode())
        return arn
    keep()
    return keep


@pytest.fixture
def accountant(machine, secrets):                                                                          # noqa: F811
    """accountant() is a head to be, whose SQL server runs and knows the user."""
    def make(**document):
        box = machine(layers=[rootfs.database()], node=None, **document)
        box.run("systemctl start mariadb", GUARD)
        escaped = PASSWORD.replace("\\", "\\\\").replace("'", "''")
        box.put("/root/user.sql", f"create user keeper@'%' identified by '{escaped}'; grant all on test_cluster.* to keeper@'%';\n")
        box.run("mariadb </root/user.sql && rm /root/user.sql")
        for action in ("resume", "suspend", "resume-fail"):
            box.put(f"/usr/lib/hpc-node/slurm-{action}",
                    head.POWER.format(router=net.ROUTER, port=head.POWER_PORT, action=action.partition("-")[0]), 0o755)
        return box
    return make


def recorded(box):
    """(clusters, accounts with their users, administrators)"""
    show = lambda what: box.run(f"sacctmgr -nP show {what}")[1].split()
    return show("cluster format=Cluster"), show("associations where account=pcdefault format=Account,User"), \
        show("user where adminlevel=Admin format=User")


def test_jobs_are_accounted_for_and_the_password_is_seen_nowhere(bed, machine, accountant):                # noqa: F811
    controller = accountant()
    status = ready(controller)
    assert status.of("database") == {"changed"} and status.of("controller") == {"changed"}
    assert controller.run(f"stat -c '%a %U:%G' {CONF}")[1] == "600 slurm:slurm\n"
    clusters, members, admins = recorded(controller)
    assert clusters == [CLUSTER] and members == ["pcdefault|", "pcdefault|ec2-user", "pcdefault|slurm"]
    assert {"ec2-user", "slurm"} <= set(admins)
    before = life(controller)
    assert ready(controller).states() == {"ok"} and life(controller) == before

    def resume(name):
        box = machine(name, "compute")
        box.popen("bash", "-c", agent.call("bootstrap"))
    bed.resume = resume
    controller.run(f"cd /tmp && runuser -u alice -- srun -w {CLOUD} true", GUARD)
    listed = "for i in $(seq 100); do sacct -a -n -X -P -o User,State,NodeList | grep COMPLETED && exit; sleep 0.1; done; exit 1"
    assert controller.run(listed, GUARD)[1] == f"alice|COMPLETED|{CLOUD}\n"
    told = controller.run("journalctl -b --no-pager -o verbose; cat /run/hpc-node/* /var/log/slurm/* 2>/dev/null; hpc-agent facts; "
                          "find /proc -maxdepth 2 -name cmdline -exec cat {} +", GUARD, check=False)[1]
    assert "slurmdbd" in told and not [mark for mark in MARKS if mark in told]
    assert controller.run(f"grep -rlF \"{MARKS[1]}\" /etc /var/lib /var/log /run /tmp --exclude-dir=mysql", check=False)[1] == CONF + "\n"


def test_a_database_that_is_down_at_the_first_start(accountant, secrets):
    controller = accountant(deadline="10s")
    controller.run("systemctl stop mariadb", GUARD)
    status, printed = bootstrap(controller)
    # It is slurmctld's end that makes the run fail, as the section is optional.
    assert status.failures() == {"database": "slurmdbd-sql", "controller": "slurm-database"} and status.exit == 1, printed
    assert "Can't connect to" in printed, printed
    controller.run("systemctl start mariadb", GUARD)
    ready(controller)


def test_a_database_that_is_down_later_stops_no_head(accountant):
    controller = accountant(deadline="60s")
    ready(controller)
    controller.run("systemctl stop slurmctld slurmdbd mariadb", GUARD)
    status, printed = bootstrap(controller)
    assert (status.phase, status.exit) == ("degraded", 8), printed
    assert status.failures() == {"database": "slurmdbd-sql"} and status.of("controller") == {"changed"}, printed
    assert controller.run("sinfo -h -o '%R %a'")[1] == "queue1 up\n"
    controller.run("systemctl start mariadb", GUARD)
    assert ready(controller).of("database") == {"changed"}


def test_a_wrong_password_is_told_at_once(accountant, secrets):
    secrets("another one")
    controller = accountant()
    status, printed = bootstrap(controller)
    assert status.failures() == {"database": "slurmdbd-sql", "controller": "slurm-database"} and status.exit == 1, printed
    assert "Access denied for user 'keeper'" in printed and "another one" not in printed, printed
    secrets()
    ready(controller)


def test_the_slurmdbd_of_another_machine(accountant, machine, store, secrets):                             # noqa: F811
    keeper = accountant()
    ready(keeper)
    key = store.secret("munge", keeper.run("base64 -w0 /etc/munge/munge.key")[1])
    text = with_settings(f"    ExternalSlurmdbd: {{Host: {ADDRESS}}}\n    MungeKeySecretArn: '{key}'\n")
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", text.encode())
    other = machine(OTHER, node=None, cluster="second")
    assert ready(other).of("database") == {"changed"}
    assert recorded(other)[0] == ["second", CLUSTER] and other.run(f"test -e {CONF}", check=False)[0] == 1
    assert ready(other).states() == {"ok"}
