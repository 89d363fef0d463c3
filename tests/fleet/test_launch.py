"""What a launch asks of EC2: markets, places, networks, volumes, processors, and whose it is."""
import os
import subprocess
from pathlib import Path

from conftest import GUARD, wait_until
from fakes.instances import names

HEAD = """
cluster: test-cluster
types:
- {name: p5.48xlarge, cores: 96, cards: 32, efa: 32}
- {name: p6-b300.48xlarge, cores: 96, cards: 17, efa: 16}
- {name: c5n.18xlarge, cores: 36, efa: 1}
resources:
"""
ONE = "- {nodes: 'q-dy-a-[1-9]', image: ami-1, types: [c5n.18xlarge], subnets: [subnet-a], security-groups: [sg-1], %s}\n"


def site(head, ec2, *resources):
    ec2.types.update({"p5.48xlarge": {"cores": 96, "cards": 32, "efa": 32}, "p6-b300.48xlarge": {"cores": 96, "cards": 17, "efa": 16},
                      "c5n.18xlarge": {"cores": 36, "cards": 1, "efa": 1, "spot": 1.5}})
    ec2.placement_groups.add("together")
    ec2.reservations.update({"cr-1": "default", "cr-2": "capacity-block", "arn:aws:resource-groups:eu-west-1:1:group/g": "default"})
    head.site(HEAD + "".join(resources))
    head.start()


def launched(head, ec2, nodes="q-dy-a-1"):
    head.slurm("resume", nodes)
    head.wait_alive(nodes)
    return ec2.of_node(names(nodes)[0])[-1].shape


def test_spot_falls_back_to_on_demand(head, ec2):
    site(head, ec2, ONE % "market: spot, max-price: 1.75, fall-back: true")
    shape = launched(head, ec2)
    assert shape["InstanceMarketOptions.MarketType"] == "spot"
    assert shape["InstanceMarketOptions.SpotOptions.MaxPrice"] == "1.75"
    ec2.capacity = {("c5n.18xlarge", "subnet-a", "spot"): 0}
    head.slurm("resume", "q-dy-a-[2-3]")
    head.wait_alive("q-dy-a-[1-3]")
    assert ec2.of_node("q-dy-a-2")[0].market == "on-demand" and head.told() == []
    assert "spot" in head.run("why", "q-dy-a-2")


def test_spot_alone_is_told(head, ec2):
    site(head, ec2, ONE % "market: spot, max-price: 0.5")
    head.slurm("resume", "q-dy-a-1")
    head.wait_told("NodeName=q-dy-a-1 State=down", "SpotMaxPriceTooLow: c5n.18xlarge (spot) in subnet-a (request ")
    assert ec2.ledger == []


def test_an_interrupted_node_is_told_and_its_pool_rests(head, ec2):
    site(head, ec2, ONE % "market: spot, fall-back: true")
    launched(head, ec2)
    ec2.end(ec2.of_node("q-dy-a-1")[0], "Server.SpotInstanceTermination")
    for _ in range(60):
        head.run("reconcile")
        if head.told():
            break
        try:
            wait_until(head.told, "Slurm is told", 1)
        except AssertionError:
            continue
    head.wait_told("NodeName=q-dy-a-1 State=down", "ended: Server.SpotInstanceTermination")
    head.slurm("suspend", "q-dy-a-1")
    head.slurm("resume", "q-dy-a-2")
    head.wait_alive("q-dy-a-2")
    assert ec2.of_node("q-dy-a-2")[0].market == "on-demand"


def test_places(head, ec2):
    site(head, ec2, ONE % "placement-group: together, tenancy: dedicated, capacity-reservation: cr-1",
         (ONE % "market: capacity-block, capacity-reservation: cr-2").replace("dy-a", "dy-b"),
         (ONE % "capacity-reservation: 'arn:aws:resource-groups:eu-west-1:1:group/g'").replace("dy-a", "dy-c"))
    target = "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservation"
    assert launched(head, ec2) == {"Placement.GroupName": "together", "Placement.Tenancy": "dedicated", f"{target}Id": "cr-1"}
    head.slurm("resume", "q-dy-b-1,q-dy-c-1")
    head.wait_alive("q-dy-a-1,q-dy-b-1,q-dy-c-1")
    assert ec2.of_node("q-dy-b-1")[0].shape == {"InstanceMarketOptions.MarketType": "capacity-block", f"{target}Id": "cr-2"}
    assert ec2.of_node("q-dy-c-1")[0].shape == {f"{target}ResourceGroupArn": "arn:aws:resource-groups:eu-west-1:1:group/g"}


