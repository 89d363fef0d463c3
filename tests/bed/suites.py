"""The releases of Debian that containers of the bed run: what differs between them, and nothing else.

A run's own is HPC_BED_SUITE (bookworm unless set); a container or a head may be of another one. Guests run bookworm, and
machines that start from a disk have what was built.
"""
import os
from dataclasses import dataclass, field

# Of jobs that are tracked with control groups, in any suite: only machines with a kernel of their own can.
CGROUP_CONF = "CgroupMountpoint=/sys/fs/cgroup\nConstrainCores=yes\nConstrainRAMSpace=yes\n"


@dataclass(frozen=True)
class Suite:
    name: str
    slurm: str                                      # as `slurmd -V` has it, without the patch level
    packages: dict = field(default_factory=dict)    # bookworm's name -> its own
    cgroup_conf: str = CGROUP_CONF                  # of containers
    environment: dict = field(default_factory=dict)     # of systemd-nspawn


SUITES = {suite.name: suite for suite in (
    Suite("bookworm", "22.05"),
    # This systemd refuses version 1 of control groups, and Slurm finds no controllers in the version 2 that a machine
    # with both of them has.
    Suite("trixie", "24.11", {"libcurl4": "libcurl4t64", "libssl3": "libssl3t64"}, "CgroupPlugin=disabled\n",
          {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"}),
)}
GUESTS = "bookworm"
OWN = os.environ.get("HPC_BED_SUITE", GUESTS)


def of(name=None):
    return SUITES[name or OWN]
