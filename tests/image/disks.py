"""Trees, disks made of them by the library's probe, and machines that boot those disks."""
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from bed import rootfs  # noqa: E402

PROBE = os.environ["DISK_PROBE"]
OVMF = "/usr/share/OVMF/OVMF_CODE_4M.fd", "/usr/share/OVMF/OVMF_VARS_4M.fd"


def run(*argv, **more):
    return subprocess.run([str(word) for word in argv], capture_output=True, text=True, **more)


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


def boot(disk, firmware, marker="@@READY", deadline=150):
    """Boots a copy-on-write view of it from NVMe; returns the console's text up to the marker."""
    with tempfile.TemporaryDirectory() as scratch:
        argv = ["qemu-system-x86_64", "-accel", "tcg,tb-size=256", "-cpu", "Nehalem", "-smp", "2", "-m", "768",
                "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot", "-serial", f"file:{scratch}/console",
                "-drive", f"if=none,id=d0,file={disk},format=raw,snapshot=on,cache=unsafe",
                "-device", "nvme,drive=d0,serial=vol0"]
        if firmware == "uefi":
            shutil.copy(OVMF[1], f"{scratch}/vars")
            argv += ["-M", "q35", "-drive", f"if=pflash,unit=0,format=raw,readonly=on,file={OVMF[0]}",
                     "-drive", f"if=pflash,unit=1,format=raw,file={scratch}/vars"]
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
