"""The fakes themselves: they accept what AWS's own clients send and refuse what AWS refuses."""
import json
import os
import shutil
import socket
import subprocess
import sys
import urllib.error
import urllib.request

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.utils import InstanceMetadataFetcher

from fakes import s3proxy
from fakes.aws import Aws
from fakes.faults import Fault
from fakes.haproxy import FIRST_503, Haproxy
from fakes.imds import Imds, credentials, instance
from fakes.proc import free_ports, reap, spawn, wait_port, wait_until
from fakes.sigcheck import Key

KEY = Key("ASIAEXAMPLEKEY000001", "s3cret/with+chars", "token//+==")
TTL = {"X-aws-ec2-metadata-token-ttl-seconds": "60"}


def http(url, method="GET", headers=None, data=None):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    req = urllib.request.Request(url, method=method, headers=headers or {}, data=data)
    try:
        with opener.open(req, timeout=10) as r:
            return r.status, r.read(), r.headers
    except urllib.error.HTTPError as e:
        return e.code, e.read(), e.headers


def token(imds, ttl="60"):
    status, body, _ = http(imds.url + "/latest/api/token", "PUT",
                           {"X-aws-ec2-metadata-token-ttl-seconds": ttl})
    assert status == 200
    return {"X-aws-ec2-metadata-token": body.decode()}


@pytest.fixture
def imds():
    with Imds(instance(tags={"Name": "n1", "hpc-node:role": "compute"}, user_data="#hpc-node\n")) as s:
        yield s


@pytest.fixture
def aws():
    with Aws([KEY]) as s:
        b = s.bucket("conf", versioned=True)
        b.put("a b/ü+&=~%.yaml", b"hello")
        s.bucket("far", region="ap-southeast-2").put("k", b"x")
        yield s


def test_imds_serves_botocore(imds):
    fetcher = InstanceMetadataFetcher(timeout=2, base_url=imds.url + "/",
                                      env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url})
    got = fetcher.retrieve_iam_role_credentials()
    assert got["access_key"] == credentials()["AccessKeyId"] and got["role_name"] == "hpc-node"
    assert [r.method for r in imds.log] == ["PUT", "GET", "GET"]


@pytest.mark.parametrize("headers,status", [
    ({}, 400), ({**TTL, "X-Forwarded-For": "1.2.3.4"}, 403), (TTL, 200),
    ({"X-aws-ec2-metadata-token-ttl-seconds": "0"}, 400),
    ({"X-aws-ec2-metadata-token-ttl-seconds": "21601"}, 400),
    ({"X-aws-ec2-metadata-token-ttl-seconds": "21600"}, 200),
    ({"X-aws-ec2-metadata-token-ttl-seconds": "1h"}, 400)])
def test_imds_token_rules(imds, headers, status):
    got = http(imds.url + "/latest/api/token", "PUT", headers)
    assert got[0] == status
    if status == 200:
        assert got[2]["X-Aws-Ec2-Metadata-Token-Ttl-Seconds"] == headers[list(headers)[0]]


def test_imds_paths(imds):
    t, base = token(imds), imds.url
    assert http(base + "/latest/meta-data/instance-id")[0] == 401
    assert http(base + "/latest/meta-data/instance-id",
                headers={"X-aws-ec2-metadata-token": "x"})[0] == 401
    assert http(base + "/latest/meta-data/instance-id", headers=t)[1] == b"i-0123456789abcdef0"
    assert http(base + "/2021-07-15/meta-data/placement/region", headers=t)[1] == b"eu-west-1"
    assert http(base + "/2001-01-01/meta-data/placement/region", headers=t)[0] == 404
    assert http(base + "/2021-07-15/api/token", "PUT", TTL)[0] == 403
    assert http(base + "/latest/meta-data/nope", headers=t)[0] == 404
    assert http(base + "/latest/meta-data/instance-id", "POST", t, b"x")[0] == 405
    assert http(base + "/latest/meta-data/tags/instance/", headers=t)[1] == b"Name\nhpc-node:role"
    assert http(base + "/latest/user-data", headers=t)[1] == b"#hpc-node\n"
    assert b"iam/\n" in http(base + "/latest/meta-data/", headers=t)[1]
    doc = json.loads(http(base + "/latest/dynamic/instance-identity/document", headers=t)[1])
    assert doc["region"] == "eu-west-1"
    imds.expire_tokens()
    assert http(base + "/latest/meta-data/instance-id", headers=t)[0] == 401


