"""Runs of a program that have an accident at one of their system calls, by the program `disturb`."""
import os
import random
import re
import subprocess

FULL = bool(os.environ.get("HPC_TEST_FULL"))
KILLS = ["kill", "alone"]  # all processes at once, as when the machine stops; or the one that makes the call
ERRORS = ["ENOSPC", "EIO", "EROFS", "EINTR", "ENOMEM"]


def prefix(report, at, accident):
    """What stands before the program's command line; at 0 nothing happens."""
    return [os.environ["DISTURB"], str(report), str(at), accident]


def told(report):
    """How many calls counted, and the number of the one that had the accident."""
    with open(report, encoding="ascii") as f:
        return tuple(map(int, f.read().split()))


def loaded(program, report, accident):
    """How many of the calls are the loader's, before the program begins."""
    subprocess.run([*prefix(report, 0, accident), program, "--version"], check=True, stdout=subprocess.DEVNULL,
                   env={"ASAN_OPTIONS": "detect_leaks=0"})
    return told(report)[0]


def judged(status, stderr):
    """A sanitizer that finds no memory ends the program with any status, even 0: that is an abort."""
    return 134 if re.search("AddressSanitizer.*(out of memory|failed to allocate|cannot proceed)", stderr) else status


def sample(calls, n, seed):
    """The same ones in every run."""
    return sorted(random.Random(seed).sample(calls, min(n, len(calls))))
