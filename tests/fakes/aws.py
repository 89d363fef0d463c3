"""S3 and Secrets Manager as strict as AWS: signature, session token, region, owner, version, conditions.

    with Aws(keys=[Key("ASIA…", "secret", "token")]) as aws:
        aws.bucket("conf", region="eu-central-1").put("a/b.yaml", b"…")
        AWS_ENDPOINT_URL=aws.url hpc-agent fetch s3://conf/a/b.yaml

Path style and virtual-host style (BUCKET.s3.localhost) are both answered. `endpoint_region` is the
region this endpoint stands for; a request signed for another region than the bucket's is answered as
AWS answers it: 301 PermanentRedirect when it was signed for the endpoint's own region, 400
AuthorizationHeaderMalformed with <Region> when it was signed for a third one. Under AWS's own names
([BUCKET.]s3[.dualstack].REGION.amazonaws.com) the name tells the region, and a bucket of another
region is not served there.
"""
import base64
import email.utils
import hashlib
import json
import re
import threading
import time
import uuid
import zlib
from dataclasses import dataclass, field
from urllib.parse import unquote_to_bytes
from xml.sax.saxutils import escape

from . import model
from .buckets import BucketAnswers
from .httpd import Response, Server
from .sigcheck import Refused, fields, verify

BUCKET_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{1,61}[a-z0-9]\Z")
HOST_SUFFIX = ".s3.localhost"
AWS_HOST = re.compile(r"(?:(?P<bucket>.+)\.)?s3(?:\.dualstack)?\.(?P<region>[a-z]{2}-[a-z0-9-]+)"
                      r"\.amazonaws\.com(?:\.cn)?\Z")
RANGE = re.compile(r"bytes=(?:(?P<first>\d+)-(?P<last>\d*)|-(?P<suffix>\d+))\Z")


@dataclass
class Version:
    body: bytes
    id: str = "null"
    when: float = field(default_factory=time.time)
    marker: bool = False  # it says that the object was deleted

    @property
    def etag(self):
        return '"' + hashlib.md5(self.body).hexdigest() + '"'


@dataclass
class Bucket:
    name: str
    region: str = "eu-west-1"
    owner: str = "123456789012"
    versioned: bool = False
    may_list: bool = True
    denied: bool = False
    objects: dict = field(default_factory=dict)
    guards: dict = field(default_factory=dict)  # its policy, and what keeps the public out

    def put(self, key, body):
        """Store `body` under `key` (text or bytes); return the version id."""
        key = key.encode() if isinstance(key, str) else key
        v = Version(body, uuid.uuid4().hex if self.versioned else "null")
        old = self.objects.get(key, []) if self.versioned else []
        self.objects[key] = old + [v]
        return v.id


