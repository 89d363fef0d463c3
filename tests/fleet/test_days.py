"""Bad days: what EC2, the metadata service, the disk and the clock do to the service, and what it makes of that."""
import os
import random
import signal
import subprocess
import time

import pytest

from conftest import GUARD, KEYS, SITE, Head, wait_until
from fakes.aws import Aws
from fakes.faults import Fault
from fakes.httpd import Response
from fakes.imds import Imds, credentials, instance
from simulated import BEGIN, Clock, Simulated

FULL = bool(os.environ.get("HPC_TEST_FULL"))
XML = {"Content-Type": "text/xml"}
ERROR = "<Response><Errors><Error><Code>%s</Code><Message>x</Message></Error></Errors><RequestID>req-1</RequestID></Response>"


@pytest.mark.parametrize("fault", [
    Fault("status", "/", status=200, headers=XML, body=ERROR % "InternalError"),
    Fault("status", "/", status=200, headers=XML, body="<RunInstancesResponse/>"),
    Fault("status", "/", status=200, headers={"Content-Type": "text/html"}, body="<html>proxy"),
    Fault("status", "/", status=503, headers=XML, body=""),
    Fault("garbage", "/"), Fault("truncate", "/", at=300), Fault("reset", "/", at=-1), Fault("reset", "/", at=300)],
    ids=["200 with an error", "200 with nothing", "a page", "503", "garbage", "half an answer", "a reset", "a late reset"])
def test_no_usable_answer_launches_nothing_twice(head, ec2, fault):
    head.start()
    wait_until(lambda: ec2.log, "the first look")
    ec2.faults.append(fault)
    head.slurm("resume", "q-dy-a-[1-4]")
    head.wait_alive("q-dy-a-[1-4]")
    assert fault.hits and len(ec2.ledger) == 4 and head.told() == []


def test_a_clock_that_is_wrong_is_corrected(head, ec2):
    ec2.skew = 3600
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    assert "clock" in head.messages()


def test_credentials_that_are_gone_come_back(head, ec2):
    gone = {k: v for k, v in head.imds.identities["*"].items() if "security-credentials" in k}
    for k in gone:
        del head.imds.identities["*"][k]
    head.start()
    head.slurm("resume", "q-dy-a-1")
    wait_until(lambda: "asked for" in head.run("status"), "it is asked for")
    assert ec2.ledger == [] and head.told() == []
    head.imds.identities["*"].update(gone)
    head.wait_alive("q-dy-a-1")


def test_a_metadata_service_that_is_gone_comes_back(head, ec2):
    head.imds.disabled = True
    head.start()
    head.slurm("resume", "q-dy-a-1")
    wait_until(lambda: "asked for" in head.run("status"), "it is asked for")
    assert ec2.ledger == [] and head.told() == []
    head.imds.disabled = False
    head.wait_alive("q-dy-a-1")


@pytest.mark.parametrize("what, code", [
    (lambda ec2: ec2.launchable.discard("ami-1"), "InvalidAMIID.NotFound"),
    (lambda ec2: ec2.subnets.pop("subnet-a"), "InvalidSubnetID.NotFound"),
    (lambda ec2: ec2.groups.clear(), "InvalidGroup.NotFound"),
    (lambda ec2: ec2.pairs.clear(), "InvalidKeyPair.NotFound")], ids=["image", "subnet", "group", "key pair"])
def test_what_the_file_names_must_be_there(head, ec2, what, code):
    head.site(SITE.replace("  tags: {team: physics}\n", "  key-name: pair\n"))
    ec2.pairs = {"pair"}
    whole = ec2.launchable.copy(), ec2.subnets.copy(), ec2.groups.copy(), ec2.pairs.copy()
    what(ec2)
    head.start()
    head.slurm("resume", "q-dy-a-1,q-dy-b-1")
    head.wait_told("NodeName=q-dy-a-1 State=down", code)
    # Of another resource nothing is wrong.
    head.wait_alive("q-dy-b-1")
    ec2.launchable, ec2.subnets, ec2.groups, ec2.pairs = whole
    head.run("start")
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1,q-dy-b-1")


