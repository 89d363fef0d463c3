"""The Debian trees and images that nodes run, built once per machine and kept in a cache.

`base` is what mmdebstrap makes of a suite; `image` is that tree with the kernel's modules and the files of image/ added,
as a directory (for containers), as an ext4 file and with an initrd (for guests); `tree` is what containers of a suite run.
All are named by a hash of everything that goes into them, so a change of the recipe makes a new one and never edits an
old one. What no bed has asked for in a day goes when another of its kind is made: until then another checkout of the
repository, with another recipe, may be running machines on it.
"""
import contextlib
import fcntl
import glob
import hashlib
import os
import shutil
import subprocess
import time
from pathlib import Path

from . import suites

HERE = Path(__file__).parent
CACHE = Path(os.environ.get("HPC_BED_CACHE", "/var/cache/hpc-node-bed"))
KEPT = 24 * 3600  # seconds

PACKAGES = """
    systemd-sysv systemd udev dbus kmod netbase ca-certificates procps util-linux mount iproute2 iputils-ping curl strace
    slurmctld slurmd slurm-client munge nfs-common nfs-kernel-server nftables
    libcurl4 libcjson1 libmount1 libsystemd0 libyaml-0-2 libssl3 libasan8 libubsan1
""".split()

OPTIONS = [
    "--variant=minbase", "--mode=root",
    '--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"',
    "--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/doc/*",
    "--dpkgopt=path-exclude=/usr/share/locale/*", "--dpkgopt=force-unsafe-io",
]

MODULES = "binfmt_misc nfs nfsv4 nfsd overlay autofs4 virtio_pci virtio_net virtio_blk virtio_rng dns_resolver fuse "\
          "nf_tables nft_reject_inet".split()
BOOT_MODULES = "virtio_ring virtio virtio_pci_modern_dev virtio_pci_legacy_dev virtio_pci virtio_blk".split()


def kernel():
    """Version and path of the newest cloud kernel installed on this machine."""
    found = sorted(glob.glob("/boot/vmlinuz-*-cloud-amd64"), key=os.path.getmtime)
    if not found:
        raise RuntimeError("no /boot/vmlinuz-*-cloud-amd64: install linux-image-cloud-amd64")
    return found[-1].removeprefix("/boot/vmlinuz-"), found[-1]


def key(*parts):
    """A short name for what `parts` (strings, or paths read as bytes) add up to."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.read_bytes() if isinstance(part, Path) else str(part).encode())
        digest.update(b"\0")
    return digest.hexdigest()[:16]


def image_files():
    return sorted(path for path in (HERE / "image").rglob("*") if path.is_file())


@contextlib.contextmanager
def building(name):
    """Yields a scratch directory to fill, or None if the cache has `name` already; one builder at a time."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with open(CACHE / f".{name.split('-')[0]}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        final, scratch = CACHE / name, CACHE / f".{name}.part"
        if final.is_dir():
            os.utime(final)
            yield None
            return
        if scratch.exists():
            shutil.rmtree(scratch)
        scratch.mkdir()
        yield scratch
        scratch.rename(final)
        for old in CACHE.glob(name.split("-")[0] + "-*"):
            if old != final and old.stat().st_mtime < time.time() - KEPT:
                shutil.rmtree(old)


def named(kind, suite, *parts):
    """The name in the cache: a kind has one entry for each suite."""
    own = "" if suite.name == suites.GUESTS else f".{suite.name}"
    return f"{kind}{own}-{key(*parts)}"


def base(suite=suites.GUESTS):
    suite = suites.of(suite)
    options = [*OPTIONS, "--include=" + ",".join(suite.packages.get(name, name) for name in PACKAGES)]
    name = named("base", suite, *options)
    with building(name) as scratch:
        if scratch:
            subprocess.run(["mmdebstrap", "--quiet", *options, suite.name, str(scratch / "root")], check=True)
    return CACHE / name


