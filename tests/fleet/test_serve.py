"""The service's life: what Slurm asks for is launched once, what EC2 can't give is told, what nobody wants ends."""
import json
import re
import time
from pathlib import Path

import pytest

from conftest import SITE, wait_until
from fakes.faults import Fault

SOURCE = Path(__file__).resolve().parents[2]


def looks(ec2):
    return sum(b"Action=DescribeInstances" in q.body for q in ec2.log)


def test_nodes_are_launched_and_ended_as_slurm_asks(head, ec2):
    head.start()
    head.slurm("resume", "q-dy-a-[1-3],q-dy-b-7")
    head.wait_alive("q-dy-a-[1-3],q-dy-b-7")
    one = ec2.of_node("q-dy-a-2")[0]
    assert (one.type, one.subnet, one.image, one.profile, one.groups) == ("t3.micro", "subnet-a", "ami-1", "compute", ("sg-1",))
    assert one.tags == {"hpc-node:cluster": "test-cluster", "hpc-node:nodes": "q-dy-a-[1-3]", "team": "physics"}
    first, _, document = one.user_data.decode().partition("\n")
    assert first == "#hpc-node" and json.loads(document) == {
        "cluster": "test-cluster", "config": "s3://bucket/test-cluster/cluster-config.yaml", "head": "10.0.0.10",
        "nodes": "q-dy-a-[1-3]"}
    assert len([q for q in ec2.log if b"Action=RunInstances" in q.body]) == 2
    head.slurm("suspend", "q-dy-a-[1,3]")
    head.wait_alive("q-dy-a-2,q-dy-b-7")
    # Asked for again it is another instance; one that is there stays.
    head.slurm("resume", "q-dy-a-[1-2]")
    head.wait_alive("q-dy-a-[1-2],q-dy-b-7")
    assert len(ec2.of_node("q-dy-a-1")) == 2 and len(ec2.of_node("q-dy-a-2")) == 1
    head.slurm("suspend", "q-dy-a-[1-2],q-dy-b-7")
    head.wait_alive("")
    assert head.told() == []
    # The policy docs/iam/fleet.json has what is called, and for launching what that needs.
    called = {f"ec2:{a.decode()}" for q in ec2.log for a in re.findall(rb"Action=(\w+)", q.body)}
    policy = json.loads((SOURCE / "docs/iam/fleet.json").read_text())
    assert {a for s in policy["Statement"] for a in s["Action"] if not a.startswith("s3:")} == called | {"ec2:CreateTags", "iam:PassRole"}


def test_three_hundred_nodes_are_three_calls(head, ec2):
    head.start()
    head.slurm("resume", "q-dy-a-[1-300]")
    head.wait_alive("q-dy-a-[1-300]")
    assert len([q for q in ec2.log if b"Action=RunInstances" in q.body]) == 3
    head.slurm("suspend", "q-dy-a-[1-300]")
    head.wait_alive("")
    assert len([q for q in ec2.log if b"Action=TerminateInstances" in q.body]) == 1


def test_the_next_pool_has_what_the_first_has_not(head, ec2):
    ec2.capacity = {("t3.micro", "subnet-a"): 2, ("t3.micro", "subnet-b"): 0}
    head.start()
    head.slurm("resume", "q-dy-a-[1-5]")
    head.wait_alive("q-dy-a-[1-5]")
    where = [(ec2.of_node(f"q-dy-a-{n}")[0].type, ec2.of_node(f"q-dy-a-{n}")[0].subnet) for n in range(1, 6)]
    assert where == [("t3.micro", "subnet-a")] * 2 + [("t3a.micro", "subnet-a")] * 3
    assert head.told() == []


def test_a_full_subnet_is_left_with_all_its_types(head, ec2):
    ec2.addresses = {"subnet-a": 0}
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    assert ec2.of_node("q-dy-a-1")[0].subnet == "subnet-b"
    assert len([q for q in ec2.log if b"Action=RunInstances" in q.body]) == 2