def test_a_profile_that_is_young_is_waited_for(head, ec2):
    ec2.profiles.clear()
    head.start()
    head.slurm("resume", "q-dy-a-1")
    wait_until(lambda: "to be asked again" in head.messages(), "it is refused")
    ec2.profiles.add("compute")
    head.wait_alive("q-dy-a-1")
    assert head.told() == [] and len(ec2.ledger) == 1


def test_a_type_that_a_zone_has_not_is_had_elsewhere(head, ec2):
    head.start()
    wait_until(lambda: ec2.log, "the first look")
    ec2.faults.append(Fault("status", "/", status=400, headers=XML, body=ERROR % "Unsupported"))
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    assert ec2.of_node("q-dy-a-1")[0].subnet == "subnet-b" and head.told() == []


def test_each_architecture_has_its_image(head, ec2):
    """A cluster of x86-64 and arm64: EC2 refuses an image of the other one."""
    ec2.architectures.update({"ami-1": "x86_64", "ami-2": "arm64"})
    head.start()
    head.slurm("resume", "q-dy-a-[1-2],q-dy-b-[1-2]", {"jobs": [{"job_id": 7, "nodes": "q-dy-a-[1-2],q-dy-b-[1-2]"}]})
    head.wait_alive("q-dy-a-[1-2],q-dy-b-[1-2]")
    assert {(i.type, i.image) for i in ec2.alive()} == {("t3.micro", "ami-1"), ("c7g.large", "ami-2")}
    # One that is mistaken is told.
    head.stop()
    head.site(SITE.replace("types: [c7g.large]", "types: [c7i.large]"))
    head.start()
    head.slurm("resume", "q-dy-b-3")
    head.wait_told("NodeName=q-dy-b-3 State=down", "InvalidParameterValue")


def test_a_resume_file_that_cant_be_read_still_launches(head, ec2):
    head.start()
    (head.dir / "jobs.json").write_text('{"jobs": [{"job_id": 7, "nodes": "q-dy-a-[1-')
    call = head.command("env", f"SLURM_RESUME_FILE={head.dir / 'jobs.json'}", head.dir / "lib/slurm-resume", "q-dy-a-[1-2]")
    assert subprocess.run(call, timeout=GUARD).returncode == 0
    head.wait_alive("q-dy-a-[1-2]")


@pytest.fixture
def small(head):
    """The state's file system has 64 pages; returns a call that fills it, and one that makes room again."""
    state = head.dir / "state"
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", state], check=True)
    (state / "spool").mkdir()

    def fill():
        with open(state / "fill", "wb", buffering=0) as f:
            with pytest.raises(OSError):
                while True:
                    f.write(bytes(4096))
    try:
        yield fill, (state / "fill").unlink
    finally:
        head.stop()
        subprocess.run(["umount", state], check=True)


def test_a_full_disk_loses_no_request_and_launches_nothing_unwritten(head, ec2, small):
    fill, free = small
    head.slurm("resume", "q-dy-a-[1-3]")
    fill()
    # Slurm is told that its word can't be kept.
    assert subprocess.run(head.command(head.dir / "lib/slurm-resume", "q-dy-a-4"), capture_output=True, timeout=GUARD).returncode == 1
    head.start()
    assert head.service.wait(GUARD) == 1 and "No space left on device" in head.messages()
    assert ec2.ledger == []
    head.service = None
    free()
    head.start()
    head.wait_alive("q-dy-a-[1-3]")
    assert len(ec2.ledger) == 3


def test_a_journal_torn_at_any_byte_is_gone_on_with(head, ec2):
    """What a crash of the machine may leave: what was launched is found again, and nothing is launched twice."""
    head.start()
    head.slurm("resume", "q-dy-a-[1-3],q-dy-b-1")
    head.wait_alive("q-dy-a-[1-3],q-dy-b-1")
    head.nodes(**{f"q_dy_a_{n}": "allocated#" for n in (1, 2, 3)}, q_dy_b_1="allocated#")
    head.stop()
    whole = (head.dir / "state/journal").read_bytes()
    for at in random.Random(1).sample(range(len(whole)), 40 if FULL else 6):
        (head.dir / "state/journal").write_bytes(whole[:at])
        seen = sum(b"Action=DescribeInstances" in q.body for q in ec2.log)
        head.start()
        wait_until(lambda: sum(b"Action=DescribeInstances" in q.body for q in ec2.log) > seen, "EC2 is asked")
        wait_until(lambda: "4 nodes have" in head.run("status"), f"all are known, cut at {at}")
        head.stop()
        assert len(ec2.ledger) == 4, at