def interfaces(shape):
    out, n = [], 1
    while f"NetworkInterface.{n}.InterfaceType" in shape:
        at = f"NetworkInterface.{n}."
        out.append((int(shape[at + "NetworkCardIndex"]), int(shape[at + "DeviceIndex"]), shape[at + "InterfaceType"]))
        n += 1
    return out


def test_interfaces_of_efa_by_the_cards(head, ec2):
    site(head, ec2, ONE % "efa: true, public-address: true", (ONE % "efa: true").replace("c5n.18", "p5.48").replace("dy-a", "dy-b"),
         (ONE % "efa: true").replace("c5n.18", "p6-b300.48").replace("dy-a", "dy-c"),
         (ONE % "public-address: false").replace("dy-a", "dy-d"))
    head.slurm("resume", "q-dy-a-1,q-dy-b-1,q-dy-c-1,q-dy-d-1")
    head.wait_alive("q-dy-a-1,q-dy-b-1,q-dy-c-1,q-dy-d-1")
    one, many, first_without, none = (ec2.of_node(f"q-dy-{x}-1")[0].shape for x in "abcd")
    assert interfaces(one) == [(0, 0, "efa")] and one["NetworkInterface.1.AssociatePublicIpAddress"] == "true"
    assert interfaces(many) == [(0, 0, "interface"), (0, 1, "efa-only")] + [(n, 0, "efa-only") for n in range(1, 32)]
    assert interfaces(first_without) == [(0, 0, "interface")] + [(n, 0, "efa-only") for n in range(1, 17)]
    assert "NetworkInterface.1.AssociatePublicIpAddress" not in many
    assert interfaces(none) == [(0, 0, "interface")] and none["NetworkInterface.1.AssociatePublicIpAddress"] == "false"


def test_volumes_and_processors(head, ec2):
    site(head, ec2, ONE % "threads-per-core: 1, root: {size: 80, type: gp3, iops: 4000, throughput: 250, encrypted: true, "
         "kms-key: alias/k}")
    assert launched(head, ec2) == {
        "CpuOptions.CoreCount": "36", "CpuOptions.ThreadsPerCore": "1", "BlockDeviceMapping.1.DeviceName": "/dev/xvda",
        "BlockDeviceMapping.1.Ebs.VolumeSize": "80", "BlockDeviceMapping.1.Ebs.VolumeType": "gp3",
        "BlockDeviceMapping.1.Ebs.Iops": "4000", "BlockDeviceMapping.1.Ebs.Throughput": "250",
        "BlockDeviceMapping.1.Ebs.Encrypted": "true", "BlockDeviceMapping.1.Ebs.KmsKeyId": "alias/k",
        "BlockDeviceMapping.1.Ebs.DeleteOnTermination": "true"}


def tags(ec2, node):
    return {k[len("hpc-node:"):]: v for k, v in ec2.of_node(node)[0].tags.items() if k not in ("hpc-node:cluster", "hpc-node:nodes")}


def test_instances_have_the_tags_of_queue_and_resource_and_of_the_job_they_are_for(head, ec2):
    site(head, ec2, ONE % "exclusive: true, queue: q, name: a", (ONE % "queue: q, name: b").replace("dy-a", "dy-b"))
    (head.dir / "jobs").write_text("7|u1|lab\n8|u1|lab\n9|u2|\n10|u3|lab\n")
    jobs = {7: "q-dy-a-1", 8: "q-dy-a-2", 9: "q-dy-a-3", 10: "q-dy-a-[4-5]", 11: "q-dy-b-1"}
    head.slurm("resume", "q-dy-a-[1-5],q-dy-b-1", {"all_nodes": "x", "jobs": [{"job_id": k, "nodes": v} for k, v in jobs.items()]})
    head.wait_alive("q-dy-a-[1-5],q-dy-b-1")
    where = {"queue": "q", "resource": "a"}
    # Jobs of one user and account have one launch.
    assert tags(ec2, "q-dy-a-1") == tags(ec2, "q-dy-a-2") == where | {"user": "u1", "account": "lab"}
    assert ec2.of_node("q-dy-a-1")[0].token == ec2.of_node("q-dy-a-2")[0].token
    assert tags(ec2, "q-dy-a-3") == where | {"job": "9", "user": "u2"}
    assert tags(ec2, "q-dy-a-4") == where | {"job": "10", "user": "u3", "account": "lab"}
    assert tags(ec2, "q-dy-b-1") == {"queue": "q", "resource": "b"}
    asked = (head.dir / "squeue.log").read_text().splitlines()
    assert asked == ["--noheader --all --format=%A|%u|%a --jobs=7,8,9,10"]


