"""The figures of tests/bench/head."""
import os
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(TESTS / "render"))
from large import large  # noqa: E402

AGENT = Path(os.environ.get("HPC_BUILD_DIR", TESTS.parent / "build/release")) / "agent/hpc-agent"
ROUNDS = int(os.environ.get("HPC_ROUNDS", "20"))


def run(arguments, where):
    """Seconds and MiB of one run."""
    begun = time.monotonic()
    pid = os.posix_spawn(arguments[0], [*map(str, arguments)], dict(os.environ),
                         file_actions=[(os.POSIX_SPAWN_OPEN, 1, where / "said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)])
    _, status, used = os.wait4(pid, 0)
    if status:
        sys.exit(f"{arguments}: status {os.waitstatus_to_exitcode(status)}")
    return time.monotonic() - begun, used.ru_maxrss / 1024


def main():
    with tempfile.TemporaryDirectory() as name:
        where = Path(name)
        (where / "large.yaml").write_text(large())
        took = sorted(run([AGENT, "render", where / "large.yaml", "--cluster", "c", "-o", where / "out"], where)
                      for _ in range(ROUNDS))
        size = (where / "out/etc/slurm/slurm.conf").stat().st_size
        print(f"slurm.conf for 200 queues x 50 resources: {took[ROUNDS // 2][0] * 1000:.0f} ms (median of {ROUNDS}, least "
              f"{took[0][0] * 1000:.0f} ms), at most {max(mib for _, mib in took):.1f} MiB; {size / 1e6:.1f} MB written")


main()
