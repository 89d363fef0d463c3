"""delete: instances first, then the stack, what is left by name; and again from anywhere."""
import signal

import pytest
from world import BUCKET, events


@pytest.fixture
def made(world):
    world.create()
    for s in world.servers:
        s.log.clear()
    world.cfn.actions.clear()
    world.s3.calls.clear()
    return world


def stack(world):
    return next(s for s in world.cfn.stacks if s.name == "c")


def test_the_head_then_the_nodes_then_the_stack(made):
    s = stack(made)
    head, group = s.resources["Head"].physical, s.resources["ComputeSecurityGroup"].physical
    nodes = [made.node(n, groups=[group]) for n in range(1, 4)] + [made.node(4, state="stopped"), made.node(5, state="terminated")]
    other = made.node(9, cluster="c2")
    r = made.run("delete", "c")
    assert s.status == "DELETE_COMPLETE" and not s.resources and all(n.state == "terminated" for n in nodes) and other.alive
    assert f"head {head}: it is stopped" in r.stdout and "4 instances of the cluster: they are ended" in r.stdout
    assert r.stdout.splitlines()[-1] == "cluster c: deleted"
    order = [b"StopInstances", b"TerminateInstances", b"DeleteStack"]
    whens = [[q.when for w in made.servers for q in w.log if b"Action=" + a in q.body] for a in order]
    assert [len(w) for w in whens] == [1, 1, 1] and whens == sorted(whens)


def test_without_waiting_for_the_stack(made):
    """What nobody but us can do is done, then CloudFormation is asked, and isn't watched."""
    s, nodes = stack(made), [made.node(n) for n in range(1, 3)]
    told = events(made.run("delete", "c", "--no-wait", "--json").stdout)
    assert told == [{"schema": 1, "event": "cluster", "clusterName": "c", "clusterStatus": "DELETE_IN_PROGRESS"}]
    assert all(n.state == "terminated" for n in nodes) and s.status == "DELETE_IN_PROGRESS" and made.cfn.actions[-1] == "DeleteStack"
    order = [b"StopInstances", b"TerminateInstances", b"DeleteStack"]
    whens = [[q.when for w in made.servers for q in w.log if b"Action=" + a in q.body] for a in order]
    assert [len(w) for w in whens] == [1, 1, 1] and whens == sorted(whens)
    # Again: nothing more is asked for.
    made.cfn.actions.clear()
    made.run("delete", "c", "--no-wait")
    assert made.cfn.actions == ["DescribeStacks"]


def test_purge_needs_the_wait(made):
    before = made.calls()
    assert "expected no --no-wait" in made.run("delete", "c", "--no-wait", "--purge", code=2).stderr and made.calls() == before


def test_what_is_kept_is_told_by_name(made):
    kept = stack(made).resources["LogGroup"].physical
    r = made.run("delete", "c")
    assert f"kept: AWS::Logs::LogGroup {kept} (LogGroup)" in r.stdout and f"kept: s3://{BUCKET}/c/ (--purge deletes it)" in r.stdout
    assert made.cfn.kept == [kept] and made.s3.buckets[BUCKET].objects


def test_json(made):
    told = events(made.run("delete", "c", "--json").stdout)
    assert told[-1] == {"schema": 1, "event": "cluster", "clusterName": "c", "clusterStatus": "DELETE_COMPLETE"}
    assert [e["resourceType"] for e in told if e["event"] == "kept"] == ["AWS::Logs::LogGroup"]


def test_purge_empties_what_is_the_clusters(made):
    bucket = made.s3.buckets[BUCKET]
    bucket.put("c2/cluster-config.yaml", b"x")
    for i in range(3):
        bucket.put("c/munge.key", b"%d" % i)
    r = made.run("delete", "c", "--purge")
    assert f"s3://{BUCKET}/c/: 4 versions of objects deleted" in r.stdout and list(bucket.objects) == [b"c2/cluster-config.yaml"]
    # The stack is gone: what it said of the bucket is, too.
    bucket.put("c/late", b"x")
    assert "cluster c: there is none" in made.run("delete", "c", "--purge").stdout and b"c/late" not in bucket.objects


def test_purge_of_more_than_a_page(made):
    for i in range(1200):
        made.s3.buckets[BUCKET].put(f"c/{i}", b"")
    assert "1201 versions" in made.run("delete", "c", "--purge").stdout and not made.s3.buckets[BUCKET].objects


def test_again_is_no_fault(made):
    made.run("delete", "c")
    assert "cluster c: there is none" in made.run("delete", "c").stdout
    assert "cluster never: there is none" in made.run("delete", "never").stdout


def test_strays_of_a_stack_that_somebody_else_deleted(world):
    nodes = [world.node(n) for n in range(2)]
    assert "2 instances of the cluster: they are ended" in world.run("delete", "c").stdout and not any(n.alive for n in nodes)


