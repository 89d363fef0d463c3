"""doctor: every fault of an account at once, against EC2's stand-in; nothing is made."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fakes.instances import Cloud  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402

PROGRAM = os.environ.get("HPC_CLUSTER", "hpc-cluster")
KEY = Key("AKIAEXAMPLEKEY000001", "canary/secret+key/of/the/person/000000000")
HEAD, NODES, OTHER = "subnet-0aaaaaaaaaaaaaaa1", "subnet-0bbbbbbbbbbbbbbb2", "subnet-0ccccccccccccccc3"
FILE = f"""
Region: eu-west-1
Image: {{Os: debian12}}
HeadNode:
  InstanceType: t3.micro
  Networking: {{SubnetId: {HEAD}}}
  Ssh: {{KeyName: key1}}
Scheduling:
  Scheduler: slurm
  SlurmQueues:
  - Name: queue1
    ComputeResources: [{{Name: a, Instances: [{{InstanceType: c5.large}}], MaxCount: 10}}]
    Networking: {{SubnetIds: [{NODES}]}}
"""


@pytest.fixture
def ec2():
    """As it should be: the head with an address of the internet, the nodes behind a NAT gateway."""
    with Cloud([KEY]) as cloud:
        cloud.pairs = ["key1"]
        cloud.subnets = {HEAD: "eu-west-1a", NODES: "eu-west-1b", OTHER: "eu-west-1b"}
        cloud.networks, cloud.public = {HEAD: "vpc-1", NODES: "vpc-1", OTHER: "vpc-2"}, {HEAD}
        cloud.routes = [("rtb-1", "vpc-1", (), {"10.0.0.0/16": "local", "0.0.0.0/0": "igw-1"}),
                        ("rtb-2", "vpc-1", (NODES,), {"10.0.0.0/16": "local", "0.0.0.0/0": "nat-1"})]
        yield cloud


@pytest.fixture
def doctor(ec2, tmp_path):
    def run(*args, code=0, text=FILE, **env):
        (tmp_path / "c.yaml").write_text(text)
        r = subprocess.run([PROGRAM, "doctor", str(tmp_path / "c.yaml"), *args], capture_output=True, text=True, timeout=60, env={
            "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_ACCESS_KEY_ID": KEY.access_key, "AWS_SECRET_ACCESS_KEY": KEY.secret,
            "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_EC2": ec2.url, **env})
        assert "Sanitizer" not in r.stderr and r.returncode == code, f"{r.returncode}: {r.stdout}{r.stderr}"
        assert not [q for q in ec2.log if b"Action=Describe" not in q.body], "nothing is made"
        return r.stdout + r.stderr
    return run


def test_all_is_well(doctor, ec2):
    assert doctor() == "7 things looked at: 0 faults, 0 not known\n" and len(ec2.log) == 6
    assert json.loads(doctor("--json")) == {"schema": 1, "looked": 7, "findings": []}


def test_every_fault_at_once(doctor, ec2):
    ec2.pairs, ec2.public = ["other"], set()
    ec2.addresses = {NODES: 9, HEAD: 0}
    ec2.offers = {"c5.large": ["eu-west-1a"], "t3.micro": []}
    ec2.routes[1] = ("rtb-2", "vpc-1", (NODES,), {"10.0.0.0/16": "local"})
    faults = [line for line in doctor(code=3).splitlines() if line.startswith("fault: ")]
    assert faults == [
        "fault: key pair 'key1' isn't in the region",
        f"fault: subnet '{HEAD}' has no way to S3: expected a route to a NAT gateway, addresses of the internet, or a gateway endpoint of S3",
        f"fault: subnet '{HEAD}' of the head has no way to EC2: expected a route to a NAT gateway, an address of the internet, or an interface "
        "endpoint of EC2",
        f"fault: subnet '{HEAD}' has no free address for the head",
        "fault: the region doesn't have instance type 't3.micro'",
        f"fault: subnet '{NODES}' has no way to S3: expected a route to a NAT gateway, addresses of the internet, or a gateway endpoint of S3",
        f"fault: instance type 'c5.large' isn't in the zone of subnet '{NODES}'",
        "fault: queue 'queue1' may have 10 nodes, and its subnets have 9 free addresses"]
    told = json.loads(doctor("--json", code=3))
    assert ["fault: " + f["text"] for f in told["findings"]] == faults and {f["level"] for f in told["findings"]} == {"fault"}


def test_private_subnets_with_endpoints_are_enough(doctor, ec2):
    ec2.public, private = set(), {"10.0.0.0/16": "local"}
    ec2.routes = [("rtb-1", "vpc-1", (), private), ("rtb-2", "vpc-1", (NODES,), private)]
    ec2.endpoints = [("vpc-1", "s3", ("rtb-1", "rtb-2")), ("vpc-1", "ec2", ())]
    doctor()
    ec2.endpoints = [("vpc-1", "s3", ("rtb-2",)), ("vpc-2", "s3", ()), ("vpc-2", "ec2", ())]
    said = doctor(code=3)
    assert f"'{HEAD}' has no way to S3" in said and f"'{HEAD}' of the head has no way to EC2" in said and f"'{NODES}' has no way" not in said


def test_addresses_that_the_file_asks_for(doctor, ec2):
    ec2.public = set()
    doctor(code=3)
    doctor(text=FILE.replace(f"SubnetId: {HEAD}", f"SubnetId: {HEAD}, ElasticIp: true"))
    ec2.routes = ec2.routes[:1]
    doctor(code=3, text=FILE.replace(f"SubnetId: {HEAD}", f"SubnetId: {HEAD}, ElasticIp: true"))
    doctor(text=FILE.replace(f"SubnetId: {HEAD}", f"SubnetId: {HEAD}, ElasticIp: true").replace("SubnetIds:", "AssignPublicIp: true, SubnetIds:"))


def test_subnets_that_are_not_there_or_elsewhere(doctor, ec2):
    said = doctor(code=3, text=FILE.replace(NODES, OTHER))
    assert f"subnet '{OTHER}' is in vpc-2, the head's in vpc-1" in said
    assert f"subnet '{HEAD[:-1]}f' isn't in the region" in doctor(code=3, text=FILE.replace(HEAD, HEAD[:-1] + "f"))


def test_what_may_not_be_looked_at_is_said(doctor, ec2):
    ec2.forbidden = {"DescribeKeyPairs", "DescribeRouteTables", "DescribeVpcEndpoints"}
    said = doctor(code=4)
    assert said.count("unknown: ") == 3 and "0 faults, 3 not known" in said and "UnauthorizedOperation" in said
    ec2.addresses = {NODES: 1}
    assert "1 faults, 3 not known" in doctor(code=3)


def test_faults_of_the_file_come_first(doctor, ec2):
    assert "c.yaml:" in doctor(code=3, text=FILE.replace("Scheduler: slurm", "Scheduler: pbs")) and not ec2.log
