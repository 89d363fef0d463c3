"""configure: the questions in their order, answered by a pipe, against EC2's stand-in or without it."""
import os
import subprocess
import sys

import pytest
import yaml

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fakes.instances import Cloud  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402

PROGRAM, AGENT = os.environ.get("HPC_CLUSTER", "hpc-cluster"), os.environ.get("HPC_AGENT", "hpc-agent")
KEY = Key("AKIAEXAMPLEKEY000001", "canary/secret+key/of/the/person/000000000")
A, B, C = "subnet-0aaaaaaaaaaaaaaa1", "subnet-0bbbbbbbbbbbbbbb2", "subnet-0ccccccccccccccc3"


@pytest.fixture
def ec2():
    with Cloud([KEY]) as cloud:
        cloud.pairs = ["key1", "key2"]
        cloud.vpcs = {"vpc-0123456789abcdef1": "10.0.0.0/16", "vpc-0123456789abcdef2": "10.1.0.0/16"}
        cloud.subnets = {A: "eu-west-1a", B: "eu-west-1b", C: "eu-west-1a"}
        cloud.networks = {A: "vpc-0123456789abcdef1", B: "vpc-0123456789abcdef1", C: "vpc-0123456789abcdef2"}
        cloud.cidrs, cloud.names = {A: "10.0.0.0/24", B: "10.0.16.0/20"}, {"vpc-0123456789abcdef1": "the first", A: "public"}
        yield cloud


@pytest.fixture
def configure(ec2, tmp_path):
    def run(answers, *args, code=0, name="cluster-config.yaml", **env):
        r = subprocess.run([PROGRAM, "configure", str(tmp_path / name), *args], input="".join(f"{a}\n" for a in answers), capture_output=True,
                           text=True, timeout=60, env={
                               "PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": KEY.access_key,
                               "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_EC2": ec2.url, **env})
        assert "Sanitizer" not in r.stderr and r.returncode == code, f"{r.returncode}: {r.stdout}{r.stderr}"
        if code == 0:
            checked = subprocess.run([AGENT, "check", "--role", "head", str(tmp_path / name)], capture_output=True, text=True, timeout=60)
            assert checked.returncode == 0, checked.stdout + checked.stderr
            run.config = yaml.safe_load((tmp_path / name).read_text())
            assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
        else:
            assert not (tmp_path / name).exists()
        return r.stdout + r.stderr
    return run


def questions(said):
    """What stands before a colon with its default in brackets."""
    return [q.split("]: ")[0] for q in said.replace("\n", "]: ").split("]: ") if " [" in q]


ALL = ["", "", "", "", "", "", "", "", "", "", "", "", "", "", ""]


def test_all_defaults(configure, ec2):
    said = configure(ALL)
    assert questions(said) == [
        "AWS Region ID [eu-west-1", "EC2 Key Pair Name [key1", "Scheduler [slurm", "Operating System [debian12", "Head node instance type [t3.micro",
        "Number of queues [1", "Name of queue 1 [queue1", "Number of compute resources for queue1 [1",
        "Compute instance type for compute resource 1 in queue1 [t3.micro", "Maximum instance count [10", "Automate VPC creation? (y/n) [n",
        "VPC ID [vpc-0123456789abcdef1", "Automate Subnet creation? (y/n) [n", f"head node subnet ID [{A}", f"compute subnet ID [{A}"]
    assert configure.config == {
        "Region": "eu-west-1", "Image": {"Os": "debian12"},
        "HeadNode": {"Ssh": {"KeyName": "key1"}, "InstanceType": "t3.micro", "Networking": {"SubnetId": A}},
        "Scheduling": {"Scheduler": "slurm", "SlurmQueues": [{
            "Name": "queue1", "ComputeResources": [{"Name": "t3micro", "Instances": [{"InstanceType": "t3.micro"}], "MinCount": 0, "MaxCount": 10}],
            "Networking": {"SubnetIds": [A]}}]}}
    assert not [q for q in ec2.log if b"Action=Describe" not in q.body], "nothing is made"


def test_what_there_is_is_listed(configure):
    said = configure(ALL)
    assert "Allowed values for AWS Region ID:\n1. eu-west-1\n2. us-east-1\n" in said and "Allowed values for EC2 Key Pair Name:\n1. key1\n" in said
    assert ("Allowed values for VPC ID:\n  #  id                     name         number_of_subnets\n"
            "---  ---------------------  ---------  -------------------\n"
            "  1  vpc-0123456789abcdef1  the first                    2\n") in said
    assert f"  1  {A}  public     256  eu-west-1a\n  2  {B}            4096  eu-west-1b\n" in said


