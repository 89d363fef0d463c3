"""Object storage on bad days: a strict S3 that wants the session token, faults in front of it, and what
`hpc-agent fetch` leaves behind."""
import hashlib
import os
import signal
import subprocess

import pytest

from conftest import BODY, CREDS, KEY
from fakes import s3proxy
from fakes.aws import Aws
from fakes.faults import Fault
from fakes.haproxy import FIRST_503, FIRST_DROP, Haproxy
from fakes.imds import instance
from fakes.proc import wait_until
from fakes.sigcheck import Key

CONF = "s3://conf/cluster-config.yaml"
SHORT = ("--deadline", "3s")  # where it tries until then
SHA = hashlib.sha256(BODY).hexdigest()
OLD = b"the old file\n"


@pytest.fixture
def old(tmp_path):
    """A file that is there already; nothing may stay beside it."""
    d = tmp_path / "out"
    d.mkdir()
    (d / "f").write_bytes(OLD)
    yield d / "f"
    assert os.listdir(d) == ["f"], "left something behind"


@pytest.fixture
def proxy(world):
    with s3proxy.S3Proxy(world.aws.url) as p:
        world.env["AWS_ENDPOINT_URL_S3"] = p.url
        yield p


def refused(r, file, code=4):
    assert r.code == code, (r.code, r.err)
    assert r.err.count("\n") <= 3 and r.err.startswith("hpc-agent")
    assert file.read_bytes() == OLD


def test_streams_to_a_file(world, old):
    r = world.fetch(CONF, "-o", old, "--sha256", SHA)
    assert r.code == 0 and old.read_bytes() == BODY and r.out == b"", r.err
    assert old.stat().st_mode & 0o7777 in (0o600, 0o644)


def test_writes_to_stdout(world):
    r = world.fetch(CONF)
    assert r.code == 0 and r.out == BODY and r.err == ""


def test_large_object_streams(world, old):
    body = os.urandom(1 << 20) * 12
    world.aws.buckets["conf"].put("big", body)
    assert world.fetch("s3://conf/big", "-o", old).code == 0
    assert old.read_bytes() == body


def test_empty_object(world, old):
    world.aws.buckets["conf"].put("empty", b"")
    assert world.fetch("s3://conf/empty", "-o", old).code == 0
    assert old.read_bytes() == b""


def test_over_the_ceiling_of_what_is_held_in_memory(world):
    world.aws.buckets["conf"].put("huge", bytes(65 << 20))
    r = world.fetch("s3://conf/huge", data_max=200 << 20)
    assert r.code == 4 and r.out == b"", r.err


KEYS = ["a b", "a+b", "a%20b", "%", "%zz", "ü/ñ", "日本", "a&b=c", "a;b", "~-_.", "a//b", "a/../b", "./a",
        "a/.", "..", "(x)!*'", "a:b@c$,", "a#b", "back\\slash", "tab\tx", "a'\"<>", "trail/", "/lead",
        "nl\nx", "{}|^`[]", "e\u0301", "\U0001f600"]


@pytest.mark.parametrize("key", KEYS)
def test_key_is_literal(world, key):
    world.aws.buckets["conf"].put(key, b"it is " + key.encode())
    r = world.fetch("s3://conf/" + key)
    if "\n" in key or "\t" in key:
        assert r.code in (0, 2, 3)
    else:
        assert r.code == 0, r.err
    assert r.out == (b"it is " + key.encode() if r.code == 0 else b"")


def test_key_of_bytes_that_are_not_text(world):
    world.aws.buckets["conf"].put(b"\xff\xfe", b"bytes")
    r = world.fetch(os.fsdecode(b"s3://conf/\xff\xfe"))
    assert (r.code == 0 and r.out == b"bytes") or r.code in (2, 3), r.err


def test_bucket_in_the_host_name_or_in_the_path(world):
    env = {"AWS_ENDPOINT_URL_S3": f"http://s3.localhost:{world.aws.port}"}
    assert world.fetch(CONF, env=env).out == BODY
    assert world.aws.log[-1].get("host").startswith("conf.s3.localhost")
    world.aws.bucket("with.dots").put("k", b"d")
    assert world.fetch("s3://with.dots/k", env=env).out == b"d"
    world.aws.bucket("with_underscores").put("k", b"u")
    assert world.fetch("s3://with_underscores/k", env=env).out == b"u"
    assert world.aws.log[-1].get("host").startswith("s3.localhost")


