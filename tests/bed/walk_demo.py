"""The walk as people read it: a head comes up, a user submits jobs, instances come for them and go.

    python3 -m bed.enter python3 -m bed.walk_demo BUILD
"""
import sys
import tempfile
import time
from pathlib import Path

from . import agent, cluster, rootfs
from .demo import Show
from .proc import Expired, wait_until
from .walk import GUARD, Walk

JOBS, SECONDS = 9, 30


class Watch:
    """What agents said, by instance: they are gone at the end."""

    def __init__(self, walk):
        self.walk, self.ready = walk, {}

    def look(self):
        for node, one in list(self.walk.nodes.items()):
            place = self.walk.booted.get(one.id)
            if one.id in self.ready or not place:
                continue
            if place[1].leader and place[1].run("grep -q '\"phase\": *\"ready\"' /run/hpc-node/status.json", check=False)[0] == 0:
                self.ready[one.id] = agent.status(place[1])
        return self.walk.are_written()


def timeline(show, walk, watch, number):
    """One job, from sbatch to its first output, by who had it."""
    at = 0.0
    for what, seconds in walk.split(number, watch.ready[walk.instance(number).id], SECONDS):
        at += seconds
        show.say(f"  {what:46} {seconds:6.2f} s   at {at:6.2f} s")


def jobs(show, walk):
    watch = Watch(walk)
    show.say(f"$ cat script.sh\n{walk.script(SECONDS)}")
    numbers = walk.submit(JOBS, SECONDS)
    show.say("\n".join(f"$ sbatch script.sh\nSubmitted batch job {number}" for number in numbers))
    wait_until(lambda: watch.look() or len(walk.booted) == len(walk.nodes) > 0, GUARD, "instances")
    show.say("$ squeue\n" + walk.head.run("squeue")[1])
    wait_until(watch.look, GUARD + 9 * SECONDS, "the jobs' output", 0.1)
    show.say(f"{len(walk.nodes)} instances: " + ", ".join(f"{one.id} is {node}" for node, one in walk.nodes.items()))
    for number in numbers:
        show.say(f"$ cat slurm-{number}.out\n{walk.output(number).read_text()}")
    show.say(f"job {numbers[0]}, from sbatch to its first command:")
    timeline(show, walk, watch, numbers[0])


def main(build):
    show = Show()
    show.say(f"the Debian image: made once, kept in {rootfs.CACHE}")
    rootfs.tree()
    with cluster.Bed() as bed, tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        layers = [agent.install(build, bed.home / "agent"), agent.install_fleet(build, bed.home / "fleet")]
        with Walk(bed, layers, home) as walk:
            show.say("a head boots: its node document names the cluster's file, and the image of its nodes; the rest is the agent's")
            status = walk.boot()
            if status.phase != "ready":
                raise Expired(f"the head did not become ready:\n{status}\n{walk.said()}")
            show.say(f"ready, after {(status.document['end_ns'] - status.document['start_ns']) / 1e9:.2f} s of its agent")
            show.say("$ cat /etc/hpc-node/fleet.yaml\n" + walk.head.read("/etc/hpc-node/fleet.yaml"))
            show.say("$ sinfo\n" + walk.head.run("sinfo")[1])
            jobs(show, walk)
            show.say("idle instances end")
            walk.wait_for_none()
            faults = walk.faults()
            show.say("EC2's ledger: " + ("; ".join(faults) or f"{len(walk.cloud.instances)} launched, {len(walk.cloud.instances)} ended, none twice, none left"))
            for name in list(bed.running):
                bed.terminate(name)
    show.say("done")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve()))