def test_imds_token_expires():
    with Imds() as s:
        t = token(s, "1")
        assert http(s.url + "/latest/meta-data/instance-id", headers=t)[0] == 200
        wait_until(lambda: http(s.url + "/latest/meta-data/instance-id", headers=t)[0] == 401, 10)


def test_imds_without_tags_role_user_data():
    with Imds(instance(role=None)) as s:
        t = token(s)
        for path in ("meta-data/tags/instance/", "meta-data/iam/security-credentials/", "user-data"):
            assert http(f"{s.url}/latest/{path}", headers=t)[0] == 404


def test_imds_knows_machines_by_address():
    trees = {"127.0.0.2": instance(instance_id="i-2"), "*": instance(instance_id="i-any")}
    with Imds(trees, "127.0.0.1") as s:
        for source, want in (("127.0.0.2", "i-2"), ("127.0.0.1", "i-any")):
            out = subprocess.run(
                ["curl", "-s", "--interface", source, "-XPUT", "-H",
                 "X-aws-ec2-metadata-token-ttl-seconds: 9", s.url + "/latest/api/token"],
                capture_output=True, check=True).stdout.decode()
            args = ["curl", "-s", "-H", "X-aws-ec2-metadata-token: " + out]
            path = s.url + "/latest/meta-data/instance-id"
            got = subprocess.run(args + ["--interface", source, path], capture_output=True).stdout
            assert got.decode() == want
        other = subprocess.run(args + ["-w", "%{http_code}", "-o", "/dev/null", "--interface",
                                       "127.0.0.2", path], capture_output=True).stdout
        assert other == b"401"


def test_imds_program(tmp_path):
    state, log, port = tmp_path / "s.json", tmp_path / "log", free_ports(1)[0]
    state.write_text(json.dumps({"identities": {"*": {"instance_id": "i-a"}}, "faults": [
        {"kind": "status", "status": 503, "match": "/latest/api/token"}]}))
    env = dict(os.environ, PYTHONPATH=os.path.join(os.path.dirname(__file__), ".."))
    p = spawn([sys.executable, "-m", "fakes.imds", "--listen", f"127.0.0.1:{port}", "--state",
               state, "--log", log], tmp_path / "out", env=env)
    try:
        wait_port("127.0.0.1", port, p)
        url = f"http://127.0.0.1:{port}/latest/"
        assert http(url + "api/token", "PUT", TTL)[0] == 503
        tok = {"X-aws-ec2-metadata-token": http(url + "api/token", "PUT", TTL)[1].decode()}
        assert http(url + "meta-data/instance-id", headers=tok)[1] == b"i-a"
        state.write_text(json.dumps({"identities": {"*": {"instance_id": "i-bb"}}}))
        assert http(url + "meta-data/instance-id", headers=tok)[1] == b"i-bb"
    finally:
        reap(p)
    assert [json.loads(x)["method"] for x in log.read_text().splitlines()] == ["PUT", "PUT", "GET", "GET"]


def test_faults_hit_the_wire(imds):
    url = imds.url + "/latest/api/token"
    imds.fault(Fault("reset", at=-1), Fault("garbage"), Fault("truncate", at=3), Fault("close"))
    for _ in range(4):
        with pytest.raises(Exception):
            http(url, "PUT", TTL)
    imds.fault(Fault("headers", count=300))
    assert b"X-Filler-299" in subprocess.run(["curl", "-si", "-XPUT", url, "-H", "X-a: b"],
                                             capture_output=True).stdout
    assert http(url, "PUT", TTL)[0] == 200


def test_late_server_refuses_first():
    with Imds(late=0.5) as s:
        with pytest.raises(OSError):
            socket.create_connection(("127.0.0.1", s.port), 2)
        wait_port("127.0.0.1", s.port)


def send(aws, method, path, signer=S3SigV4Auth, key=KEY, region="eu-west-1", service="s3", data=b"",
         headers=None, change=None, host=None):
    req = AWSRequest(method, (host or aws.url) + path, data=data, headers=headers or {})
    creds = Credentials(key.access_key, key.secret, key.token or None)
    signer(creds, service, region).add_auth(req)
    prepared = req.prepare()
    if change:
        change(prepared)
    return http(prepared.url, method, dict(prepared.headers), data or None)


PATH = "/conf/a%20b/%C3%BC%2B%26%3D~%25.yaml"