def test_an_endpoint_in_brackets(world):
    with Aws([KEY], "::1") as six:
        six.bucket("conf").put("cluster-config.yaml", BODY)
        r = world.fetch(CONF, env={"AWS_ENDPOINT_URL_S3": six.url})
        assert r.code == 0 and r.out == BODY and six.log[-1].get("host") == f"[::1]:{six.port}", r.err
    assert world.fetch(CONF).out == BODY
    assert world.aws.log[-1].path == "/conf/cluster-config.yaml"


@pytest.mark.parametrize("uri", ["s3://", "s3://conf", "s3://conf/", "s3:///key", "s3://BAD_Bucket!/k", "s3:conf/k",
                                 "http://127.0.0.1/x", "ftp://x/y", "nonsense", "", "s3://-x/k",
                                 "file:relative", "https://", "https://u:p@h/x", "s3://con\nf/k"])
def test_uri_that_is_none(world, old, uri):
    r = world.fetch(uri, "-o", old)
    assert r.code in (2, 3) and not world.aws.log, r.err
    assert old.read_bytes() == OLD


def test_wrong_secret(world, old):
    world.aws.keys = [Key(KEY.access_key, "another", KEY.token)]
    r = world.fetch(CONF, "-o", old)
    refused(r, old)
    assert "SignatureDoesNotMatch" in r.err or "signature" in r.err


def test_token_missing_or_wrong(world, old):
    world.imds.identities["*"] = instance(creds={k: v for k, v in CREDS.items() if k != "Token"})
    refused(world.fetch(CONF, "-o", old, *SHORT), old)
    world.imds.identities["*"] = instance(creds={**CREDS, "Token": "not-the-one"})
    refused(world.fetch(CONF, "-o", old), old)


@pytest.mark.parametrize("skew", [1200, -1200, 86400, -86400])
def test_clock_skew_is_learnt_once(world, skew):
    world.aws.skew = skew
    r = world.fetch(CONF)
    assert r.code == 0 and r.out == BODY, r.err
    assert len(world.aws.log) == 2


def test_clock_skew_that_stays(world, proxy, old):
    proxy.fault(s3proxy.skewed(1200, times=0))
    r = world.fetch(CONF, "-o", old)
    refused(r, old)
    assert len(proxy.log) == 2 and ("clock" in r.err or "Skew" in r.err), r.err


@pytest.mark.parametrize("endpoint_region", ["eu-west-1", "us-west-2"])
def test_wrong_region_is_signed_again_once(world, endpoint_region):
    world.aws.endpoint_region = endpoint_region
    world.aws.bucket("far", region="ap-southeast-2").put("k", b"far away")
    r = world.fetch("s3://far/k")
    assert r.code == 0 and r.out == b"far away", r.err
    assert len(world.aws.log) == 2


@pytest.mark.parametrize("header", [True, False])
def test_wrong_region_that_stays(world, proxy, old, header):
    proxy.fault(s3proxy.wrong_region("eu-north-1", header, times=0))
    refused(world.fetch(CONF, "-o", old), old)
    assert len(proxy.log) == 2


@pytest.mark.parametrize("region", ["../../evil", "a\r\nX-I: 1", "x" * 300, "", "evil.example.com/"])
def test_wrong_region_that_is_none(world, proxy, old, region):
    proxy.fault(s3proxy.wrong_region(region, times=0))
    refused(world.fetch(CONF, "-o", old), old)
    assert len(proxy.log) <= 2 and all(q.get("x-i") is None for q in proxy.log)


def test_absent_and_denied(world, old):
    r = world.fetch("s3://conf/nope", "-o", old)
    refused(r, old)
    assert "conf" in r.err and "nope" in r.err
    r = world.fetch("s3://nobucket/nope", "-o", old)
    refused(r, old)
    assert "nobucket" in r.err
    world.aws.buckets["conf"].may_list = False
    r = world.fetch("s3://conf/nope", "-o", old)
    refused(r, old)
    assert "ListBucket" in r.err and "GetObject" in r.err, r.err
    assert len(world.aws.log) == 3


