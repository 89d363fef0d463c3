"""A single-node OpenStack Swift with the S3 API: object storage that verifies signatures.

In a test:   with Swift(tmp) as s3: s3.url, s3.KEY, s3.SECRET, s3.REGION; s3.put("bucket", "key", b"…")
A program:   python3 -m fakes.swift --dir DIR --listen ADDRESS:PORT   (until SIGTERM)

It ignores session tokens and versions; fakes/aws.py is strict there. All servers die with their parent.
The file system of `directory` needs extended attributes (a tmpfs has no user.* ones on old kernels).
"""
import argparse
import os
import signal
import shutil
import sys
import time
import urllib.error
import urllib.request

from .proc import die_with_parent, free_ports, reap, spawn, wait_port

KEY, SECRET, REGION = "test:tester", "testing", "us-east-1"
BACKEND = """[DEFAULT]
devices = {dir}/dev
mount_check = false
bind_ip = {address}
bind_port = {port}
workers = 0
user = root
swift_dir = {dir}/etc
fallocate_reserve = 0
log_level = WARNING
[pipeline:main]
pipeline = {kind}-server
[app:{kind}-server]
use = egg:swift#{kind}
recon_cache_path = {dir}/recon
"""
FILTERS = {"healthcheck": "", "catch_errors": "", "gatekeeper": "", "proxy_logging": "",
           "listing_formats": "", "bulk": "", "slo": "", "dlo": "", "copy": "", "symlink": "",
           "versioned_writes": "allow_versioned_writes = true\nallow_object_versioning = true\n",
           "tempauth": "user_test_tester = testing .admin\nuser_test_reader = reading\n",
           "s3api": "location = {region}\nstorage_domain = s3.localhost\ns3_acl = false\n"
                    "check_bucket_owner = false\nallowable_clock_skew = 900\n"}
PROXY = """[DEFAULT]
bind_ip = {address}
bind_port = {port}
workers = 0
user = root
swift_dir = {dir}/etc
log_level = WARNING
[pipeline:main]
pipeline = catch_errors gatekeeper healthcheck proxy_logging cache listing_formats bulk s3api tempauth copy slo dlo versioned_writes symlink proxy_logging proxy-server
[app:proxy-server]
use = egg:swift#proxy
allow_account_management = true
account_autocreate = true
[filter:cache]
use = egg:swift#memcache
memcache_servers = {address}:{cache}
"""
HASH = "[swift-hash]\nswift_hash_path_suffix = test\nswift_hash_path_prefix = test\n" \
       "[storage-policy:0]\nname = Policy-0\ndefault = yes\n"
# Swift reads its hash settings from one fixed place; the rest of its files are where we say.
RUN = ("import sys; from swift.common import utils; utils.SWIFT_CONF_FILE = sys.argv[1]; "
       "from swift.common import storage_policy; from swift.common.wsgi import run_wsgi; "
       "sys.exit(run_wsgi(sys.argv[2], sys.argv[3]))")


class Swift:
    KEY, SECRET = KEY, SECRET

    def __init__(self, directory, address="127.0.0.1", port=0, region=REGION):
        self.REGION = region
        self.dir, self.address = str(directory), address
        ports = free_ports(5, address)
        self.port = port or ports[0]
        self.object, self.account, self.container, self.cache = ports[1:]
        self.procs = []

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def _write(self, name, text):
        with open(f"{self.dir}/etc/{name}", "w", encoding="ascii") as f:
            f.write(text)

    def _configure(self):
        from swift.common.ring import RingBuilder
        os.makedirs(self.dir + "/dev/d1")
        os.makedirs(self.dir + "/etc")
        where = {"dir": self.dir, "address": self.address}
        for kind in ("object", "account", "container"):
            port = getattr(self, kind)
            ring = RingBuilder(4, 1, 0)
            ring.add_dev({"region": 1, "zone": 1, "ip": self.address, "port": port, "device": "d1",
                          "weight": 1, "replication_ip": self.address, "replication_port": port,
                          "meta": ""})
            ring.rebalance()
            ring.get_ring().save(f"{self.dir}/etc/{kind}.ring.gz")
            self._write(kind + "-server.conf", BACKEND.format(kind=kind, port=port, **where))
        text = PROXY.format(port=self.port, cache=self.cache, **where)
        for name, more in FILTERS.items():
            text += f"[filter:{name}]\nuse = egg:swift#{name}\n" + more.format(region=self.REGION)
        self._write("proxy-server.conf", text)
        self._write("swift.conf", HASH)

    def start(self, limit=60):
        self._configure()
        log = self.dir + "/log"
        self.procs.append(spawn(["memcached", "-l", self.address, "-p", self.cache, "-m", "16"],
                                log, user="nobody"))
        for kind in ("account", "container", "object", "proxy"):
            self.procs.append(spawn(["/usr/bin/python3", "-I", "-c", RUN, self.dir + "/etc/swift.conf",
                                     f"{self.dir}/etc/{kind}-server.conf", kind + "-server"], log))
        for port, proc in zip((self.cache, self.account, self.container, self.object), self.procs):
            wait_port(self.address, port, proc, limit)
        end = time.monotonic() + limit
        while time.monotonic() < end:
            if any(p.poll() is not None for p in self.procs):
                break
            try:
                urllib.request.urlopen(self.url + "/healthcheck", timeout=2).close()
                return self
            except OSError:
                time.sleep(0.05)
        self.stop()
        with open(log, encoding="utf-8", errors="replace") as f:
            raise RuntimeError("swift did not start:\n" + f.read()[-4000:])

    def stop(self):
        for p in self.procs:
            reap(p)
        self.procs = []

    def request(self, method, path, body=b""):
        """One request signed by botocore; return (status, headers, body)."""
        from botocore.auth import S3SigV4Auth
        from botocore.awsrequest import AWSRequest
        from botocore.credentials import Credentials
        req = AWSRequest(method, self.url + path, data=body)
        S3SigV4Auth(Credentials(KEY, SECRET), "s3", self.REGION).add_auth(req)
        raw = urllib.request.Request(req.url, data=body or None, method=method,
                                     headers=dict(req.headers))
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with opener.open(raw, timeout=20) as r:
                return r.status, dict(r.headers), r.read()
        except urllib.error.HTTPError as e:
            return e.code, dict(e.headers), e.read()

    def put(self, bucket, key, body):
        """Store an object, making the bucket when it is not there; `key` is bytes or text."""
        from urllib.parse import quote
        self.request("PUT", "/" + bucket)
        status, _, text = self.request("PUT", f"/{bucket}/{quote(key, safe='/~')}", body)
        if status != 200:
            raise RuntimeError(f"PUT {bucket}/{key}: {status} {text[:500]}")


def main():
    p = argparse.ArgumentParser(prog="fakes.swift", description="single-node Swift with the S3 API")
    p.add_argument("--dir", required=True, help="emptied first")
    p.add_argument("--listen", required=True, metavar="ADDRESS:PORT")
    a = p.parse_args()
    die_with_parent(signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    shutil.rmtree(a.dir, ignore_errors=True)
    address, _, port = a.listen.rpartition(":")
    with Swift(a.dir, address, int(port)) as s:
        print("listening", s.url, flush=True)
        while True:
            signal.pause()


if __name__ == "__main__":
    main()
