"""Runs a command inside namespaces of its own: processes, mounts, network and IPC.

    python3 -m bed.enter COMMAND [ARG...]

The command's descendants die with it and it dies with this process, whatever kills either; mounts, bridges, taps and
veths made inside exist nowhere else and are gone with the last process.  Nothing has a name another run could take.
Inside, HPC_BED_DIR is a directory in memory and HPC_BED_DISK one on disk (for servers that need extended attributes);
the latter is removed at the end, as are the run's cgroups, or by the next run if this one was killed.
"""
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

from fakes.proc import die_with_parent

from . import cgroups, rootfs

DISK = Path(os.environ.get("HPC_BED_DISKS", "/var/tmp"))
FLAG = "HPC_BED_DIR"
PREFIX = "hpc-bed-"


def inside():
    return FLAG in os.environ


def sweep():
    """Removes the disk directories and cgroups of runs that were killed: those whose lock nobody holds."""
    for stale in DISK.glob(PREFIX + "*"):
        with open(stale / "lock", "a") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                continue
            clean(stale)


def clean(disk):
    cgroups.remove([parent / disk.name for parent in cgroups.own()])
    shutil.rmtree(disk, ignore_errors=True)


def raise_limit(name, least):
    """A kernel limit of the whole machine; it stays raised, which costs nothing."""
    file = Path("/proc/sys") / name
    if int(file.read_text()) < least:
        file.write_text(f"{least}\n")


def first_process(command):
    """Process 1 of the new namespaces: makes them usable, runs the command, reaps, and returns its exit status."""
    mount = lambda *argv: subprocess.run(["mount", *argv], check=True)
    memory = Path(os.environ["HPC_BED_DISK"]) / "mem"
    for place in (memory, Path("/run/systemd/nspawn")):     # the latter is where systemd-nspawn leaves directories
        place.mkdir(parents=True, exist_ok=True)
        mount("-t", "tmpfs", "-o", "mode=0755,size=16G", "bed", str(place))
    raise_limit("fs/inotify/max_user_instances", 4096)      # each systemd takes three
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    os.environ[FLAG] = str(memory)
    child = subprocess.Popen(command, preexec_fn=die_with_parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)   # the terminal sends it to the command too
    while True:
        pid, status = os.wait()
        if pid == child.pid:
            return os.waitstatus_to_exitcode(status)


def enter(command):
    """Runs `command` in new namespaces and returns its exit status."""
    rootfs.image()      # here: inside there is no way to Debian's archive
    rootfs.tree()
    sweep()
    disk = Path(tempfile.mkdtemp(prefix=PREFIX, dir=DISK))
    with open(disk / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        groups = cgroups.make(disk.name)
        unshare = ["unshare", "--fork", "--kill-child=KILL", "--pid", "--mount-proc", "--mount", "--propagation=private",
                   "--net", "--ipc", "--", sys.executable, "-m", "bed.enter", "--first", *command]
        env = dict(os.environ, HPC_BED_DISK=str(disk), PYTHONPATH=str(Path(__file__).parent.parent))
        child = subprocess.Popen(unshare, env=env, preexec_fn=lambda: (die_with_parent(), cgroups.join(groups)))
        for sig in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(sig, lambda *_: child.kill())     # unshare itself ignores them
        old = signal.signal(signal.SIGINT, signal.SIG_IGN)
        try:
            status = child.wait()
        finally:
            signal.signal(signal.SIGINT, old)
            clean(disk)
    return status if status >= 0 else 128 - status


if __name__ == "__main__":
    if sys.argv[1] == "--first":
        code = first_process(sys.argv[2:])
        sys.exit(code if code >= 0 else 128 - code)
    sys.exit(enter(sys.argv[1:]))
