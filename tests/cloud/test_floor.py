"""What the cloud floor does beyond `hpc-agent fetch`: secrets, PutObject, refreshed credentials, fork."""
import json
import os

import pytest

from conftest import BODY, CREDS, KEY
from fakes import s3proxy
from fakes.faults import Fault
from fakes.imds import credentials, instance
from fakes.sigcheck import Key

CONF = "s3://conf/cluster-config.yaml"
MUNGE = os.urandom(1024)


@pytest.fixture
def floor(world):
    probe = os.environ.get("CLOUD_PROBE")
    assert probe, "CLOUD_PROBE must name the built cloud_probe"
    world.binary = probe
    return world


def creds_asked(world):
    return len(world.imds.seen("GET", "/latest/meta-data/iam/security-credentials/hpc-node"))


@pytest.mark.parametrize("value", [MUNGE, "a text secret", "ünï \U0001f600", "x" * 8000])
def test_secret(floor, value):
    arn = floor.aws.secret("munge", value)
    r = floor.run("secret", arn)
    raw = value if isinstance(value, bytes) else value.encode()
    assert r.code == 0 and r.out.decode().strip() == raw.hex(), r.err
    assert floor.run("secret", "munge").code == 0


def test_secret_that_is_refused(floor):
    arn = floor.aws.secret("munge", MUNGE)
    r = floor.run("secret", arn[:-1] + "x")
    assert r.code == 4 and r.err.startswith("secret-absent"), r.err
    floor.aws.keys = [Key(KEY.access_key, "other", KEY.token)]
    r = floor.run("secret", arn)
    assert r.code == 4 and r.out == b"", r.err
    floor.aws.secret("large", "x" * 70000)
    floor.aws.keys = [KEY]
    assert floor.run("secret", "large").code in (3, 4)


@pytest.mark.parametrize("code,status", [("ThrottlingException", 400), ("InternalServiceError", 500),
                                         ("InternalFailure", 500), ("ServiceUnavailable", 503)])
def test_secret_after_a_passing_fault(floor, code, status):
    floor.aws.secret("munge", MUNGE)
    body = json.dumps({"__type": code, "message": "later"})
    floor.aws.fault(Fault("status", status=status, body=body,
                          headers=[("Content-Type", "application/x-amz-json-1.1")]))
    r = floor.run("secret", "munge")
    assert r.code == 0 and r.out.decode().strip() == MUNGE.hex(), r.err


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"SecretString":7}', b'{"SecretBinary":"%%%"}', b"{}",
                                  b'{"SecretString":"a","SecretString":"b"}', b'{"SecretString":"a\\u0000b"}', b"\xff"])
def test_secret_answer_that_is_none(floor, body):
    floor.aws.secret("munge", MUNGE)
    floor.aws.fault(Fault("edit", body=body, times=0))
    r = floor.run("secret", "munge")
    assert r.code == 4 and r.out == b"", r.err


def test_secret_redirect(floor, trap):
    floor.aws.secret("munge", MUNGE)
    floor.aws.fault(Fault("status", status=307, headers=[("Location", trap.url + "/")], times=0))
    assert floor.run("secret", "munge").code == 4


def test_secret_with_a_skewed_clock(floor):
    floor.aws.secret("munge", MUNGE)
    floor.aws.skew = 1500
    assert floor.run("secret", "munge").code == 0


def test_put(floor):
    r = floor.run("put", "s3://conf/a b/+ü", "some text")
    assert r.code == 0, r.err
    assert floor.aws.buckets["conf"].objects["a b/+ü".encode()][-1].body == b"some text"
    assert floor.run("put", "s3://conf/a b/+ü", "").code == 0
    assert floor.run("put-new", "s3://conf/n", "1").code == 0
    r = floor.run("put-new", "s3://conf/n", "2")
    assert r.code == 4 and r.err.startswith("s3-precondition"), r.err
    assert floor.aws.buckets["conf"].objects[b"n"][-1].body == b"1"


def test_put_after_passing_faults(floor):
    with s3proxy.S3Proxy(floor.aws.url) as p:
        p.fault(s3proxy.slow_down(1), Fault("close"))
        r = floor.run("put", "s3://conf/k", "text", env={"AWS_ENDPOINT_URL_S3": p.url})
    assert r.code == 0 and floor.aws.buckets["conf"].objects[b"k"][-1].body == b"text", r.err


