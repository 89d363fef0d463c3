"""Verifies SigV4 the way AWS does: decode what came over the wire, encode it again canonically, compare.

String to sign, key derivation and header canonicalisation are botocore's; the path and query are
rebuilt here from the decoded request, because a server sees bytes and not what a client meant.
Anything wrong raises Refused with AWS's status, code and message.
"""
import calendar
import hashlib
import hmac
import re
import time
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import normalize_url_path

SKEW_MAX = {"s3": 900}
SKEW_MAX_OTHER = 300
STAMP = re.compile(r"\d{8}T\d{6}Z\Z")
AUTH = re.compile(r"AWS4-HMAC-SHA256 +Credential=([^,\s]+), *SignedHeaders=([^,\s]+), *"
                  r"Signature=([0-9a-f]{64})\Z")
QUERY_AUTH = ("X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Date", "X-Amz-Expires",
              "X-Amz-SignedHeaders", "X-Amz-Signature")
EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()


class Refused(Exception):
    def __init__(self, status, code, message, **more):
        super().__init__(f"{code}: {message}")
        self.status, self.code, self.message, self.more = status, code, message, more


@dataclass
class Key:
    """One set of credentials the service knows."""
    access_key: str
    secret: str
    token: str = ""
    expires: float = 0


@dataclass
class Claim:
    """What a request says about its own signature."""
    access_key: str
    date: str
    region: str
    service: str
    stamp: str
    signed: list
    signature: str
    token: str
    presigned: bool
    expires: int = 0


def fields(query):
    """The query string as decoded pairs; a '+' is a plus, as S3 reads it."""
    pairs = [p.partition("=") for p in query.split("&") if p]
    return [(unquote_to_bytes(k), unquote_to_bytes(v)) for k, _, v in pairs]


def encode(raw, safe=""):
    return quote(raw, safe=safe + "-_.~")


def canonical_query(query):
    pairs = sorted((encode(k), encode(v)) for k, v in fields(query) if k != b"X-Amz-Signature")
    return "&".join(f"{k}={v}" for k, v in pairs)


def canonical_path(path, service):
    if service == "s3":
        return encode(unquote_to_bytes(path), "/")
    return encode(normalize_url_path(path), "/")


def malformed(text, **more):
    return Refused(400, "AuthorizationHeaderMalformed",
                   "The authorization header is malformed; " + text, **more)


def scope(text, presigned):
    parts = text.rsplit("/", 4)
    if len(parts) != 5 or parts[4] != "aws4_request":
        if presigned:
            raise Refused(400, "AuthorizationQueryParametersError",
                          "Error parsing the X-Amz-Credential parameter; the Credential is "
                          "mal-formed; expecting \"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
        raise malformed("the Credential is mal-formed; expecting "
                        "\"<YOUR-AKID>/YYYYMMDD/REGION/SERVICE/aws4_request\".")
    return parts[:4]


def claim(req):
    """Where the request carries its signature, or Refused when it carries none or two."""
    query = {k.decode("latin-1"): v.decode("latin-1") for k, v in fields(req.query)}
    header = req.get("authorization")
    if header and "X-Amz-Signature" in query:
        raise Refused(400, "InvalidArgument", "Only one auth mechanism allowed; only the "
                      "X-Amz-Algorithm query parameter, Signature query string parameter or the "
                      "Authorization header should be specified")
    if header:
        return header_claim(req, header)
    if "X-Amz-Signature" in query or "X-Amz-Algorithm" in query:
        return query_claim(query)
    raise Refused(403, "AccessDenied", "Access Denied")


def header_claim(req, header):
    m = AUTH.match(header)
    if not m:
        raise malformed("the authorization header requires three components: Credential, "
                        "SignedHeaders, and Signature.")
    stamp = req.get("x-amz-date", "")
    if not STAMP.match(stamp):
        raise Refused(403, "AccessDenied",
                      "AWS authentication requires a valid Date or x-amz-date header")
    who, date, region, service = scope(m[1], False)
    return Claim(who, date, region, service, stamp, m[2].split(";"), m[3],
                 req.get("x-amz-security-token", ""), False)


def query_claim(query):
    if any(name not in query for name in QUERY_AUTH):
        raise Refused(400, "AuthorizationQueryParametersError",
                      "Query-string authentication version 4 requires the X-Amz-Algorithm, "
                      "X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and "
                      "X-Amz-Expires parameters.")
    life = query["X-Amz-Expires"]
    if (query["X-Amz-Algorithm"] != "AWS4-HMAC-SHA256" or not STAMP.match(query["X-Amz-Date"])
            or not life.isdigit() or not 0 < int(life) <= 604800):
        raise Refused(400, "AuthorizationQueryParametersError",
                      "X-Amz-Expires must be between 1 and 604800 seconds")
    who, date, region, service = scope(query["X-Amz-Credential"], True)
    return Claim(who, date, region, service, query["X-Amz-Date"],
                 query["X-Amz-SignedHeaders"].split(";"), query["X-Amz-Signature"],
                 query.get("X-Amz-Security-Token", ""), True, int(life))


def check_time(c, now):
    when = calendar.timegm(time.strptime(c.stamp, "%Y%m%dT%H%M%SZ"))
    if c.stamp[:8] != c.date:
        raise malformed(f"Invalid credential date \"{c.date}\". This date is not the same as "
                        f"X-Amz-Date: \"{c.stamp[:8]}\".")
    if c.presigned and now > when + c.expires:
        raise Refused(403, "AccessDenied", "Request has expired", Expires=iso(when + c.expires),
                      ServerTime=iso(now))
    allowed = SKEW_MAX.get(c.service, SKEW_MAX_OTHER)
    if -allowed <= now - when and (c.presigned or now - when <= allowed):
        return
    if c.service == "s3":
        raise Refused(403, "RequestTimeTooSkewed", "The difference between the request time and "
                      "the current time is too large.", RequestTime=c.stamp, ServerTime=iso(now),
                      MaxAllowedSkewMilliseconds=allowed * 1000)
    here = stamp(now)
    if when < now:
        text = (f"Signature expired: {c.stamp} is now earlier than {stamp(now - allowed)} "
                f"({here} - {allowed // 60} min.)")
    else:
        text = (f"Signature not yet current: {c.stamp} is still later than {stamp(now + allowed)} "
                f"({here} + {allowed // 60} min.)")
    raise Refused(400, "InvalidSignatureException", text)


def stamp(when):
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(when))