def test_what_ec2_can_not_give_is_the_nodes_reason(head, ec2):
    ec2.capacity = {("c7g.large", "subnet-b"): 0}
    head.start()
    head.slurm("resume", "q-dy-b-[2-3],q-dy-a-1")
    head.wait_told("NodeName=q-dy-b-[2-3] State=down",
                   "Reason=hpc-fleet: InsufficientInstanceCapacity: c7g.large in subnet-b (request ")
    head.wait_alive("q-dy-a-1")
    # While the pool rests nothing is asked for.
    asked = len([q for q in ec2.log if b"Action=RunInstances" in q.body])
    head.slurm("resume", "q-dy-b-2")
    head.wait_told("NodeName=q-dy-b-2 State=down")
    assert len([q for q in ec2.log if b"Action=RunInstances" in q.body]) == asked
    why = head.run("why", "q-dy-b-3")
    assert "failed" in why and "InsufficientInstanceCapacity" in why
    # `start` lets no pool rest.
    ec2.capacity = {}
    head.run("start")
    head.slurm("resume", "q-dy-b-2")
    head.wait_alive("q-dy-a-1,q-dy-b-2")


@pytest.mark.parametrize("resume_file", [
    {"all_nodes": "q-dy-b-[1-4]", "jobs": [{"job_id": 7, "nodes": "q-dy-b-[1-4]"}]},
    {"all_nodes_resume": "q-dy-b-[1-4]", "jobs": [{"job_id": 7, "nodes_alloc": "q-dy-b-[1-4]", "nodes_resume": "q-dy-b-[1-4]",
                                                   "oversubscribe": "OK", "partition": "q", "reservation": None}]}],
    ids=["22.05", "23.02"])
def test_a_job_gets_all_its_nodes_or_none(head, ec2, resume_file):
    ec2.capacity = {("c7g.large", "subnet-b"): 3}
    head.start()
    head.slurm("resume", "q-dy-b-[1-4]", resume_file)
    head.wait_told("NodeName=q-dy-b-[1-4] State=down", "InsufficientInstanceCapacity")
    assert ec2.ledger == []
    head.run("start")
    ec2.capacity = {("c7g.large", "subnet-b"): 4}
    head.slurm("resume", "q-dy-b-[1-4]", resume_file)
    head.wait_alive("q-dy-b-[1-4]")
    assert len([q for q in ec2.log if b"Action=RunInstances" in q.body]) == 2


def test_a_job_in_two_resources_gives_back_what_it_has(head, ec2):
    ec2.capacity = {("c7g.large", "subnet-b"): 1}
    head.nodes(q_dy_a_1="allocated#", q_dy_a_2="allocated#", q_dy_b_1="allocated#", q_dy_b_2="allocated#")
    head.start()
    head.slurm("resume", "q-dy-a-[1-2],q-dy-b-[1-2]", {"all_nodes": "x", "jobs": [
        {"job_id": 7, "nodes": "q-dy-a-[1-2],q-dy-b-[1-2]"}]})
    head.wait_told("NodeName=q-dy-b-[1-2] State=down")
    head.wait_told("NodeName=q-dy-a-[1-2] State=down")
    wait_until(lambda: len(ec2.ledger) == 4, "two launches and two ends")
    head.wait_alive("")


def test_what_still_waits_for_such_a_job_is_not_launched(head, ec2):
    ec2.capacity = {("c7g.large", "subnet-b"): 0}
    head.nodes(q_dy_a_1="allocated#", q_dy_a_2="allocated#", q_dy_b_1="allocated#", q_dy_b_2="allocated#")
    head.start()
    head.slurm("resume", "q-dy-b-[1-2],q-dy-a-[1-2]", {"all_nodes": "x", "jobs": [
        {"job_id": 7, "nodes": "q-dy-b-[1-2],q-dy-a-[1-2]"}]})
    head.wait_told("NodeName=q-dy-b-[1-2] State=down")
    head.wait_told("NodeName=q-dy-a-[1-2] State=down")
    assert ec2.ledger == []


