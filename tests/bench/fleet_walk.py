"""From sbatch to the output, with containers as instances: the walk's head and bed, one job at a time; runs inside the bed."""
import os
import statistics
import tempfile
from pathlib import Path

from bed import agent, cluster, rootfs
from bed.proc import wait_until
from bed.walk import GUARD, Walk

BUILD = Path(os.environ.get("HPC_BUILD_DIR") or Path(__file__).resolve().parents[2] / "build/release").resolve()
ROUNDS = int(os.environ.get("HPC_ROUNDS", "5"))
MOST = 1.5                      # seconds


def main():
    rootfs.tree()
    took, parts = [], []
    with cluster.Bed() as bed, tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch) / "home"
        home.mkdir()
        layers = [agent.install(BUILD, bed.home / "agent"), agent.install_fleet(BUILD, bed.home / "fleet")]
        with Walk(bed, layers, home) as walk:
            assert walk.boot().phase == "ready", walk.said()
            for _ in range(ROUNDS):
                [number] = walk.submit(1, 0)
                wait_until(lambda: walk.output(number).exists() and walk.output(number).read_text(), GUARD, "the output", 0.01)
                took.append(walk.output(number).stat().st_mtime - dict(walk.jobs)[number])
                parts.append(walk.split(number, agent.wait_ended(walk.booted[walk.instance(number).id][1], GUARD), 0))
                walk.wait_for_none()
            for name in list(bed.running):
                bed.terminate(name)
    median = statistics.median(took)
    print(f"sbatch to the job's output, an instance being a container that boots: {median:.2f} s (median of {ROUNDS}: "
          f"{', '.join(f'{one:.2f}' for one in took)}): {'within' if median <= MOST else 'OVER'} {MOST} s")

    for which in zip(*parts):
        print(f"  {which[0][0]:46} {statistics.median(seconds for _, seconds in which):6.2f} s")


main()
