"""The stacks of the cases, byte for byte and rule by rule. UPDATE_GOLDEN=1 writes the expected ones anew."""
import hashlib
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

PROGRAM = os.environ.get("HPC_CLUSTER", "hpc-cluster")
AGENT = os.environ.get("HPC_AGENT", "hpc-agent")
CASES = Path(__file__).resolve().parent / "cases"
OPTIONS = {"full": ["--storage", "zfs=zfs.example.com:/fsx", "--vpc", "vpc-0123456789abcdef0"],
           "walk": ["--bucket", "walk-bucket", "--image", "ami-0123456789abcdef0", "--compute-image", "ami-0123456789abcdef1"]}
GOOD = ["walk", "full", "given"]


def run(*args, code=0):
    r = subprocess.run([PROGRAM, "template", *map(str, args)], capture_output=True, text=True, timeout=60, cwd=CASES)
    assert "Sanitizer" not in r.stderr and r.returncode == code, f"{r.returncode}: {r.stderr}"
    return r


def stack(case):
    return json.loads(run(f"{case}.yaml", *OPTIONS.get(case, [])).stdout)


def golden(path, text):
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text)
    assert path.read_text() == text


@pytest.mark.parametrize("case", GOOD)
def test_text(case):
    r = run(f"{case}.yaml", *OPTIONS.get(case, []))
    golden(CASES / f"{case}.json", r.stdout)
    golden(CASES / f"{case}.notes", r.stderr)


def test_faults_are_told_all_at_once():
    r = run("bad.yaml", code=3)
    assert r.stdout == ""
    golden(CASES / "bad.notes", r.stderr)
    assert len(re.findall(r"^hpc-cluster: bad.yaml:\d+:\d+: ", r.stderr, flags=re.M)) == 4


def references(node):
    """Names of resources and parameters that a template refers to."""
    if isinstance(node, dict):
        if set(node) == {"Ref"}:
            yield node["Ref"]
        elif set(node) == {"Fn::GetAtt"}:
            yield node["Fn::GetAtt"][0]
        elif set(node) == {"Fn::Sub"}:
            yield from (n.split(".")[0] for n in re.findall(r"\$\{([^!][^}]*)\}", node["Fn::Sub"]))
        for below in node.values():
            yield from references(below)
    elif isinstance(node, list):
        for below in node:
            yield from references(below)


@pytest.mark.parametrize("case", GOOD)
def test_what_it_refers_to_is_there(case):
    t = stack(case)
    used = {n for n in references(t) if not n.startswith("AWS::")}
    assert used <= set(t["Resources"]) | set(t["Parameters"])
    assert set(t["Parameters"]) <= used, "a parameter that does nothing"


def test_the_walk_takes_few_resources():
    t = stack("walk")
    assert len(t["Resources"]) <= 15
    assert [r["Type"] for r in t["Resources"].values()].count("AWS::EC2::SecurityGroup") == 2
    assert {k: p.get("Default") for k, p in t["Parameters"].items()} == {
        "Bucket": "walk-bucket", "Configuration": "cluster-config.yaml", "HeadImage": "ami-0123456789abcdef0",
        "ComputeImage": "ami-0123456789abcdef1", "Vpc": None, "StateSize": "40"}
    assert not {"Lambda", "DynamoDB", "Route53"} & {r["Type"].split("::")[1] for r in t["Resources"].values()}


@pytest.mark.parametrize("case", GOOD)
def test_nobody_comes_in_from_outside_but_by_allowed_ips(case):
    for resource in stack(case)["Resources"].values():
        for rule in resource["Properties"].get("SecurityGroupIngress", [resource["Properties"]]):
            source = rule.get("CidrIp") or rule.get("CidrIpv6")
            assert source in (None, "203.0.113.0/24")
            assert not source or (rule["FromPort"], rule["ToPort"]) == (22, 22)


@pytest.mark.parametrize("ips, key", [("10.0.0.0/8", "CidrIp"), ("2001:db8::/32", "CidrIpv6"), ("pl-0123456789abcdef0", "SourcePrefixListId")])
def test_allowed_ips_of_each_kind(tmp_path, ips, key):
    (tmp_path / "c.yaml").write_text((CASES / "walk.yaml").read_text().replace("KeyName: hpc-cluster", f"KeyName: k\n    AllowedIps: '{ips}'"))
    t = json.loads(run(tmp_path / "c.yaml").stdout)
    rules = [r for r in t["Resources"]["HeadSecurityGroup"]["Properties"]["SecurityGroupIngress"] if r.get("ToPort") == 22]
    assert len(rules) == 1 and rules[0][key] == ips and rules[0]["IpProtocol"] == "tcp"


