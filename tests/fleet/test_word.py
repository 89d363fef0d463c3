"""Word from a workstation in S3, beside the configuration: carried out once, and answered."""
import json
import time

import pytest

from conftest import SITE, wait_until

WANTED, STATUS = b"test-cluster/fleet/wanted.json", b"test-cluster/fleet/status.json"


def want(s3, status, name, at="2026-01-01T00:00:00Z"):
    s3.buckets["bucket"].put(WANTED, json.dumps({"id": name, "status": status, "at": at}).encode())


def told(s3):
    have = s3.buckets["bucket"].objects.get(STATUS)
    return json.loads(have[-1].body) if have else {}


def wait_status(head, s3, status, name):
    def is_so():
        return (told(s3).get("status"), told(s3).get("id")) == (status, name)
    for _ in range(3):
        head.run("reconcile")
        try:
            return wait_until(is_so, status, 10)
        except AssertionError:
            pass
    raise AssertionError(f"{told(s3)}\n{head.messages()}")


def test_stop_and_start(head, ec2, s3):
    head.start()
    wait_status(head, s3, "RUNNING", "")
    assert time.strptime(told(s3)["at"], "%Y-%m-%dT%H:%M:%SZ")
    head.slurm("resume", "q-dy-a-[1-2]")
    head.wait_alive("q-dy-a-[1-2]")
    want(s3, "STOP_REQUESTED", "w1")
    wait_status(head, s3, "STOPPING", "w1")
    assert "stopped: nothing is launched" in head.run("status")
    head.slurm("resume", "q-dy-b-1")
    head.wait_told("NodeName=q-dy-b-1 State=down")
    head.slurm("suspend", "q-dy-a-[1-2]")
    head.wait_alive("")
    wait_status(head, s3, "STOPPED", "w1")
    want(s3, "START_REQUESTED", "w2")
    wait_status(head, s3, "RUNNING", "w2")
    head.slurm("resume", "q-dy-b-2")
    head.wait_alive("q-dy-b-2")


def test_word_is_carried_out_once(head, ec2, s3):
    """What is done on the head later is not undone by what a workstation said before."""
    want(s3, "STOP_REQUESTED", "w1")
    head.start()
    wait_status(head, s3, "STOPPED", "w1")
    head.run("start")
    wait_status(head, s3, "RUNNING", "w1")
    head.stop()
    head.start()
    head.run("reconcile")
    wait_until(lambda: sum(q.method == "GET" and q.path.endswith("wanted.json") for q in s3.log) >= 4, "it is read again")
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    assert "stopped" not in head.run("status") and head.messages().count("STOP_REQUESTED, by 's3://bucket/") == 1


def test_status_is_written_when_it_changes(head, ec2, s3):
    head.start()
    wait_status(head, s3, "RUNNING", "")
    for _ in range(3):
        looked = sum(b"Action=DescribeInstances" in q.body for q in ec2.log)
        head.run("reconcile")
        wait_until(lambda n=looked: sum(b"Action=DescribeInstances" in q.body for q in ec2.log) > n, "a look")
    assert sum(q.method == "PUT" for q in s3.log) == 1


@pytest.mark.parametrize("text, words", [(b"{", "fleet/wanted.json:1:"), (b"{}", "expected id, status and at"),
                                         (b'{"id":"x","status":"DELETE","at":"t"}', "'DELETE' is no status of a fleet")])
def test_what_is_no_word_is_told_and_does_nothing(head, ec2, s3, text, words):
    s3.buckets["bucket"].put(WANTED, text)
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    wait_until(lambda: words in head.messages(), "it is told")
    head.run("reconcile")
    wait_until(lambda: "status.json" in str([q.path for q in s3.log]), "its status is told all the same")
    assert head.messages().count(words) == 1


def test_without_rights_the_fleet_works(head, ec2, s3):
    s3.buckets["bucket"].denied = True
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    head.run("reconcile")
    wait_until(lambda: head.messages().count("word for the fleet:") == 2, "both failures are told")


def test_a_configuration_elsewhere_has_no_word(head, ec2, s3):
    head.site(SITE.replace("s3://bucket/test-cluster/", "https://example.com/"))
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    head.run("reconcile")
    wait_until(lambda: sum(b"Action=DescribeInstances" in q.body for q in ec2.log) >= 2, "two looks")
    assert not s3.log