def test_a_node_that_has_come_up_is_not_given_back(head, ec2):
    """The number of a job outlives its requeues: what it had once may run another job."""
    head.start()
    head.slurm("resume", "q-dy-a-[1-2]", {"all_nodes": "x", "jobs": [{"job_id": 7, "nodes": "q-dy-a-[1-2]"}]})
    head.wait_alive("q-dy-a-[1-2]")
    ec2.capacity = {("c7g.large", "subnet-b"): 0}
    head.nodes(q_dy_a_1="allocated", q_dy_a_2="idle", q_dy_b_1="allocated#", q_dy_b_2="allocated#")
    head.slurm("resume", "q-dy-b-[1-2]", {"all_nodes": "x", "jobs": [{"job_id": 7, "nodes": "q-dy-b-[1-2]"}]})
    head.wait_told("NodeName=q-dy-b-[1-2] State=down")
    head.run("reconcile")
    wait_until(lambda: looks(ec2) >= 2, "another look")
    assert not any("q-dy-a" in line for line in head.told())
    head.wait_alive("q-dy-a-[1-2]")


def test_instances_of_others_are_left_alone(head, ec2):
    """The cluster's tag is on heads, login nodes and static nodes, too; and a resource may have left the file."""
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    head.stop()
    (head.dir / "state/journal").unlink()
    head.site(SITE.replace("q-dy-a-", "other-"))
    seen = looks(ec2)
    head.start()
    head.run("reconcile")
    wait_until(lambda: looks(ec2) >= seen + 2, "two looks")
    head.wait_alive("q-dy-a-1")
    assert len(ec2.ledger) == 1


def test_an_answer_that_is_lost_launches_nothing_twice(head, ec2):
    ec2.cut = 1
    head.start()
    head.slurm("resume", "q-dy-a-[1-4]")
    head.wait_alive("q-dy-a-[1-4]")
    head.slurm("suspend", "q-dy-a-[1-4]")
    head.wait_alive("")
    assert len(ec2.ledger) == 8


def test_throttles_are_no_lack_of_capacity(head, ec2):
    ec2.faults.append(Fault("status", "/", times=6, status=503, headers={"Content-Type": "text/xml"}, body=(
        "<Response><Errors><Error><Code>RequestLimitExceeded</Code><Message>x</Message></Error></Errors><RequestID>r</RequestID>"
        "</Response>")))
    head.start()
    head.slurm("resume", "q-dy-a-[1-2]")
    head.wait_alive("q-dy-a-[1-2]")
    assert {(i.type, i.subnet) for i in ec2.alive()} == {("t3.micro", "subnet-a")} and head.told() == []


def test_a_lost_journal_is_rebuilt_of_the_tags(head, ec2):
    head.start()
    head.slurm("resume", "q-dy-a-[1-3]")
    head.wait_alive("q-dy-a-[1-3]")
    head.stop()
    (head.dir / "state/journal").unlink()
    head.start()
    wait_until(lambda: "taken in by their tags" in head.messages(), "the instances are taken in")
    assert "3 nodes have or wait for an instance" in head.run("status")
    head.slurm("suspend", "q-dy-a-2")
    head.wait_alive("q-dy-a-[1,3]")
    assert len(ec2.ledger) == 4


def test_what_slurm_has_powered_down_ends(head, ec2):
    head.start()
    head.slurm("resume", "q-dy-a-[1-2]")
    head.wait_alive("q-dy-a-[1-2]")
    head.nodes(q_dy_a_1="idle", q_dy_a_2="idle~")
    head.run("reconcile")
    head.wait_alive("q-dy-a-1")


def test_what_slurm_waits_for_is_launched_at_the_second_look(head, ec2):
    head.nodes(q_dy_a_1="allocated#", q_dy_a_2="idle~", q_dy_a_3=("down#", "broken"), other_1="idle#")
    head.start()
    wait_until(lambda: looks(ec2) == 1, "the first look")
    head.run("reconcile")
    head.wait_alive("q-dy-a-1")


