"""What queues may use: refused before anything is launched, and told."""
import hashlib
import json
import time

from conftest import wait_until

SITE = """
cluster: test-cluster
types:
- {{name: t3.micro, price: 0.0104}}
- {{name: c5.large, price: "0.085"}}
queues:
- {{name: q, {limit}}}
resources:
- {{queue: q, nodes: "q-dy-a-[1-9]", image: ami-1, types: [t3.micro, c5.large], subnets: [subnet-a]}}
- {{queue: r, nodes: "r-dy-a-[1-9]", image: ami-1, types: [t3.micro], subnets: [subnet-a]}}
"""
COST = "max-hourly-cost: 0.0312"


def test_a_queue_gets_as_many_as_it_may_pay_for(head, ec2):
    head.site(SITE.format(limit=COST))
    head.start()
    head.slurm("resume", "q-dy-a-[1-5],r-dy-a-[1-9]")
    head.wait_told("NodeName=q-dy-a-[4-5] State=down Reason=hpc-fleet: MaxHourlyCost of queue 'q': its instances cost $0.0312 an hour; "
                   "2 more of t3.micro at $0.0104 are over $0.0312")
    head.wait_alive("q-dy-a-[1-3],r-dy-a-[1-9]")
    # What ends makes room.
    head.slurm("suspend", "q-dy-a-1")
    head.wait_alive("q-dy-a-[2-3],r-dy-a-[1-9]")
    head.slurm("resume", "q-dy-a-6")
    head.wait_alive("q-dy-a-[2-3],q-dy-a-6,r-dy-a-[1-9]")


def test_a_job_of_several_nodes_gets_none_where_it_cant_pay_for_all(head, ec2):
    head.site(SITE.format(limit=COST))
    head.start()
    job = {"all_nodes": "x", "jobs": [{"job_id": 7, "nodes": "q-dy-a-[1-4]"}]}
    head.slurm("resume", "q-dy-a-[1-4]", job)
    head.wait_told("NodeName=q-dy-a-[1-4] State=down", "its instances cost $0.0000 an hour; 4 more of t3.micro")
    assert ec2.ledger == []


def test_what_is_refused_rests_before_it_is_tried_again(head, ec2):
    head.nodes(q_dy_a_1=("down#", "hpc-fleet: MaxHourlyCost of queue 'q'"), r_dy_a_1=("down#", "hpc-fleet: Insufficient"))
    head.site(SITE.format(limit="max-hourly-cost: 0.01"))
    head.start()
    head.wait_told("NodeName=q-dy-a-1,r-dy-a-1 State=power_down_force")
    head.slurm("resume", "q-dy-a-1")
    head.wait_told("NodeName=q-dy-a-1 State=down")
    told = len(head.told())
    head.run("reconcile")
    wait_until(lambda: len(head.told()) > told, "another look")
    assert head.told()[told:] == ["update NodeName=r-dy-a-1 State=power_down_force"]


def journal(head, hours):
    start = int(time.time()) - hours * 3600
    lines = [json.dumps(x) for x in (
        {"is": "asked", "token": "t", "nodes": "q-dy-a-1", "type": "t3.micro", "subnet": "subnet-a", "queue": "q", "whole": False, "at": start},
        {"is": "got", "token": "t", "ids": ["i-1"], "at": start}, {"is": "unwanted", "nodes": "q-dy-a-1", "why": "x", "at": start},
        {"is": "ended", "id": "i-1", "why": "over", "at": start + hours * 3600})]
    (head.dir / "state/journal").write_text("".join(f"{hashlib.sha256(x.encode()).hexdigest()[:16]} {x}\n" for x in lines))


def test_hours_of_this_month(head, ec2):
    """Instances had all the hours of it that are over."""
    now = time.gmtime()
    hours = now.tm_mday * 24 - 24 + now.tm_hour
    journal(head, 40 * 24)
    head.site(SITE.format(limit=f"max-node-hours: {hours + 2}"))
    head.start()
    head.slurm("resume", "q-dy-a-2")
    head.wait_alive("q-dy-a-2")
    head.stop()
    if not hours:
        return  # in a month's first hour
    head.site(SITE.format(limit=f"max-node-hours: {hours}"))
    head.start()
    head.slurm("resume", "q-dy-a-3,r-dy-a-1")
    head.wait_told("NodeName=q-dy-a-3 State=down", f"MaxNodeHours of queue 'q': its instances had {hours} hours this month, of at most {hours}")
    head.wait_alive("q-dy-a-2,r-dy-a-1")


def test_hours_that_cant_be_counted(head, ec2):
    (head.dir / f"state/usage-{time.strftime('%Y-%m', time.gmtime())}").write_text(f"{hashlib.sha256(b'{}').hexdigest()[:16]} {{}}\n")
    head.site(SITE.format(limit="max-node-hours: 10"))
    head.start()
    head.slurm("resume", "q-dy-a-1")
    head.wait_told("NodeName=q-dy-a-1 State=down", "MaxNodeHours of queue 'q': they can't be counted: ")
    assert ec2.ledger == []
