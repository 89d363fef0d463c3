"""The EC2 instance metadata service, version 2 only, as strict as the real one.

In a test:   with Imds(instance(role="node", tags={"Name": "n1"})) as imds: ... imds.url
A program:   python3 -m fakes.imds --listen 169.254.169.254:80 --state FILE.json [--log FILE]

The state file is {"identities": {"10.0.0.5": {…instance() keywords…}, "*": {…}}, "faults": [{…}]};
it is read again whenever it changes, so a bed can add machines while the service runs. An address
that is not listed gets "*"; without "*" it gets 404 for everything. `"extra"` adds or replaces
paths below /latest/, and null removes one.
"""
import argparse
import base64
import datetime
import json
import os
import re
import secrets
import signal
import sys
import threading
import time

from . import faults as fault_kinds
from .httpd import Response, Server
from .proc import die_with_parent

VERSIONS = ("2016-09-02", "2018-09-24", "2019-10-01", "2020-10-27", "2021-01-03", "2021-03-23",
            "2021-07-15", "2022-07-09", "2022-09-24", "2023-02-15", "2024-04-11", "latest")
TTL = "X-aws-ec2-metadata-token-ttl-seconds"
TOKEN = "X-aws-ec2-metadata-token"
TAG_KEY = re.compile(r"[A-Za-z0-9+\-=.,_:@]{1,128}\Z")
USER_DATA_MAX = 16 * 1024
PAGE = ('<?xml version="1.0" encoding="iso-8859-1"?>\n<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.0 '
        'Transitional//EN"\n\t"http://www.w3.org/TR/xhtml1/DTD/xhtml1-transitional.dtd">\n<html '
        'xmlns="http://www.w3.org/1999/xhtml" xml:lang="en" lang="en">\n <head>\n  <title>{0}</title>'
        '\n </head>\n <body>\n  <h1>{0}</h1>\n </body>\n</html>\n')
NAMES = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
         405: "Method Not Allowed"}


def iso(when):
    return datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def credentials(key="ASIAEXAMPLEKEY000001", secret="canary/secret+key/of/the/instance/role00",
                token="canary-session-token//of+the/role==", life=6 * 3600, code="Success"):
    """The JSON below iam/security-credentials/ROLE. A negative `life` is an expired set."""
    now = time.time()
    return {"Code": code, "LastUpdated": iso(now), "Type": "AWS-HMAC", "AccessKeyId": key,
            "SecretAccessKey": secret, "Token": token, "Expiration": iso(now + life)}


KEY_PAIR = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgIC pair"


def instance(instance_id="i-0123456789abcdef0", instance_type="t3.micro", region="eu-west-1",
             az=None, account="123456789012", ami="ami-0abcdef1234567890", ip="172.31.5.11",
             mac="0a:11:22:33:44:55", vpc="172.31.0.0/16\n10.77.0.0/16", hostname=None, role="hpc-node", creds=None, tags=None,
             key_pair=KEY_PAIR, user_data=None, domain="amazonaws.com", partition="aws", extra=None, **unknown):
    """One machine's metadata: a dict path -> text, below /latest/. tags=None: tags are disabled."""
    if unknown:
        raise ValueError(f"unknown instance keys: {', '.join(sorted(unknown))}")
    az = az or region + "a"
    hostname = hostname or f"ip-{ip.replace('.', '-')}.{region}.compute.internal"
    document = {"accountId": account, "architecture": "x86_64", "availabilityZone": az,
                "billingProducts": None, "devpayProductCodes": None,
                "marketplaceProductCodes": None, "imageId": ami, "instanceId": instance_id,
                "instanceType": instance_type, "kernelId": None, "pendingTime": iso(time.time()),
                "privateIp": ip, "ramdiskId": None, "region": region, "version": "2017-09-30"}
    nic = f"meta-data/network/interfaces/macs/{mac}/"
    tree = {"ami-id": ami, "ami-launch-index": "0", "hostname": hostname, "instance-action": "none",
            "instance-id": instance_id, "instance-life-cycle": "on-demand",
            "instance-type": instance_type, "local-hostname": hostname, "local-ipv4": ip, "mac": mac,
            "placement/availability-zone": az, "placement/availability-zone-id": "euw1-az1",
            "placement/region": region, "profile": "default-hvm", "reservation-id": "r-0fedcba987654321",
            "security-groups": "default", "services/domain": domain, "services/partition": partition}
    tree = {"meta-data/" + k: v for k, v in tree.items()}
    if key_pair:
        tree["meta-data/public-keys/0/openssh-key"] = key_pair + "\n"
    tree |= {nic + "device-number": "0", nic + "mac": mac, nic + "local-ipv4s": ip,
             nic + "subnet-id": "subnet-12121212", nic + "vpc-ipv4-cidr-blocks": vpc, nic + "owner-id": account,
             nic + "interface-id": "eni-0123456789abcdef0",
             "dynamic/instance-identity/document": json.dumps(document, indent=2)}
    if role:
        arn = f"arn:{partition}:iam::{account}:instance-profile/{role}"
        tree["meta-data/iam/info"] = json.dumps(
            {"Code": "Success", "LastUpdated": iso(time.time()), "InstanceProfileArn": arn,
             "InstanceProfileId": "AIPAEXAMPLE"}, indent=2)
        tree["meta-data/iam/security-credentials/" + role] = json.dumps(
            creds if creds is not None else credentials(), indent=2)
    for key, value in (tags or {}).items():
        if not TAG_KEY.match(key) or key in (".", "..", "_index"):
            raise ValueError(f"EC2 allows no tag key {key!r} while tags are in the metadata")
        tree["meta-data/tags/instance/" + key] = value
    if user_data is not None:
        if len(user_data) > USER_DATA_MAX:
            raise ValueError("EC2 takes at most 16 KiB of user data")
        tree["user-data"] = user_data
    for path, value in (extra or {}).items():
        tree[path] = value
        if value is None:
            del tree[path]
    return tree


