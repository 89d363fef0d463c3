"""The whole bed: network, DHCP, metadata, object store, and the instances that a test or the head node asks for.

    with Bed() as bed, Head(...) as head:
        guest = bed.guest("queue1-st-t3micro-1", payload)

A node is known by its Slurm name; its address, MAC and instance id follow from the name (see `Identity`).
"""
import os
import queue
import re
import subprocess
import threading
from pathlib import Path

from fakes.httpd import Response, Server
from fakes.imds import Imds, credentials, instance
from fakes.proc import die_with_parent
from fakes.swift import Swift

from . import head, net
from .guest import Guest
from .nspawn import Container
from .proc import Service

REGION, BUCKET, CLUSTER = "eu-west-1", "hpc-bucket", "test-cluster"
S3_PORT = 9000
S3_URL = f"http://{net.ROUTER}:{S3_PORT}"
ROLE = "hpc-node-role"
SEED = Path(__file__).with_name("cluster-config.yaml")
MUNGE_KEY = bytes(range(256)) * 4

FAMILIES = {"queue1-st-t3micro": 20, "queue1-dy-t3micro": 100, "dyn": 120, "queue1-st-big": 130, "stranger": 131,
            "login": 135, "server": 140}

NODE_DOCUMENT = """#hpc-node
version: 1
cluster: {cluster}
role: compute
config: s3://{bucket}/{cluster}/cluster-config.yaml
node: {name}
head: {head}
munge-key: s3://{bucket}/{cluster}/munge.key
deadline: 60s
"""


class Identity:
    """Everything about an instance that follows from its node name."""

    def __init__(self, name):
        family, number = re.fullmatch(r"(.+)-(\d+)", name).groups()
        last = FAMILIES[family] + int(number)
        self.name, self.address, self.mac = name, f"10.77.0.{last}", f"52:54:00:77:00:{last:02x}"
        self.instance_id = f"i-0123456789ab{last:05x}"
        self.short = "n%d" % last


def node_document(name, **changes):
    """The user data of a node; `changes` replace, add or (None) remove a line; underscores stand for hyphens."""
    lines = NODE_DOCUMENT.format(cluster=CLUSTER, bucket=BUCKET, name=name, head=head.ADDRESS).splitlines()
    for key, value in changes.items():
        key = key.replace("_", "-")
        lines = [line for line in lines if not line.startswith(key + ":")]
        if value is not None:
            lines.append(f"{key}: {value}")
    return "\n".join(lines) + "\n"


