"""Nodes that come back as the fleet's file says: a few at once, as their jobs end."""
import subprocess

from conftest import GUARD, PROGRAM, SITE

REASON = "Reason=hpc-fleet: roll: to be launched as the fleet's file says"
DRAINS = "State=power_down_asap " + REASON


def up(head, ec2, nodes):
    """Nodes that were launched, and a file that says another image."""
    head.site(SITE.replace("q-dy-b-[1-10]", "q-st-b-[1-10]"))
    head.start()
    head.slurm("resume", nodes)
    head.wait_alive(nodes)
    head.stop()
    head.site(SITE.replace("q-dy-b-[1-10]", "q-st-b-[1-10]").replace("ami-1", "ami-3").replace("ami-2", "ami-3"))
    ec2.launchable.add("ami-3")


def roll(head, *args):
    return subprocess.Popen(head.command(PROGRAM, "roll", "--config", head.dir / "fleet.yaml", *args),
                            env=head.env(), text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def ended(process, code=0):
    said = process.communicate(timeout=GUARD)[0]
    assert process.returncode == code and "Sanitizer" not in said, said
    return said


def test_what_differs_is_shown(head, ec2):
    up(head, ec2, "q-dy-a-[1-2],q-st-b-1")
    told = head.run("roll", "--dry-run", "--config", head.dir / "fleet.yaml").splitlines()
    assert [line.split()[0] for line in told[:-1]] == ["q-dy-a-1", "q-dy-a-2", "q-st-b-1"] and told[-1] == "3 nodes would be launched again"
    assert all(line.endswith("image or launch parameters differ") for line in told[:-1])
    same = SITE.replace("q-dy-b-[1-10]", "q-st-b-[1-10]")
    # Neither more nodes nor another type is a difference, but the type of one that is there no more.
    head.site(same.replace("q-dy-a-[1-300]", "q-dy-a-[1-400]").replace("[t3.micro, t3a.micro]", "[c5.large, t3.micro]"))
    assert "0 nodes would be launched again" in head.run("roll", "--dry-run", "--config", head.dir / "fleet.yaml")
    head.site(same.replace("t3.micro, ", ""))
    assert head.run("roll", "--dry-run", "--config", head.dir / "fleet.yaml").count("has its type, subnet or market no more") == 2
    head.site(same.replace("[", "{", 1))
    head.run("roll", "--config", head.dir / "fleet.yaml", code=3)
    assert head.told() == []


def test_a_few_at_once_idle_ones_first(head, ec2):
    up(head, ec2, "q-dy-a-[1-4],q-st-b-1")
    head.nodes(q_dy_a_1="allocated", q_dy_a_2="idle", q_dy_a_3="allocated", q_dy_a_4="idle+drain", q_st_b_1="idle", q_dy_a_9="idle~")
    head.start()
    process = roll(head, "--at-once", "2")
    head.wait_told(f"NodeName=q-dy-a-2,q-st-b-1 {DRAINS}")
    assert len(head.told()) == 1
    # Slurm has them ended; the static one is powered up again, and the next ones' turn comes.
    head.slurm("suspend", "q-dy-a-2,q-st-b-1")
    head.wait_alive("q-dy-a-1,q-dy-a-[3-4]")
    gone = ("idle~", REASON[len("Reason="):])
    head.nodes(q_dy_a_1="allocated", q_dy_a_2=gone, q_dy_a_3="allocated", q_dy_a_4="idle+drain", q_st_b_1=gone)
    head.wait_told("NodeName=q-st-b-1 State=power_up")
    head.wait_told(f"NodeName=q-dy-a-[1,3] {DRAINS}")
    draining = ("allocated+drain+power_down", gone[1])
    head.nodes(q_dy_a_1=draining, q_dy_a_2=gone, q_dy_a_3=draining, q_dy_a_4="idle+drain", q_st_b_1="idle")
    head.slurm("suspend", "q-dy-a-1,q-dy-a-3")
    head.wait_alive("q-dy-a-4")
    head.nodes(q_dy_a_1=gone, q_dy_a_2=gone, q_dy_a_3=gone, q_dy_a_4="idle+drain", q_st_b_1="idle")
    assert "1 nodes are left as they are" in ended(process)
    head.slurm("resume", "q-dy-a-1")
    head.wait_alive("q-dy-a-1,q-dy-a-4")
    assert ec2.of_node("q-dy-a-1")[-1].image == "ami-3"


def test_it_ends_at_its_deadline_and_goes_on_when_called_again(head, ec2):
    up(head, ec2, "q-dy-a-1")
    head.nodes(q_dy_a_1="allocated#")
    assert "call it again to go on" in ended(roll(head, "--deadline", "1s"), 7)
    assert head.told() == []