def test_put_in_another_region(floor):
    floor.aws.bucket("far", region="ap-southeast-2")
    assert floor.run("put", "s3://far/k", "text").code == 0
    assert floor.aws.buckets["far"].objects[b"k"][-1].body == b"text"


def test_a_region_that_was_learnt_is_kept(floor):
    floor.aws.bucket("far", region="ap-southeast-2").put("k", b"far")
    r = floor.run("get", "s3://far/k", "3")
    assert r.code == 0 and len(floor.aws.log) == 4, r.err


def test_configured_credentials_need_no_metadata_service(floor):
    floor.imds.stop()
    keys = {"AWS_ACCESS_KEY_ID": KEY.access_key, "AWS_SECRET_ACCESS_KEY": KEY.secret,
            "AWS_SESSION_TOKEN": KEY.token, "AWS_REGION": "eu-west-1"}
    r = floor.run("get", CONF, "1", env=keys)
    assert r.code == 0, r.err
    r = floor.run("get", CONF, "1", env={**keys, "AWS_SECRET_ACCESS_KEY": None})
    assert r.code == 3 and "secret key" in r.err, r.err
    floor.aws.keys = [Key(KEY.access_key, KEY.secret, KEY.token, expires=1)]
    r = floor.run("get", CONF, "1", env=keys)
    assert r.code == 4 and "ExpiredToken" in r.err, r.err


def test_bucket_owner(floor):
    r = floor.run("get", CONF, "1", env={"PROBE_BUCKET_OWNER": "123456789012"})
    assert r.code == 0 and floor.aws.log[-1].get("x-amz-expected-bucket-owner") == "123456789012"
    r = floor.run("get", CONF, "1", env={"PROBE_BUCKET_OWNER": "999999999999"})
    assert r.code == 4 and r.err.startswith("s3-access-denied"), r.err
    floor.aws.secret("munge", MUNGE)
    assert floor.run("secret", "munge", env={"PROBE_BUCKET_OWNER": "123456789012"}).code == 0


def test_credentials_are_kept_while_they_last(floor):
    r = floor.run("get", CONF, "5")
    assert r.code == 0 and r.out.split() == [b"%d" % len(BODY)] * 5
    assert creds_asked(floor) == 1 and len(floor.imds.seen("PUT")) == 1


def test_credentials_are_refreshed_before_they_expire(floor):
    floor.imds.identities["*"] = instance(creds=credentials(life=3600))
    assert floor.run("later", CONF, "60").code == 0 and creds_asked(floor) == 1
    floor.imds.reset()
    r = floor.run("later", CONF, "3500")
    assert r.code == 0 and creds_asked(floor) == 2, r.err


@pytest.mark.parametrize("fault", [Fault("status", status=500, times=0), Fault("status", status=404, times=0),
                                   Fault("edit", body=b"{}", times=0)], ids=["500", "404", "nonsense"])
def test_credentials_stay_when_the_refresh_fails(floor, fault):
    floor.imds.identities["*"] = instance(creds=credentials(life=3600))
    fault.skip, fault.match = 1, "/latest/meta-data/iam/security-credentials/hpc-node"
    floor.imds.fault(fault)
    r = floor.run("later", CONF, "3500", guard=30)
    assert r.code == 0 and len(r.out.split()) == 2, r.err
    assert creds_asked(floor) >= 2


def test_rotated_credentials_are_fetched_again(floor):
    """S3 calls the token expired before its time: one more look at the metadata service, then it works."""
    newer = {**CREDS, "AccessKeyId": "ASIANEWER00000000000", "Token": "canary-newer"}
    floor.aws.keys = [Key(KEY.access_key, KEY.secret, KEY.token, expires=1),
                      Key(newer["AccessKeyId"], newer["SecretAccessKey"], newer["Token"])]
    floor.imds.fault(Fault("edit", match="/latest/meta-data/iam/security-credentials/hpc-node", skip=1,
                           times=0, body=json.dumps(newer)))
    r = floor.run("get", CONF, "1")
    assert r.code == 0 and creds_asked(floor) == 2, r.err


def test_after_fork(floor):
    r = floor.run("forked", CONF)
    assert r.code == 0 and len(r.out.split()) == 3, r.err
    assert creds_asked(floor) == 1, "a child keeps what is known"
