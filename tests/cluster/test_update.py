"""update: shown before it is done, refused where something would be lost, undone where it fails."""
import hashlib
import signal

import pytest
from world import BUCKET, HEAD_AMI, NODE_AMI, events


@pytest.fixture
def made(world):
    world.create()
    world.cfn.actions.clear()
    return world


def change(world, old="MaxCount: 10", new="MaxCount: 20"):
    text = world.file.read_text()
    assert old in text
    world.file.write_text(text.replace(old, new))


def update(world, *args, code=0):
    return world.run("update", "c", world.file, *args, code=code)


def head(world):
    return world.ec2.instances[world.cfn.find("c").resources["Head"].physical]


QUEUE = "  - {Name: more, ComputeResources: [{Name: c, InstanceType: t3.micro, MaxCount: 2}], Networking: {SubnetIds: [subnet-12121212]}}\n"


def test_it_is_shown_and_not_done(made):
    change(made)
    before = head(made).user_data
    r = update(made, code=10)
    assert "Scheduling.SlurmQueues[queue1].ComputeResources[t3micro].MaxCount: 10 -> 20 (when the head starts again, for nodes" in r.stdout
    assert f"AWS::EC2::Instance Head ({head(made).id}) is changed: stopped and started again" in r.stdout
    assert "StateAttachment" not in r.stdout and "nothing was done: --yes carries it out" in r.stdout
    assert head(made).user_data == before and "ExecuteChangeSet" not in made.cfn.actions and not made.cfn.find("c").plans
    assert len([k for k in made.s3.buckets[BUCKET].objects if k.startswith(b"c/cluster-config-")]) == 1


def test_yes_does_it(made):
    change(made)
    digest = hashlib.sha256(made.file.read_bytes()).hexdigest()
    r = update(made, "--yes")
    s = made.cfn.find("c")
    assert s.status == "UPDATE_COMPLETE" and s.values["Configuration"] == f"cluster-config-{digest}.yaml" and s.outputs["ConfigSha256"] == digest
    assert f"config-sha256: {digest}".encode() in head(made).user_data and made.cfn.restarts == [head(made).id]
    assert made.s3.buckets[BUCKET].objects[f"c/cluster-config-{digest}.yaml".encode()][-1].body == made.file.read_bytes()
    assert r.stdout.splitlines()[-1].startswith(f"cluster c: UPDATE_COMPLETE, head {head(made).id}")
    assert update(made).stdout.endswith("cluster c: nothing changes\n")


def test_dryrun_never_does_it(made):
    change(made)
    assert "nothing was done" in update(made, "--dryrun", "--yes", code=10).stdout and "ExecuteChangeSet" not in made.cfn.actions


def test_nothing_changes(made):
    assert update(made, "--yes").stdout == "cluster c: nothing changes\n" and not made.cfn.find("c").plans


def test_json(made):
    change(made)
    told = events(update(made, "--json", code=10).stdout)
    assert {"schema": 1, "event": "change", "parameter": "Scheduling.SlurmQueues[queue1].ComputeResources[t3micro].MaxCount", "currentValue": "10",
            "requestedValue": "20", "effect": "when the head starts again, for nodes that are launched then"} in told
    assert [e["logicalResourceId"] for e in told if e["event"] == "step"] == ["Head"]


def test_the_heads_type_changes_in_place(made):
    before = head(made).id
    change(made, "HeadNode:\n  InstanceType: t3.micro", "HeadNode:\n  InstanceType: t3.large")
    assert "HeadNode.InstanceType: \"t3.micro\" -> \"t3.large\" (while the head is stopped)" in update(made, "--yes").stdout
    assert (head(made).id, head(made).type) == (before, "t3.large")


def test_a_queue_more(made):
    made.file.write_text(made.file.read_text() + QUEUE)
    r = update(made, "--yes")
    assert "Scheduling.SlurmQueues[more]: not there -> {" in r.stdout and made.cfn.find("c").status == "UPDATE_COMPLETE"


def test_what_was_given_stays(made):
    """Newer images, and a size that somebody set, are no part of another file."""
    s = made.cfn.find("c")
    s.values["StateSize"] = "100"
    s.resources["StateVolume"].properties["Size"] = "100"
    made.image("ami-00000000000000ccc", "head", "2027-01-01T00:00:00.000Z")
    change(made)
    update(made, "--yes")
    assert (s.values["HeadImage"], s.values["ComputeImage"], s.values["StateSize"]) == (HEAD_AMI, NODE_AMI, "100")


# ---- refused ----

