"""Containers that boot: a suite's Debian tree (the same as the guests' if theirs), systemd as process 1, up in half a second.

They share this machine's kernel, which has no NFS client here: in them /sbin/mount.nfs4 is a stand-in that notes how it
was called and binds the exported directory (see image/nspawn).  What needs the kernel is tested in guests.
"""
import os
import shutil
import subprocess
from pathlib import Path

from fakes.proc import die_with_parent

from . import cgroups, net, rootfs, suites
from .proc import Console, children, mount, run, unmount, wait_until


class Container:
    """A node on an overlay of the suite's tree and `layers` (directories, first on top).  Make it, put files, boot it."""

    def __init__(self, name, address, mac, directory, layers=(), binds=(), suite=None):
        self.suite = suites.of(suite)
        self.name, self.address, self.home, self.binds = name, address, Path(directory), list(binds)
        self.root, self.process, self.console, self.leader = self.home / "root", None, None, None
        self.groups = []
        for sub in ("upper", "work", "root"):
            (self.home / sub).mkdir(parents=True)
        lower = ":".join(str(layer) for layer in [*layers, rootfs.tree(self.suite.name)])
        mount("overlay", self.root, "overlay", f"lowerdir={lower},upperdir={self.home}/upper,workdir={self.home}/work")
        self.netns = net.Netns(name, address, mac)

    def put(self, path, text, mode=0o644, owner=None):
        """Writes a file into the tree; before the boot or while it runs."""
        file = self.root / path.lstrip("/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        file.chmod(mode)
        if owner:
            run("chroot", self.root, "chown", owner, path)

    def run_inside_tree(self, *argv):
        """Runs a command in the tree before the boot, as an image builder would."""
        run("chroot", self.root, *argv)

    def boot(self, echo=None, wait=True):
        """Starts systemd in it and, if `wait`, waits until it takes commands (else call attach() later)."""
        argv = ["systemd-nspawn", "--quiet", "--register=no", "--keep-unit", "-M", self.name,
                f"--network-namespace-path={self.netns.path}", "--capability=CAP_NET_ADMIN", "--resolv-conf=off", "--timezone=off",
                *[f"--bind={bind}" for bind in self.binds], "-D", str(self.root), "--boot"]
        for unit in ("systemd-networkd.service", "systemd-networkd.socket", "systemd-networkd-wait-online.service"):
            self.run_inside_tree("ln", "-sfn", "/dev/null", f"/etc/systemd/system/{unit}")  # its network is made outside
        self.groups = cgroups.make(f"node-{self.name}")
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=dict(os.environ, **self.suite.environment),
                                        preexec_fn=lambda: (die_with_parent(), cgroups.join(self.groups)))
        self.console = Console(self.process.stdout, self.home / "console.log", echo)
        return self.attach() if wait else self

    def attach(self, deadline=20):
        self.leader = wait_until(self._find_leader, deadline, f"{self.name}: process 1")
        wait_until(lambda: self.run("systemctl show -p Version", check=False)[0] == 0, deadline, f"{self.name}: systemd")
        return self

    def _find_leader(self):
        if self.process.poll() is not None:
            raise RuntimeError(f"{self.name} ended while booting:\n{self.console.tail()}")
        ours = os.readlink("/proc/self/ns/pid")
        for pid in children(self.process.pid):
            try:
                if os.readlink(f"/proc/{pid}/ns/pid") != ours and os.readlink(f"/proc/{pid}/exe").endswith("/systemd"):
                    return pid
            except OSError:
                continue
        return None

    def enter(self):
        """The words before a command that make it run in the container."""
        return ["nsenter", "-t", str(self.leader), "--mount", "--uts", "--ipc", "--net", "--pid", "--cgroup",
                "--root", "--wd"]

    def popen(self, *argv, **kwargs):
        return subprocess.Popen([*self.enter(), *map(str, argv)], stdin=subprocess.DEVNULL, preexec_fn=die_with_parent,
                                **kwargs)

    def run(self, shell, timeout=30, check=True):
        """Returns (exit status, output) of a shell command in the container."""
        done = run(*self.enter(), "bash", "-c", shell, timeout=timeout, check=False)
        if check and done.returncode != 0:
            raise RuntimeError(f"in {self.name}: {shell}: exit {done.returncode}\n{done.stdout}")
        return done.returncode, done.stdout

    def read(self, path):
        return self.run(f"cat {path}")[1]

    def reboot(self, deadline=30):
        """Down in order and up again: what is in memory is gone, what is on disk stays."""
        self.run("systemctl --no-block poweroff")
        self.process.wait(deadline)
        cgroups.kill(self.groups)
        cgroups.remove(self.groups)
        return self.boot()

    def close(self):
        if self.process:
            cgroups.kill(self.groups)       # a container's process 1 outlives its systemd-nspawn
            self.process.wait()
        cgroups.remove(self.groups)
        self.netns.close()
        unmount(self.root)
        for sub in ("upper", "work"):
            shutil.rmtree(self.home / sub, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