def test_killed_again_and_again(head, ec2):
    """At random moments, while nodes come and go; three hundred times with HPC_TEST_FULL."""
    chance, times = random.Random(2), 300 if FULL else 12
    ec2.rate = False
    for n in range(times):
        first = n % 30 * 10 + 1
        head.start()
        head.slurm("resume", f"q-dy-a-[{first}-{first + 4}]")
        if n % 3 == 2:
            head.slurm("suspend", f"q-dy-a-[{first}-{first + 4}]")
        time.sleep(chance.random() * 0.3)
        head.stop(signal.SIGKILL)
        if n % 30 == 29 or n == times - 1:
            last = min(n % 30 + 1, 30)
            head.start()
            head.wait_alive(",".join(f"q-dy-a-[{k * 10 + 1}-{k * 10 + 5}]" for k in range(last) if k % 3 != 2))
            head.slurm("suspend", "q-dy-a-[1-300]")
            head.wait_alive("")
            head.stop()
    # None without a node, none twice, none left; and nothing is left that a later start would do.
    told = {}
    for _, event, name, *_ in ec2.ledger:
        told.setdefault(name, []).append(event)
    assert set(map(tuple, told.values())) == {("launch", "end")}
    before, seen = len(ec2.ledger), len(ec2.log)
    head.start()
    wait_until(lambda: len(ec2.log) > seen, "EC2 is asked")
    assert len(ec2.ledger) == before


# --- on simulated time ---
class Hours(Head):
    def __init__(self, directory, ec2, s3, imds, clock):
        super().__init__(directory, ec2, s3, imds)
        self.program, self.more = os.environ["HPC_FLEET_CLOCK"], {"HPC_CLOCK": str(clock.path)}


@pytest.fixture
def hours(tmp_path):
    clock = Clock(tmp_path / "clock")
    with Simulated(KEYS, clock.now) as ec2, Aws(KEYS) as s3, Imds(instance(creds=credentials(life=30 * 86400))) as imds:
        ec2.subnets.update({"subnet-a": "eu-west-1a", "subnet-b": "eu-west-1b"})
        ec2.launchable.update({"ami-1", "ami-2"})
        ec2.groups.add("sg-1")
        ec2.profiles.add("compute")
        h = Hours(tmp_path, ec2, s3, imds, clock)
        yield h
        h.stop()
        assert ec2.doubles() == []


def test_ten_minutes_of_503(hours):
    """EC2 is asked less and less, no pool rests for it, and nothing is told; then all is launched where it was to be."""
    answer, refused = hours.ec2.handler, []

    def late(req):
        if hours.ec2.clock() >= BEGIN + 600:
            return answer(req)
        refused.append(req)
        return Response(503, (ERROR % "RequestLimitExceeded").encode(), list(XML.items()))
    hours.ec2.handler = late
    hours.slurm("resume", "q-dy-a-[1-50]")
    hours.start()
    hours.wait_alive("q-dy-a-[1-50]")
    assert {(i.type, i.subnet) for i in hours.ec2.alive()} == {("t3.micro", "subnet-a")} and hours.told() == []
    assert len(hours.ec2.ledger) == 50 and len(refused) < 300


def test_sixty_queues(hours):
    """More than ParallelCluster's fifty: each has a launch of its own, in its turn."""
    hours.site("cluster: test-cluster\nresources:\n" + "".join(
        f"- {{nodes: 'q{n}-dy-a-[1-4]', queue: q{n}, image: ami-1, types: [t3.micro], subnets: [subnet-a]}}\n" for n in range(60)))
    hours.slurm("resume", ",".join(f"q{n}-dy-a-[1-2]" for n in range(60)))
    hours.start()
    hours.wait_alive(",".join(f"q{n}-dy-a-[1-2]" for n in range(60)))
    assert sum(b"Action=RunInstances" in q.body for q in hours.ec2.log) == 60
    assert hours.ec2.ledger[-1][0] - BEGIN < 60
    assert all(i.tags["hpc-node:queue"] == i.node.partition("-")[0] for i in hours.ec2.alive())
