"""fleet: word to the head, by S3 beside the configuration."""
import json
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fakes.aws import Aws  # noqa: E402
from fakes.cloudformation import CloudFormation  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402

PROGRAM = os.environ.get("HPC_CLUSTER", "hpc-cluster")
KEY = Key("AKIAEXAMPLEKEY000001", "canary/secret+key/of/the/person/000000000")
WANTED, STATUS = b"c/fleet/wanted.json", b"c/fleet/status.json"


@pytest.fixture
def world():
    with CloudFormation([KEY]) as cfn, Aws([KEY]) as s3:
        cfn.stack("c", "CREATE_COMPLETE").values = {"Bucket": "bucket"}
        s3.bucket("bucket")
        yield World(cfn, s3)


class World:
    def __init__(self, cfn, s3):
        self.cfn, self.s3, self.bucket = cfn, s3, s3.buckets["bucket"]

    def run(self, *args, code=0):
        r = subprocess.run([PROGRAM, "fleet", *args], capture_output=True, text=True, timeout=60, env={
            "PATH": "/usr/bin:/bin", "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": KEY.access_key,
            "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_CLOUDFORMATION": self.cfn.url,
            "AWS_ENDPOINT_URL_S3": self.s3.url})
        assert "Sanitizer" not in r.stderr and r.returncode == code, f"{r.returncode}: {r.stdout}{r.stderr}"
        return r.stdout + r.stderr

    def head_says(self, status, word="", at="2026-01-01T00:00:00Z"):
        self.bucket.put(STATUS, json.dumps({"id": word, "status": status, "at": at}).encode())

    def wanted(self):
        return json.loads(self.bucket.objects[WANTED][-1].body)


def test_a_head_that_has_not_told(world):
    assert world.run("c") == "UNKNOWN\n"
    assert json.loads(world.run("c", "--json")) == {"status": "UNKNOWN"}


def test_stop_is_asked_until_the_head_has_done_it(world):
    world.head_says("RUNNING")
    assert world.run("c", "status") == "RUNNING since 2026-01-01T00:00:00Z\n"
    said = json.loads(world.run("c", "stop", "--json"))
    assert said["status"] == "STOP_REQUESTED" and re.fullmatch(r"[\d-]+T[\d:]+\.000Z", said["lastStatusUpdatedTime"])
    one = world.wanted()
    assert json.loads(world.run("c", "--json")) == said and one["status"] == "STOP_REQUESTED" and one["id"]
    world.head_says("STOPPING", one["id"])
    assert world.run("c").startswith("STOPPING since")
    world.run("c", "stop")
    assert world.wanted()["id"] != one["id"], "each word is a new one"
    world.run("c", "start")
    assert world.run("c").startswith("START_REQUESTED since")


def test_a_bucket_of_somebody_else_is_not_used(world):
    world.bucket.owner = "999999999999"
    assert "bucket" in world.run("c", "stop", code=4)
    assert not world.bucket.objects
    assert all(q.get("x-amz-expected-bucket-owner") == "123456789012" for q in world.s3.log)


@pytest.mark.parametrize("args, code, words", [(("c", "halt"), 2, "'halt': expected start, stop or status"), (("d",), 4, "no such stack"), ((), 2, "")])
def test_what_is_refused(world, args, code, words):
    assert words in world.run(*args, code=code)
    assert not world.s3.log


def test_a_status_that_is_none_and_a_stack_without_a_bucket(world):
    world.bucket.put(STATUS, b"{}")
    assert "expected id, status and at" in world.run("c", code=3)
    world.cfn.stacks[0].values = {}
    assert "has no parameter Bucket" in world.run("c", code=4)