def render(head, name, *options):
    """What the agent makes of a case, as hpc-fleet reads it."""
    case = Path(__file__).resolve().parents[1] / f"render/cases/{name}.yaml"
    subprocess.run([os.environ["HPC_AGENT"], "render", case, "--role", "head", "--cluster", "hpc", "--head", "10.0.0.10", "-o", head.dir / "out", *options],
                   check=True, capture_output=True, timeout=GUARD)
    head.site((head.dir / "out/etc/hpc-node/fleet.yaml").read_text())


def test_what_the_agent_makes_of_a_cluster_file(head, ec2):
    render(head, "fleet")
    group = "arn:aws:resource-groups:eu-west-1:123456789012:group/g"
    ec2.subnets["subnet-12121212"] = "eu-west-1a"
    ec2.launchable.add("ami-00000000000000001")
    ec2.groups.add("sg-00000000000000001")
    ec2.placement_groups.add("rack")
    ec2.reservations.update({"cr-00000000000000001": "default", group: "default"})
    ec2.types.update({"t3.micro": {"cores": 1, "cards": 1, "efa": 0, "spot": 0.01}, "c5.large": {"cores": 1, "cards": 1, "efa": 0}})
    head.start()
    head.slurm("resume", "queue1-dy-t3micro-1,reserved-dy-own-1,reserved-dy-group-1")
    head.wait_alive("queue1-dy-t3micro-1,reserved-dy-own-1,reserved-dy-group-1")
    spot, own, grouped = (ec2.of_node(f"{name}-1")[0].shape for name in ("queue1-dy-t3micro", "reserved-dy-own", "reserved-dy-group"))
    target = "CapacityReservationSpecification.CapacityReservationTarget.CapacityReservation"
    assert spot["InstanceMarketOptions.MarketType"] == "spot" and float(spot["InstanceMarketOptions.SpotOptions.MaxPrice"]) == 0.015
    assert own["Placement.GroupName"] == "rack" and own[f"{target}Id"] == "cr-00000000000000001"
    assert "Placement.GroupName" not in grouped and grouped[f"{target}ResourceGroupArn"] == group


def test_efa_volumes_processors_and_limits_of_a_cluster_file(head, ec2):
    (head.dir / "node.yaml").write_text("version: 1\nfleet: {root-device: /dev/sda1}\n")
    render(head, "fleet-launch", "--node-document", head.dir / "node.yaml")
    ec2.subnets["subnet-12121212"] = "eu-west-1a"
    ec2.launchable.add("ami-00000000000000001")
    ec2.groups.add("sg-00000000000000001")
    ec2.roots["ami-00000000000000001"] = "/dev/sda1"
    ec2.types.update({"p5.48xlarge": {"cores": 96, "cards": 32, "efa": 32}, "c5n.18xlarge": {"cores": 36, "cards": 1, "efa": 1}})
    head.start()
    head.slurm("resume", "efa-dy-one-1,efa-dy-many-[1-3],other-dy-none-1")
    head.wait_told("NodeName=efa-dy-many-3 State=down", "MaxHourlyCost of queue 'efa': its instances cost $113.9680 an hour; 1 more of p5.48xlarge")
    head.wait_alive("efa-dy-one-1,efa-dy-many-[1-2],other-dy-none-1")
    one, many, plain = (ec2.of_node(f"{name}-1")[0].shape for name in ("efa-dy-one", "efa-dy-many", "other-dy-none"))
    root = {"DeviceName": "/dev/sda1", "Ebs.VolumeSize": "100", "Ebs.VolumeType": "gp3", "Ebs.Iops": "4000", "Ebs.Throughput": "250",
            "Ebs.KmsKeyId": "11111111-2222-3333-4444-555555555555", "Ebs.Encrypted": "true", "Ebs.DeleteOnTermination": "true"}
    for shape in (one, many):
        assert {k: v for k, v in shape.items() if k.startswith("Block")} == {f"BlockDeviceMapping.1.{k}": v for k, v in root.items()}
    assert one["CpuOptions.CoreCount"] == "36" and one["CpuOptions.ThreadsPerCore"] == "1"
    assert interfaces(one) == [(0, 0, "efa")] and one["NetworkInterface.1.AssociatePublicIpAddress"] == "true"
    assert len(interfaces(many)) == 33 and plain == {}
