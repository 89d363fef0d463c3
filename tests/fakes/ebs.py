"""EBS direct as strict as AWS: signature, checksums, lengths, counts, tokens, parents, encryption.

    with Account(keys=[Key("AKIA…", "secret")]) as account:
        AWS_ENDPOINT_URL=account.url hpc-imagebuild publish disk.raw --name x

One server answers for EBS, EC2 and SSM (see ec2.py), told apart by the service that a request is
signed for. What a snapshot holds is kept as one SHA-256 per block, so that a whole disk is compared by
`content()`. `settle`: seconds for which a new snapshot is not found; `complete_after`: looks at a
snapshot until it is completed; `minute`: how many seconds one minute of a snapshot's Timeout has;
`skew`: how far the account's clock is ahead of ours.
"""
import base64
import email.utils
import hashlib
import json
import re
import threading
import time
import uuid
from dataclasses import dataclass, field

from . import model
from .ec2 import DESCRIPTION, Ec2Answers, tag_fault
from .httpd import Response, Server
from .sigcheck import Refused, claim, verify

BLOCK = 512 * 1024
ZERO = hashlib.sha256(bytes(BLOCK)).digest()
TOKEN = re.compile(r"[\x21-\x7e]{1,255}\Z")
START_KEYS = {"VolumeSize", "Description", "Timeout", "ClientToken", "Tags", "Encrypted",
              "KmsKeyArn", "ParentSnapshotId"}


@dataclass
class Snapshot:
    id: str
    region: str
    gib: int
    tags: dict
    request: dict
    parent: str = ""
    encrypted: bool = False
    timeout: int = 60
    status: str = "pending"
    message: str = ""
    asked: dict = None
    looks: int = 0
    blocks: dict = field(default_factory=dict)  # index: digest
    shared: set = field(default_factory=set)
    born: float = field(default_factory=time.monotonic)
    touched: float = field(default_factory=time.monotonic)


def b64(raw):
    return base64.b64encode(raw).decode()


def invalid(reason, text):
    return Refused(400, "ValidationException", text, Reason=reason)


