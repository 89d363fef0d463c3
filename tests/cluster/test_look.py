"""list, describe, events and instances, against stand-ins of CloudFormation and EC2."""
import json
import os
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fakes.cloudformation import CloudFormation  # noqa: E402
from fakes.instances import Cloud, Instance  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402

PROGRAM = os.environ.get("HPC_CLUSTER", "hpc-cluster")
KEY = Key("AKIAEXAMPLEKEY000001", "canary/secret+key/of/the/person/000000000")


@pytest.fixture
def cfn():
    with CloudFormation([KEY]) as server:
        yield server


@pytest.fixture
def ec2():
    with Cloud([KEY]) as server:
        yield server


def run(cfn, *args, ec2=None, code=0, **env):
    r = subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=60, env={
        "PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": KEY.access_key,
        "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_CLOUDFORMATION": cfn.url,
        "AWS_ENDPOINT_URL_EC2": ec2.url if ec2 else "http://127.0.0.1:9", **env})
    assert "Sanitizer" not in r.stderr and r.returncode == code, f"{r.returncode}: {r.stdout}{r.stderr}"
    assert KEY.secret not in r.stdout + r.stderr
    return r


def test_list_has_our_clusters_page_by_page(cfn):
    for i in range(5):
        cfn.stack(f"c{i}", "CREATE_COMPLETE")
    cfn.stack("other", "CREATE_COMPLETE", description="somebody's")
    cfn.stack("gone", "DELETE_COMPLETE")
    cfn.page = 2
    lines = run(cfn, "list").stdout.splitlines()
    assert [line.split()[:2] for line in lines] == [[f"c{i}", "CREATE_COMPLETE"] for i in range(5)]
    assert len(cfn.log) == 3
    told = json.loads(run(cfn, "list", "--json").stdout)["clusters"]
    assert [c["clusterName"] for c in told] == [f"c{i}" for i in range(5)]
    assert set(told[0]) == {"clusterName", "cloudformationStackStatus", "cloudformationStackArn", "region", "version", "clusterStatus", "scheduler"}


def test_list_of_nothing(cfn):
    assert run(cfn, "list").stdout == ""
    assert json.loads(run(cfn, "list", "--json").stdout) == {"clusters": []}


@pytest.mark.parametrize("stack, cluster", [
    ("CREATE_IN_PROGRESS", "CREATE_IN_PROGRESS"), ("CREATE_FAILED", "CREATE_FAILED"), ("ROLLBACK_IN_PROGRESS", "CREATE_FAILED"),
    ("ROLLBACK_COMPLETE", "CREATE_FAILED"), ("UPDATE_COMPLETE", "UPDATE_COMPLETE"), ("UPDATE_ROLLBACK_COMPLETE", "UPDATE_FAILED"),
    ("UPDATE_ROLLBACK_FAILED", "UPDATE_FAILED"), ("UPDATE_ROLLBACK_IN_PROGRESS", "UPDATE_IN_PROGRESS"),
    ("UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_IN_PROGRESS"), ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "UPDATE_IN_PROGRESS"),
    ("DELETE_IN_PROGRESS", "DELETE_IN_PROGRESS"), ("DELETE_FAILED", "DELETE_FAILED")])
def test_statuses_are_parallelclusters(cfn, stack, cluster):
    cfn.stack("c", stack)
    told = json.loads(run(cfn, "list", "--json").stdout)["clusters"][0]
    assert (told["cloudformationStackStatus"], told["clusterStatus"]) == (stack, cluster)