def test_s3_accepts_botocore(aws):
    assert send(aws, "GET", PATH)[:2] == (200, b"hello")
    assert send(aws, "GET", PATH, S3SigV4QueryAuth)[:2] == (200, b"hello")
    assert send(aws, "HEAD", PATH)[2]["Content-Length"] == "5"
    assert send(aws, "PUT", "/conf/n", data=b"new", headers={"If-None-Match": "*"})[0] == 200
    assert send(aws, "PUT", "/conf/n", data=b"new", headers={"If-None-Match": "*"})[0] == 412
    vid = send(aws, "GET", "/conf/n")[2]["x-amz-version-id"]
    send(aws, "PUT", "/conf/n", data=b"newer")
    assert send(aws, "GET", f"/conf/n?versionId={vid}")[:2] == (200, b"new")
    for given, part in (("1-2", b"ew"), ("3-", b"er"), ("-2", b"er"), ("-9", b"newer"), ("0-99", b"newer")):
        status, body, headers = send(aws, "GET", "/conf/n", headers={"Range": "bytes=" + given})
        assert (status, body) == (206, part) and headers["Content-Range"].endswith("/5"), given
    assert send(aws, "GET", "/conf/n", headers={"Range": "bytes=5-"})[0] == 416
    assert send(aws, "GET", "/conf/n", headers={"Range": "bytes=-0"})[0] == 416
    for none in ("bytes=3-2", "bytes=x", "bytes=-", "lines=1-2"):
        assert send(aws, "GET", "/conf/n", headers={"Range": none})[:2] == (200, b"newer"), none


@pytest.mark.parametrize("name, good, wrong", [
    ("Content-MD5", "ICy5YqxZB1uWSwcVLSNLcA==", "1B2M2Y8AsgTpgAmY7PhCfg=="),
    ("x-amz-checksum-sha256", "pmWkWSBCL51Bfkhn79xPuKBKHz//H6B+mY6G9/eieuM=", "AAAA"),
    ("x-amz-checksum-crc32", "iEhj0g==", "AAAAAA==")])
def test_s3_checks_sums(aws, name, good, wrong):
    assert send(aws, "PUT", "/conf/n", data=b"123", headers={name: wrong})[0] == 400
    assert send(aws, "PUT", "/conf/n", data=b"123", headers={name: good})[0] == 200


def no(name):
    def change(req):
        del req.headers[name]
    return change


def put(name, value):
    def change(req):
        req.headers[name] = value
    return change


@pytest.mark.parametrize("kw,status,code", [
    ({"key": Key(KEY.access_key, "wrong", KEY.token)}, 403, "SignatureDoesNotMatch"),
    ({"key": Key("AKIANOBODY", "wrong", KEY.token)}, 403, "InvalidAccessKeyId"),
    ({"key": Key(KEY.access_key, KEY.secret)}, 403, "InvalidAccessKeyId"),
    ({"key": Key(KEY.access_key, KEY.secret, "other")}, 400, "InvalidToken"),
    ({"change": no("X-Amz-Security-Token")}, 403, "InvalidAccessKeyId"),
    ({"change": no("X-Amz-Content-SHA256")}, 403, "AccessDenied"),
    ({"change": no("Authorization")}, 403, "AccessDenied"),
    ({"change": put("x-amz-meta-a", "1")}, 403, "AccessDenied"),
    ({"change": put("X-Amz-Date", "20200101T000000Z")}, 400, "AuthorizationHeaderMalformed"),
    ({"region": "us-east-1"}, 400, "AuthorizationHeaderMalformed"),
    ({"service": "ec2"}, 400, "AuthorizationHeaderMalformed"),
    ({"headers": {"x-amz-expected-bucket-owner": "999999999999"}}, 403, "AccessDenied"),
    ({"path": "/far/k"}, 301, "PermanentRedirect"),
    ({"path": "/far/k", "region": "us-west-2"}, 400, "AuthorizationHeaderMalformed"),
    ({"path": "/none/k"}, 404, "NoSuchBucket"), ({"path": "/conf/k"}, 404, "NoSuchKey"),
    ({"path": PATH + "?versionId=nope"}, 404, "NoSuchVersion")])
def test_s3_refuses(aws, kw, status, code):
    got = send(aws, "GET", kw.pop("path", PATH), **kw)
    assert got[0] == status and f"<Code>{code}</Code>".encode() in got[1], got[1]