def test_answers_by_name_or_number(configure):
    configure(["2", "key2", "slurm", "5", "c5.large", "2", "long", "2", "c5.large", "4", "t3.micro", "", "short", "", "m5.large", "20", "n", "2", "n", "", C])
    assert configure.config["Region"] == "us-east-1" and configure.config["Image"] == {"Os": "ubuntu2204"}
    queues = configure.config["Scheduling"]["SlurmQueues"]
    assert [(q["Name"], [(r["Name"], r["MaxCount"]) for r in q["ComputeResources"]]) for q in queues] == [
        ("long", [("c5large", 4), ("t3micro", 10)]), ("short", [("m5large", 20)])]
    assert configure.config["HeadNode"]["Networking"]["SubnetId"] == C


def test_what_is_not_acceptable_is_asked_again(configure, ec2):
    ec2.offers["x9.huge"] = []
    said = configure(["mars", "eu-west-1", "nokey", "", "awsbatch", "", "", "T3 micro", "x9.huge", "t3.micro", "0", "51", "2", "Queue", "default",
                      "q" * 26, "a", "", "", "0", "many", "3", "a", "b", "2", "", "", "", "c5.large", "", "y", "x", "n", "vpc-9", "", "y", "n", "", ""])
    for value, text in (("mars", "AWS Region ID"), ("nokey", "EC2 Key Pair Name"), ("awsbatch", "Scheduler"), ("T3 micro", "Head node instance type"),
                        ("x9.huge", "Head node instance type: the region doesn't have it"), ("0", "Number of queues"), ("51", "Number of queues"),
                        ("Queue", "Name of queue 1: expected at most 25"), ("default", "Name of queue 1"), ("many", "Maximum instance count"),
                        ("a", "Name of queue 2: another queue has that name"),
                        ("t3.micro", "Compute instance type for compute resource 2 in b: another compute resource of the queue has it"),
                        ("y", "Automate VPC creation? (y/n): hpc-cluster makes no networks"), ("x", "Automate VPC creation? (y/n)"),
                        ("vpc-9", "VPC ID"), ("y", "Automate Subnet creation? (y/n): hpc-cluster makes no networks")):
        assert f"ERROR: {value} is not an acceptable value for {text}" in said, value


def test_subnets_where_the_types_are(configure, ec2):
    ec2.offers = {"hpc7g.4xlarge": ["eu-west-1b"]}
    said = configure(["", "", "", "", "", "", "", "", "hpc7g.4xlarge", "", "", "", "", "", "", "", "", ""])
    assert "Note: 1 subnet(s) is/are not listed, because the instance type is not in their availability zone(s)" in said
    assert configure.config["Scheduling"]["SlurmQueues"][0]["Networking"]["SubnetIds"] == [B]
    ec2.offers = {"hpc7g.4xlarge": ["eu-west-1c"]}
    assert "is in a zone that has the instance types" in configure(["", "", "", "", "", "", "", "", "hpc7g.4xlarge"] + ALL, code=4, name="other.yaml")


def test_efa_is_asked_for_where_a_type_has_it(configure):
    said = configure(["", "", "", "", "", "", "", "", "c5n.18xlarge", "", "", "", "", "", "", "", "", ""])
    assert "Enable EFA on c5n.18xlarge (y/n) [y]" in said and "Placement Group name []" in said
    queue = configure.config["Scheduling"]["SlurmQueues"][0]
    assert queue["ComputeResources"][0]["Efa"] == {"Enabled": True} and queue["Networking"]["PlacementGroup"] == {"Enabled": True}
    configure(["", "", "", "", "", "", "", "", "c5n.18xlarge", "n", "", "", "", "", "", ""], name="without.yaml")
    queue = configure.config["Scheduling"]["SlurmQueues"][0]
    assert queue["ComputeResources"][0]["Efa"] == {"Enabled": False} and "PlacementGroup" not in queue["Networking"]


