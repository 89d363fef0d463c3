"""Random requests, and what AWS's own C signer (awscrt) makes of them."""
import datetime
import hashlib
import random
from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from awscrt import auth, http

SERVICES = (("s3", "s3"), ("s3", "s3"), ("ec2", "ec2"), ("secretsmanager", "secretsmanager"),
            ("execute-api", "abc.execute-api"))
REGIONS = ("eu-west-1", "us-east-1", "cn-north-1", "us-gov-west-1", "ap-southeast-2")
# Everything a key or a parameter may hold: reserved, unreserved, blanks, quotes, percent, several planes.
ALPHABET = "abcXYZ019-_.~ !\"#$%&'()*+,:;<=>?@[\\]^`{|}/ü日\U0001f600\x7f"


@dataclass
class Request:
    service: str
    region: str
    method: str
    host: str
    path: str          # as it goes over the wire: percent-encoded
    query: list        # decoded pairs
    headers: list
    body: bytes
    access_key: str
    secret: str
    token: str
    stamp: str         # 20260102T030405Z
    presign: int       # seconds, 0: sign in the header
    unsigned: bool     # S3: do not sign the payload

    @property
    def wire_query(self):
        return "&".join(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in self.query)

    @property
    def target(self):
        return self.path + ("?" + self.wire_query if self.query else "")

    @property
    def body_hash(self):
        return "UNSIGNED-PAYLOAD" if self.unsigned else hashlib.sha256(self.body).hexdigest()

    @property
    def date(self):
        return datetime.datetime.strptime(self.stamp, "%Y%m%dT%H%M%SZ").replace(
            tzinfo=datetime.timezone.utc)


def text(rng, low, high, alphabet=ALPHABET):
    return "".join(rng.choice(alphabet) for _ in range(rng.randint(low, high)))


def random_path(rng, service):
    raw = "/" + "/".join(text(rng, 0 if rng.random() < 0.1 else 1, 12, ALPHABET.replace("/", ""))
                         for _ in range(rng.randint(1, 4)))
    if rng.random() < 0.2:
        raw += rng.choice(("/", "/.", "/..", "/../x", "//", "/./y", "/a/../b"))
    return quote(raw, safe="/-_.~")


def random_request(rng, when=None, presign=None):
    service, prefix = rng.choice(SERVICES)
    region = rng.choice(REGIONS)
    names = set()
    while rng.random() < 0.6 and len(names) < 5:
        names.add(text(rng, 1, 8, ALPHABET))
    query = [(n, text(rng, 0, 10)) for n in sorted(names, key=lambda _: rng.random())]
    headers = []
    if rng.random() < 0.5:
        value = " ".join(text(rng, 1, 6, "abcXYZ019=/,;\"'") for _ in range(rng.randint(1, 3)))
        headers.append(("X-Amz-Meta-Note", " " * rng.randint(0, 2) + value.replace(" ", "  ")))
    if rng.random() < 0.5:
        headers.append(("x-amz-expected-bucket-owner", "%012d" % rng.randrange(10**12)))
    if rng.random() < 0.3:
        headers.append(("Content-Type", "application/x-amz-json-1.1"))
    if presign is None:
        presign = rng.randint(1, 604800) if rng.random() < 0.3 else 0
    when = when if when is not None else rng.randrange(1_500_000_000, 2_000_000_000)
    stamp = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).strftime("%Y%m%dT%H%M%SZ")
    method = rng.choice(("GET", "HEAD", "PUT", "POST"))
    body = text(rng, 0, 40).encode() if method in ("PUT", "POST") and not presign else b""
    return Request(service, region, method, f"{prefix}.{region}.amazonaws.com" +
                   rng.choice(("", "", ":8080")), random_path(rng, service), query, headers, body,
                   "ASIA" + text(rng, 16, 16, "ABCDEFGH234567"), text(rng, 40, 40, "abcXYZ019+/"),
                   text(rng, 20, 200, "abcXYZ019+/=") if rng.random() < 0.7 else "", stamp, presign,
                   service == "s3" and (bool(presign) or rng.random() < 0.2))


def sign(req):
    """Return (target, headers) as awscrt sends them."""
    s3 = req.service == "s3"
    kind = auth.AwsSignatureType
    headers = [("Host", req.host), *req.headers]
    config = auth.AwsSigningConfig(
        auth.AwsSigningAlgorithm.V4,
        kind.HTTP_REQUEST_QUERY_PARAMS if req.presign else kind.HTTP_REQUEST_HEADERS,
        auth.AwsCredentialsProvider.new_static(req.access_key, req.secret, req.token or None),
        req.region, req.service, date=req.date, use_double_uri_encode=not s3,
        should_normalize_uri_path=not s3, signed_body_value=req.body_hash,
        signed_body_header_type=(auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256
                                 if s3 and not req.presign else auth.AwsSignedBodyHeaderType.NONE),
        expiration_in_seconds=req.presign or None)
    message = http.HttpRequest(req.method, req.target, http.HttpHeaders(headers))
    signed = auth.aws_sign_request(message, config).result(20)
    return signed.path, list(signed.headers)


def signature(target, headers):
    """The 64 hex digits, wherever they are."""
    for name, value in headers:
        if name.lower() == "authorization":
            return value.rpartition("Signature=")[2]
    return urlsplit(target).query.rpartition("X-Amz-Signature=")[2][:64]


def requests(n, seed=1, **kw):
    rng = random.Random(seed)
    return [random_request(rng, **kw) for _ in range(n)]
