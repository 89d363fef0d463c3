"""Control groups of the bed: one for the run, one below it for each container.

Without their own, all containers' systemds would share one tree and kill each other's services.  Unlike everything
else a cgroup's directory does not vanish with its processes, so whoever made it removes it.
"""
import contextlib
import os
import signal
import time
from pathlib import Path

ROOT = Path("/sys/fs/cgroup")


def own():
    """The directories of this process's cgroups that systemd keeps services in: its own hierarchy and version 2's."""
    found = []
    for line in Path("/proc/self/cgroup").read_text().splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == "name=systemd":
            found.append(ROOT / "systemd" / path.lstrip("/"))
        elif controllers == "":
            base = ROOT / "unified" if (ROOT / "unified").is_dir() else ROOT
            found.append(base / path.lstrip("/"))
    return found


def make(name):
    """New groups below this process's, one in each hierarchy."""
    groups = [parent / name for parent in own()]
    for group in groups:
        group.mkdir(exist_ok=True)
    return groups


def join(groups):
    """Moves the calling process; for preexec_fn."""
    for group in groups:
        with open(group / "cgroup.procs", "w") as procs:
            procs.write("0")


def kill(groups):
    """SIGKILL to every process in the groups and below."""
    for group in groups:
        for procs in Path(group).rglob("cgroup.procs"):
            for pid in procs.read_text().split():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(int(pid), signal.SIGKILL)


def remove(groups, patience=2.0):
    """Kills what is in the groups and removes them with all below; a killed process may take a moment to be gone."""
    end = time.monotonic() + patience
    kill(groups)
    for group in groups:
        for directory, _, _ in sorted(os.walk(group), reverse=True):
            while time.monotonic() < end and not removed(directory):
                time.sleep(0.01)


def removed(directory):
    try:
        os.rmdir(directory)
    except FileNotFoundError:
        return True
    except OSError:
        return False
    return True


def left(prefix):
    """Names below this process's groups that start with `prefix`."""
    return {path.name for parent in own() for path in parent.glob(prefix + "*")}