def test_describe_takes_two_calls(cfn, ec2):
    cfn.stack("test-cluster", "CREATE_COMPLETE", outputs={"Head": "i-0123456789abcdef0"}, tags={"team": "physics"})
    ec2.instances["i-0123456789abcdef0"] = Instance("i-0123456789abcdef0", "t3.micro", "subnet-1", "eu-west-1a", "ami-1", "", 0, b"", {},
                                                    state="running", address="172.31.5.10", public="198.51.100.7")
    told = json.loads(run(cfn, "describe", "test-cluster", "--json", ec2=ec2).stdout)
    assert told["headNode"] == {"launchTime": "2026-01-01T00:00:00.000Z", "instanceId": "i-0123456789abcdef0", "publicIpAddress": "198.51.100.7",
                                "instanceType": "t3.micro", "state": "running", "privateIpAddress": "172.31.5.10"}
    assert told["cloudFormationStackStatus"] == told["clusterStatus"] == "CREATE_COMPLETE" and told["scheduler"] == {"type": "slurm"}
    assert told["region"] == "eu-west-1" and told["tags"] == [{"value": "physics", "key": "team"}] and told["clusterName"] == "test-cluster"
    assert len(cfn.log) + len(ec2.log) == 2
    text = run(cfn, "describe", "test-cluster", ec2=ec2).stdout
    assert "test-cluster: CREATE_COMPLETE" in text and "i-0123456789abcdef0, t3.micro, running, 172.31.5.10" in text


def fleet(cfn, ec2):
    """A head, two nodes of two queues, a login node, one that ended, and one of another cluster."""
    cfn.stack("c", "CREATE_COMPLETE", outputs={"Head": "i-00000000000000001"})
    for i, (name, tags, state) in enumerate([
            ("c", {"parallelcluster:cluster-name": "c"}, "running"), ("c", {"hpc-node:queue": "q1", "hpc-node:nodes": "q1-dy-a-1"}, "running"),
            ("c", {"hpc-node:queue": "q2"}, "pending"), ("c", {"hpc-node:pool": "p"}, "running"), ("c", {"hpc-node:queue": "q1"}, "terminated"),
            ("other", {"hpc-node:queue": "q1"}, "running")], 1):
        if i > 1:
            tags["hpc-node:cluster"] = name
        ec2.instances[f"i-{i:017d}"] = Instance(f"i-{i:017d}", "c5.large", "subnet-1", "eu-west-1a", "ami-1", "", 0, b"", tags, state=state,
                                                address=f"10.0.0.{i}")


def test_instances_of_a_cluster(cfn, ec2):
    fleet(cfn, ec2)
    lines = [line.split() for line in run(cfn, "instances", "c", ec2=ec2).stdout.splitlines()]
    assert [line[:2] for line in lines] == [["i-00000000000000001", "head"], ["i-00000000000000002", "compute"], ["i-00000000000000003", "compute"],
                                            ["i-00000000000000004", "login"]]
    assert lines[1][2:] == ["c5.large", "running", "10.0.0.2", "q1"] and len(cfn.log) + len(ec2.log) == 3
    told = json.loads(run(cfn, "instances", "c", "--json", ec2=ec2).stdout)["instances"]
    assert told[1] == {"launchTime": "2026-01-01T00:00:00.000Z", "instanceId": "i-00000000000000002", "instanceType": "c5.large", "state": "running",
                       "privateIpAddress": "10.0.0.2", "nodeType": "ComputeNode", "queueName": "q1"}
    assert told[3]["poolName"] == "p" and told[0]["nodeType"] == "HeadNode"


@pytest.mark.parametrize("args, ids", [(("--role", "head"), [1]), (("--role", "compute"), [2, 3]), (("--queue", "q2"), [3]),
                                       (("--role", "login", "--queue", "q1"), [])])
def test_some_instances_of_a_cluster(cfn, ec2, args, ids):
    fleet(cfn, ec2)
    assert [line.split()[0] for line in run(cfn, "instances", "c", *args, ec2=ec2).stdout.splitlines()] == [f"i-{i:017d}" for i in ids]


def test_describe_of_one_without_a_head(cfn, ec2):
    cfn.stack("failed", "ROLLBACK_COMPLETE", reason="The following resource(s) failed to create: [Head].")
    r = run(cfn, "describe", "failed")
    assert r.stdout.startswith("failed: CREATE_FAILED: The following resource(s)")
    cfn.stack("lost", "CREATE_COMPLETE", outputs={"Head": "i-0fffffffffffffff0"})
    assert "headNode" not in json.loads(run(cfn, "describe", "lost", "--json", ec2=ec2).stdout)


