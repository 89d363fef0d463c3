"""EC2's query API and SSM's parameters, as far as images go; mixed into ebs.Account.

What EC2 would choose badly it chooses badly here: an image registered without an architecture is i386,
without a virtualization type paravirtual, and so on; `images` shows what came of it. `image_settle`:
seconds for which a new image is not found.
"""
import base64
import calendar
import json
import re
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

from . import model
from .httpd import Response
from .sigcheck import Refused

NAME = re.compile(r"[A-Za-z0-9()\[\] ./\-'@_]{3,128}\Z")
DESCRIPTION = re.compile(r"[ -~]{0,255}\Z")
CONTROL = re.compile(r"[\x00-\x1f\x7f]")
TEN_YEARS = 3653 * 86400
NS = "http://ec2.amazonaws.com/doc/2016-11-15/"


@dataclass
class Image:
    id: str
    region: str
    name: str
    snapshot: str
    tags: dict
    arch: str = "i386"
    virtualization: str = "paravirtual"
    boot: str = ""
    ena: bool = False
    imds: str = ""
    tpm: str = ""
    uefi_data: str = ""
    root: str = ""
    device: dict = field(default_factory=dict)
    description: str = ""
    state: str = "pending"
    reason: str = ""
    looks: int = 0
    deprecated: str = ""
    shared: set = field(default_factory=set)
    born: float = field(default_factory=time.monotonic)
    made: str = "2026-01-01T00:00:00.000Z"


class Xml(str):
    """What is XML already."""


def xml(value):
    if isinstance(value, Xml):
        return value
    if isinstance(value, dict):
        return "".join(f"<{k}>{xml(v)}</{k}>" if v != "" else f"<{k}/>" for k, v in value.items())
    if isinstance(value, list):
        return "".join(f"<item>{xml(v)}</item>" for v in value)
    return escape(str(value).lower() if isinstance(value, bool) else str(value))


def answer(action, value):
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n<{action}Response xmlns="{NS}">' \
           f"<requestId>{uuid.uuid4()}</requestId>{xml(value)}</{action}Response>"
    return Response(200, body, [("Content-Type", "text/xml;charset=UTF-8")])


def form(req):
    if not req.get("content-type", "").startswith("application/x-www-form-urlencoded"):
        raise Refused(400, "InvalidParameterValue", "content type")
    pairs = [p.partition("=") for p in req.body.decode().split("&")]
    out = {unquote_plus(k): unquote_plus(v) for k, _, v in pairs}
    if len(out) != len(pairs):
        raise Refused(400, "InvalidParameterCombination", "a parameter twice")
    if out.pop("Version", "") != "2016-11-15":
        raise Refused(400, "NoSuchVersion", "")
    return out


def tags_of(ask, prefix, resource):
    tags, n = {}, 1
    if ask.pop(prefix + "ResourceType", resource) != resource:
        raise Refused(400, "InvalidParameterValue", f"only {resource} tags may be given here")
    while f"{prefix}Tag.{n}.Key" in ask:
        key = ask.pop(f"{prefix}Tag.{n}.Key")
        if key in tags:
            raise Refused(400, "InvalidParameterValue", f"Duplicate tag key '{key}' specified.")
        tags[key] = ask.pop(f"{prefix}Tag.{n}.Value", "")
        n += 1
    fault = tag_fault(tags)
    if fault:
        raise Refused(400, *fault)
    return tags


def tag_fault(tags):
    """The code and words with which EC2 refuses tags, or None."""
    if len(tags) > 50:
        return "TagLimitExceeded", "The maximum number of tags is 50"
    for k, v in tags.items():
        if k.lower().startswith("aws:"):
            return "InvalidParameterValue", "Tag keys starting with 'aws:' are reserved for internal use"
        if not 1 <= len(k) <= 128 or CONTROL.search(k):
            return "InvalidParameterValue", f"Tag key {k!r} is not valid"
        if len(v) > 256 or CONTROL.search(v):
            return "InvalidParameterValue", f"Tag value {v!r} is not valid"
    return None