def test_another_head_is_refused(made):
    made.ec2.launchable.add("ami-00000000000000ccc")
    change(made)
    r = update(made, "--yes", "--image", "ami-00000000000000ccc", code=4)
    assert "is replaced by another one" in r.stdout and "refused: the head would be another one" in r.stderr
    assert "ExecuteChangeSet" not in made.cfn.actions and not made.cfn.find("c").plans


@pytest.mark.parametrize("old, new", [("SubnetId: subnet-12121212", "SubnetId: subnet-34343434"), ("KeyName: hpc-cluster", "KeyName: other")])
def test_what_needs_another_head_is_refused(made, old, new):
    change(made, old, new)
    assert "refused: the head would be another one" in update(made, "--yes", code=4).stderr


def test_a_queue_with_instances_stays(made):
    made.file.write_text(made.file.read_text() + QUEUE)
    update(made, "--yes")
    change(made, QUEUE, "")
    node = made.node(1)
    node.tags["hpc-node:queue"] = "more"
    r = update(made, "--yes", code=4)
    assert "queue 'more' would go and has 1 instances" in r.stderr and made.cfn.actions.count("ExecuteChangeSet") == 1
    node.state = "terminated"
    node.ended = 1
    update(made, "--yes")


def test_faults_of_the_file(made):
    made.file.write_text("HeadNode: [")
    before = made.calls()
    assert update(made, code=3).stderr and made.calls() == before


def test_one_that_is_not_there(world):
    assert "there is no such stack" in update(world, code=4).stderr


@pytest.mark.parametrize("status, code", [("CREATE_IN_PROGRESS", 6), ("ROLLBACK_COMPLETE", 4), ("ROLLBACK_IN_PROGRESS", 6), ("DELETE_IN_PROGRESS", 6),
                                          ("DELETE_FAILED", 4), ("UPDATE_IN_PROGRESS", 6), ("UPDATE_ROLLBACK_FAILED", 4), ("CREATE_FAILED", 4),
                                          ("UPDATE_ROLLBACK_IN_PROGRESS", 6), ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", 6)])
def test_states_that_cant_be_changed(world, status, code):
    world.cfn.stack("c", status)
    assert f"can't be changed ({status})" in update(world, "--yes", code=code).stderr and "CreateChangeSet" not in world.cfn.actions


def test_somebody_elses_stack(world):
    world.cfn.stack("c", "CREATE_COMPLETE", description="a shop")
    assert "is no cluster's" in update(world, code=4).stderr


# ---- bad days ----

def test_a_change_that_fails_is_undone(made):
    before = head(made).user_data
    change(made)
    made.cfn.fails = {"Head": "there is no room"}
    r = update(made, "--yes", code=4)
    assert "Head failed: there is no room; it is UPDATE_ROLLBACK_COMPLETE now" in r.stderr and head(made).user_data == before
    made.cfn.fails = {}
    update(made, "--yes")


@pytest.mark.parametrize("service, action", [("cfn", "cloudformation:CreateChangeSet"), ("cfn", "cloudformation:DescribeChangeSet"),
                                             ("cfn", "cloudformation:ExecuteChangeSet"), ("s3", "s3:PutObject")])
def test_a_missing_right_is_named_with_what_grants_it(made, service, action):
    change(made)
    getattr(made, service).__dict__["denied" if service == "cfn" else "forbidden"].add(action)
    assert f'the statement that allows it: {{"Effect":"Allow","Action":"{action}","Resource":' in update(made, "--yes", code=4).stderr


def test_killed_anywhere_and_run_again(world):
    world.create()
    whole = 0
    for n in range(1, 80, 2):
        change(world, f"MaxCount: {n - 2 if n > 1 else 10}\n", f"MaxCount: {n}\n")
        seen, hit = [0], {}

        def count(_req, hit=hit, seen=seen, n=n):
            seen[0] += 1
            if seen[0] == n and "p" in hit:
                hit["p"].send_signal(signal.SIGKILL)
        for s in world.servers:
            s.on_request = count
        p = hit["p"] = world.start("update", "c", world.file, "--yes")
        p.communicate(timeout=60)
        for s in world.servers:
            s.on_request = None
        if p.returncode != 0:
            assert p.returncode == -signal.SIGKILL
            update(world, "--yes")
        s = world.cfn.find("c")
        while s.status.endswith("IN_PROGRESS"):
            s.advance(1)
        assert s.status == "UPDATE_COMPLETE" and s.outputs["ConfigSha256"] == hashlib.sha256(world.file.read_bytes()).hexdigest()
        if p.returncode == 0:
            whole = n
            break
    assert whole > 8