class Bed:
    """Network and services, but no head.  `resume(name)`, if set, starts a node when slurmctld asks for one."""

    def __init__(self):
        self.home, self.disk = Path(os.environ["HPC_BED_DIR"]), Path(os.environ["HPC_BED_DISK"])
        self.running, self.resume = {}, None
        net.up()
        self.dns = self._dnsmasq()
        self.imds = Imds({"*": {}}, net.METADATA, 80).start()
        self.s3 = Swift(self.disk / "swift", net.ROUTER, S3_PORT, region=REGION).start()
        self._changed = {"cluster-config.yaml", "munge.key"}
        self.reset_objects()
        self._orders = queue.Queue()
        # Its own thread for life: a process may die with the thread that started it.
        threading.Thread(target=self._launcher, daemon=True).start()
        self.power = Server(self._power, net.ROUTER, head.POWER_PORT).start()

    def _dnsmasq(self):
        ids = [Identity(f"{family}-{number}") for family in FAMILIES for number in range(1, 61)
               if FAMILIES[family] + number < 250]
        ids = {one.address: one for one in ids}.values()
        lines = [f"dhcp-host={one.mac},{one.address}" for one in ids]
        lines += ["interface=" + net.BRIDGE, "bind-interfaces", "no-resolv", "no-hosts", "no-poll",
                  "dhcp-range=10.77.0.0,static,255.255.255.0,1h", f"dhcp-option=option:router,{net.ROUTER}",
                  f"dhcp-option=option:dns-server,{net.ROUTER}", "dhcp-authoritative", "user=root", "pid-file=",
                  f"dhcp-leasefile={self.home}/leases"]
        (self.home / "dnsmasq.conf").write_text("\n".join(lines) + "\n")
        return Service("dnsmasq", ["dnsmasq", "-k", f"--conf-file={self.home}/dnsmasq.conf"], self.home / "dnsmasq.log")

    def put(self, key, body):
        """An object below the cluster's prefix."""
        self._changed.add(key)
        self.s3.put(BUCKET, f"{CLUSTER}/{key}", body if isinstance(body, bytes) else body.encode())

    def reset_objects(self):
        """Configuration and munge key as the seed has them."""
        for key, body in (("cluster-config.yaml", SEED.read_bytes()), ("munge.key", MUNGE_KEY)):
            if key in self._changed:
                self.s3.put(BUCKET, f"{CLUSTER}/{key}", body)
        self._changed.clear()

    def register(self, name, user_data=None, tags=None, **more):
        """Makes the metadata service know the instance; every keyword of fakes.imds.instance may be given."""
        who = Identity(name)
        role = credentials(self.s3.KEY, self.s3.SECRET, "bed-session-token")
        self.imds.identities[who.address] = instance(**{
            "instance_id": who.instance_id, "region": REGION, "ip": who.address, "mac": who.mac, "role": ROLE,
            "creds": role, "tags": tags, "user_data": node_document(name) if user_data is None else user_data, **more})
        return who

    def guest(self, name, payload=None, echo=None, **identity):
        """A guest, its NIC not yet plugged in."""
        who = self.register(name, **identity)
        return self._own(name, Guest(who.short, who.mac, self._directory(who), payload, who.instance_id, echo))

    def machine(self, name, image, firmware, **identity):
        """A machine that starts from a raw disk, its network card in place."""
        from .disk import Machine
        who = self.register(name, **identity)
        return self._own(name, Machine(who, image, self._directory(who), firmware))

    def container(self, name, layers=(), binds=(), suite=None, **identity):
        """A container, not yet booted."""
        who = self.register(name, **identity)
        box = Container(who.short, who.address, who.mac, self._directory(who), layers, binds, suite)
        box.put("/etc/hostname", "localhost\n")
        return self._own(name, box)

    def _directory(self, who):
        for attempt in range(1000):
            path = self.home / f"{who.short}.{attempt}"
            if not path.exists():
                return path
        raise RuntimeError(f"{who.short}: a thousand instances in one run")

    def _own(self, name, node):
        self.running[name] = node
        return node

    def terminate(self, name):
        node = self.running.pop(name, None)
        if node:
            node.close()
        self.imds.identities.pop(Identity(name).address, None)

    def _power(self, request):
        """What the head's ResumeProgram and SuspendProgram talk to: POST /resume/NODE, POST /suspend/NODE."""
        action, name = request.path.strip("/").split("/")
        self._orders.put((action, name))
        return Response(200, b"ok")

    def _launcher(self):
        while True:
            action, name = self._orders.get()
            try:
                if action == "suspend":
                    self.terminate(name)
                elif self.resume:
                    self.resume(name)
            except Exception as why:           # the next order must still be carried out; the test sees no node
                print(f"{action} {name}: {why}", flush=True)

    def close(self):
        for name in list(self.running):
            self.terminate(name)
        self.power.stop()
        self.imds.stop()
        self.s3.stop()
        self.dns.stop(1)
        net.delete(net.BRIDGE)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def pack(directory, tar):
    """A directory as the tar that a guest unpacks over its root."""
    subprocess.run(["tar", "-C", str(directory), "--owner=0", "--group=0", "-cf", str(tar), "."], check=True,
                   preexec_fn=die_with_parent)
    return Path(tar)
