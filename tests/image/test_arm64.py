"""The packages for arm64, and an image for it made on this machine and started by the firmware of an arm64 machine. All but the
compiler runs in QEMU: it takes a while."""
import json
import os
import subprocess
from pathlib import Path

import pytest

BINFMT = Path("/proc/sys/fs/binfmt_misc")
RECIPE = r"""
image:
  name: graviton
  version: 1.0.0
  from: debian:bookworm
  arch: aarch64
  disk: {size: 2G, filesystem: ext4, boot: uefi}
  cmdline: console=tty0 console=ttyS0,115200n8 nvme_core.io_timeout=4294967295 net.ifnames=0
packages: [systemd, systemd-sysv, udev, dbus, kmod, linux-image-cloud-arm64, grub-efi-arm64-bin]
scripts:
- {id: machine, content: "#!/bin/sh\n/bin/uname -m > /etc/machine\n"}
tests:
- {name: scripts ran as on such a machine, run: [cat, /etc/machine], expect: {stdout: aarch64}}
- {name: its own programs run, run: [/usr/bin/dpkg, --print-architecture], expect: {stdout: arm64}}
"""


@pytest.fixture(scope="module")
def emulator():
    """What systemd-binfmt or the package does where systemd runs."""
    if not (BINFMT / "register").exists():
        subprocess.run(["mount", "-t", "binfmt_misc", "none", BINFMT], check=True)
    if not (BINFMT / "qemu-aarch64").exists():
        [entry] = Path("/usr/lib/binfmt.d").glob("qemu-aarch64*.conf")
        (BINFMT / "register").write_text(entry.read_text())


def test_a_disk_for_arm64_starts(emulator, tool, tmp_path):
    (tmp_path / "arm.yaml").write_text(RECIPE)
    built = tool("build", "arm.yaml", "--store", tmp_path / "store", "-o", tmp_path, "--format", "raw,qcow2", "--deadline", "3h",
                 guard=10800)
    assert built.code == 0, built.err
    disk = tmp_path / "graviton-1.0.0.raw"
    assert tool("verify", disk, guard=600).code == 0
    started = tool("test", tmp_path / "graviton-1.0.0.qcow2", "--deadline", "1h", "--json", guard=3700)
    assert started.code == 0, started.out + started.err
    assert json.loads(started.out.splitlines()[-1])["firmware"] == "uefi"
    refused = tool("test", disk, "--firmware", "bios")
    assert refused.code == 3 and "for arm64" in refused.err


def test_the_packages_are_made_for_arm64_too(emulator, source, tmp_path):
    subprocess.run(["git", "clone", "-q", source, tmp_path / "clone"], check=True)
    made = subprocess.run(["./dev", "package", "--arch", "arm64"], cwd=tmp_path / "clone", capture_output=True, text=True)
    assert made.returncode == 0, made.stdout[-3000:] + made.stderr[-3000:]
    build = tmp_path / "clone/build/release-arm64"
    packages = sorted(build.glob("*_arm64.deb"))
    assert [p.name.split("_")[0] for p in packages] == ["hpc-agent", "hpc-fleet", "hpc-imagebuild"]
    for package in packages:
        shown = subprocess.run(["dpkg-deb", "-f", package, "Architecture", "Depends"], capture_output=True, text=True, check=True).stdout
        assert "Architecture: arm64" in shown and "libc6" in shown
    assert len(list(build.glob("*.aarch64.rpm"))) == len(packages)
    tree = max(Path("/var/cache/hpc-node-cross").iterdir(), key=os.path.getmtime)
    said = subprocess.run(["qemu-aarch64-static", "-L", tree, build / "agent/hpc-agent", "--version"], capture_output=True, text=True)
    assert said.stdout.startswith("hpc-agent "), said.stderr
