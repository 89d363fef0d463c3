"""Instances whose bootstrap fails: replaced while Slurm waits, and a resource that keeps failing is protected, alone."""
from conftest import SITE, wait_until

MOUNT = "mounts:/home: the server doesn't answer (mount-server-down)"


def looks(ec2):
    return sum(b"Action=DescribeInstances" in q.body for q in ec2.log)


def says(head, ec2, node, instance, state="allocated#", why=MOUNT):
    """The node's comment, as its agent sets it, and a look at it."""
    seen = looks(ec2)
    head.nodes(**{node.replace("-", "_"): (state, "none", f"hpc-agent: {instance} failed: {why}")})
    head.run("reconcile")
    wait_until(lambda: looks(ec2) > seen, "a look")


def launches(ec2, node, n):
    wait_until(lambda: len(ec2.of_node(node)) == n and not any(i.alive for i in ec2.of_node(node)[:-1]), f"{n} launches of {node}")
    return ec2.of_node(node)[-1]


def test_a_node_that_failed_is_replaced_while_slurm_waits(head, ec2):
    head.start()
    head.slurm("resume", "q-dy-a-[1-2]")
    head.wait_alive("q-dy-a-[1-2]")
    first = ec2.of_node("q-dy-a-1")[0]
    says(head, ec2, "q-dy-a-1", first.id)
    second = launches(ec2, "q-dy-a-1", 2)
    head.wait_alive("q-dy-a-[1-2]")
    # What it says of the former one is none of the new one's, nor what one that is up, or drained, says.
    says(head, ec2, "q-dy-a-1", first.id)
    says(head, ec2, "q-dy-a-1", second.id, state="idle")
    says(head, ec2, "q-dy-a-1", second.id, state="allocated+drain+powering_up")
    head.stop()
    assert len(ec2.of_node("q-dy-a-1")) == 2 and head.told() == []
    assert f"{first.id} failed: {MOUNT}" in head.run("why", "q-dy-a-1")


def test_a_resource_that_keeps_failing_is_protected_alone(head, ec2):
    ec2.rate = False
    head.start()
    head.slurm("resume", "q-dy-b-1")
    for n in range(1, 11):
        says(head, ec2, "q-dy-b-1", launches(ec2, "q-dy-b-1", n).id)
    head.wait_told("NodeName=q-dy-b-1 State=down", "protected until 'hpc-fleet start': 10 instances failed their bootstrap, the last one: i-", MOUNT)
    head.wait_alive("")
    head.slurm("resume", "q-dy-b-2,q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    head.wait_told("NodeName=q-dy-b-2 State=down", "protected until")
    head.nodes()
    head.run("start")
    head.slurm("resume", "q-dy-b-3")
    head.wait_alive("q-dy-a-1,q-dy-b-3")


def test_one_that_joined_begins_the_count_anew(head, ec2):
    ec2.rate = False
    head.start()
    head.slurm("resume", "q-dy-b-1")
    for n in range(1, 10):
        says(head, ec2, "q-dy-b-1", launches(ec2, "q-dy-b-1", n).id)
    says(head, ec2, "q-dy-b-1", launches(ec2, "q-dy-b-1", 10).id, state="idle")
    for n in range(10, 13):
        says(head, ec2, "q-dy-b-1", launches(ec2, "q-dy-b-1", n).id)
    launches(ec2, "q-dy-b-1", 13)
    assert head.told() == []


def test_one_that_is_to_be_held_stays(head, ec2):
    head.site(SITE.replace("head: 10.0.0.10}", "head: 10.0.0.10, on-failure: hold}"))
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1")
    for _ in range(2):
        says(head, ec2, "q-dy-a-1", ec2.of_node("q-dy-a-1")[0].id)
    head.wait_alive("q-dy-a-1")
    assert len(ec2.ledger) == 1


def test_one_that_ended_itself_is_replaced_while_slurm_waits(head, ec2):
    """It could tell nobody, and powered off."""
    head.nodes(q_dy_b_1="allocated#", q_dy_b_2="allocated")
    head.start()
    head.slurm("resume", "q-dy-b-[1-2]")
    head.wait_alive("q-dy-b-[1-2]")
    for node in ("q-dy-b-1", "q-dy-b-2"):
        ec2.end(ec2.of_node(node)[0], "Client.InstanceInitiatedShutdown")
    # It counts as lost once EC2 has had half a minute to list it.
    for _ in range(60):
        head.run("reconcile")
        try:
            wait_until(lambda: len(ec2.of_node("q-dy-b-1")) > 1 and head.told(), "it is launched again", 1)
            break
        except AssertionError:
            continue
    head.wait_alive("q-dy-b-1")
    assert [x.split(" Reason")[0] for x in head.told()] == ["update NodeName=q-dy-b-2 State=down"]
