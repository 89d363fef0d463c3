"""The agent against OpenStack Swift's S3 API: a verifier that is not ours, with faults on the wire."""
import hashlib
import os
import random

import pytest

from conftest import CREDS
from fakes import s3proxy
from fakes.imds import instance
from fakes.swift import KEY, REGION, SECRET, Swift

BODY = os.urandom(3 << 20)
OLD = b"the old file\n"


@pytest.fixture(scope="module")
def swift(tmp_path_factory):
    with Swift(tmp_path_factory.mktemp("s") / "swift") as s:
        s.put("conf", "big", BODY)
        yield s


@pytest.fixture
def node(world, swift):
    """The world with Swift as its S3, in Swift's region and with its keys."""
    world.imds.identities["*"] = instance(region=REGION, creds={
        **CREDS, "AccessKeyId": KEY, "SecretAccessKey": SECRET})
    world.env["AWS_ENDPOINT_URL_S3"] = swift.url
    world.secrets.remove(CREDS["SecretAccessKey"])
    return world


def test_signature_holds(node, tmp_path):
    r = node.fetch("s3://conf/big", "-o", tmp_path / "f", "--sha256", hashlib.sha256(BODY).hexdigest())
    assert r.code == 0 and (tmp_path / "f").read_bytes() == BODY, r.err


@pytest.mark.parametrize("seed", range(6))
def test_signature_holds_for_odd_keys(node, swift, seed):
    rng = random.Random(seed)
    chars = "ab/ +%&=?#:;,@$!*'()[]{}|\\^`~<>\"üñ日é-_."
    key = "k" + "".join(rng.choice(chars) for _ in range(30)).replace("//", "/")
    key = key.replace("?versionId=", "").rstrip("/")
    swift.put("conf", key, key.encode())
    r = node.fetch("s3://conf/" + key)
    assert r.code == 0 and r.out == key.encode(), (key, r.err)


def test_bucket_in_the_host_name(node, swift):
    swift.put("conf", "a b/+", b"text")
    r = node.fetch("s3://conf/a b/+", env={"AWS_ENDPOINT_URL_S3": f"http://s3.localhost:{swift.port}"})
    assert r.code == 0 and r.out == b"text", r.err


def test_wrong_secret(node, tmp_path):
    node.imds.identities["*"] = instance(region=REGION, creds={**CREDS, "AccessKeyId": KEY})
    r = node.fetch("s3://conf/big", "-o", tmp_path / "f")
    assert r.code == 4 and "SignatureDoesNotMatch" in r.err and not (tmp_path / "f").exists(), r.err


def test_wrong_region_is_learnt(node, tmp_path):
    node.imds.identities["*"] = instance(region="eu-central-1", creds={
        **CREDS, "AccessKeyId": KEY, "SecretAccessKey": SECRET})
    r = node.fetch("s3://conf/big", "-o", tmp_path / "f")
    assert r.code == 0 and (tmp_path / "f").read_bytes() == BODY, r.err


def test_absent(node):
    for uri in ("s3://conf/none", "s3://nobucket/none"):
        r = node.fetch(uri)
        assert r.code == 4 and r.out == b"", r.err


@pytest.mark.parametrize("fault", [s3proxy.cut(1 << 20), s3proxy.reset(2 << 20), s3proxy.slow_down(3),
                                   s3proxy.cut(0)], ids=["cut", "reset", "slow-down", "cut-at-0"])
def test_live_body_broken_off(node, swift, tmp_path, fault):
    with s3proxy.S3Proxy(swift.url) as p:
        p.fault(fault)
        r = node.fetch("s3://conf/big", "-o", tmp_path / "f", env={"AWS_ENDPOINT_URL_S3": p.url})
    assert r.code == 0 and (tmp_path / "f").read_bytes() == BODY, r.err


def test_changed_between_tries(node, swift, tmp_path):
    newer = os.urandom(len(BODY))
    swift.put("conf", "moving", BODY)
    with s3proxy.S3Proxy(swift.url) as p:
        p.fault(s3proxy.cut(1 << 20, then=lambda: swift.put("conf", "moving", newer)))
        r = node.fetch("s3://conf/moving", "-o", tmp_path / "f", env={"AWS_ENDPOINT_URL_S3": p.url})
    assert r.code == 0 and (tmp_path / "f").read_bytes() == newer, r.err


def test_swift_goes_away(node, tmp_path):
    (tmp_path / "f").write_bytes(OLD)
    r = node.fetch("s3://conf/big", "-o", tmp_path / "f", "--deadline", "2s",
                   env={"AWS_ENDPOINT_URL_S3": "http://127.0.0.1:9"})
    assert r.code == 4 and (tmp_path / "f").read_bytes() == OLD, r.err