def iso(when):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(when))


def check_key(c, keys, now):
    key = next((k for k in keys if k.access_key == c.access_key), None)
    if key is None or (key.token and not c.token):
        raise Refused(403, "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist "
                      "in our records.", AWSAccessKeyId=c.access_key)
    if c.token != key.token:
        raise Refused(400, "InvalidToken", "The provided token is malformed or otherwise invalid.",
                      **{"Token-0": c.token})
    if key.expires and now > key.expires:
        raise Refused(400, "ExpiredToken", "The provided token has expired.",
                      **{"Token-0": c.token})
    return key


def check_signed(req, c):
    """host, and every x-amz-* header that was sent, must be under the signature."""
    sent = {k.lower() for k, _ in req.headers}
    loose = sorted(h for h in sent if h.startswith("x-amz-") and h not in c.signed)
    if "host" not in c.signed or loose or c.signed != sorted(c.signed) or set(c.signed) - sent:
        raise Refused(403, "AccessDenied", "There were headers present in the request which were "
                      "not signed", HeadersNotSigned=", ".join(loose or ["host"]))


def payload_hash(req, c):
    given = req.get("x-amz-content-sha256")
    if c.service != "s3":
        return given or hashlib.sha256(req.body).hexdigest()
    if c.presigned:
        return given or "UNSIGNED-PAYLOAD"
    if given is None:
        raise Refused(400, "InvalidRequest",
                      "Missing required header for this request: x-amz-content-sha256")
    if given == "UNSIGNED-PAYLOAD":
        return given
    if not re.fullmatch(r"[0-9a-f]{64}", given):
        raise Refused(400, "InvalidArgument", "x-amz-content-sha256 must be UNSIGNED-PAYLOAD, "
                      "STREAMING-AWS4-HMAC-SHA256-PAYLOAD, or a valid sha256 value.")
    return given


def check_body(req, given):
    actual = hashlib.sha256(req.body).hexdigest()
    if given != "UNSIGNED-PAYLOAD" and given != actual:
        raise Refused(400, "XAmzContentSHA256Mismatch", "The provided 'x-amz-content-sha256' header "
                      "does not match what was computed.", ClientComputedContentSHA256=given,
                      S3ComputedContentSHA256=actual)


def canonical_request(req, c, body_hash):
    lines = []
    for name in c.signed:
        values = ",".join(" ".join(v.split()) for v in req.all(name))
        lines.append(f"{name}:{values}")
    return "\n".join([req.method, canonical_path(req.path, c.service), canonical_query(req.query),
                      *lines, "", ";".join(c.signed), body_hash])


def verify(req, keys, service, now=None):
    """Return (Claim, Key) of a request whose signature holds for `service` in the region it names."""
    now = time.time() if now is None else now
    c = claim(req)
    check_time(c, now)
    if c.service != service:
        raise malformed(f"incorrect service \"{c.service}\". This endpoint belongs to "
                        f"\"{service}\".")
    key = check_key(c, keys, now)
    check_signed(req, c)
    body_hash = payload_hash(req, c)
    canonical = canonical_request(req, c, body_hash)
    signer = SigV4Auth(Credentials(key.access_key, key.secret), c.service, c.region)
    probe = AWSRequest(req.method, "http://unused/")
    probe.context["timestamp"] = c.stamp
    to_sign = signer.string_to_sign(probe, canonical)
    if not hmac.compare_digest(signer.signature(to_sign, probe), c.signature):
        raise Refused(403, "SignatureDoesNotMatch", "The request signature we calculated does not "
                      "match the signature you provided. Check your key and signing method.",
                      AWSAccessKeyId=c.access_key, StringToSign=to_sign,
                      SignatureProvided=c.signature, CanonicalRequest=canonical)
    check_body(req, body_hash)
    return c, key