def module_files(version, names):
    """The .ko files of `names` and of all they depend on, in the order to load them."""
    files = []
    for name in names:
        shown = subprocess.run(["modprobe", "-S", version, "--show-depends", name],
                               check=True, capture_output=True, text=True).stdout
        files += [line.split()[1] for line in shown.splitlines() if line.startswith("insmod")]
    return list(dict.fromkeys(files))


def add_modules(root, version):
    target = root / "lib/modules" / version
    target.mkdir(parents=True)
    for meta in ("modules.builtin", "modules.order", "modules.builtin.modinfo"):
        shutil.copy(f"/lib/modules/{version}/{meta}", target)
    for file in module_files(version, MODULES):
        copy = root / file.lstrip("/")
        copy.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(file, copy)
    subprocess.run(["depmod", "-b", str(root), version], check=True)


def customise(root):
    """Stock Debian, plus what any machine image has: no identity, DHCP on every NIC, no daemon of ours running yet."""
    subprocess.run(["cp", "-r", "--preserve=mode", f"{HERE}/image/root/.", str(root)], check=True)
    for path, text in {"etc/hostname": "localhost\n", "etc/machine-id": "", "etc/fstab": "",
                       "etc/hosts": "127.0.0.1 localhost\n", "etc/resolv.conf": "nameserver 10.77.0.1\n"}.items():
        (root / path).unlink(missing_ok=True)
        (root / path).write_text(text)
    (root / "etc/munge/munge.key").unlink(missing_ok=True)
    run = lambda *argv: subprocess.run(["chroot", str(root), *argv], check=True, capture_output=True)
    run("useradd", "--uid", "1000", "--shell", "/bin/bash", "--no-create-home", "alice")
    run("systemctl", "enable", "systemd-networkd", "bed-control")
    run("systemctl", "disable", "munge", "slurmd", "slurmctld", "nfs-server", "nfs-blkmap")


def make_initrd(path, scratch, version):
    tree = scratch / "initrd.d"
    for sub in ("bin", "m", "mnt", "dev", "proc", "sys"):
        (tree / sub).mkdir(parents=True)
    shutil.copy("/bin/busybox", tree / "bin/busybox")
    shutil.copy(HERE / "image/init", tree / "init")
    for file in module_files(version, BOOT_MODULES):
        shutil.copy(file, tree / "m")
    with open(path, "wb") as out:
        subprocess.run("find . | cpio -o -H newc --quiet", shell=True, cwd=tree, stdout=out, check=True)
    shutil.rmtree(tree)


def image():
    """The directory of the image: root/ (the tree), root.ext4, initrd, and the kernel's version in `kernel`."""
    version, vmlinuz = kernel()
    name = "image-" + key(base().name, version, Path(__file__), *image_files())
    with building(name) as scratch:
        if scratch:
            root = scratch / "root"
            subprocess.run(["cp", "-a", "--reflink=auto", str(base() / "root"), str(root)], check=True)
            add_modules(root, version)
            customise(root)
            make_initrd(scratch / "initrd", scratch, version)
            subprocess.run(["truncate", "-s", "1500M", str(scratch / "root.ext4")], check=True)
            subprocess.run(["mke2fs", "-q", "-F", "-t", "ext4", "-O", "^has_journal", "-d", str(root),
                            str(scratch / "root.ext4")], check=True)
            shutil.copy(vmlinuz, scratch / "vmlinuz")
    return CACHE / name


def tree(suite=None):
    """The root directory of a suite's containers."""
    suite = suites.of(suite)
    if suite.name == suites.GUESTS:
        return image() / "root"
    name = named("tree", suite, base(suite.name).name, Path(__file__), *image_files())
    with building(name) as scratch:
        if scratch:
            subprocess.run(["cp", "-a", "--reflink=auto", str(base(suite.name) / "root"), str(scratch / "root")], check=True)
            customise(scratch / "root")
    return CACHE / name / "root"