def test_an_instance_that_ended_is_told(head, ec2):
    ec2.late = {("c7g.large", "subnet-b"): "Server.InsufficientInstanceCapacity"}
    head.start()
    head.slurm("resume", "q-dy-b-1")
    wait_until(lambda: ec2.ledger, "it is launched")
    # It counts as lost once EC2 has had half a minute to list it.
    for _ in range(40):
        if head.told():
            break
        head.run("reconcile")
        time.sleep(1)
    head.wait_told("NodeName=q-dy-b-1 State=down", "ended: Server.InsufficientInstanceCapacity")


def test_nodes_are_given_back_when_a_pool_rests_no_more(head, ec2):
    head.nodes(q_dy_a_1=("down#", "hpc-fleet: InsufficientInstanceCapacity"), q_dy_a_2=("down~", "ResumeTimeout reached"),
               q_dy_a_3=("down", "broken fan"), other_1=("down~", "ResumeTimeout reached"), q_dy_a_4=("down%", "hpc-fleet: x"))
    head.start()
    head.wait_told("NodeName=q-dy-a-2 State=resume")
    assert head.told() == ["update NodeName=q-dy-a-1 State=power_down_force", "update NodeName=q-dy-a-2 State=resume"]


def test_what_somebody_works_on_is_left_alone(head, ec2):
    head.start()
    head.slurm("resume", "q-dy-a-[1-3]")
    head.wait_alive("q-dy-a-[1-3]")
    head.stop()
    head.nodes(q_dy_a_1="idle+maintenance+reserved+powered_down", q_dy_a_2="idle+drain+powered_down", q_dy_a_3="idle+reboot_issued+powered_down",
               q_dy_a_4="allocated+drain+powering_up", q_dy_a_5=("down+drain+powered_down", "hpc-fleet: x"),
               q_dy_a_6=("down+maintenance", "hpc-fleet: x"), q_dy_a_7=("down+reboot_requested+powered_down", "ResumeTimeout reached"),
               q_dy_a_8=("down~", "hpc-fleet: x"))
    seen = looks(ec2)
    head.start()
    for n in (2, 3):
        wait_until(lambda: looks(ec2) >= seen + n - 1, "a look")
        head.run("reconcile")
    wait_until(lambda: looks(ec2) >= seen + 3, "a third look")
    head.wait_alive("q-dy-a-[1-3]")
    head.stop()
    assert set(head.told()) == {"update NodeName=q-dy-a-8 State=resume"}


def test_jobs_that_were_requeued_and_held_are_released_once(head, ec2):
    pending = head.dir / "pending"
    pending.write_text("7|0|BadConstraints|1\n8|0|BadConstraints|0\n9|0|JobHeldUser|1\n12|0|BadConstraints|2\n")
    head.start()
    head.wait_told("release 7,12")
    pending.write_text("7|0|BadConstraints|1\n12|0|BadConstraints|3\n")
    head.run("reconcile")
    head.wait_told("release 12")
    wait_until(lambda: "release 12" in head.told(), "only what was requeued again")
    assert head.told() == ["release 7,12", "release 12"]


def test_stop_launches_nothing_until_start(head, ec2):
    head.start()
    head.run("stop")
    head.slurm("resume", "q-dy-a-1")
    head.wait_told("NodeName=q-dy-a-1 State=down", "stopped by 'hpc-fleet stop'")
    head.stop()
    head.start()
    head.slurm("resume", "q-dy-a-2")
    head.wait_told("NodeName=q-dy-a-2 State=down", "stopped")
    assert "stopped" in head.run("status") and ec2.ledger == []
    head.run("start")
    head.slurm("resume", "q-dy-a-2")
    head.wait_alive("q-dy-a-2")


def test_a_node_that_never_joined_ends_and_its_pool_rests(head, ec2):
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    head.slurm("resume-fail", "q-dy-a-1")
    head.wait_alive("")
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    assert [(i.type, i.subnet) for i in ec2.of_node("q-dy-a-1")] == [("t3.micro", "subnet-a"), ("t3.micro", "subnet-b")]