def test_an_old_file_is_kept_unless_that_was_said(configure, tmp_path):
    old = (f"Region: us-east-1\nImage: {{Os: alinux2}}\nTags: [{{Key: '1.10', Value: 'yes'}}]\n"
           f"HeadNode:\n  InstanceType: c5.large\n  Networking: {{SubnetId: {B}, ElasticIp: true}}\n  Ssh: {{KeyName: key2}}\n"
           "Scheduling:\n  Scheduler: slurm\n  SlurmSettings: {ScaledownIdletime: 15}\n  SlurmQueues:\n  - Name: long\n    CapacityType: SPOT\n"
           "    ComputeResources:\n    - Name: mine\n      InstanceType: c5.xlarge\n      MinCount: 2\n      MaxCount: 7\n"
           f"    Networking: {{SubnetIds: [{B}]}}\n")
    (tmp_path / "c.yaml").write_text(old)
    said = subprocess.run([PROGRAM, "configure", str(tmp_path / "c.yaml")], capture_output=True, text=True, input="")
    assert said.returncode == 3 and "is there: --force replaces it" in said.stderr and (tmp_path / "c.yaml").read_text() == old
    said = configure(ALL, "--force", name="c.yaml")
    assert "Name of queue 1 [long]" in said and "Maximum instance count [7]" in said and f"compute subnet ID [{B}]" in said
    assert configure.config == yaml.safe_load(old), "with nothing changed it is the same"
    configure(["", "", "", "", "", "", "", "", "c5.2xlarge"] + ALL[9:], "--force", name="c.yaml")
    resource = configure.config["Scheduling"]["SlurmQueues"][0]["ComputeResources"][0]
    assert resource == {"Name": "c52xlarge", "InstanceType": "c5.2xlarge", "MinCount": 2, "MaxCount": 7}


def test_answers_that_end_write_nothing(configure):
    assert "the answers end before 'Number of queues' is answered" in configure(["", "", "", "", ""], code=3)
    assert "longer than 1024 bytes" in configure(["", "x" * 2000], code=3)


def test_without_credentials_or_rights_it_asks_all_the_same(configure, ec2):
    answers = ["eu-west-1", "mykey", "", "", "", "", "", "", "", "", A, "subnet-1", B]
    said = configure(answers, AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_REGION="")
    assert said.count("what there is isn't listed") == 2 and "ERROR: subnet-1 is not an acceptable value" in said
    assert configure.config["HeadNode"]["Ssh"] == {"KeyName": "mykey"}
    ec2.forbidden = {"DescribeKeyPairs", "DescribeVpcs"}
    said = configure(answers, name="some.yaml")
    assert "Allowed values for AWS Region ID" in said and "Allowed values for EC2 Key Pair Name" not in said and f"head node subnet ID []" in said
    assert configure.config["Scheduling"]["SlurmQueues"][0]["Networking"]["SubnetIds"] == [B]


def test_accounts_without_a_key_pair_or_a_network(configure, ec2):
    ec2.vpcs = {}
    assert "there is no VPC in eu-west-1" in configure(ALL, code=4)
    ec2.pairs = []
    assert "there is no key pair in eu-west-1" in configure(ALL, code=4)


def test_the_region_is_not_asked_where_it_is_said(configure):
    assert "AWS Region ID [" not in configure(ALL[1:], "--region", "us-east-1") and configure.config["Region"] == "us-east-1"


def test_a_key_that_looks_like_a_number_stays_a_text(configure, ec2):
    ec2.pairs = ["2024", "yes"]
    configure(ALL)
    assert configure.config["HeadNode"]["Ssh"] == {"KeyName": "2024"}


def test_what_a_node_would_refuse_is_not_written(configure, tmp_path):
    (tmp_path / "bad.yaml").write_text("HeadNode: {}\nScheduling: {SlurmSettings: {ScaledownIdletime: soon}}\n")
    said = subprocess.run([PROGRAM, "configure", "--force", str(tmp_path / "bad.yaml")], capture_output=True, text=True, timeout=60,
                          input="\n".join(["eu-west-1", "k", "", "", "", "", "", "", "", "", A, B]) + "\n",
                          env={"PATH": "/usr/bin", "HOME": str(tmp_path), "AWS_EC2_METADATA_DISABLED": "true"})
    assert said.returncode == 3 and "ScaledownIdletime" in said.stderr, said.stderr
    assert "soon" in (tmp_path / "bad.yaml").read_text() and "InstanceType" not in (tmp_path / "bad.yaml").read_text()
