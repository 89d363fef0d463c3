"""Failures, told where users look: the node's reason, the job's AdminComment, and `why`."""
import re


def test_the_jobs_of_nodes_that_cant_be_had_are_told(head, ec2):
    ec2.capacity = {("c7g.large", "subnet-b"): 0}
    head.jobs_on("q-dy-b-[1-2]", *range(1, 103))
    head.start()
    head.slurm("resume", "q-dy-b-[1-2]")
    head.wait_told("JobId=101,102 AdminComment=hpc-fleet: ")
    node, first, second = head.told()
    assert re.fullmatch(r"update NodeName=q-dy-b-\[1-2\] State=down Reason=hpc-fleet: InsufficientInstanceCapacity: c7g.large in subnet-b "
                        r"\(request [-\w]+\)", node)
    request = re.search(r"\(request [-\w]+\)", node)[0]
    for told, jobs in ((first, ",".join(map(str, range(1, 101)))), (second, "101,102")):
        assert re.fullmatch(rf"update JobId={jobs} AdminComment=hpc-fleet: \d{{4}}-\d\d-\d\dT\d\d:\d\d:\d\dZ: InsufficientInstanceCapacity: "
                            rf"c7g.large in subnet-b {re.escape(request)}", told)


def test_nobody_waits_for_them(head, ec2):
    ec2.capacity = {("c7g.large", "subnet-b"): 0}
    head.start()
    head.slurm("resume", "q-dy-b-1")
    head.wait_told("NodeName=q-dy-b-1 State=down")
    head.stop()
    assert len(head.told()) == 1


JOB = """JobId={0} JobName=x
   JobState={1} Reason={2} Dependency=(null)
   Partition=q AllocNode:Sid=head:1
   NodeList={3}
   AdminComment=hpc-fleet: told
"""


def test_why_a_job_waits(head, ec2):
    ec2.capacity = {("c7g.large", "subnet-b"): 0}
    (head.dir / "job.7").write_text(JOB.format(7, "PENDING", "BeginTime", "(null)"))
    (head.dir / "job.8").write_text(JOB.format(8, "RUNNING", "None", "q-dy-a-[1-2]"))
    head.start()
    head.slurm("resume", "q-dy-b-[1-2]", {"all_nodes": "x", "jobs": [{"job_id": 7, "nodes": "q-dy-b-[1-2]"}]})
    head.wait_told("State=down")
    head.slurm("resume", "q-dy-a-[1-3]")
    head.wait_alive("q-dy-a-[1-3]")
    told = head.run("why", "7").splitlines()
    assert told[:2] == ["job 7: PENDING, BeginTime, in q", "hpc-fleet: told"]
    assert [re.search(r"  (q-\S+) +failed .*: InsufficientInstanceCapacity: c7g.large in subnet-b \(request ", x)[1] for x in told[2:]] == [
        "q-dy-b-1", "q-dy-b-2"]
    told = head.run("why", "8").splitlines()
    assert told[0] == "job 8: RUNNING, None, in q, on q-dy-a-[1-2]"
    assert [re.search(r"  (q-\S+) +launched +i-", x)[1] for x in told[2:]] == ["q-dy-a-1", "q-dy-a-2"]
    # What Slurm has forgotten the journal may still have.
    (head.dir / "job.7").unlink()
    told = head.run("why", "7")
    assert "Invalid job id" in told and "job 7: unknown to Slurm" in told and told.count("failed") == 2
    assert "no launch for it is remembered" in head.run("why", "9")
    assert "no launch of 'q-dy-a-9' is remembered" in head.run("why", "q-dy-a-9")
