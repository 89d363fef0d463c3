"""Guests: stock Debian in QEMU without hardware help, cloned from a template in a fraction of a second.

The template is one machine booted to the end without a NIC and saved: disk, memory, device state.  A clone maps the
memory copy-on-write, so it runs 0.2 s after its launch, in the state of an instance whose NIC is about to arrive.
`Guest` streams the console to a file, runs commands over a second serial line, and plugs the NIC in when told to.
"""
import base64
import contextlib
import json
import os
import socket
import subprocess
import threading
import time
from pathlib import Path

from fakes.proc import die_with_parent, reap

from . import net, rootfs
from .proc import Console, Expired, run, wait_until

MEMORY = "512M"
EXTRA_DISK = 48 << 20          # bytes of the second disk: what a clone is given to install, as a tar
CMDLINE = ("root=/dev/vda rw console=ttyS0 quiet mitigations=off tsc=reliable lpj=4000000 audit=0 selinux=0 apparmor=0 "
           "panic=-1 net.ifnames=0")
# Until the boot has nothing left to do but wait for a network.
SETTLED = "while systemctl list-jobs --no-legend | grep running | grep -qv wait-online; do sleep 0.2; done; sync"


def command(home, image, memory, share, disk, extra, instance, more):
    """QEMU's arguments; template and clone must agree on every device."""
    smbios1 = f"type=1,manufacturer=Amazon EC2,product=t3.micro,uuid=ec2e1916-9099-7caf-fd21-{instance[-12:]}"
    smbios2 = f"type=2,manufacturer=Amazon EC2,asset={instance}"
    return ["qemu-system-x86_64", "-M", "pc", "-accel", "tcg,tb-size=128", "-cpu", "Nehalem", "-smp", "1", "-m", MEMORY,
            "-object", f"memory-backend-file,id=m0,size={MEMORY},mem-path={memory},share={share}",
            "-machine", "memory-backend=m0", "-nodefaults", "-no-user-config", "-display", "none",
            "-serial", "stdio", "-chardev", f"socket,id=control,path={home}/control,server=on,wait=off",
            "-serial", "chardev:control", "-qmp", f"unix:{home}/qmp,server=on,wait=off",
            "-kernel", f"{image}/vmlinuz", "-initrd", f"{image}/initrd", "-append", CMDLINE,
            "-drive", f"if=none,id=d0,file={disk},format=qcow2,cache=unsafe", "-device", "virtio-blk-pci,drive=d0",
            "-drive", f"if=none,id=d1,file={extra},format=raw,cache=unsafe", "-device", "virtio-blk-pci,drive=d1",
            "-device", "virtio-rng-pci", "-smbios", smbios1, "-smbios", smbios2, *more]


def connect(path, deadline=10):
    sock = socket.socket(socket.AF_UNIX)
    wait_until(lambda: Path(path).exists() and sock.connect_ex(str(path)) == 0, deadline, f"QEMU's socket {path}", 0.005)
    return sock


class Qmp:
    """QEMU's control protocol."""

    def __init__(self, path):
        self.file = connect(path).makefile("rw")
        self.file.readline()
        self.call("qmp_capabilities")

    def call(self, name, **arguments):
        self.file.write(json.dumps({"execute": name, "arguments": arguments}) + "\n")
        self.file.flush()
        while True:
            reply = json.loads(self.file.readline())
            if "error" in reply:
                raise RuntimeError(f"{name}: {reply['error']['desc']}")
            if "return" in reply:
                return reply["return"]

    def share_memory(self):
        self.call("migrate-set-capabilities", capabilities=[{"capability": "x-ignore-shared", "state": True}])


class Control:
    """Runs shell commands in the guest over its second serial line, one at a time."""

    def __init__(self, path):
        self.sock, self.lock, self.rest, self.number = connect(path), threading.Lock(), b"", 0

    def run(self, shell, timeout=30, check=True):
        """Returns (exit status, output); raises if `check` and the status is not 0."""
        with self.lock:
            self.number += 1
            self.sock.sendall(b"%d %s\n" % (self.number, base64.b64encode(shell.encode())))
            status, output = self._answer(shell, time.monotonic() + timeout)
        if check and status != 0:
            raise RuntimeError(f"in the guest: {shell}: exit {status}\n{output}")
        return status, output

    def discard(self):
        """Forgets what came before the first command: firmware writes to every serial line."""
        with self.lock:
            self.sock.settimeout(0.2)
            with contextlib.suppress(TimeoutError):
                while self.sock.recv(65536):
                    pass
            self.rest = b""

    def _answer(self, shell, end):
        while True:
            words = self._line(shell, end).strip().rsplit(b":", 2)
            if words[0] == b"%d" % self.number:         # else of a command that was given up on
                return int(words[2]), base64.b64decode(words[1]).decode(errors="replace")

    def _line(self, shell, end):
        while b"\n" not in self.rest:
            self.sock.settimeout(max(0.01, end - time.monotonic()))
            try:
                data = self.sock.recv(65536)
            except TimeoutError:
                raise Expired(f"in the guest: {shell}: no answer in time") from None
            if not data:
                raise Expired(f"in the guest: {shell}: the guest ended")
            self.rest += data
        line, self.rest = self.rest.split(b"\n", 1)
        return line


