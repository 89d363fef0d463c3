"""The demonstration: a little cluster comes up, a node joins it before your eyes, jobs run, all is gone again.

    python3 -m bed.enter python3 -m bed.demo BUILD
"""
import json
import sys
import time
from pathlib import Path

from . import agent, cluster, guest, rootfs
from .head import Head
from .proc import Expired

NODE = "queue1-st-t3micro-1"
SCRIPT = """#!/bin/bash
#SBATCH --job-name=hello
sleep 1
echo "Hello World from $(hostname), kernel $(uname -r), $(grep -c ' nfs4 ' /proc/mounts) NFS mount"
"""
JOIN = 120
MARKS = {"ok": "=", "changed": "+", "failed": "!", "blocked": "-", "skipped": "-"}


class Show:
    """Prints with the time since the beginning; turns the agent's events on the node's console into lines of the plan."""

    def __init__(self):
        self.start, self.first = time.monotonic(), None

    def say(self, text=""):
        for line in text.rstrip("\n").split("\n"):
            print(f"{time.monotonic() - self.start:7.2f} s  {line}", flush=True)

    def console(self, _, line):
        if not line.startswith("{"):
            if line.startswith("hpc-agent: "):
                self.say(f"  console | {line}")
            return
        event = json.loads(line)
        self.first = self.first or event["t"]
        at = (event["t"] - self.first) / 1e9
        if event["event"] == "step-started":
            self.say(f"  {at:6.3f}  . {event['step']}")
        elif event["event"] == "step-finished":
            self.say(f"  {at:6.3f}  {MARKS.get(event['state'], '?')} {event['step']:32} {event['state']}"
                     f" {event.get('elapsed_ns', 0) / 1e6:8.0f} ms  {event.get('text', '')}")


def timeline(show, status):
    """The run's steps as bars over its time."""
    document = status.document
    begin, end = document["start_ns"], document["end_ns"]
    width = 48
    place = lambda ns: min(width, max(0, round((ns - begin) / (end - begin) * width)))
    for step in sorted(status.steps.values(), key=lambda one: one["start_ns"] or end):
        if step["start_ns"] and step["end_ns"]:
            left, right = place(step["start_ns"]), place(step["end_ns"])
            bar = " " * left + "#" * max(1, right - left)
            show.say(f"  {step['id']:28} {bar:{width + 1}} {(step['end_ns'] - step['start_ns']) / 1e9:6.2f} s")
    show.say(f"  {'whole run':28} {'=' * width}  {(end - begin) / 1e9:6.2f} s")


def join(show, bed, build):
    show.say(f"a guest boots: stock Debian, the agent installed, its network card not there yet ({NODE})")
    tree = agent.install(build, bed.home / "payload")
    node = bed.guest(NODE, cluster.pack(tree, bed.home / "payload.tar"), show.console)
    node.run("(mkdir -p /run/hpc-node; exec tail -q -n +1 -F /run/hpc-node/events.jsonl 2>/dev/null) >/dev/console &")
    agent.start(node)
    show.say("the network card arrives; the plan, live ('.' begins, '+' changed, '=' held already, '!' failed):")
    node.plug_nic()
    status = agent.wait_ended(node, JOIN)
    if status.phase != "ready":
        raise Expired(f"the node did not become ready:\n{status}")
    return status


def main(build):
    show = Show()
    show.say(f"the Debian image and the guests' template: made once, kept in {rootfs.CACHE}")
    guest.template()
    show.say("bringing up: bridge, DHCP, instance metadata, S3 (Swift)")
    with cluster.Bed() as bed:
        show.say("bringing up the head node: munged, slurmctld, NFS server")
        with Head(bed.home / "head", cluster.MUNGE_KEY, cgroup=True) as controller:
            status = join(show, bed, build)
            show.say(controller.run(f"sinfo -N -n {NODE}")[1])
            show.say(f"$ srun -w {NODE} hostname")
            show.say(controller.alice(f"srun -w {NODE} hostname", 60))
            (controller.export / "home/alice/hello.sh").write_text(SCRIPT)
            show.say(f"$ sbatch -w {NODE} hello.sh")
            show.say(controller.alice(f"sbatch -W -w {NODE} -o hello.out hello.sh", 60))
            show.say("$ cat hello.out        (on the NFS server's disk)")
            show.say((controller.export / "home/alice/hello.out").read_text())
            show.say("where the bootstrap's time went:")
            timeline(show, status)
            show.say("cleaning up")
    show.say("done")


if __name__ == "__main__":
    main(Path(sys.argv[1]).resolve())