def test_bucket_owner_and_version(world, old):
    b = world.aws.bucket("vers", versioned=True)
    first, _ = b.put("k", b"one"), b.put("k", b"two")
    assert world.fetch("s3://vers/k?versionId=" + first).out == b"one"
    assert world.fetch("s3://vers/k").out == b"two"
    refused(world.fetch("s3://vers/k?versionId=0000", "-o", old), old)
    owner = {q.get("x-amz-expected-bucket-owner") for q in world.aws.log}
    assert owner <= {None, "123456789012"}


def test_wrong_sum(world, old):
    r = world.fetch(CONF, "-o", old, "--sha256", "0" * 64)
    refused(r, old, 5)
    assert SHA in r.err
    for bad in ("0" * 63, "g" * 64, "", SHA + "0"):
        assert world.fetch(CONF, "-o", old, "--sha256", bad).code == 2
    assert old.read_bytes() == OLD


def test_wrong_sum_shows_nothing(world):
    r = world.fetch(CONF, "--sha256", "0" * 64)
    assert r.code == 5 and r.out == b""


PASSING = {
    "slow down": s3proxy.slow_down(2),
    "slow down and says when": s3proxy.slow_down(1, retry_after="1"),
    "500": Fault("status", status=500),
    "502 with a page": Fault("status", status=502, body=b"<html>bad gateway</html>"),
    "truncated": s3proxy.cut(1000),
    "truncated at nothing": s3proxy.cut(0),
    "reset in the body": s3proxy.reset(1000),
    "reset before the head": s3proxy.reset(-1),
    "hangs up": Fault("close"),
    "slow body": Fault("slow", size=1000, seconds=0.02),
    "more promised than sent": Fault("length", at=10),
    "skewed": s3proxy.skewed(0),
    "region in the text": s3proxy.wrong_region("eu-west-1"),
    "garbage": Fault("garbage"),
}


@pytest.mark.parametrize("name", PASSING)
def test_passing_fault(world, proxy, old, name):
    proxy.fault(PASSING[name])
    r = world.fetch(CONF, "-o", old)
    assert r.code == 0 and old.read_bytes() == BODY, r.err


LASTING = {
    "slow down": s3proxy.slow_down(0),
    "truncated": s3proxy.cut(0, times=0),
    "reset": s3proxy.reset(0, times=0),
    "hangs": Fault("hang", times=0),
    "endless": Fault("endless", times=0),
    "headers": Fault("headers", times=0),
    "more promised than sent": Fault("length", at=10, times=0),
    "401": Fault("status", status=401, times=0),
    "418": Fault("status", status=418, times=0),
    "204": Fault("status", status=204, times=0),
    "206": Fault("edit", status=206, times=0),
    "304": Fault("status", status=304, times=0),
}


@pytest.mark.parametrize("name", LASTING)
def test_lasting_fault(world, proxy, old, name):
    proxy.fault(LASTING[name])
    # What never answers is ended by the deadline alone.
    refused(world.fetch(CONF, "-o", old, *SHORT), old, 7 if name == "hangs" else 4)


def test_broken_off_again_and_again_goes_on_where_it_was(world, proxy, old):
    proxy.fault(s3proxy.cut(1000, times=0))
    r = world.fetch(CONF, "-o", old, "--sha256", SHA)
    assert r.code == 0 and old.read_bytes() == BODY, r.err
    assert sum(q.get("range") is not None for q in proxy.log) == len(proxy.log) - 1


RESUMED = {
    "another place": Fault("edit", headers=[("Content-Range", "bytes 999-7199/7200")]),
    "no place": Fault("edit", headers=[("Content-Range", "")]),
    "another size": Fault("edit", headers=[("Content-Range", "bytes 1000-7199/9999")]),
    "nonsense": Fault("edit", headers=[("Content-Range", "bytes x-y/z")]),
    "another object": Fault("edit", headers=[("ETag", '"other"')]),
    "416": Fault("status", status=416),
    "412": Fault("status", status=412),
}


