"""S3's operations on whole buckets, mixed into aws.Aws: making one, what guards it, its versions, and deleting these.

`account` is whose the credentials are; `forbidden`: actions that they may not do, "s3:CreateBucket". `calls` has each
operation that changed something.
"""
import json
import time
import xml.etree.ElementTree as ET
from xml.sax.saxutils import escape

from .httpd import Response
from .sigcheck import Refused, fields

NS = "{http://s3.amazonaws.com/doc/2006-03-01/}"
GUARDS = {"versioning": "s3:PutBucketVersioning", "publicAccessBlock": "s3:PutBucketPublicAccessBlock", "policy": "s3:PutBucketPolicy"}


def flat(body, root):
    """{tag: text} of a small document."""
    try:
        top = ET.fromstring(body)
    except ET.ParseError:
        raise Refused(400, "MalformedXML", "The XML you provided was not well-formed") from None
    if top.tag != NS + root:
        raise Refused(400, "MalformedXML", f"expected {root} in S3's namespace, found {top.tag}")
    return {child.tag.removeprefix(NS): child.text for child in top}


class BucketAnswers:
    account = "123456789012"

    def _may(self, action, bucket):
        if action in self.forbidden:
            raise Refused(403, "AccessDenied", f"User: arn:aws:iam::{self.account}:user/somebody is not authorized to perform: {action} on "
                          f"resource: \"arn:aws:s3:::{bucket}\"")

    def _make_bucket(self, req, name, claim):
        self._may("s3:CreateBucket", name)
        old = self.buckets.get(name)
        if old and old.owner != self.account:
            raise Refused(409, "BucketAlreadyExists", "The requested bucket name is not available. The bucket namespace is shared by all users of "
                          "the system. Please select a different name and try again.", BucketName=name)
        if old:
            raise Refused(409, "BucketAlreadyOwnedByYou", "Your previous request to create the named bucket succeeded and you already own it.",
                          BucketName=name)
        where = flat(req.body, "CreateBucketConfiguration").get("LocationConstraint") if req.body else "us-east-1"
        if where != claim.region or (where == "us-east-1" and req.body):
            raise Refused(400, "IllegalLocationConstraintException", f"The {where} location constraint is incompatible for the region specific "
                          "endpoint this request was sent to.")
        self.bucket(name, region=where, owner=self.account)
        self.calls.append(("make", name))
        return Response(200, b"", [("Location", f"/{name}")])

    def _bucket_call(self, req, bucket):
        """An operation on the bucket that its query names, or None."""
        ask = dict(fields(req.query))
        if req.method == "GET" and set(ask) == {b"versioning"}:
            self._may("s3:GetBucketVersioning", bucket.name)
            status = "<Status>Enabled</Status>" if bucket.versioned else ""
            return self._xml(f'<VersioningConfiguration xmlns="{NS[1:-1]}">{status}</VersioningConfiguration>')
        if req.method == "GET" and b"versions" in ask:
            return self._versions(bucket, ask)
        if req.method == "PUT" and len(ask) == 1:
            return self._guard(req, bucket, next(iter(ask)).decode())
        return None

    def _guard(self, req, bucket, what):
        if what not in GUARDS:
            return None
        self._may(GUARDS[what], bucket.name)
        if req.get("x-amz-checksum-sha256") is None and req.get("content-md5") is None:
            raise Refused(400, "InvalidRequest", "Missing required header for this request: Content-MD5 OR x-amz-checksum-*")
        self._check_sums(req)
        if what == "versioning":
            if flat(req.body, "VersioningConfiguration") != {"Status": "Enabled"}:
                raise Refused(400, "MalformedXML", "expected Status")
            bucket.versioned = True
        elif what == "publicAccessBlock":
            names = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")
            bucket.guards[what] = flat(req.body, "PublicAccessBlockConfiguration")
            if set(bucket.guards[what]) != set(names):
                raise Refused(400, "MalformedXML", "expected the four switches")
        else:
            try:
                bucket.guards[what] = json.loads(req.body)
            except ValueError:
                raise Refused(400, "MalformedPolicy", "This policy contains invalid Json") from None
            for s in bucket.guards[what]["Statement"]:
                for r in s["Resource"]:
                    if r.removesuffix("/*") != f"arn:aws:s3:::{bucket.name}":
                        raise Refused(400, "MalformedPolicy", "Policy has invalid resource")
        self.calls.append((what, bucket.name))
        return Response(204 if what == "policy" else 200, b"")

    def _versions(self, bucket, ask):
        self._may("s3:ListBucketVersions", bucket.name)
        unknown = set(ask) - {b"versions", b"prefix", b"max-keys"}
        if unknown:
            raise Refused(501, "NotImplemented", f"this fake doesn't know {unknown}")
        most, prefix = int(ask.get(b"max-keys", b"1000")), ask.get(b"prefix", b"")
        all_of = [(k, v) for k in sorted(bucket.objects) if k.startswith(prefix) for v in reversed(bucket.objects[k])]
        text = f"<Name>{bucket.name}</Name><Prefix>{escape(prefix.decode())}</Prefix><KeyMarker/><VersionIdMarker/><MaxKeys>{most}</MaxKeys>" \
               f"<IsTruncated>{str(len(all_of) > most).lower()}</IsTruncated>"
        for key, v in all_of[:most]:
            kind, etag = ("DeleteMarker", "") if v.marker else ("Version", f"<ETag>{escape(v.etag)}</ETag><Size>{len(v.body)}</Size>")
            when = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(v.when))
            text += f"<{kind}><Key>{escape(key.decode())}</Key><VersionId>{v.id}</VersionId><IsLatest>{str(v is bucket.objects[key][-1]).lower()}" \
                    f"</IsLatest><LastModified>{when}</LastModified>{etag}<Owner><ID>1</ID></Owner></{kind}>"
        return self._xml(f'<ListVersionsResult xmlns="{NS[1:-1]}">{text}</ListVersionsResult>')

    def _delete(self, req, bucket, key):
        wanted = dict(fields(req.query)).get(b"versionId")
        if wanted is None:
            raise Refused(501, "NotImplemented", "this fake deletes versions only")
        self._may("s3:DeleteObjectVersion", bucket.name)
        left = [v for v in bucket.objects.get(key, []) if v.id != wanted.decode()]
        self.calls.append(("delete", key.decode()))
        if left:
            bucket.objects[key] = left
        else:
            bucket.objects.pop(key, None)
        return Response(204, b"", [("x-amz-version-id", wanted.decode())])

    @staticmethod
    def _xml(text):
        return Response(200, '<?xml version="1.0" encoding="UTF-8"?>\n' + text, [("Content-Type", "application/xml")])
