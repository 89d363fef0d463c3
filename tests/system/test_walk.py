"""The walk: the agent makes the head of the seed's file, a user submits nine jobs, instances come, and go when they are idle."""
import re

from bed.walk import Walk


def test_nine_jobs_bring_their_instances_and_leave_none(bed, layer, fleet_layer, tmp_path):
    home = tmp_path / "home"
    home.mkdir()
    with Walk(bed, [layer, fleet_layer], home) as walk:
        status = walk.boot()
        assert status.phase == "ready", f"{status}\n{walk.said()}"
        assert status.of("fleet") == {"changed"}
        assert walk.head.run("systemctl is-enabled hpc-fleet; systemctl is-active hpc-fleet")[1] == "enabled\nactive\n", walk.said()
        # A second run writes nothing, and leaves the service as it is.
        before = walk.head.run("touch /run/mark; systemctl show -p InvocationID --value hpc-fleet")[1]
        assert walk.again().states() == {"ok"}, walk.said()
        assert walk.head.run("find /etc /usr -newer /run/mark; systemctl show -p InvocationID --value hpc-fleet")[1] == before
        # Nobody but root and the fleet's user reaches the metadata service.
        reach = "runuser -u {} -- bash -c 'exec 3<>/dev/tcp/169.254.169.254/80' 2>/dev/null"
        assert [walk.head.run(reach.format(user), check=False)[0] != 0 for user in ("root", "slurm", "ec2-user", "nobody")] == \
            [False, False, True, True]
        numbers = walk.submit(9)
        try:
            walk.wait()
            walk.wait_for_none()
        except AssertionError as why:
            raise AssertionError(f"{why}\n{walk.said()}") from None
        lines = [walk.output(number).read_text() for number in numbers]
        assert all(re.fullmatch(r"Hello World from queue1-dy-t3micro-\d+\n", line) for line in lines), lines
        assert {line.split()[-1] for line in lines} <= set(walk.nodes)
        assert all(one.profile == "walk-compute" and one.groups == ("sg-00000000000000001",) for one in walk.nodes.values())
        assert walk.faults() == []
