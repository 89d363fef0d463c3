"""The verifying fake agrees with AWS's signer on what is right, and misses no change."""
import random

import pytest

from fakes import httpd
from fakes.sigcheck import Key, Refused, verify
from oracle import requests, sign

NOW = 1_790_000_000
PLENTY = 300


def arrived(req, target=None, headers=None, method=None, body=None):
    if target is None:
        target, headers = sign(req)
    return httpd.Request(method or req.method, target, [(k, v.strip()) for k, v in headers],
                         "127.0.0.1", 1, req.body if body is None else body)


def check(req, got):
    return verify(got, [Key(req.access_key, req.secret, req.token)], req.service, NOW)


@pytest.fixture(scope="module")
def signed():
    rng = random.Random(7)
    out = requests(PLENTY, seed=7, when=NOW + rng.randint(-250, 0))
    return [(r, *sign(r)) for r in out]


def test_accepts_what_awscrt_signs(signed):
    for req, target, headers in signed:
        claim, _ = check(req, arrived(req, target, headers))
        assert claim.region == req.region and claim.presigned == bool(req.presign)


def test_sees_every_change(signed):
    rng = random.Random(9)
    for req, target, headers in signed:
        path, _, query = target.partition("?")
        changes = [dict(method="DELETE"), dict(target=path + "x?" + query if query else path + "x"),
                   dict(target=target + ("&" if query else "?") + "extra=1"),
                   dict(headers=[(k, v + "0" if k == "Host" else v) for k, v in headers])]
        if not req.unsigned and not req.presign and req.service == "s3":
            changes.append(dict(body=req.body + b"x"))
        change = rng.choice(changes)
        got = arrived(req, change.get("target", target), change.get("headers", headers),
                      change.get("method"), change.get("body"))
        with pytest.raises(Refused):
            check(req, got)


def test_time_limits():
    for req in requests(40, seed=3, when=NOW - 1000):
        if req.presign:
            if req.presign < 1000:
                with pytest.raises(Refused, match="Request has expired"):
                    check(req, arrived(req))
        else:
            with pytest.raises(Refused, match="RequestTimeTooSkewed|Signature expired"):
                check(req, arrived(req))