@pytest.mark.parametrize("verb", ["describe", "events", "instances"])
def test_what_does_not_exist(cfn, verb):
    cfn.stack("gone", "DELETE_COMPLETE")
    r = run(cfn, verb, "gone", code=4)
    assert "'gone': there is no such stack in this account and region" in r.stderr


def test_somebody_elses_stack_is_not_described(cfn):
    cfn.stack("other", "CREATE_COMPLETE", description="somebody's")
    assert "stack 'other' is no cluster's" in run(cfn, "describe", "other", code=4).stderr


def failed(cfn):
    s = cfn.stack("c", "ROLLBACK_COMPLETE")
    s.event("c", "AWS::CloudFormation::Stack", "CREATE_IN_PROGRESS", "User Initiated")
    s.event("HeadRole", "AWS::IAM::Role", "CREATE_IN_PROGRESS")
    s.event("Head", "AWS::EC2::Instance", "CREATE_FAILED", "The image id '[ami-1]' does not exist")
    s.event("HeadRole", "AWS::IAM::Role", "CREATE_FAILED", "Resource creation cancelled")
    s.event("c", "AWS::CloudFormation::Stack", "ROLLBACK_IN_PROGRESS")
    return s.event("c", "AWS::CloudFormation::Stack", "ROLLBACK_COMPLETE")


def test_events_end_with_the_cause(cfn):
    failed(cfn)
    cfn.page = 4
    lines = run(cfn, "events", "c").stdout.splitlines()
    assert len(lines) == 7 and "User Initiated" in lines[0] and "ROLLBACK_COMPLETE" in lines[5]
    assert lines[6] == "it failed by Head: The image id '[ami-1]' does not exist"
    told = json.loads(run(cfn, "events", "c", "--json").stdout)["events"]
    assert [e["resourceStatus"] for e in told][:2] == ["ROLLBACK_COMPLETE", "ROLLBACK_IN_PROGRESS"] and len(told) == 6


def test_events_of_a_deleted_stack_by_its_id(cfn):
    s = failed(cfn)
    s.status = "DELETE_COMPLETE"
    s.event("c", "AWS::CloudFormation::Stack", "DELETE_IN_PROGRESS").event("c", "AWS::CloudFormation::Stack", "DELETE_COMPLETE")
    assert "it failed by" not in run(cfn, "events", s.id).stdout, "of an earlier change"


def test_too_fast_is_tried_again(cfn):
    cfn.stack("c", "CREATE_COMPLETE")
    cfn.throttle = 1
    assert run(cfn, "list").stdout.startswith("c ") and len(cfn.log) == 2


def test_missing_rights_are_named(cfn):
    cfn.denied = {"DescribeStacks"}
    r = run(cfn, "list", code=4)
    assert "AccessDenied" in r.stderr and "cloudformation:DescribeStacks" in r.stderr


def test_wrong_keys_and_no_region(cfn):
    assert run(cfn, "list", code=4, AWS_SECRET_ACCESS_KEY="wrong").stderr
    r = run(cfn, "list", code=3, AWS_REGION="")
    assert "no region" in r.stderr
    cfn.stack("c", "CREATE_COMPLETE")
    assert run(cfn, "list", "--region", "eu-west-1", AWS_REGION="").stdout


def test_credentials_of_a_program(cfn, tmp_path):
    """As a workstation's profile has them: credential_process."""
    (tmp_path / "lend").write_text("#!/bin/sh\necho '" + json.dumps(
        {"Version": 1, "AccessKeyId": KEY.access_key, "SecretAccessKey": KEY.secret}) + "'\n")
    (tmp_path / "lend").chmod(0o755)
    (tmp_path / "config").write_text(f"[profile p]\nregion = eu-west-1\ncredential_process = \"{tmp_path}/lend\" now\n")
    cfn.stack("c", "CREATE_COMPLETE")
    out = run(cfn, "list", AWS_CONFIG_FILE=str(tmp_path / "config"), AWS_PROFILE="p", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="", AWS_REGION="").stdout
    assert out.startswith("c ")
