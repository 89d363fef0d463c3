"""Nothing configured, as on a real instance: the metadata service at its link-local addresses, AWS's own
host names over TLS. In a network and mount namespace of the test's own."""
import ctypes
import os
import re
import ssl
import subprocess

import pytest

from conftest import BODY, KEY, World
from fakes import s3proxy
from fakes.aws import Aws
from fakes.faults import Fault
from fakes.imds import Imds, instance
from fakes.httpd import Response, Server

CLONE_FS, CLONE_NEWNS, CLONE_NEWNET = 0x200, 0x20000, 0x40000000
CONF = "s3://conf/cluster-config.yaml"
V4, V6 = "169.254.169.254", "fd00:ec2::254"
NAMES = [f"{host}.{region}.amazonaws.com{tail}"
         for region, tail in (("eu-west-1", ""), ("ap-southeast-2", ""), ("cn-north-1", ".cn"))
         for host in ("s3", "conf.s3", "far.s3", "conf.s3.dualstack", "secretsmanager")]


def libc(name, *args):
    lib = ctypes.CDLL(None, use_errno=True)
    if getattr(lib, name)(*args) != 0:
        raise OSError(ctypes.get_errno(), name)


@pytest.fixture(scope="module")
def apart(tmp_path_factory):
    """A namespace with only a loopback; AWS's names lead to it. Left again at the end."""
    d = tmp_path_factory.mktemp("apart")
    old = [os.open(f"/proc/self/ns/{kind}", os.O_RDONLY) for kind in ("net", "mnt")]
    where = os.getcwd()
    libc("unshare", CLONE_NEWNS | CLONE_NEWNET)
    (d / "hosts").write_text("127.0.0.1 localhost\n" + "".join(f"127.0.0.1 {n}\n" for n in NAMES))
    for cmd in (["mount", "--make-rprivate", "/"], ["mount", "--bind", d / "hosts", "/etc/hosts"],
                ["ip", "link", "set", "lo", "up"],
                ["ip", "addr", "add", V4 + "/32", "dev", "lo", "scope", "link"],
                ["ip", "addr", "add", V6 + "/128", "dev", "lo", "nodad"]):
        subprocess.run(cmd, check=True)
    yield d
    libc("unshare", CLONE_FS)  # the fakes' threads share ours, and setns() wants it alone
    for fd in old:
        libc("setns", fd, 0)
        os.close(fd)
    os.chdir(where)


@pytest.fixture(scope="module")
def tls(apart):
    names = ",".join("DNS:" + n for n in NAMES)
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
                    "-nodes", "-days", "2", "-subj", "/CN=test", "-addext", "subjectAltName=" + names,
                    "-keyout", apart / "key", "-out", apart / "crt"], check=True, capture_output=True)
    ctx = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    ctx.load_cert_chain(apart / "crt", apart / "key")
    return ctx


@pytest.fixture
def node(binary, sanitized, clean_env, tmp_path, apart, tls):
    with Imds(instance(tags={"Name": "n1"}), V4, 80) as imds, \
            Aws([KEY], "127.0.0.1", 443, tls=tls) as aws:
        aws.bucket("conf").put("cluster-config.yaml", BODY)
        aws.bucket("far", region="ap-southeast-2").put("k", b"far away")
        env = dict(clean_env, AWS_CA_BUNDLE=str(apart / "crt"))
        yield World(binary, imds, aws, env, tmp_path, sanitized)


def hosts(node):
    return [r.get("host") for r in node.aws.log]


def test_metadata_and_host_names(node):
    r = node.fetch(CONF)
    assert r.code == 0 and r.out == BODY, r.err
    assert hosts(node) == ["conf.s3.eu-west-1.amazonaws.com"]
    assert {q.get("host") for q in node.imds.log} == {V4}


def test_a_bucket_of_another_region_is_asked_at_its_own_name(node):
    r = node.fetch("s3://far/k")
    assert r.code == 0 and r.out == b"far away", r.err
    assert hosts(node) == ["far.s3.eu-west-1.amazonaws.com", "far.s3.ap-southeast-2.amazonaws.com"]


def test_a_bucket_with_dots_goes_into_the_path(node):
    node.aws.bucket("with.dots").put("k", b"d")
    assert node.fetch("s3://with.dots/k").out == b"d"
    assert hosts(node) == ["s3.eu-west-1.amazonaws.com"]