def listing(tree, prefix):
    """The names directly below `prefix`, as the service lists them; None when there are none."""
    prefix = prefix.rstrip("/") + "/" if prefix else ""
    names = set()
    for path in tree:
        if path.startswith(prefix):
            name, slash, _ = path[len(prefix):].partition("/")
            names.add(name + slash)
    return "\n".join(sorted(names)) if names else None


class Imds(Server):
    """`identities` is one tree for everybody, or a dict source address -> tree with "*" as default."""

    def __init__(self, identities=None, address="127.0.0.1", port=0, disabled=False, **kw):
        super().__init__(self._answer, address, port, **kw)
        identities = instance() if identities is None else identities
        single = not any(isinstance(v, dict) for v in identities.values())
        self.identities = {"*": identities} if single else identities
        self.disabled, self.tokens, self.token_lock = disabled, {}, threading.Lock()

    def expire_tokens(self):
        """Every token given so far is refused from now on."""
        with self.token_lock:
            self.tokens.clear()

    def _page(self, status):
        text = f"{status} - {NAMES[status]}"
        return Response(status, PAGE.format(text), [("Content-Type", "text/html"),
                                                    ("Server", "EC2ws")])

    def _text(self, body, headers=()):
        body = body.encode() if isinstance(body, str) else body
        return Response(200, body, [("Content-Type", "text/plain"), ("Server", "EC2ws"),
                                    ("Accept-Ranges", "none"), *headers])

    def _answer(self, req):
        if self.disabled:
            return self._page(403)
        version, _, path = req.path.lstrip("/").partition("/")
        if path == "api/token" and version in VERSIONS:
            return self._token(req, version)
        if req.method not in ("GET", "HEAD"):
            return self._page(405)
        left = self._left(req)
        if left <= 0:
            return self._page(401)
        return self._get(req, version, path, left)

    def _token(self, req, version):
        if req.method != "PUT":
            return self._page(405)
        if version != "latest" or req.get("x-forwarded-for") is not None:
            return self._page(403)
        ttl = req.all(TTL)
        if len(ttl) != 1 or not re.fullmatch(r"\d{1,5}", ttl[0]) or not 1 <= int(ttl[0]) <= 21600:
            return self._page(400)
        token = base64.urlsafe_b64encode(secrets.token_bytes(40)).decode()
        with self.token_lock:
            self.tokens[token] = (req.source, time.monotonic() + int(ttl[0]))
        return self._text(token, [(TTL.title(), ttl[0])])

    def _left(self, req):
        """Seconds the request's token is still good for on this machine."""
        given = req.all(TOKEN)
        with self.token_lock:
            source, end = self.tokens.get(given[0] if len(given) == 1 else "", ("", 0))
        return end - time.monotonic() if source == req.source else 0

    def _get(self, req, version, path, left):
        age = [(TTL.title(), str(int(left)))]
        if version == "" and path == "":
            return self._text("\n".join(VERSIONS), age)
        tree = self.identities.get(req.source, self.identities.get("*", {}))
        if version not in VERSIONS or req.query or "//" in req.path:
            return self._page(404)
        if path in tree:
            return self._text(tree[path], age)
        found = listing(tree, path)
        return self._page(404) if found is None else self._text(found, age)


class StateFile:
    """Keeps an Imds as its state file says."""

    def __init__(self, path):
        self.path, self.stamp, self.lock = path, None, threading.Lock()
        self.server = None

    def load(self):
        with open(self.path, encoding="utf-8") as f:
            return json.load(f)

    def apply(self):
        with self.lock:
            info = os.stat(self.path)
            stamp = (info.st_mtime_ns, info.st_ino, info.st_size)
            if stamp == self.stamp:
                return
            state = self.load()
            unknown = set(state) - {"identities", "faults", "disabled"}
            if unknown:
                raise ValueError(f"{self.path}: unknown keys {sorted(unknown)}")
            self.server.identities = {ip: instance(**keys)
                                 for ip, keys in state.get("identities", {"*": {}}).items()}
            self.server.disabled = state.get("disabled", False)
            self.server.faults = fault_kinds.from_json(state.get("faults", []))
            self.stamp = stamp


def parse_listen(text):
    address, _, port = text.rpartition(":")
    if not address or not port.isdigit():
        raise argparse.ArgumentTypeError(f"'{text}' is not ADDRESS:PORT")
    return address.strip("[]"), int(port)


def main():
    p = argparse.ArgumentParser(prog="fakes.imds", description="strict IMDSv2 stand-in")
    p.add_argument("--listen", type=parse_listen, action="append", required=True)
    p.add_argument("--state", required=True)
    p.add_argument("--log", help="append one JSON line a request")
    p.add_argument("--late", type=float, default=0, help="refuse connections so many seconds")
    p.add_argument("--keep", action="store_true", help="outlive the parent")
    a = p.parse_args()
    if not a.keep:
        die_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    out = open(a.log, "a", encoding="utf-8") if a.log else None
    for address, port in a.listen:
        state = StateFile(a.state)

        def each(req, state=state):
            state.apply()
            if out:
                out.write(json.dumps(req.as_json()) + "\n")
                out.flush()

        state.server = Imds({}, address, port, late=a.late, on_request=each)
        state.apply()
        state.server.start()
        print("listening", state.server.url, flush=True)
    while True:
        signal.pause()


if __name__ == "__main__":
    main()