class Account(Ec2Answers, Server):
    def __init__(self, keys, address="127.0.0.1", port=0, **kw):
        super().__init__(self._answer, address, port, **kw)
        self.keys, self.data = list(keys), threading.RLock()
        self.snapshots, self.images, self.parameters = {}, {}, {}
        self.encrypt_by_default = False
        self.settle, self.complete_after, self.image_after = 0, 1, 1
        self.image_settle, self.minute, self.skew = 0, 60, 0
        self.copy_tokens, self.changes = {}, []
        self.refused = {}  # an action of EC2: the value or region that it refuses

    def _answer(self, req):
        resp = self._checked(req)
        resp.headers.append(("Date", email.utils.formatdate(time.time() + self.skew, usegmt=True)))
        if not any(k.lower() == "x-amzn-requestid" for k, _ in resp.headers):
            resp.headers.append(("x-amzn-RequestId", str(uuid.uuid4())))
        return resp

    def _checked(self, req):
        try:
            service = claim(req).service
        except Refused:
            service = "ebs"
        try:
            who, _ = verify(req, self.keys, service, time.time() + self.skew)
            answer = {"ebs": self._ebs, "ec2": self._ec2, "ssm": self._ssm}.get(service)
            if not answer:
                raise Refused(404, "UnknownService", service)
            if service == "ebs" and "/blocks/" in req.path:
                return answer(req, who.region)  # has its own, shorter lock
            with self.data:
                return answer(req, who.region)
        except Refused as why:
            return {"ec2": self.ec2_error, "ssm": self.ssm_error}.get(service, ebs_error)(why)

    # --- EBS direct ---
    def _ebs(self, req, region):
        for method, pattern, action, call in ROUTES:
            m = pattern.fullmatch(req.path)
            if m and req.method == method:
                model.check_rest("ebs", action, req)
                return call(self, req, region, *m.groups())
        raise Refused(404, "UnknownOperationException", req.path)

    def _find(self, region, name):
        s = self.snapshots.get(name)
        if not s or s.region != region or time.monotonic() - s.born < self.settle:
            raise Refused(404, "ResourceNotFoundException", f"The snapshot '{name}' does not exist.",
                          Reason="SNAPSHOT_NOT_FOUND")
        if s.status == "pending" and not s.asked and \
                time.monotonic() - s.touched > s.timeout * self.minute:
            s.status, s.message = "error", "no block was put in time"
        return s

    def _start(self, req, region):
        if req.get("content-type") != "application/json":
            raise invalid("INVALID_PARAMETER", "content type")
        ask = json.loads(req.body)
        size, timeout, token = ask.get("VolumeSize"), ask.get("Timeout", 60), ask.get("ClientToken")
        if set(ask) - START_KEYS:
            raise invalid("INVALID_PARAMETER", f"unknown {set(ask) - START_KEYS}")
        if not isinstance(size, int) or not 1 <= size <= 65536:
            raise invalid("INVALID_VOLUME_SIZE", "The volume size is not valid")
        if not isinstance(timeout, int) or not 10 <= timeout <= 4320:
            raise invalid("INVALID_PARAMETER", "The timeout is not valid")
        if not token or not TOKEN.match(token):
            raise invalid("INVALID_PARAMETER", "The client token is not valid")
        if not DESCRIPTION.match(ask.get("Description", "")):
            raise invalid("INVALID_PARAMETER", "The description is not valid")
        for s in self.snapshots.values():
            if s.request.get("ClientToken") == token and s.region == region:
                if s.request != ask:
                    raise Refused(409, "ConflictException", "The client token was used with other "
                                  "parameters")
                return started(s)
        tags = check_tags([(t["Key"], t["Value"]) for t in ask.get("Tags", [])])
        s = Snapshot("snap-" + uuid.uuid4().hex[:17], region, size, tags, ask, timeout=timeout)
        self._inherit(ask, region, s)
        self.snapshots[s.id] = s
        self.changes.append(("start", s.id))
        return started(s)

    def _inherit(self, ask, region, s):
        wants = bool(ask.get("Encrypted"))
        if ask.get("KmsKeyArn") and (not wants or ":key/" not in ask["KmsKeyArn"]):
            raise invalid("INVALID_PARAMETER", "The KMS key ARN is not valid")
        s.encrypted = wants or self.encrypt_by_default
        if not ask.get("ParentSnapshotId"):
            return
        if "Encrypted" in ask:
            raise invalid("INVALID_PARAMETER", "Encrypted and ParentSnapshotId are mutually exclusive")
        parent = self._find(region, ask["ParentSnapshotId"])
        if parent.status != "completed":
            raise invalid("INVALID_SNAPSHOT_ID", "The parent snapshot is not completed")
        if parent.gib > s.gib:
            raise invalid("INVALID_VOLUME_SIZE", "smaller than the parent")
        if self.encrypt_by_default and not parent.encrypted:
            raise invalid("INVALID_PARAMETER", "An unencrypted parent cannot be used")
        s.parent, s.encrypted = parent.id, parent.encrypted

    def _put(self, req, region, name, index):
        with self.data:
            s = self._find(region, name)
        if s.status != "pending" or s.asked:
            raise Refused(409, "ConflictException", "The snapshot is not pending")
        if int(index) >= s.gib * 2048:
            raise invalid("INVALID_BLOCK", "The block index is outside of the volume")
        if req.get("x-amz-data-length") != str(BLOCK) or len(req.body) != BLOCK:
            raise invalid("INVALID_PARAMETER", "The data length is not valid")
        if req.get("x-amz-checksum-algorithm") != "SHA256":
            raise invalid("INVALID_PARAMETER", "The checksum algorithm is not valid")
        if not re.fullmatch(r"100|\d{1,2}", req.get("x-amz-progress", "0")):
            raise invalid("INVALID_PARAMETER", "The progress is not valid")
        digest = hashlib.sha256(req.body).digest()
        if req.get("x-amz-checksum") != b64(digest):
            raise invalid("INVALID_CHECKSUM", "The checksum does not match the data")
        req.body = b""  # the log keeps every request
        with self.data:
            s.blocks[int(index)] = digest
            s.touched = time.monotonic()
        return Response(201, b"", [("x-amz-Checksum", b64(digest)),
                                   ("x-amz-Checksum-Algorithm", "SHA256")])

    def _complete(self, req, region, name):
        s = self._find(region, name)
        if s.status != "pending" or s.asked:
            raise Refused(409, "ConflictException", "The snapshot is being completed")
        if req.get("x-amz-changedblockscount") != str(len(s.blocks)):
            raise invalid("INVALID_PARAMETER", "The changed blocks count is not valid: "
                          f"{len(s.blocks)} blocks were put")
        if req.get("x-amz-checksum-aggregation-method") != "LINEAR" or \
                req.get("x-amz-checksum-algorithm") != "SHA256":
            raise invalid("INVALID_PARAMETER", "The checksum's method is not valid")
        total = hashlib.sha256(b"".join(s.blocks[i] for i in sorted(s.blocks))).digest()
        if req.get("x-amz-checksum") != b64(total):
            raise invalid("INVALID_CHECKSUM", "The checksum does not match the blocks")
        s.asked = {"count": len(s.blocks)}
        self.changes.append(("complete", s.id))
        return Response(202, json.dumps({"Status": "pending"}), [("Content-Type", "application/json")])

    def content(self, name):
        """Digest of each block of a snapshot that isn't zero, parents' included."""
        s = self.snapshots[name]
        out = dict(self.content(s.parent)) if s.parent else {}
        out.update(s.blocks)
        return {i: d for i, d in out.items() if d != ZERO}


ROUTES = (("POST", re.compile(r"/snapshots"), "StartSnapshot", Account._start),
          ("PUT", re.compile(r"/snapshots/(snap-[0-9a-f]+)/blocks/(\d+)"), "PutSnapshotBlock", Account._put),
          ("POST", re.compile(r"/snapshots/completion/(snap-[0-9a-f]+)"), "CompleteSnapshot",
           Account._complete))


def check_tags(pairs):
    tags = dict(pairs)
    fault = tag_fault(tags) or (len(tags) != len(pairs) and (None, "a tag key is there twice"))
    if fault:
        raise invalid("INVALID_TAG", fault[1])
    return tags


def started(s):
    body = {"SnapshotId": s.id, "Status": s.status, "VolumeSize": s.gib, "BlockSize": BLOCK,
            "Tags": [{"Key": k, "Value": v} for k, v in s.tags.items()]}
    return Response(201, json.dumps(body), [("Content-Type", "application/json")])


def ebs_error(why):
    body = {"Message": why.message, **why.more}
    return Response(why.status, json.dumps({k: str(v) for k, v in body.items()}),
                    [("Content-Type", "application/json"), ("x-amzn-ErrorType", why.code)])