def test_s3_checks_body_and_clock(aws):
    signed = {}
    got = send(aws, "PUT", "/conf/n", data=b"abc", change=lambda r: signed.update(r.headers))
    assert got[0] == 200
    signed["Content-Length"] = "3"
    assert b"XAmzContentSHA256Mismatch" in http(aws.url + "/conf/n", "PUT", signed, b"abd")[1]
    aws.skew = 1200
    got = send(aws, "GET", PATH)
    assert got[0] == 403 and b"RequestTimeTooSkewed" in got[1]


def test_secrets_manager(aws):
    arn = aws.secret("munge", b"\x00\xffkey")
    headers = {"X-Amz-Target": "secretsmanager.GetSecretValue",
               "Content-Type": "application/x-amz-json-1.1"}

    def ask(secret, **kw):
        return send(aws, "POST", "/", SigV4Auth, service="secretsmanager", headers=dict(headers),
                    data=json.dumps({"SecretId": secret}).encode(), **kw)
    status, body, _ = ask(arn)
    assert status == 200 and json.loads(body)["SecretBinary"] == "AP9rZXk="
    assert json.loads(ask("nope")[1])["__type"] == "ResourceNotFoundException"
    bad = ask(arn, key=Key(KEY.access_key, "wrong", KEY.token))
    assert bad[0] == 400 and json.loads(bad[1])["__type"] == "InvalidSignatureException"


def aws_cli(env, url, *args, key=KEY, region="eu-west-1"):
    env = dict(env, AWS_ACCESS_KEY_ID=key.access_key, AWS_SECRET_ACCESS_KEY=key.secret,
               AWS_SESSION_TOKEN=key.token, AWS_DEFAULT_REGION=region, AWS_EC2_METADATA_DISABLED="true")
    return subprocess.run(["/usr/bin/aws", "--endpoint-url", url, *args], env=env,
                          capture_output=True, timeout=60)


def test_s3_serves_the_aws_command(aws, clean_env, tmp_path):
    out = tmp_path / "o"
    got = aws_cli(clean_env, aws.url, "s3", "cp", "s3://conf/a b/ü+&=~%.yaml", str(out))
    assert got.returncode == 0 and out.read_bytes() == b"hello", got.stderr
    aws.secret("s", "text")
    got = aws_cli(clean_env, aws.url, "secretsmanager", "get-secret-value", "--secret-id", "s")
    assert json.loads(got.stdout)["SecretString"] == "text", got.stderr
    got = aws_cli(clean_env, aws.url, "s3", "cp", "s3://conf/a b/ü+&=~%.yaml", str(out),
                  key=Key(KEY.access_key, "wrong", KEY.token))
    assert got.returncode != 0


def test_a_skip_is_a_failure(tmp_path):
    """What tests/conftest.py does, seen in a run of its own."""
    here = os.path.join(os.path.dirname(__file__), "..")
    for name in ("conftest.py", "pytest.ini"):
        shutil.copy(os.path.join(here, name), tmp_path)
    (tmp_path / "test_one.py").write_text(
        "import pytest\n\n\ndef test_body():\n    pytest.skip('nothing there')\n\n\n"
        "@pytest.mark.skipif(True, reason='not here')\ndef test_mark():\n    pass\n\n\n"
        "@pytest.mark.xfail\ndef test_known():\n    assert False\n")
    (tmp_path / "test_two.py").write_text("import pytest\npytest.importorskip('no_such_module')\n")
    p = subprocess.run([sys.executable, "-m", "pytest", "--continue-on-collection-errors", "."], cwd=tmp_path, capture_output=True, text=True)
    assert p.returncode == 1 and "1 failed, 1 xfailed, 2 errors" in p.stdout, p.stdout
    assert p.stdout.count("a skip tests nothing") >= 3, p.stdout


def test_proxy_and_haproxy_keep_signatures(aws, tmp_path):
    with s3proxy.S3Proxy(aws.url) as p:
        p.fault(s3proxy.slow_down(2), s3proxy.cut(2))
        assert send(p, "GET", PATH)[0] == 503
        assert send(p, "GET", PATH)[0] == 503
        with pytest.raises(Exception):
            send(p, "GET", PATH)
        assert send(p, "GET", PATH)[:2] == (200, b"hello")
    with Haproxy(tmp_path / "ha", aws.url, FIRST_503, 2) as h:
        assert [send(aws, "GET", PATH, host=h.url)[0] for _ in range(3)] == [503, 503, 200]