def test_a_second_service_refuses_and_a_wrong_file_is_told_whole(head):
    head.start()
    wait_until(lambda: (head.dir / "state/journal").exists(), "the journal")
    assert "another process writes to it" in head.run("serve", "--config", head.dir / "fleet.yaml", code=6)
    head.site(SITE.replace("ami-1", "xmi-1").replace("subnets: [subnet-b]", "subnet: [subnet-b]").replace("[1-10]", "[10-1]"))
    said = head.run("serve", "--config", head.dir / "fleet.yaml", code=3)
    assert "fleet.yaml:15:3: unknown key 'subnet'" in said and "fleet.yaml:12:3: the key 'subnets' is missing" in said, said
    head.site(SITE.replace("ami-1", "xmi-1").replace("[1-10]", "[10-1]"))
    said = head.run("serve", "--config", head.dir / "fleet.yaml", code=3)
    assert "fleet.yaml:6:10: image: 'xmi-1': expected ami-..." in said and "fleet.yaml:12:10: nodes: 'q-dy-b-[10-1]'" in said, said


def test_replay_tells_a_journal_anywhere(head, ec2):
    head.start()
    head.slurm("resume", "q-dy-a-[1-2]")
    head.wait_alive("q-dy-a-[1-2]")
    head.stop()
    torn = head.dir / "torn"
    torn.write_bytes((head.dir / "state/journal").read_bytes()[:-3])
    said = head.run("replay", torn)
    assert '"is":"asked"' in said and "bytes at its end are no whole record" in said and "2 nodes have or wait" in said


def test_the_state_may_be_elsewhere(head, ec2):
    other = head.dir / "other"
    (other / "spool").mkdir(parents=True)
    (other / "spool/000000000001.000000000.1").write_text("resume q-dy-a-1\n")
    head.start("--state", other)
    head.wait_alive("q-dy-a-1")
    assert "1 nodes have" in head.run("status", "--state", other) and "launched" in head.run("why", "q-dy-a-1", "--state", other)
    head.run("stop", "--state", other)
    wait_until(lambda: '"stopped":true' in head.run("status", "--json", "--state", other).replace(" ", ""), "it is stopped")
    head.run("start", "--state", other)
    wait_until(lambda: '"stopped":false' in head.run("status", "--json", "--state", other).replace(" ", ""), "it is started")
    seen = looks(ec2)
    head.run("reconcile", "--state", other)
    wait_until(lambda: looks(ec2) > seen, "EC2 is asked")
    # Of the usual place it neither reads nor writes anything.
    head.slurm("resume", "q-dy-a-2")
    assert [p.name for p in (head.dir / "state").iterdir()] == ["spool"] and len(list((head.dir / "state/spool").iterdir())) == 1
    head.wait_alive("q-dy-a-1")


def test_what_waits_for_its_turn_is_not_looked_for_again_and_again(head, ec2):
    """More nodes than EC2 gives at once: Slurm waits for them, and so do we."""
    head.site(SITE.replace("[1-300]", "[1-700]"))
    (head.dir / "nodes").write_text("".join(f"q-dy-a-{n}|allocated#|none\n" for n in range(1, 701)))
    head.start()
    head.slurm("resume", "q-dy-a-[1-700]")
    wait_until(lambda: len(ec2.alive()) == 500, "what may be launched at once")
    for _ in range(2):
        seen = looks(ec2)
        head.run("reconcile")
        wait_until(lambda: looks(ec2) > seen, "EC2 is asked")
    seen = looks(ec2)
    for n in range(1, 8):
        head.slurm("suspend", f"nobody-{n}")
        wait_until(lambda: not any((head.dir / "state/spool").iterdir()), "it is read")
    # At most the one of each half minute.
    assert looks(ec2) <= seen + 2
    assert "and nothing was launched" not in head.messages()
