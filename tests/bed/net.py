"""The bed's network: one bridge in the run's own network namespace, and the ports guests and containers hang on.

The bridge is the subnet's router, its DHCP and DNS server and, at 169.254.169.254, its metadata service.
"""
import subprocess

from fakes.proc import die_with_parent

from .proc import run

BRIDGE = "br0"
ROUTER = "10.77.0.1"
METADATA = "169.254.169.254"


def ip(*argv, netns=None):
    run(*(netns.prefix() if netns else []), "ip", *argv)


def up():
    """Makes the bridge.  Its address is fixed: a bridge that takes its ports' changes it, and peers' ARP goes stale."""
    ip("link", "add", BRIDGE, "address", "52:54:00:77:00:01", "type", "bridge", "forward_delay", "0", "stp_state", "0")
    ip("addr", "add", f"{ROUTER}/24", "dev", BRIDGE)
    ip("addr", "add", f"{METADATA}/32", "dev", BRIDGE)
    ip("link", "set", BRIDGE, "up")


def tap(name):
    """A tap on the bridge, made before its guest: one the guest makes dies with it at odd moments."""
    ip("tuntap", "add", "dev", name, "mode", "tap")
    ip("link", "set", name, "master", BRIDGE, "up")


def delete(name):
    run("ip", "link", "del", name, check=False)


class Netns:
    """A network namespace with one NIC, eth0, on the bridge; it lives as long as a process that holds it."""

    def __init__(self, name, address, mac):
        self.holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=subprocess.PIPE, preexec_fn=die_with_parent,
                                       stdout=subprocess.PIPE)
        self.holder.stdin.write(b"\n")
        self.holder.stdin.flush()
        self.holder.stdout.readline()           # cat runs, so unshare has done its work
        self.port = f"v-{name}"
        ip("link", "add", self.port, "type", "veth", "peer", "name", "eth0", "address", mac, "netns", str(self.holder.pid))
        ip("link", "set", self.port, "master", BRIDGE, "up")
        for argv in (["link", "set", "lo", "up"], ["addr", "add", f"{address}/24", "dev", "eth0"],
                     ["link", "set", "eth0", "up"], ["route", "add", "default", "via", ROUTER]):
            ip(*argv, netns=self)

    @property
    def path(self):
        return f"/proc/{self.holder.pid}/ns/net"

    def prefix(self):
        return ["nsenter", f"--net={self.path}"]

    def close(self):
        delete(self.port)
        self.holder.kill()
        self.holder.wait()


class Blackhole:
    """While entered, what `netns` is sent on TCP `port` is dropped without a word, once `after` bytes have got through."""

    def __init__(self, port, netns, after=0):
        self.port, self.netns, self.after = port, netns, after

    def __enter__(self):
        past = ["quota", "over", str(self.after), "bytes"] if self.after else []
        for argv in (["add", "table", "inet", "bed"],
                     ["add", "chain", "inet", "bed", "in", "{ type filter hook input priority 0; }"],
                     ["add", "rule", "inet", "bed", "in", "tcp", "dport", str(self.port), *past, "drop"]):
            run(*self.netns.prefix(), "nft", *argv)
        return self

    def __exit__(self, *_):
        run(*self.netns.prefix(), "nft", "delete", "table", "inet", "bed")