def filled(template, sub):
    """The user data of the head, with names put in."""
    text = template["Resources"]["Head"]["Properties"]["UserData"]["Fn::Base64"]["Fn::Sub"]
    return re.sub(r"\$\{([^}]*)\}", lambda m: sub(m[1]), text)


@pytest.mark.parametrize("case", GOOD)
def test_the_head_takes_its_document(case, tmp_path):
    """hpc-agent reads it, and it names the file's own digest."""
    values = {"AWS::StackName": "test-cluster", "AWS::AccountId": "111122223333", "AWS::Region": "eu-west-1", "AWS::URLSuffix": "amazonaws.com",
              "Bucket": "bucket", "Configuration": "cluster-config.yaml", "ComputeImage": "ami-0123456789abcdef1", "ComputeProfile": "nodes",
              "ComputeProfile2": "others", "ComputeProfile3": "third", "ComputeSecurityGroup.GroupId": "sg-0123456789abcdef0"}
    document = filled(stack(case), lambda n: values.get(n, "fsmountname" if "." in n else "fs-0123456789abcdef0"))
    (tmp_path / "node.yaml").write_text(document)
    r = subprocess.run([AGENT, "check", tmp_path / "node.yaml"], capture_output=True, text=True, timeout=60)
    assert r.returncode == 0 and "role head" in r.stdout, r.stdout + r.stderr
    assert f"config-sha256: {hashlib.sha256((CASES / f'{case}.yaml').read_bytes()).hexdigest()}\n" in document
    # The same document, with the file beside it, is all that the head needs to be planned.
    r = subprocess.run([AGENT, "check", CASES / f"{case}.yaml", "--role", "head", "--node-document", tmp_path / "node.yaml"], capture_output=True,
                       text=True, timeout=60)
    assert r.returncode == 0 and "does not tell" not in r.stdout, r.stdout + r.stderr
    # Nothing is left to be said by hand: the fleet can launch each queue's instances, with a role.
    assert "has no image" not in r.stdout + r.stderr and "instances have no role" not in r.stdout + r.stderr


def test_the_fleet_has_what_only_the_stack_knows():
    def fleet(case):
        return next((line for line in filled(stack(case), lambda n: "<" + n + ">").splitlines() if line.startswith("fleet:")), None)
    assert fleet("walk") == 'fleet: {image: "<ComputeImage>", security-groups: ["<ComputeSecurityGroup.GroupId>"], instance-profile: "<ComputeProfile>"}'
    assert fleet("full") == ('fleet: {security-groups: ["<ComputeSecurityGroup.GroupId>"], instance-profile: "<ComputeProfile>", '
                             'instance-profiles: {"b": "<ComputeProfile2>", "c": "<ComputeProfile3>"}}')
    assert fleet("given") == 'fleet: {image: "<ComputeImage>"}'
    assert "ComputeImage" not in stack("full")["Parameters"], "the file has it"


def test_the_head_starts_when_it_can_mount():
    assert stack("full")["Resources"]["Head"]["DependsOn"] == ["HomeFileSystemTarget1", "StorageefsTarget1"]
    assert stack("full")["Resources"]["StorageefsTarget1"]["Properties"]["SubnetId"] == stack("full")["Resources"]["Head"]["Properties"]["SubnetId"]
    assert "DependsOn" not in stack("walk")["Resources"]["Head"]