def description_of(ask):
    text = ask.pop("Description", "")
    if not DESCRIPTION.match(text):
        raise Refused(400, "InvalidParameterValue", f"Value ({text}) for parameter description is invalid. "
                      "Constraints: ASCII, at most 255 characters.")
    return text


def started_by_uefi(ask, boot):
    """What only an instance has that starts by UEFI: its TPM, and the store of its variables."""
    tpm, data = ask.pop("TpmSupport", ""), ask.pop("UefiData", "")
    if tpm not in ("", "v2.0"):
        raise Refused(400, "InvalidParameterValue", f"Value ({tpm}) for parameter TpmSupport is invalid.")
    if (tpm or data) and boot != "uefi":
        raise Refused(400, "InvalidParameterCombination", f"not with boot mode '{boot}'")
    if data and (len(data) > 64000 or not base64.b64decode(data, validate=True).startswith(b"AMZNUEFI")):
        raise Refused(400, "InvalidParameterValue", "The UEFI data is not valid")
    return tpm, data


class Ec2Answers:
    PAGE = 1000

    def _ec2(self, req, region):
        if req.method != "POST" or req.path != "/":
            raise Refused(400, "InvalidRequest", "expected POST /")
        ask = form(req)
        action = ask.pop("Action", "")
        model.check_query("ec2", action, ask)
        if self.refused.get(action) and self.refused[action] in (*ask.values(), region, "*"):
            raise Refused(400, "InvalidParameterValue", f"{action} is refused here")
        out = getattr(self, "_" + action)(ask, region)
        if ask:
            raise Refused(400, "UnknownParameter", f"This fake does not know {sorted(ask)}")
        model.check_answer("ec2", action, out)
        return answer(action, out)

    @staticmethod
    def ec2_error(why):
        """Under EC2's own names for what is wrong with credentials and signatures."""
        why = EC2_AUTH.get(why.code, lambda w: w)(why)
        body = f"<?xml version=\"1.0\"?><Response><Errors><Error><Code>{why.code}</Code><Message>" \
               f"{escape(why.message)}</Message></Error></Errors><RequestID>{uuid.uuid4()}" \
               "</RequestID></Response>"
        return Response(why.status, body, [("Content-Type", "text/xml;charset=UTF-8")])

    # --- looking ---
    def _filters(self, ask):
        out, n = [], 1
        while f"Filter.{n}.Name" in ask:
            out.append((ask.pop(f"Filter.{n}.Name"), ask.pop(f"Filter.{n}.Value.1")))
            n += 1
        return out

    def _page(self, ask, found, to_dict, key, name):
        size = int(ask.pop("MaxResults", 0))
        if size and name:
            raise Refused(400, "InvalidParameterCombination", "The parameter MaxResults cannot be used with "
                          "ids")
        if size and not 5 <= size <= 1000:
            raise Refused(400, "InvalidParameterValue", f"Value ( {size} ) for parameter maxResults is invalid")
        size = min(size or 1000, self.PAGE)
        at = int(ask.pop("NextToken", 0))
        out = {key: [to_dict(x) for x in found[at:at + size]]}
        if at + size < len(found):
            out["nextToken"] = at + size
        return out

    def _DescribeSnapshots(self, ask, region):
        owner, name = ask.pop("Owner.1", None), ask.pop("SnapshotId.1", None)
        if owner != "self":
            raise Refused(400, "InvalidParameterValue", "all the world's snapshots?")
        s = self.snapshots.get(name)
        if name and (not s or s.region != region or time.monotonic() - s.born < self.settle):
            raise Refused(400, "InvalidSnapshot.NotFound", f"The snapshot '{name}' does not exist.")
        found = [s for s in self.snapshots.values()
                 if s.region == region and name in (None, s.id)]
        for k, v in self._filters(ask):
            found = [s for s in found if tag_matches(s, k, v)]
        for s in found:
            s.looks += bool(s.asked)
            if s.asked and s.status == "pending" and s.looks > self.complete_after:
                s.status = "completed"
        return self._page(ask, found, show_snapshot, "snapshotSet", name)

    def _DescribeImages(self, ask, region):
        owner, name = ask.pop("Owner.1", None), ask.pop("ImageId.1", None)
        if owner != "self":
            raise Refused(400, "InvalidParameterValue", "all the world's images?")
        found = [i for i in self.images.values() if i.region == region and name in (None, i.id)
                 and time.monotonic() - i.born >= self.image_settle]
        if name and not found:
            raise Refused(400, "InvalidAMIID.NotFound", f"The image id '[{name}]' does not exist")
        for k, v in self._filters(ask):
            plain = {"state": "state", "architecture": "arch", "name": "name"}
            found = [i for i in found
                     if (getattr(i, plain[k]) == v if k in plain else tag_matches(i, k, v))]
        for i in found:
            i.looks += 1
            if i.state == "pending" and i.looks > self.image_after:
                i.state = "available"
        return self._page(ask, found, show_image, "imagesSet", name)

    def _GetEbsEncryptionByDefault(self, _ask, _region):
        return {"ebsEncryptionByDefault": self.encrypt_by_default}

    # --- changing ---
    def _RegisterImage(self, ask, region):
        name, pre = ask.pop("Name", ""), "BlockDeviceMapping.1."
        tags = tags_of(ask, "TagSpecification.1.", "image")
        dry = ask.pop("DryRun", "false") == "true"
        if not NAME.match(name):
            raise Refused(400, "InvalidAMIName.Malformed", "AMI names must be between 3 and 128 "
                          "characters long")
        self._unused(name, region)
        device = {k[len(pre):]: ask.pop(k) for k in list(ask) if k.startswith(pre)}
        s = self.snapshots.get(device.get("Ebs.SnapshotId"))
        if not s or s.region != region:
            raise Refused(400, "InvalidSnapshot.NotFound", "The snapshot does not exist.")
        if s.status != "completed":
            raise Refused(400, "IncorrectState", f"Snapshot {s.id} is not completed")
        if int(device.get("Ebs.VolumeSize", 0)) < s.gib or "Ebs.Encrypted" in device:
            raise Refused(400, "InvalidBlockDeviceMapping", "size or encryption")
        i = Image("ami-" + uuid.uuid4().hex[:17], region, name, s.id, tags, device=device)
        i.arch = ask.pop("Architecture", i.arch)
        i.virtualization = ask.pop("VirtualizationType", i.virtualization)
        i.boot, i.imds = ask.pop("BootMode", ""), ask.pop("ImdsSupport", "")
        i.tpm, i.uefi_data = started_by_uefi(ask, i.boot)
        i.ena = ask.pop("EnaSupport", "false") == "true"
        i.root, i.description = ask.pop("RootDeviceName", ""), description_of(ask)
        if ask.pop("SriovNetSupport", "simple") != "simple" or i.root != device.get("DeviceName"):
            raise Refused(400, "InvalidParameterValue", "sriov or root device")
        if dry:
            raise Refused(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")
        self.images[i.id] = i
        self.changes.append(("register", i.id))
        return {"imageId": i.id}

    def _unused(self, name, region):
        for i in self.images.values():
            if i.name == name and i.region == region:
                raise Refused(400, "InvalidAMIName.Duplicate", f"AMI name {name} is already in use "
                              f"by AMI {i.id}")

    def _image(self, ask, region):
        i = self.images.get(ask.pop("ImageId", ""))
        if not i or i.region != region or time.monotonic() - i.born < self.image_settle:
            raise Refused(400, "InvalidAMIID.NotFound", "The image id does not exist")
        return i

    def _DeregisterImage(self, ask, region):
        i = self._image(ask, region)
        del self.images[i.id]
        out = {"return": True}
        if ask.pop("DeleteAssociatedSnapshots", "false") == "true":
            used = any(o.snapshot == i.snapshot for o in self.images.values())
            if not used:
                self.snapshots.pop(i.snapshot, None)
            out["deleteSnapshotResultSet"] = [{"snapshotId": i.snapshot,
                                               "returnCode": "skipped" if used else "success"}]
        self.changes.append(("deregister", i.id))
        return out

    def _DeleteSnapshot(self, ask, region):
        s = self.snapshots.get(ask.pop("SnapshotId", ""))
        if not s or s.region != region:
            raise Refused(400, "InvalidSnapshot.NotFound", "The snapshot does not exist.")
        if any(i.snapshot == s.id for i in self.images.values()):
            raise Refused(400, "InvalidSnapshot.InUse", f"The snapshot {s.id} is currently in use")
        del self.snapshots[s.id]
        self.changes.append(("delete", s.id))
        return {"return": True}

    def _CopyImage(self, ask, region):
        token, source = ask.pop("ClientToken", ""), ask.pop("SourceRegion", "")
        src = self.images.get(ask.pop("SourceImageId", ""))
        name = ask.pop("Name", "")
        if not src or src.region != source:
            raise Refused(400, "InvalidAMIID.NotFound", "The image does not exist")
        if len(token) > 128 or not NAME.match(name):
            raise Refused(400, "InvalidParameterValue", "token or name")
        tags = dict(src.tags) if ask.pop("CopyImageTags", "") == "true" else {}
        rest = (source, src.id, name, ask.pop("Encrypted", ""), description_of(ask))
        if (region, token) in self.copy_tokens:
            was, made = self.copy_tokens[region, token]
            if was != rest:
                raise Refused(400, "IdempotentParameterMismatch", "another request had this token")
            return {"imageId": made}
        self._unused(name, region)
        i = Image("ami-" + uuid.uuid4().hex[:17], region, name, "snap-" + uuid.uuid4().hex[:17], tags,
                  src.arch, src.virtualization, src.boot, src.ena, src.imds, src.tpm, src.uefi_data, src.root, src.device)
        self.images[i.id] = i
        self.copy_tokens[region, token] = (rest, i.id)
        return {"imageId": i.id}

    def _ModifyImageAttribute(self, ask, region):
        i = self._image(ask, region)
        snapshot = self.snapshots.get(i.snapshot)
        if snapshot and default_key(snapshot):
            raise Refused(400, "InvalidParameter", "Snapshots encrypted with the AWS Managed CMK can't be "
                          "shared. Specify another snapshot.")
        i.shared.add(account(ask.pop("LaunchPermission.Add.1.UserId", "")))
        return {"return": True}

    def _ModifySnapshotAttribute(self, ask, region):
        s = self.snapshots.get(ask.pop("SnapshotId", ""))
        if not s or s.region != region:
            raise Refused(400, "InvalidSnapshot.NotFound", "The snapshot does not exist.")
        if (ask.pop("Attribute", ""), ask.pop("OperationType", "")) != ("createVolumePermission", "add"):
            raise Refused(400, "InvalidParameterValue", "attribute")
        if default_key(s):
            raise Refused(400, "OperationNotPermitted", "Encrypted snapshots with EBS default key cannot be "
                          "shared")
        s.shared.add(account(ask.pop("UserId.1", "")))
        return {"return": True}

    def _CreateTags(self, ask, region):
        name = ask.pop("ResourceId.1", "")
        thing = self.images.get(name) or self.snapshots.get(name)
        if not thing or thing.region != region:
            raise Refused(400, "InvalidID", f"The ID '{name}' is not valid")
        tags = {**thing.tags, **tags_of(ask, "", "")}
        if tag_fault(tags):
            raise Refused(400, *tag_fault(tags))
        thing.tags.update(tags)
        return {"return": True}

    def _EnableImageDeprecation(self, ask, region):
        i, at = self._image(ask, region), ask.pop("DeprecateAt", "")
        try:
            when = time.strptime(at, "%Y-%m-%dT%H:%M:%SZ")
        except ValueError:
            raise Refused(400, "InvalidParameterValue", f"{at!r} is not a time") from None
        ahead = calendar.timegm(when) - time.time()
        if not 0 < ahead <= TEN_YEARS:
            raise Refused(400, "InvalidParameterValue", "The date must be in the future, and at most 10 years "
                          "from now")
        i.deprecated = at
        return {"return": True}

    # --- SSM, JSON 1.1 ---
    def _ssm(self, req, region):
        ask, target = model.check_json("ssm", req), req.get("x-amz-target", "")
        if target == "AmazonSSM.PutParameter":
            if ask.get("DataType") == "aws:ec2:image" and not (
                    ask["Value"] in self.images and self.images[ask["Value"]].region == region):
                raise Refused(400, "ValidationException", "no such image")
            if ask["Type"] != "String" or ((region, ask["Name"]) in self.parameters
                                           and not ask.get("Overwrite")):
                raise Refused(400, "ParameterAlreadyExists", "")
            self.parameters[region, ask["Name"]] = ask["Value"]
            out = {"Version": 1, "Tier": "Standard"}
        elif target == "AmazonSSM.GetParameter":
            if (region, ask["Name"]) not in self.parameters:
                raise Refused(400, "ParameterNotFound", "")
            out = {"Parameter": {"Name": ask["Name"], "Value": self.parameters[region, ask["Name"]]}}
        else:
            raise Refused(400, "UnknownOperationException", target)
        return Response(200, json.dumps(out), [("Content-Type", "application/x-amz-json-1.1")])

    @staticmethod
    def ssm_error(why):
        return Response(400, json.dumps({"__type": why.code, "message": why.message}),
                        [("Content-Type", "application/x-amz-json-1.1")])


def default_key(snapshot):
    """Whether the account's own key for EBS encrypts it: nobody else can ever use that."""
    return snapshot.encrypted and not snapshot.request.get("KmsKeyArn")


def not_validated(_why):
    return Refused(401, "AuthFailure", "AWS was not able to validate the provided access credentials")


EC2_AUTH = {
    "InvalidAccessKeyId": not_validated, "InvalidToken": not_validated, "SignatureDoesNotMatch": not_validated,
    "AccessDenied": lambda _why: Refused(400, "MissingParameter", "The request must contain the parameter "
                                         "AWSAccessKeyId"),
    "AuthorizationHeaderMalformed": not_validated,
    "ExpiredToken": lambda _why: Refused(400, "RequestExpired", "Request has expired."),
    "InvalidSignatureException": lambda why: not_validated(why) if "not yet" in why.message else Refused(
        400, "RequestExpired", "Request has expired."),
}


def account(text):
    if not re.fullmatch(r"\d{12}", text):
        raise Refused(400, "InvalidAMIAttributeItemValue", f"Invalid attribute item value {text!r}")
    return text


def tag_matches(thing, key, value):
    if key == "tag-key":
        return value in thing.tags
    if not key.startswith("tag:"):
        raise Refused(400, "InvalidParameterValue", f"The filter '{key}' is invalid")
    return thing.tags.get(key[4:]) == value


def tag_set(tags):
    return [{"key": k, "value": v} for k, v in tags.items()]


def show_snapshot(s):
    return {"snapshotId": s.id, "status": s.status, "statusMessage": s.message,
            "volumeSize": s.gib, "encrypted": s.encrypted, "tagSet": tag_set(s.tags)}


def show_image(i):
    return {"imageId": i.id, "creationDate": i.made, "name": i.name, "imageState": i.state, "architecture": i.arch,
            "bootMode": i.boot, "tpmSupport": i.tpm, "description": i.description, "stateReason":
            {"message": i.reason} if i.reason else "", "tagSet": tag_set(i.tags),
            "blockDeviceMapping": [{"deviceName": i.root, "ebs": {"snapshotId": i.snapshot}}]}
