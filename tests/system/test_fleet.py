"""Instances come and go with the jobs: a head made by the agent, hpc-fleet on it, EC2's stand-in, and containers as instances.

Nothing but the user data and the launch index tells a container which node it is.
"""
import json

import pytest

from bed import agent, net
from bed.cluster import BUCKET, CLUSTER
from bed.proc import run, wait_until
from fakes.instances import Cloud
from fakes.sigcheck import Key
from test_head import ADDRESS, CONF, home, machine, ready, spec, store  # noqa: F401

GUARD = 45                      # seconds: a hang guard
PROGRAMS = {"ResumeProgram=/usr/local/sbin/resume": "ResumeProgram=/usr/lib/hpc-node/slurm-resume",
            "SuspendProgram=/usr/local/sbin/suspend": "SuspendProgram=/usr/lib/hpc-node/slurm-suspend\n"
                                                      "ResumeFailProgram=/usr/lib/hpc-node/slurm-resume-fail",
            "SuspendTime=600": "SuspendTime=5"}
SITE = {"cluster": CLUSTER,
        "node": {"config": f"s3://{BUCKET}/{CLUSTER}/cluster-config.yaml", "head": ADDRESS, "deadline": "60s"},
        "resources": [{"nodes": "queue1-dy-t3micro-[1-10]", "image": "ami-1", "types": ["t3.micro", "t3a.micro"],
                       "subnets": ["subnet-a"], "instance-profile": "compute"}]}


@pytest.fixture
def ec2(bed, layer, home):  # noqa: F811
    """Each instance is a container that boots with the launch's user data, and joins by the agent."""
    instances = {}

    def launch(instance):
        instances[instance.node] = instance
        bed._orders.put(("resume", instance.node))

    def resume(node):
        one = instances[node]
        box = bed.container(node, [layer], [f"{home}:/srv/nfs/home"], user_data=one.user_data.decode(), tags=one.tags,
                            instance_id=one.id, extra={"meta-data/ami-launch-index": str(one.index)}).boot()
        box.popen("bash", "-c", agent.call("bootstrap"))

    with Cloud([Key(bed.s3.KEY, bed.s3.SECRET, "bed-session-token")], net.ROUTER) as cloud:
        cloud.subnets["subnet-a"] = "eu-west-1a"
        cloud.launchable.add("ami-1")
        cloud.profiles.add("compute")
        cloud.on_launch, cloud.on_end = launch, lambda one: bed._orders.put(("suspend", one.node))
        bed.resume = resume
        yield cloud
        assert cloud.doubles() == []


@pytest.fixture
def server(bed, machine, store, fleet_layer, ec2):  # noqa: F811
    conf = CONF
    for before, after in PROGRAMS.items():
        assert before in conf
        conf = conf.replace(before, after)
    store.conf.put(f"{CLUSTER}/cluster-config.yaml", spec(conf).replace(
        "    controller: {}\n", "    controller: {}\n    imds-lock: {users: [slurm]}\n").encode())
    box = machine()
    run("cp", "-a", f"{fleet_layer}/usr/.", f"{box.root}/usr/")
    ready(box)
    box.put("/etc/hpc-node/fleet.yaml", json.dumps(SITE))
    box.put("/etc/hpc-node/environment", f"AWS_ENDPOINT_URL_EC2={ec2.url}\nAWS_REGION=eu-west-1\nASAN_OPTIONS=detect_leaks=0\n")
    code, _ = box.run("systemctl daemon-reload && systemctl start hpc-fleet", check=False)
    assert code == 0, said(box)
    return box


def said(box):
    return box.run("systemctl status hpc-fleet; journalctl -b --no-pager -n 40 -u hpc-fleet; ls -l /var/lib/hpc-fleet; "
                   "sinfo -N -o '%N %T %E'; tail -n 20 /var/log/slurm/slurmctld.log", check=False)[1]


def test_jobs_bring_their_instances_and_leave_none(server, ec2, home):  # noqa: F811
    alice = "cd /home/alice && runuser -u alice -- "
    assert server.run("systemctl show -p User --value hpc-fleet")[1] == "slurm\n"
    try:
        server.run(f"{alice} sbatch -W -N 2 -o job.out --wrap 'srun hostname'", GUARD)
    except Exception as why:
        raise AssertionError(f"{why}\n{said(server)}") from None
    assert len((home / "alice/job.out").read_text().split()) == 2
    assert set((home / "alice/job.out").read_text().split()) == {i.node for i in ec2.instances.values()}
    # Both are of one launch, and nothing else was started for them.
    assert len(ec2.instances) == 2 and len({i.token for i in ec2.instances.values()}) == 1
    wait_until(lambda: not ec2.alive(), GUARD, "idle instances end")
    assert [event for _, event, *_ in ec2.ledger] == ["launch"] * 2 + ["end"] * 2
    # What can't be had is the node's reason.
    ec2.capacity = {(t, "subnet-a"): 0 for t in ("t3.micro", "t3a.micro")}
    server.run(f"{alice} sbatch -o late.out --wrap hostname", GUARD)
    wait_until(lambda: "InsufficientInstanceCapacity" in server.run("sinfo -R -h -o '%E'")[1], GUARD, "the reason")