def layer_over(name, suite, commands):
    """A layer over a suite's tree: what commands of sh made in it, which Debian's archive answers, as "$r"."""
    with building(name) as scratch:
        if scratch:
            for sub in ("upper", "work", "root"):
                (scratch / sub).mkdir()
            script = """set -e
r=$2/root
mount --make-rprivate /
mount -t overlay overlay -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" "$r"
mount --bind /etc/resolv.conf "$r/etc/resolv.conf"
mount -t proc proc "$r/proc"
export DEBIAN_FRONTEND=noninteractive
printf '#!/bin/sh\\nexit 101\\n' >"$r/usr/sbin/policy-rc.d"
chmod +x "$r/usr/sbin/policy-rc.d"
chroot "$r" apt-get -q update
""" + commands + """
chroot "$r" apt-get -q clean
rm "$r/usr/sbin/policy-rc.d"
"""
            subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", str(tree(suite.name)), str(scratch)], check=True,
                           stdout=subprocess.DEVNULL)
            shutil.rmtree(scratch / "work")
            (scratch / "root").rmdir()
    return CACHE / name / "upper"


def cloud_init(suite=None):
    """A layer over a suite's tree: Debian's cloud-init with what it needs, and nothing set up. Needs Debian's archive."""
    suite = suites.of(suite)
    return layer_over(named("cloudinit", suite, tree(suite.name).parent.name, cloud_init.__doc__), suite, """
chroot "$r" apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends cloud-init
""")


def sackd():
    """A layer over Debian 13's tree: the daemon that brings Slurm's configuration to login nodes. Needs Debian's archive."""
    suite = suites.of("trixie")
    return layer_over(named("sackd", suite, tree(suite.name).parent.name, sackd.__doc__), suite, """
chroot "$r" apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends sackd
""")


def database(suite=None):
    """A layer over a suite's tree: slurmdbd and the SQL server it keeps its records in. Needs Debian's archive."""
    suite = suites.of(suite)
    return layer_over(named("database", suite, tree(suite.name).parent.name, database.__doc__), suite, """
chroot "$r" apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends mariadb-server slurmdbd
""")


def directory(suite=None):
    """A layer over a suite's tree: sssd with its tools, and an LDAP server. Needs Debian's archive."""
    suite = suites.of(suite)
    return layer_over(named("directory", suite, tree(suite.name).parent.name, directory.__doc__), suite, """
chroot "$r" apt-get -q -y -o Dpkg::Options::=--force-unsafe-io install --no-install-recommends \\
	sssd-ldap sssd-tools libnss-sss libpam-sss libpam-runtime openssh-client slapd ldap-utils
""")


STOCK = """
names='slurmctld slurmd slurm-client munge nfs-common'
chroot "$r" dpkg --purge --force-depends $names slurm-wlm-basic-plugins libmunge2 nfs-kernel-server
rm -rf "$r/etc/slurm" "$r/etc/munge" "$r/var/lib/munge"
sed -i /^slurm:/d "$r/etc/passwd" "$r/etc/shadow" "$r/etc/group" "$r/etc/gshadow"
chroot "$r" apt-get -q -y -d install --no-install-recommends $names
mkdir "$r/srv/repository"
mv "$r"/var/cache/apt/archives/*.deb "$r/srv/repository"
(cd "$r/srv/repository" && dpkg-scanpackages . >Packages)
rm -rf "$r"/var/lib/apt/lists/* "$r"/etc/apt/sources.list "$r"/etc/apt/sources.list.d/*
"""


def stock(suite=None):
    """A layer over a suite's tree that takes Slurm, munge and the NFS client away, with a repository of them at
    /srv/repository and no other. Needs Debian's archive."""
    suite = suites.of(suite)
    return layer_over(named("stock", suite, tree(suite.name).parent.name, STOCK), suite, STOCK)
