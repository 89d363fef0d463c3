"""The figures of tests/bench/head that need a machine: a booted container becomes a head; runs inside the bed."""
import base64
import os
import statistics
import time
from pathlib import Path

from bed import agent, cluster, head

NAME = "server-1"
ADDRESS = cluster.Identity(NAME).address
STATE = "/var/lib/slurm/slurmctld"
# Homes are local: containers have no server for NFS.
FILE = cluster.SEED.read_text() + "\nHpcNode:\n  SharedHome: false\n"
ANSWERS = "until sinfo -h >/dev/null 2>&1; do sleep 0.01; done"
# What the agent left, but for keys and files: Slurm's own first start, in the same container.
STOP = f"systemctl stop slurmctld munge; rm -rf {STATE}; install -d -o slurm -g slurm {STATE}"
PARTS = f"systemctl start munge; systemctl start slurmctld; {ANSWERS}"


def timed(box, command):
    begun = time.monotonic()
    box.run(command, 120)
    return time.monotonic() - begun


def one(bed, layer):
    """Seconds of a first bootstrap until sinfo answers, of a second one, and of munged and slurmctld alone."""
    box = bed.container(NAME, [layer], user_data=cluster.node_document(NAME, role="head", head=None))
    for action in ("resume", "suspend"):
        box.put(f"/usr/local/sbin/{action}", head.POWER.format(router="127.0.0.1", port=1, action=action), 0o755)
    box.boot()
    first = timed(box, f"{agent.call('bootstrap')}; {ANSWERS}")
    again = timed(box, agent.call("bootstrap"))
    box.run(STOP, 30)
    parts = timed(box, PARTS)
    bed.terminate(NAME)
    return first, again, parts


def main(build, rounds):
    with cluster.Bed() as bed:
        layer = agent.install(build, bed.home / "payload")
        bed.put("cluster-config.yaml", FILE)
        rows = list(zip(*(one(bed, layer) for _ in range(rounds))))
    first, again, parts = (statistics.median(row) for row in rows)
    print(f"from the configuration in S3 to an answer of sinfo, medians of {rounds} fresh containers each:")
    for what, row in zip(("hpc-agent bootstrap", "hpc-agent bootstrap, second run", "munged + slurmctld alone"), rows):
        print(f"  {what:36} {statistics.median(row):7.3f} s   ({', '.join(f'{x:.3f}' for x in row)})")
    print(f"  {'agent over Slurm alone':36} {first - parts:+7.3f} s   (target <= +1 s; second run {again * 1000:.0f} ms, target < 150 ms)")


if __name__ == "__main__":
    main(os.environ.get("HPC_BUILD_DIR") or Path(__file__).resolve().parents[2] / "build", int(os.environ.get("HPC_BOOTS", "3")))