class Aws(BucketAnswers, Server):
    def __init__(self, keys, address="127.0.0.1", port=0, endpoint_region="eu-west-1", **kw):
        super().__init__(self._answer, address, port, **kw)
        self.keys, self.endpoint_region, self.skew = list(keys), endpoint_region, 0
        self.ranges = True  # False: as the S3 of others that answer every GET with the whole
        self.buckets, self.secrets, self.data = {}, {}, threading.Lock()
        self.forbidden, self.calls = set(), []

    def now(self):
        """The service's clock: `skew` seconds off ours."""
        return time.time() + self.skew

    def bucket(self, name, **kw):
        self.buckets[name] = Bucket(name, **kw)
        return self.buckets[name]

    def secret(self, name, value, region="eu-west-1", account="123456789012"):
        """Keep a secret (text or bytes); return its ARN."""
        arn = f"arn:aws:secretsmanager:{region}:{account}:secret:{name}-AbCdEf"
        self.secrets[arn] = (name, region, value, str(uuid.uuid4()))
        return arn

    def _answer(self, req):
        with self.data:
            if req.get("x-amz-target") is not None:
                resp = self._secrets(req)
            else:
                resp = self._s3(req)
        resp.headers.append(("Date", email.utils.formatdate(self.now(), usegmt=True)))
        return resp

    # --- S3 ---
    def _s3(self, req):
        ids = [("x-amz-request-id", uuid.uuid4().hex[:16].upper()),
               ("x-amz-id-2", base64.b64encode(uuid.uuid4().bytes).decode()),
               ("Server", "AmazonS3")]
        try:
            resp = self._s3_object(req)
        except Refused as why:
            resp = s3_error(req, why)
        resp.headers = ids + resp.headers
        return resp

    def _s3_target(self, req):
        host = req.get("host").rsplit(":", 1)[0].lower()
        path, real = req.path[1:], AWS_HOST.match(host)
        if host.endswith(HOST_SUFFIX):
            name, key = host[:-len(HOST_SUFFIX)], path
        elif real and real["bucket"]:
            name, key = real["bucket"], path
        else:
            name, _, key = path.partition("/")
        if not BUCKET_NAME.match(name):
            raise Refused(400, "InvalidBucketName", "The specified bucket is not valid.",
                          BucketName=name)
        if req.method == "PUT" and not key and not req.query:
            return name, b""
        if name not in self.buckets:
            raise Refused(404, "NoSuchBucket", "The specified bucket does not exist",
                          BucketName=name)
        return self.buckets[name], unquote_to_bytes(key)

    def _s3_object(self, req):
        claim, _ = verify(req, self.keys, "s3", self.now())
        bucket, key = self._s3_target(req)
        if isinstance(bucket, str):
            return self._make_bucket(req, bucket, claim)
        self._region(claim, bucket, req)
        owner = req.get("x-amz-expected-bucket-owner")
        if bucket.denied or (owner is not None and owner != bucket.owner):
            raise Refused(403, "AccessDenied", "Access Denied")
        if not key and req.method == "GET" and (b"list-type", b"2") in fields(req.query):
            return self._list(bucket, dict(fields(req.query)))
        if not key:
            resp = self._bucket_call(req, bucket)
            if resp is None:
                raise Refused(501, "NotImplemented", f"This fake doesn't know {req.method} {req.target}")
            return resp
        if req.method == "DELETE":
            return self._delete(req, bucket, key)
        if req.method == "PUT":
            self._may("s3:PutObject", bucket.name)
            return self._put(req, bucket, key)
        if req.method in ("GET", "HEAD"):
            return self._get(req, bucket, key)
        raise Refused(405, "MethodNotAllowed", "The specified method is not allowed against this "
                      "resource.", Method=req.method)

    def _region(self, claim, bucket, req):
        more = {"_headers": [("x-amz-bucket-region", bucket.region)]}
        named = AWS_HOST.match(req.get("host").rsplit(":", 1)[0].lower())
        here = named["region"] if named else self.endpoint_region
        if named and claim.region != here:
            raise Refused(400, "AuthorizationHeaderMalformed", "The authorization header is "
                          f"malformed; the region '{claim.region}' is wrong; expecting '{here}'",
                          Region=here)
        if claim.region == bucket.region:
            return
        if claim.region == here:
            raise Refused(301, "PermanentRedirect", "The bucket you are attempting to access must "
                          "be addressed using the specified endpoint. Please send all future "
                          "requests to this endpoint.", Bucket=bucket.name,
                          Endpoint=f"{bucket.name}.s3.{bucket.region}.amazonaws.com", **more)
        raise Refused(400, "AuthorizationHeaderMalformed", "The authorization header is malformed; "
                      f"the region '{claim.region}' is wrong; expecting '{bucket.region}'",
                      Region=bucket.region, **(more if req.method == "HEAD" else {}))

    def _list(self, bucket, ask):
        """ListObjectsV2, one page of it, in the order of the keys' bytes."""
        if not bucket.may_list:
            raise Refused(403, "AccessDenied", "Access Denied")
        unknown = set(ask) - {b"list-type", b"prefix", b"max-keys"}
        if unknown:
            raise Refused(501, "NotImplemented", f"this fake doesn't know {unknown}")
        most, prefix = int(ask.get(b"max-keys", b"1000")), ask.get(b"prefix", b"")
        keys = sorted(k for k in bucket.objects if k.startswith(prefix))
        text = f"<Name>{bucket.name}</Name><Prefix>{escape(prefix.decode())}</Prefix><KeyCount>{len(keys[:most])}</KeyCount>" \
               f"<MaxKeys>{most}</MaxKeys><IsTruncated>{str(len(keys) > most).lower()}</IsTruncated>"
        for key in keys[:most]:
            v = bucket.objects[key][-1]
            text += f"<Contents><Key>{escape(key.decode())}</Key><LastModified>2026-01-31T12:00:00.000Z</LastModified>" \
                    f"<ETag>{escape(v.etag)}</ETag><Size>{len(v.body)}</Size><StorageClass>STANDARD</StorageClass></Contents>"
        return Response(200, '<?xml version="1.0" encoding="UTF-8"?>\n<ListBucketResult xmlns="http://s3.amazonaws.com/doc/'
                        f'2006-03-01/">{text}</ListBucketResult>', [("Content-Type", "application/xml")])

    @staticmethod
    def _check_sums(req):
        check_sums(req)

    def _put(self, req, bucket, key):
        if req.get("content-length") is None:
            raise Refused(411, "MissingContentLength",
                          "You must provide the Content-Length HTTP header.")
        match = req.get("if-none-match")
        if match is not None and match != "*":
            raise Refused(501, "NotImplemented", "A header you provided implies functionality that "
                          "is not implemented", Header="If-None-Match")
        if match == "*" and key in bucket.objects:
            raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you "
                          "specified did not hold", Condition="If-None-Match")
        check_sums(req)
        bucket.put(key, req.body)
        return Response(200, b"", [("ETag", bucket.objects[key][-1].etag), *version_header(bucket, key)])

    def _find(self, req, bucket, key):
        wanted = dict(fields(req.query)).get(b"versionId")
        have = bucket.objects.get(key, [])
        if wanted is not None:
            wanted = wanted.decode("latin-1")
            if not re.fullmatch(r"[A-Za-z0-9_.\-]+", wanted):
                raise Refused(400, "InvalidArgument", "Invalid version id specified",
                              ArgumentName="versionId", ArgumentValue=wanted)
            for v in have:
                if v.id == wanted:
                    return v
            raise Refused(404, "NoSuchVersion", "The specified version does not exist.",
                          VersionId=wanted)
        if not have:
            if not bucket.may_list:
                raise Refused(403, "AccessDenied", "Access Denied")
            raise Refused(404, "NoSuchKey", "The specified key does not exist.",
                          Key=key.decode("utf-8", "replace"))
        return have[-1]

    def _get(self, req, bucket, key):
        v = self._find(req, bucket, key)
        if req.get("if-match") not in (None, v.etag, "*"):
            raise Refused(412, "PreconditionFailed", "At least one of the pre-conditions you "
                          "specified did not hold", Condition="If-Match")
        headers = [("ETag", v.etag), ("Accept-Ranges", "bytes"),
                   ("Last-Modified", email.utils.formatdate(v.when, usegmt=True)),
                   ("Content-Type", "binary/octet-stream")]
        if bucket.versioned:
            headers.append(("x-amz-version-id", v.id))
        if req.get("if-none-match") == v.etag:
            return Response(304, b"", headers)
        m = RANGE.match(req.get("range", "")) if self.ranges else None
        if not m:
            return Response(200, v.body, sized(headers, v.body))
        end = len(v.body)
        first = int(m["first"]) if m["first"] else max(end - int(m["suffix"]), 0)
        last = min(int(m["last"] or end), end - 1)
        if m["last"] and int(m["last"]) < first:
            return Response(200, v.body, sized(headers, v.body))  # no range at all: RFC 9110, 14.1.1
        if first > last:
            raise Refused(416, "InvalidRange", "The requested range is not satisfiable")
        part = v.body[first:last + 1]
        headers.append(("Content-Range", f"bytes {first}-{last}/{len(v.body)}"))
        return Response(206, part, sized(headers, part))

    # --- Secrets Manager, JSON 1.1 ---
    def _secrets(self, req):
        try:
            return self._get_secret(req)
        except Refused as why:
            code = JSON_CODES.get(why.code, why.code)
            body = json.dumps({"__type": code, "message": why.message})
            return Response(500 if why.status >= 500 else 400, body,
                            [("Content-Type", "application/x-amz-json-1.1"),
                             ("x-amzn-RequestId", str(uuid.uuid4()))])

    def _get_secret(self, req):
        if req.method != "POST" or req.path != "/":
            raise Refused(404, "UnknownOperationException", "")
        if req.get("content-type") != "application/x-amz-json-1.1":
            raise Refused(404, "UnknownOperationException", "")
        claim, _ = verify(req, self.keys, "secretsmanager", self.now())
        if req.get("x-amz-target") != "secretsmanager.GetSecretValue":
            raise Refused(400, "UnknownOperationException", "")
        name = model.check_json("secretsmanager", req)["SecretId"]
        for arn, (short, region, value, version) in self.secrets.items():
            if region == claim.region and name in (arn, short):
                return secret_response(arn, short, value, version)
        raise Refused(400, "ResourceNotFoundException",
                      "Secrets Manager can't find the specified secret.")