def test_rights_are_of_this_cluster_alone():
    for resource in stack("full")["Resources"].values():
        if resource["Type"] != "AWS::IAM::Role":
            continue
        for s in resource["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]:
            if s["Resource"] == ["*"]:
                assert s["Action"] == ["ec2:DescribeInstances"]
            assert "*" not in s["Action"] and not any(a.endswith(":*") for a in s["Action"])


def test_queues_with_the_same_rights_share_a_role():
    t = stack("full")["Resources"]
    assert {n for n, r in t.items() if r["Type"] == "AWS::IAM::Role"} == {"HeadRole", "ComputeRole", "ComputeRole2", "LoginRole"}
    assert t["ComputeProfile3"]["Properties"]["Roles"] == ["mine"]
    passed = [s for s in t["HeadRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"] if s["Sid"] == "TheNodesRole"][0]["Resource"]
    assert passed == [{"Fn::GetAtt": ["ComputeRole", "Arn"]}, {"Fn::GetAtt": ["ComputeRole2", "Arn"]}, "arn:aws:iam::111122223333:role/path/mine"]


@pytest.mark.parametrize("case, name, policy", [("walk", "StateVolume", "Snapshot"), ("full", "Storageefs", "Retain"), ("full", "Storagelustre", "Delete"),
                                                ("full", "HomeFileSystem", "Delete"), ("walk", "LogGroup", "Retain"), ("full", "LogGroup", "Delete")])
def test_what_stays_when_the_stack_goes(case, name, policy):
    r = stack(case)["Resources"][name]
    assert r["DeletionPolicy"] == r["UpdateReplacePolicy"] == policy


def test_the_type_of_the_head_changes_in_place():
    head = stack("walk")["Resources"]["Head"]["Properties"]
    assert head["InstanceType"] == "t3.micro" and "LaunchTemplate" not in head and "NetworkInterfaces" not in head
    assert head["MetadataOptions"] == {"HttpEndpoint": "enabled", "HttpTokens": "required", "HttpPutResponseHopLimit": 1}


def test_what_is_given_or_off_is_not_made():
    assert {r["Type"] for r in stack("given")["Resources"].values()} == {
        "AWS::EC2::Instance", "AWS::EC2::Volume", "AWS::EC2::VolumeAttachment", "AWS::EC2::EIPAssociation"}
    assert stack("given")["Resources"]["Head"]["Properties"]["IamInstanceProfile"] == "head"


def test_a_dollar_in_the_file_stays_one(tmp_path):
    text = (CASES / "full.yaml").read_text().replace("KeyName: \"in/*\"", "KeyName: \"${AWS::AccountId}/*\"")
    (tmp_path / "c.yaml").write_text(text)
    assert "s3:::data/${!AWS::AccountId}/*" in run(tmp_path / "c.yaml", *OPTIONS["full"]).stdout


@pytest.mark.parametrize("args, words", [(["walk.yaml", "--storage", "x"], "expected NAME=SOURCE"), (["walk.yaml", "--storage", "=x"], "expected NAME=SOURCE"),
                                         (["walk.yaml", "--storage", "zfs=x"], "no shared storage 'zfs'"),
                                         (["walk.yaml", "--image", "nope"], "--image 'nope': expected ami-..."), (["walk.yaml", "--compute-image", "ami-"], "--compute-image 'ami-'"),
                                         (["walk.yaml", "--vpc", "subnet-1"], "--vpc 'subnet-1': expected vpc-..."),
                                         (["walk.yaml", "--bucket", "s3://bucket"], "--bucket 's3://bucket': expected a bucket's name"), (["walk.yaml", "--bucket", "B"], "--bucket 'B'")])
def test_usage(args, words):
    assert words in run(*args, code=2).stderr


@pytest.mark.parametrize("text, words", [("HeadNode: [", "bad.yaml:"), ("version: 1\n", "expected a ParallelCluster configuration"), (None, "bad.yaml")])
def test_what_is_no_configuration(tmp_path, text, words):
    if text is not None:
        (tmp_path / "bad.yaml").write_text(text)
    assert words in run(tmp_path / "bad.yaml", code=3).stderr


def test_two_hundred_queues_fit(tmp_path):
    queue = "  - {Name: q%d, ComputeResources: [{Name: c, InstanceType: t3.micro, MaxCount: 10}], Networking: {SubnetIds: [subnet-12121212]}}\n"
    head = (CASES / "walk.yaml").read_text().split("  - Name: queue1")[0]
    (tmp_path / "c.yaml").write_text(head + "".join(queue % i for i in range(200)))
    assert len(json.loads(run(tmp_path / "c.yaml").stdout)["Resources"]) <= 15


@pytest.mark.parametrize("case", GOOD)
def test_cfn_lint_has_nothing_to_say(case, tmp_path):
    """Where it is installed: the types and properties are CloudFormation's."""
    lint = shutil.which("cfn-lint")
    if lint:
        (tmp_path / "stack.json").write_text(run(f"{case}.yaml", *OPTIONS.get(case, [])).stdout)
        r = subprocess.run([lint, "-t", tmp_path / "stack.json"], capture_output=True, text=True, timeout=120)
        assert r.returncode == 0, r.stdout