@pytest.mark.parametrize("name", RESUMED)
def test_odd_answer_to_the_rest(world, proxy, old, name):
    """Whatever a server says when asked for the rest: the whole object, or the old file."""
    proxy.fault(s3proxy.cut(1000), RESUMED[name])
    r = world.fetch(CONF, "-o", old)
    assert old.read_bytes() == (BODY if r.code == 0 else OLD), r.err
    assert r.code in (0, 4)


def test_server_that_knows_no_ranges(world, proxy, old):
    world.aws.ranges = False
    proxy.fault(s3proxy.cut(1000), s3proxy.reset(3000))
    r = world.fetch(CONF, "-o", old)
    assert r.code == 0 and old.read_bytes() == BODY, r.err


def test_answer_without_an_etag_is_begun_again(world, proxy, old):
    proxy.fault(Fault("edit", headers=[("ETag", "")], times=0, skip=1))
    proxy.faults.insert(0, s3proxy.cut(1000))
    r = world.fetch(CONF, "-o", old)
    assert r.code == 0 and old.read_bytes() == BODY, r.err


@pytest.mark.parametrize("after", ["3600", "-5", "soon", "99999999999999999999", "Wed, 21 Oct 2099 07:28:00 GMT"])
def test_retry_after_of_any_kind(world, proxy, old, after):
    proxy.fault(s3proxy.slow_down(0, retry_after=after))
    refused(world.fetch(CONF, "-o", old, *SHORT, guard=30), old)


@pytest.mark.parametrize("how", [s3proxy.cut, s3proxy.reset])
def test_object_changed_between_tries(world, proxy, old, how):
    newer = b"Region: eu-west-2\n" * 400
    bucket = world.aws.buckets["conf"]
    proxy.fault(how(2000, then=lambda: bucket.put("cluster-config.yaml", newer)))
    r = world.fetch(CONF, "-o", old)
    assert r.code == 0 and old.read_bytes() == newer, r.err


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_redirect_carries_nothing_away(world, proxy, old, trap, status):
    proxy.fault(s3proxy.redirect(trap.url + "/conf/cluster-config.yaml", status, times=0))
    refused(world.fetch(CONF, "-o", old, *SHORT), old)


def test_error_text_is_tamed(world, proxy, old):
    text = s3proxy.error_xml("Access\x1b[31mDenied", "line\r\nInjected: \x07" + "m" * 9000)
    proxy.fault(Fault("status", status=403, body=text, times=0))
    r = world.fetch(CONF, "-o", old)
    refused(r, old)
    assert len(r.err) < 1500


def test_haproxy_answers_503_first(world, tmp_path):
    with Haproxy(tmp_path / "ha", world.aws.url, FIRST_503, 3) as h:
        r = world.fetch(CONF, env={"AWS_ENDPOINT_URL_S3": h.url})
        assert r.code == 0 and r.out == BODY, r.err


def test_haproxy_goes_silent(world, tmp_path, old):
    with Haproxy(tmp_path / "ha", world.aws.url, FIRST_DROP, 99) as h:
        refused(world.fetch(CONF, "-o", old, *SHORT, env={"AWS_ENDPOINT_URL_S3": h.url}), old, 7)


def test_where_it_cannot_write(world, tmp_path):
    assert world.fetch(CONF, "-o", tmp_path / "no" / "f").code == 1
    (tmp_path / "d").mkdir()
    assert world.fetch(CONF, "-o", tmp_path / "d").code == 1
    assert os.listdir(tmp_path / "d") == []


def test_symbolic_link_stays_and_its_target_is_written(world, tmp_path):
    (tmp_path / "target").write_bytes(OLD)
    (tmp_path / "link").symlink_to("target")
    assert world.fetch(CONF, "-o", tmp_path / "link").code == 0
    assert os.readlink(tmp_path / "link") == "target"
    assert (tmp_path / "target").read_bytes() == BODY


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_stopped_half_way(world, proxy, old, sig):
    slow = Fault("slow", size=100, seconds=0.1)
    proxy.fault(slow)
    p = subprocess.Popen([world.binary, "fetch", CONF, "-o", old], env=world.env,
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: slow.sent >= 200, proc=p)
    p.send_signal(sig)
    p.communicate(timeout=20)
    assert p.returncode != 0 and old.read_bytes() == OLD
