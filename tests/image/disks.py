"""Trees, disks made of them by the library's probe, and machines that boot those disks."""
import contextlib
import fcntl
import os
import shutil
import stat
import struct
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bed import rootfs  # noqa: E402

PROBE = os.environ["DISK_PROBE"]
OVMF = {"uefi": ("/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"),
        "uefi+secure": ("/usr/share/OVMF/OVMF_CODE_4M.ms.fd", "/usr/share/OVMF/OVMF_VARS_4M.ms.fd")}  # with Microsoft's keys
ACL = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in (
    (1, 6, 0xffffffff), (2, 4, 1000), (4, 4, 0xffffffff), (16, 4, 0xffffffff), (32, 4, 0xffffffff)))
CAP_NET_RAW = struct.pack("<IIIII", 0x02000001, 1 << 13, 0, 0, 0)


def run(*argv, **more):
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, **more)


@contextlib.contextmanager
def locked(folder):
    """As another process that is at work in it."""
    fd = os.open(folder, os.O_RDONLY)
    fcntl.flock(fd, fcntl.LOCK_EX)
    try:
        yield
    finally:
        os.close(fd)


def write(output, *layers, form="raw", size="2G", boot="uefi+bios", seed="a seed", stem="-", fresh=0):
    return run(PROBE, "write", output, form, size, boot, seed, stem, fresh, *layers)


def written(output, *layers, **more):
    done = write(output, *layers, **more)
    assert done.returncode == 0, done.stderr
    return Path(output)


def kernel_layer(path):
    """The cached node tree has no kernel of its own: guests are given it by QEMU."""
    version, vmlinuz = rootfs.kernel()
    (path / "boot").mkdir(parents=True)
    shutil.copy(vmlinuz, path / "boot" / f"vmlinuz-{version}")
    return path


def all_kinds(top):
    """All kinds of things, with as much of a kernel as a disk looks for."""
    for directory in ("boot", "dev", "etc/many", "usr/bin", "root", "var/empty"):
        (top / directory).mkdir(parents=True)
    (top / "boot/vmlinuz-6.1.0-9-test").write_bytes(b"kernel")
    for i in range(500):
        (top / f"etc/many/a file of a directory with several blocks, and number {i}").write_text(str(i))
    (top / "etc/empty").touch()
    (top / "etc/owned").write_text("x" * 50)
    (top / "etc/random").write_bytes(os.urandom(3_000_001))
    with open(top / "etc/sparse", "wb") as file:
        for place in (0, 20 << 20, 70 << 20):
            file.seek(place)
            file.write(b"here")
        file.truncate(100 << 20)
    (top / "usr/bin/ping").write_text("#!ping")
    (top / "usr/bin/ping").chmod(0o755)
    os.link(top / "usr/bin/ping", top / "usr/bin/ping4")
    (top / "usr/bin/short").symlink_to("ping")
    (top / "usr/bin/long").symlink_to("x/" * 60 + "ping")
    os.mkfifo(top / "etc/fifo")
    os.mknod(top / "dev/null", 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    os.chown(top / "etc/owned", 70000, 80000)
    os.chmod(top / "var/empty", 0o1711)
    os.setxattr(top / "etc/owned", "system.posix_acl_access", ACL)
    os.setxattr(top / "etc/owned", "user.long", b"v" * 300)
    os.setxattr(top / "etc/many", "user.a", b"1")
    os.setxattr(top / "usr/bin/ping", "security.capability", CAP_NET_RAW)
    os.utime(top / "etc/owned", ns=(1500000000123456789, 1500000000123456789))
    return top


def part(disk, number):
    """Offset and size of a partition in bytes."""
    for line in run("sfdisk", "--dump", disk).stdout.splitlines():
        if line.startswith(f"{disk}{number} "):
            words = {key.strip(): value.strip() for key, _, value in
                     (word.partition("=") for word in line.split(":", 1)[1].split(","))}
            return int(words["start"]) * 512, int(words["size"]) * 512
    raise AssertionError(f"{disk} has no partition {number}")


def root(disk):
    """How e2fsprogs are told of the root file system."""
    number = 3 if "BIOS boot" in run("sfdisk", "-l", disk).stdout else 2
    return f"{disk}?offset={part(disk, number)[0]}"


def debugfs(disk, command):
    return run("debugfs", "-R", command, root(disk), check=True).stdout


def poke(path, at, data):
    with open(path, "r+b") as file:
        file.seek(at)
        file.write(data)


def edit(disk, *commands):
    """By debugfs, each command from / on."""
    for command in commands:
        subprocess.run(["debugfs", "-w", "-R", command, root(disk)], check=True, capture_output=True)


def boot(disk, firmware, marker="@@READY", deadline=150):
    """Boots a copy-on-write view of it from NVMe; returns the console's text up to the marker."""
    with tempfile.TemporaryDirectory() as scratch:
        argv = ["qemu-system-x86_64", "-accel", "tcg,tb-size=256", "-cpu", "Nehalem", "-smp", "2", "-m", "768",
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", f"file:{scratch}/console",
                "-drive", f"if=none,id=d0,file={disk},format=raw,snapshot=on,cache=unsafe",
                "-device", "nvme,drive=d0,serial=vol0"]
        if firmware in OVMF:
            code, variables = OVMF[firmware]
            shutil.copy(variables, f"{scratch}/vars")
            argv += ["-M", "q35,smm=on" if "secure" in firmware else "q35",
                     "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={code}", "-drive", f"if=pflash,unit=1,format=raw,file={scratch}/vars"]
        else:
            argv += ["-M", "pc"]
        machine = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            return console(machine, Path(scratch, "console"), marker, time.monotonic() + deadline)
        finally:
            machine.kill()
            machine.wait()


def console(machine, path, marker, end):
    text = ""
    while time.monotonic() < end:
        text = path.read_text(errors="replace") if path.exists() else ""
        if marker in text:
            return text
        if machine.poll() is not None:
            raise AssertionError(f"the machine ended: {machine.stderr.read()}\n{text[-2000:]}")
        time.sleep(0.2)
    raise AssertionError(f"no '{marker}' in time\n{text[-2000:]}")
