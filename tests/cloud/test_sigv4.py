"""Our signer beside AWS's own, request by request."""
import os
import subprocess

import pytest

from oracle import Request, requests, sign, signature

MANY = 1500


def hexed(text):
    return "x" + text.encode("utf-8", "surrogateescape").hex()


def describe(req):
    """The request as sign_dump reads it: with the headers a caller of the signer adds."""
    headers = [("Host", req.host), *req.headers, ("X-Amz-Date", req.stamp)]
    if req.service == "s3":
        headers.append(("x-amz-content-sha256", req.body_hash))
    if req.token:
        headers.append(("X-Amz-Security-Token", req.token))
    lines = [f"method {req.method}", f"path {hexed(req.path)}", f"payload {req.body_hash}",
             f"region {req.region}", f"service {req.service}", f"s3 {int(req.service == 's3')}",
             f"date {req.stamp}",
             f"key {hexed(req.access_key)} {hexed(req.secret)} {hexed(req.token)}"]
    lines += [f"query {hexed(k)} {hexed(v)}" for k, v in req.query]
    lines += [f"header {hexed(k)} {hexed(v)}" for k, v in headers]
    return "\n".join(lines) + "\nsign\n"


def ours(reqs):
    program = os.environ.get("SIGN_DUMP")
    assert program, "SIGN_DUMP must name the built sign_dump"
    r = subprocess.run([program], input="".join(map(describe, reqs)), capture_output=True, text=True,
                       timeout=60)
    assert r.returncode == 0 and "Sanitizer" not in r.stderr, r.stderr
    return r.stdout.splitlines()


def compare(reqs):
    lines = ours(reqs)
    assert len(lines) == len(reqs)
    for req, line in zip(reqs, lines):
        target, headers = sign(req)
        want = signature(target, headers)
        assert len(want) == 64
        their = next(v for k, v in headers if k.lower() == "authorization")
        assert line == their, (req, their)


@pytest.mark.parametrize("seed", [1, 2])
def test_random_requests(seed):
    compare(requests(MANY, seed=seed, presign=0))


PATHS = ["/", "//", "/a//b", "/a/./b", "/a/../b", "/../a", "/..", "/.", "/a/..", "/a/.", "/a/b/../..",
         "/a/../..", "/%2E%2E/a", "/a%2Fb", "/a+b", "/~a", "/a/", "/a//", "/%25", "/*'()!"]


@pytest.mark.parametrize("service", ["s3", "execute-api"])
@pytest.mark.parametrize("path", PATHS)
def test_paths(service, path):
    compare([Request(service, "eu-west-1", "GET", "h.example", path, [], [], b"", "AKIDEXAMPLE",
                     "secret", "", "20260102T030405Z", 0, False)])


QUERIES = [[("a", "")], [("a", "2"), ("a", "1")], [("b", "1"), ("a", "2")], [("a-", "1"), ("a", "2")],
           [("a", "1"), ("a.b", "1")], [("A", "1"), ("a", "1")], [("ü", "ñ"), ("z", "1")], [("a", "=&+ %")],
           [("~", "1"), ("%", "2")], [("a0", ""), ("a", "0")], [("a/b", "c/d")]]


@pytest.mark.parametrize("query", QUERIES)
def test_queries(query):
    compare([Request("s3", "eu-west-1", "GET", "h.example", "/k", query, [], b"", "AKIDEXAMPLE", "secret",
                     "token/+=", "20260102T030405Z", 0, False)])


@pytest.mark.parametrize("value", ["a  b", "  a", "a  ", "a\tb", "a   b   c", "\"a  b\"", "a,b", ""])
def test_header_values(value):
    compare([Request("s3", "eu-west-1", "GET", "h.example", "/k", [], [("X-Amz-Meta-A", value), ("A", "1")],
                     b"", "AKIDEXAMPLE", "secret", "", "20260102T030405Z", 0, False)])


def test_longest_secret():
    compare([Request("s3", "eu-west-1", "GET", "h.example", "/k", [], [], b"", "A" * 128, "s" * 128,
                     "t" * 4096, "20260102T030405Z", 0, False)])