JSON_CODES = {"SignatureDoesNotMatch": "InvalidSignatureException",
              "InvalidAccessKeyId": "UnrecognizedClientException",
              "InvalidToken": "UnrecognizedClientException",
              "ExpiredToken": "ExpiredTokenException",
              "AccessDenied": "MissingAuthenticationTokenException",
              "AuthorizationHeaderMalformed": "IncompleteSignatureException"}


def secret_response(arn, name, value, version):
    out = {"ARN": arn, "Name": name, "VersionId": version, "VersionStages": ["AWSCURRENT"],
           "CreatedDate": 1.7e9}
    if isinstance(value, bytes):
        out["SecretBinary"] = base64.b64encode(value).decode()
    else:
        out["SecretString"] = value
    return Response(200, json.dumps(out), [("Content-Type", "application/x-amz-json-1.1"),
                                           ("x-amzn-RequestId", str(uuid.uuid4()))])


def check_sums(req):
    """Content-MD5 and one x-amz-checksum-*: what is said of a body must be true of it."""
    md5 = req.get("content-md5")
    if md5 is not None and md5 != base64.b64encode(hashlib.md5(req.body).digest()).decode():
        raise Refused(400, "BadDigest", "The Content-MD5 you specified did not match what we received.")
    given = [(k.lower(), v) for k, v in req.headers if k.lower().startswith("x-amz-checksum-")]
    if len(given) > 1:
        raise Refused(400, "InvalidRequest", "Expecting a single x-amz-checksum- header")
    for name, value in given:
        make = SUMS.get(name.removeprefix("x-amz-checksum-"))
        if not make:
            raise Refused(501, "NotImplemented", f"this fake can't compute {name}")
        if value != base64.b64encode(make(req.body)).decode():
            raise Refused(400, "BadDigest", f"The {name} you specified did not match what we received.")


SUMS = {"sha256": lambda b: hashlib.sha256(b).digest(), "sha1": lambda b: hashlib.sha1(b).digest(),
        "crc32": lambda b: zlib.crc32(b).to_bytes(4, "big")}


def sized(headers, body):
    return headers + [("Content-Length", len(body))]


def version_header(bucket, key):
    return [("x-amz-version-id", bucket.objects[key][-1].id)] if bucket.versioned else []


def s3_error(req, why):
    """The error as S3 sends it; HEAD has no body, so it has no code either."""
    more = dict(why.more)
    headers = [("Content-Type", "application/xml")] + more.pop("_headers", [])
    text = '<?xml version="1.0" encoding="UTF-8"?>\n<Error>'
    for k, v in {"Code": why.code, "Message": why.message, **more,
                 "RequestId": "TESTREQUESTID000", "HostId": "aG9zdA=="}.items():
        text += f"<{k}>{escape(str(v))}</{k}>"
    body = (text + "</Error>").encode("utf-8", "surrogateescape")
    if req.method == "HEAD":
        body = b""
    return Response(why.status, body, headers)