def test_a_launch_in_the_last_moment(made):
    """The nodes' group is in use when its turn comes: DependencyViolation, and again."""
    s, late = stack(made), []
    group = s.resources["ComputeSecurityGroup"].physical

    def launch(req):
        if b"Action=DescribeStackEvents" in req.body and s.status == "DELETE_IN_PROGRESS" and not late:
            late.append(made.node(7, groups=[group]))
    made.cfn.on_request = launch
    r = made.run("delete", "c")
    assert "ComputeSecurityGroup is in use still: again" in r.stdout and late[0].state == "terminated" and s.status == "DELETE_COMPLETE"
    assert made.cfn.actions.count("DeleteStack") == 2


def test_what_stays_in_use_ends_it(made):
    made.cfn.fails_to_go = {"ComputeSecurityGroup": "resource sg-1 has a dependent object (Service: Ec2, Status Code: 400)"}
    r = made.run("delete", "c", code=4)
    assert "ComputeSecurityGroup sg-" in r.stderr and "has a dependent object" in r.stderr and made.cfn.actions.count("DeleteStack") == 5
    made.cfn.fails_to_go = {}
    made.run("delete", "c")


@pytest.mark.parametrize("name", ["Head", "HeadRole", "StateVolume", "Dashboard"])
def test_what_cant_be_deleted_is_named(made, name):
    made.cfn.fails_to_go = {name: "no"}
    r = made.run("delete", "c", code=4)
    assert f"the stack is DELETE_FAILED: {name} " in r.stderr and "could not be deleted: no" in r.stderr
    assert made.cfn.actions.count("DeleteStack") == 1
    made.cfn.fails_to_go = {}
    made.run("delete", "c")
    assert stack(made).status == "DELETE_COMPLETE"


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED", "UPDATE_ROLLBACK_FAILED"])
def test_of_every_failed_stack(world, status):
    world.cfn.stack("c", status)
    world.run("delete", "c")
    world.create()


def test_of_one_that_is_being_made(world):
    world.create("c", "--no-wait")
    world.run("delete", "c")
    assert world.cfn.find("c") is None and not world.ec2.alive()


def test_one_that_is_being_deleted_is_followed(made):
    s = stack(made)
    s.begin(s.deletion(), "elsewhere")
    made.ec2.instances[s.resources["Head"].physical].state = "stopped"
    made.run("delete", "c")
    assert s.status == "DELETE_COMPLETE" and made.cfn.actions.count("DeleteStack") == 0


def test_somebody_elses_stack_is_left_alone(world):
    world.cfn.stack("c", "CREATE_COMPLETE", description="a shop")
    node = world.node(1)
    assert "nothing was done" in world.run("delete", "c", code=4).stderr and node.alive
    assert "DeleteStack" not in world.cfn.actions


@pytest.mark.parametrize("service, action", [("cfn", "cloudformation:DeleteStack"), ("ec2", "StopInstances"), ("ec2", "TerminateInstances"),
                                             ("s3", "s3:ListBucketVersions"), ("s3", "s3:DeleteObjectVersion")])
def test_a_missing_right_is_named_with_what_grants_it(made, service, action):
    made.node(1)
    getattr(made, service).__dict__["denied" if service == "cfn" else "forbidden"].add(action)
    r = made.run("delete", "c", "--purge", code=4)
    whole = action if ":" in action else "ec2:" + action
    assert f'the statement that allows it: {{"Effect":"Allow","Action":"{whole}","Resource":' in r.stderr


def test_a_head_that_is_gone(made):
    made.ec2.instances[stack(made).resources["Head"].physical].state = "terminated"
    made.run("delete", "c")
    assert "StopInstances" not in str([r.body for r in made.ec2.log])


def test_the_time_is_over(made):
    made.ec2.stops_after = 10**9
    made.run("delete", "c", "--deadline", "1s", code=7)
    assert stack(made).status == "CREATE_COMPLETE", "the head isn't stopped yet"
    made.ec2.slow.clear()
    made.ec2.stops_after = 1
    for i in made.ec2.instances:
        made.ec2.slow[i] = 1
    made.run("delete", "c")


def test_killed_anywhere_and_run_again(world):
    whole = 0
    for n in range(1, 80, 2):
        world.create()
        world.node(n, groups=[world.cfn.find("c").resources["ComputeSecurityGroup"].physical])
        seen, hit = [0], {}

        def count(_req, hit=hit, seen=seen, n=n):
            seen[0] += 1
            if seen[0] == n and "p" in hit:
                hit["p"].send_signal(signal.SIGKILL)
        for s in world.servers:
            s.on_request = count
        p = hit["p"] = world.start("delete", "c", "--purge")
        p.communicate(timeout=60)
        for s in world.servers:
            s.on_request = None
        if p.returncode != 0:
            assert p.returncode == -signal.SIGKILL
            world.run("delete", "c", "--purge")
        assert world.cfn.find("c") is None and not world.s3.buckets[BUCKET].objects
        assert not [i for i in world.ec2.instances.values() if i.state != "terminated"]
        if p.returncode == 0:
            whole = n
            break
    assert whole > 10
