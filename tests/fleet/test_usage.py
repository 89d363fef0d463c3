"""Instance hours, by whom they were for."""
import hashlib
import json

NOVEMBER = 1793491200  # 2026-11-01T00:00:00Z
HOUR = 3600


def journal(head, *records):
    lines = [json.dumps(r) for r in records]
    (head.dir / "state/journal").write_text("".join(f"{hashlib.sha256(x.encode()).hexdigest()[:16]} {x}\n" for x in lines))


def launch(token, node, start, hours=None, **owner):
    asked = {"is": "asked", "token": token, "nodes": node, "type": "t3.micro", "subnet": "subnet-a", "whole": False, "at": start, **owner}
    got = {"is": "got", "token": token, "ids": [f"i-{token}"], "at": start}
    return [asked, got] + ([{"is": "ended", "id": f"i-{token}", "why": "over", "at": start + hours * HOUR}] if hours else [])


def usage(head, *args):
    told = head.run("usage", *args, "--json")
    return json.loads(told)


def test_hours_by_each_key(head):
    journal(head, *launch("a", "q-1", NOVEMBER, 2, queue="q", job="7", user="u1", account="lab"),
            *launch("b", "q-2", NOVEMBER - HOUR, 4, queue="q", job="8", user="u1", account="lab"),
            *launch("c", "r-1", NOVEMBER + 3 * HOUR, 1, queue="r", job="9", user="u2", account="lab"),
            *launch("d", "r-2", NOVEMBER, 10, queue="r"))
    days = ("--since", "2026-11-01", "--until", "2026-11-01")
    assert usage(head, *days) == {"schema": 1, "since": "2026-11-01T00:00:00Z", "until": "2026-11-02T00:00:00Z", "by": "user", "usage": [
        {"user": None, "seconds": 10 * HOUR, "instances": 1}, {"user": "u1", "seconds": 5 * HOUR, "instances": 2},
        {"user": "u2", "seconds": HOUR, "instances": 1}]}
    rows = {by: {r[by]: r["seconds"] / HOUR for r in usage(head, *days, "--by", by)["usage"]} for by in ("account", "job", "queue")}
    assert rows == {"account": {None: 10, "lab": 6}, "job": {None: 10, "7": 2, "8": 3, "9": 1}, "queue": {"q": 5, "r": 11}}
    assert [line.split() for line in head.run("usage", *days).splitlines()] == [
        ["user", "hours", "instances"], ["-", "10.00", "1"], ["u1", "5.00", "2"], ["u2", "1.00", "1"], ["all", "16.00", "4"]]
    assert [r["user"] for r in usage(head, "--since", "2026-10-31", "--until", "2026-10-31")["usage"]] == ["u1"]


def test_days_that_are_none(head):
    journal(head)
    for wrong in ("2026-02-30", "2026-1-1", "yesterday", "2026-11-01T00:00:00Z", "1969-01-01"):
        assert f"--since '{wrong}': expected a day, as 2026-11-01" in head.run("usage", "--since", wrong, code=2)
        assert f"--until '{wrong}'" in head.run("usage", "--until", wrong, code=2)


def test_what_runs_counts_and_what_slurm_asked_it_for(head, ec2):
    """A job of several nodes, and the queue, as the service writes them down."""
    site = (head.dir / "fleet.yaml").read_text().replace("- nodes: q-dy-b", "- queue: other\n  exclusive: true\n  nodes: q-dy-b")
    head.site(site)
    (head.dir / "jobs").write_text("7|u1|lab\n")
    head.start()
    head.slurm("resume", "q-dy-b-[1-2]", {"all_nodes": "x", "jobs": [{"job_id": 7, "nodes": "q-dy-b-[1-2]"}]})
    head.wait_alive("q-dy-b-[1-2]")
    head.stop()
    journal = head.dir / "state/journal"
    journal.write_text("".join(f"{hashlib.sha256(x.encode()).hexdigest()[:16]} {x}\n" for x in (
        json.dumps({**json.loads(line.split(" ", 1)[1]), "at": NOVEMBER}) for line in journal.read_text().splitlines())))
    for by, key in (("user", "u1"), ("account", "lab"), ("job", "7"), ("queue", "other")):
        assert [(r[by], r["instances"]) for r in usage(head, "--since", "2026-11-01", "--by", by)["usage"]] == [(key, 2)]