def start(argv, log, echo=None):
    process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                               preexec_fn=die_with_parent)
    return process, Console(process.stdout, log, echo)


def overlay(base, form, path):
    run("qemu-img", "create", "-q", "-f", "qcow2", "-b", base, "-F", form, path)


def template():
    """The directory of the saved machine (disk.qcow2, memory, state), made if the cache does not have it."""
    image = rootfs.image()
    # Its disk and memory know the blocks of this very file: one made anew in its place has others.
    disk = os.stat(image / "root.ext4")
    name = "template-" + rootfs.key(image.name, disk.st_ino, disk.st_mtime_ns, CMDLINE, MEMORY, EXTRA_DISK, qemu_version())
    with rootfs.building(name) as scratch:
        if scratch:
            save_template(image, scratch)
    return rootfs.CACHE / name


def qemu_version():
    return run("qemu-system-x86_64", "--version").stdout.splitlines()[0]


def save_template(image, scratch):
    overlay(f"{image}/root.ext4", "raw", f"{scratch}/disk.qcow2")
    with open(scratch / "extra", "wb") as extra:
        extra.truncate(EXTRA_DISK)
    process, console = start(command(scratch, image, scratch / "memory", "on", scratch / "disk.qcow2", scratch / "extra",
                                     "i-0123456789abcdef0", []), scratch / "console.log")
    try:
        console.wait("@@READY", 180)
        control = Control(scratch / "control")
        control.run(SETTLED, 120)
        control.sock.close()
        qmp = Qmp(scratch / "qmp")
        qmp.call("stop")
        qmp.share_memory()
        qmp.call("migrate", uri=f"exec:cat > {scratch}/state")
        wait_until(lambda: qmp.call("query-migrate").get("status") == "completed", 30, "the template's state saved")
        qmp.call("quit")
        process.wait(10)
    finally:
        reap(process, 1)
    for socket_file in ("control", "qmp"):
        (scratch / socket_file).unlink(missing_ok=True)


class Guest:
    """One clone.  `payload` is a tar to unpack over its root; `instance` its EC2 instance id.  A context manager."""

    def __init__(self, name, mac, directory, payload=None, instance="i-0123456789abcdef0", echo=None):
        saved, image = template(), rootfs.image()
        self.name, self.mac, self.home = name, mac, Path(directory)
        self.home.mkdir(parents=True)
        self.tap = f"t-{name}"[:15]
        net.tap(self.tap)
        overlay(saved / "disk.qcow2", "qcow2", self.home / "disk.qcow2")
        self._extra(payload)
        self.launched = time.monotonic()
        self.process, self.console = start(
            command(self.home, image, saved / "memory", "off", self.home / "disk.qcow2", self.home / "extra", instance,
                    ["-incoming", "defer", "-netdev", f"tap,id=n0,ifname={self.tap},script=no,downscript=no"]),
            self.home / "console.log", echo)
        self.qmp = Qmp(self.home / "qmp")
        self.qmp.share_memory()
        self.qmp.call("migrate-incoming", uri=f"exec:cat {saved}/state")
        wait_until(lambda: self.qmp.call("query-status")["status"] != "inmigrate", 20, f"{name} restored", 0.005)
        self.qmp.call("cont")
        self.control = Control(self.home / "control")
        self._wake(payload)

    def _extra(self, payload):
        with open(self.home / "extra", "wb") as extra:
            if payload:
                data = Path(payload).read_bytes()
                if len(data) > EXTRA_DISK:
                    raise RuntimeError(f"{payload}: {len(data)} bytes do not fit the guest's second disk")
                extra.write(data)
            extra.truncate(EXTRA_DISK)

    def _wake(self, payload):
        """The clone believes it is the moment of the template's saving: tell it the time, give it its files."""
        unpack = "tar -xf /dev/vdb -C / --keep-directory-symlink && systemctl daemon-reload" if payload else ":"
        self.run(f"date -s @{time.time():.3f} >/dev/null && {unpack}")

    def plug_nic(self):
        """The instance's network card arrives."""
        self.qmp.call("device_add", driver="virtio-net-pci", netdev="n0", mac=self.mac, id="nic0", bus="pci.0")

    def plug_disk(self, serial, mib):
        """An empty NVMe disk is attached; an EBS volume's serial is its id without the dash."""
        file = self.home / serial
        with open(file, "wb") as disk:
            disk.truncate(mib << 20)
        self.qmp.call("blockdev-add", driver="raw", **{"node-name": serial, "file": {"driver": "file", "filename": str(file)}})
        self.qmp.call("device_add", driver="nvme", drive=serial, serial=serial, id=f"nvme-{serial}", bus="pci.0")

    def run(self, shell, timeout=30, check=True):
        return self.control.run(shell, timeout, check)

    def read(self, path):
        return self.run(f"cat {path}")[1]

    def reboot(self, deadline):
        """Restarts it as the machine's own reboot does, and waits until the new boot takes commands."""
        mark = self.console.mark()
        try:
            self.run("systemctl --no-block reboot")
        except Expired:     # it went down before it could answer
            self.console.wait("@@READY", deadline, mark)
            self.control.discard()
        else:
            self.console.wait("@@READY", deadline, mark)

    def close(self):
        reap(self.process, 1)
        net.delete(self.tap)
        for file in ("disk.qcow2", "extra"):
            (self.home / file).unlink(missing_ok=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
