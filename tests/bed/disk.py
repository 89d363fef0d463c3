"""Disks that hpc-imagebuild made of recipes/, and machines that start from them cold, by their firmware, as instances do."""
import contextlib
import fcntl
import os
import shutil
from pathlib import Path

from fakes.proc import reap

from . import guest, net, rootfs, suites
from .cluster import S3_URL
from .proc import run

ROOT = Path(__file__).resolve().parents[2]
COMPUTE = "compute" if suites.OWN == suites.GUESTS else f"compute-{suites.OWN}"
RECIPE = Path(__file__).with_name("recipe") / f"{COMPUTE}.yaml"
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"
# Which have tests of their own, run as they are built.
OTHERS = [ROOT / "recipes" / f"{name}.yaml" for name in ("head", "login")
          if os.environ.get("HPC_TEST_FULL") and suites.OWN == suites.GUESTS]
LARGER = "5G"           # than the image: what an instance type's volume may be


def build(program, out, *more, stage=None):
    """Runs `hpc-imagebuild build` with a store of layers that is kept from run to run."""
    store = rootfs.CACHE / "layers"
    store.mkdir(parents=True, exist_ok=True)
    return run(program, "build", *more, "--store", store, "-o", out, "--format", "raw", "--set", f"s3={S3_URL}",
               "--set", f"stage={stage or ''}", "--set", "prefix=/usr", timeout=600)


def staged(build_tree, directory):
    """The programs with what belongs to them, as `cmake --install` lays them out: what recipes/ copies from."""
    stage = Path(directory) / "stage"
    run("cmake", "--install", build_tree, "--prefix", "/usr", timeout=120, env=dict(os.environ, DESTDIR=str(stage)))
    return stage


def made(build_tree, directory, *recipes):
    """Builds recipes with the programs of this build tree, which go into the images."""
    stage = staged(build_tree, directory)
    for recipe in recipes:
        build(stage / "usr/sbin/hpc-imagebuild", directory, recipe, stage=stage)


def compute(build_tree, directory):
    """The raw disk of a compute node."""
    made(build_tree, directory, RECIPE)
    return Path(directory) / f"bed-{COMPUTE}-1.0.0.raw"


def base(build_tree):
    """Fills the store with the base, which comes from Debian's archive and so can't be made inside the bed."""
    scratch = rootfs.CACHE / "compute"
    scratch.mkdir(parents=True, exist_ok=True)
    with open(scratch / "lock", "w") as lock, contextlib.suppress(FileNotFoundError):
        fcntl.flock(lock, fcntl.LOCK_EX)
        shutil.rmtree(scratch / "out", ignore_errors=True)
        (scratch / "out").mkdir()
        made(build_tree, scratch / "out", RECIPE, *OTHERS)
        shutil.rmtree(scratch / "out")


def command(home, disk, firmware, tap, mac, instance):
    argv = ["qemu-system-x86_64", "-accel", "tcg,tb-size=256", "-cpu", "Nehalem", "-smp", "2", "-m", "1024",
            "-nodefaults", "-no-user-config", "-display", "none", "-serial", "stdio",
            "-chardev", f"socket,id=control,path={home}/control,server=on,wait=off", "-serial", "chardev:control",
            "-drive", f"if=none,id=d0,file={disk},format=qcow2,cache=unsafe", "-device", "nvme,drive=d0,serial=vol0123456789abcdef0",
            "-netdev", f"tap,id=n0,ifname={tap},script=no,downscript=no", "-device", f"virtio-net-pci,netdev=n0,mac={mac}",
            "-device", "virtio-rng-pci",
            "-smbios", f"type=1,manufacturer=Amazon EC2,product=t3.micro,uuid=ec2e1916-9099-7caf-fd21-{instance[-12:]}",
            "-smbios", f"type=2,manufacturer=Amazon EC2,asset={instance}"]
    if firmware == "bios":
        return argv + ["-M", "pc"]
    shutil.copy(OVMF[1], f"{home}/vars")
    return argv + ["-M", "q35", "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF[0]}",
                   "-drive", f"if=pflash,unit=1,format=raw,file={home}/vars"]


class Machine:
    """One machine with a copy-on-write view of a raw disk on a larger volume.  A context manager."""

    def __init__(self, who, image, directory, firmware):
        self.name, self.home = who.name, Path(directory)
        self.home.mkdir(parents=True)
        self.tap = f"t-{who.short}"[:15]
        net.tap(self.tap)
        disk = self.home / "disk.qcow2"
        guest.overlay(image, "raw", disk)
        run("qemu-img", "resize", "-q", disk, LARGER)
        self.process, self.console = guest.start(
            command(self.home, disk, firmware, self.tap, who.mac, who.instance_id), self.home / "console.log")
        self.control = guest.Control(self.home / "control")

    def wait_ready(self, deadline):
        """Until its own boot has come so far that it takes commands."""
        self.console.wait("@@READY", deadline)
        self.control.discard()

    def run(self, shell, timeout=30, check=True):
        return self.control.run(shell, timeout, check)

    def read(self, path):
        return self.run(f"cat {path}")[1]

    def close(self):
        reap(self.process, 1)
        net.delete(self.tap)
        (self.home / "disk.qcow2").unlink(missing_ok=True)