def moved(location, times=0):
    return Fault("status", status=307, times=times, headers=[("Location", location)],
                 body=s3proxy.error_xml("TemporaryRedirect", "Please re-send this request."))


def test_a_temporary_redirect_within_the_domain_is_followed(node):
    there = "far.s3.ap-southeast-2.amazonaws.com"
    node.aws.fault(moved(f"https://{there}/k", times=1))
    r = node.fetch("s3://far/k")
    assert r.code == 0 and r.out == b"far away", r.err
    assert hosts(node) == ["far.s3.eu-west-1.amazonaws.com", there, there], "the region is learnt there"


def test_a_redirect_for_ever_ends(node):
    node.aws.fault(moved("https://conf.s3.ap-southeast-2.amazonaws.com/cluster-config.yaml"))
    r = node.fetch(CONF)
    assert r.code == 4 and "http-redirect" in r.err and len(node.aws.log) == 3, r.err


@pytest.mark.parametrize("location", [
    "https://far.example/", "https://conf.s3.eu-west-1.amazonaws.com.far.example/",
    "https://far-amazonaws.com/", "https://amazonaws.com/", "https://127.0.0.1/",
    "http://conf.s3.eu-west-1.amazonaws.com/", "https://a@conf.s3.eu-west-1.amazonaws.com/",
    "https://conf.s3.eu-west-1.amazonaws.com:8443/", "//far.example/", "nonsense", ""])
def test_a_redirect_elsewhere_is_refused(node, location):
    node.aws.fault(moved(location))
    r = node.fetch(CONF)
    assert r.code == 4 and "http-redirect" in r.err and len(node.aws.log) == 1, r.err


def test_another_partition(node):
    node.imds.identities["*"] = instance(region="cn-north-1", partition="aws-cn",
                                         domain="amazonaws.com.cn")
    node.aws.buckets["conf"].region = "cn-north-1"
    assert node.fetch(CONF).out == BODY
    assert hosts(node) == ["conf.s3.cn-north-1.amazonaws.com.cn"]


def test_dual_stack(node):
    r = node.fetch(CONF, env={"AWS_USE_DUALSTACK_ENDPOINT": "true"})
    assert r.code == 0 and hosts(node) == ["conf.s3.dualstack.eu-west-1.amazonaws.com"], r.err
    assert node.fetch(CONF, env={"AWS_USE_DUALSTACK_ENDPOINT": "false"}).code == 0
    assert hosts(node)[-1] == "conf.s3.eu-west-1.amazonaws.com"


def test_certificate_of_nobody(node):
    r = node.fetch(CONF, env={"AWS_CA_BUNDLE": None})
    assert r.code == 4 and "http-tls" in r.err and not node.aws.log, r.err


def test_metadata_over_ipv6_only(node):
    node.imds.stop()
    with Imds(instance(), V6, 80) as six:
        r = node.fetch(CONF)
        assert r.code == 0 and r.out == BODY, r.err
        assert {q.get("host") for q in six.log} == {f"[{V6}]"}


def test_metadata_over_ipv6_when_ipv4_is_silent(node):
    rules = ("table inet t {\n chain i {\n  type filter hook input priority 0\n"
             f"  ip daddr {V4} tcp dport 80 drop\n }}\n}}\n")
    subprocess.run(["nft", "-f", "-"], input=rules, text=True, check=True)
    try:
        with Imds(instance(), V6, 80) as six:
            r = node.fetch(CONF)
            assert r.code == 0 and r.out == BODY and six.log and not node.imds.log, r.err
            assert len(six.seen("PUT")) == 1
    finally:
        subprocess.run(["nft", "delete", "table", "inet", "t"], check=True)


def test_proxies_of_the_environment_are_not_asked(node):
    with Server(lambda req: Response(200, b"trapped")) as trap:
        names = ("http_proxy", "https_proxy", "HTTPS_PROXY", "ALL_PROXY", "all_proxy")
        r = node.fetch(CONF, env={n: trap.url for n in names})
        assert r.code == 0 and r.out == BODY and not trap.conns, r.err


def test_facts(node):
    r = node.facts()
    assert r.code == 0 and re.search(rb"region=eu-west-1\b", r.out), r.err
