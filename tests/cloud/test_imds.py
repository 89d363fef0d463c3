"""The metadata service on good and bad days, seen through `hpc-agent facts` and `hpc-agent fetch`."""
import json
import time

import pytest

from conftest import BODY, CREDS, KEY
from fakes.faults import Fault
from fakes.imds import Imds, credentials, instance

CONF = "s3://conf/cluster-config.yaml"
TOKEN = "/latest/api/token"
ROLES = "/latest/meta-data/iam/security-credentials/"
NIC = "meta-data/network/interfaces/macs/0a:11:22:33:44:55/"
SHORT = ("--deadline", "3s")  # where it tries until then


def tokens(world):
    return world.imds.seen("PUT", TOKEN)


def test_facts_tell_who_we_are(world):
    r = world.facts()
    text = r.out.decode()
    assert r.code == 0, r.err
    for want in ("i-0123456789abcdef0", "t3.micro", "eu-west-1", "123456789012", "172.31.5.11", "n1"):
        assert want in text
    r = world.facts("--json")
    assert r.code == 0 and "i-0123456789abcdef0" in json.dumps(json.loads(r.out))


@pytest.mark.parametrize("role,blocks,want", [
    ("head", {"vpc": "10.0.0.0/16\n10.8.0.0/20"}, "10.0.0.0/16 10.8.0.0/20"),
    ("head", {"vpc": "10.0.0.0/16", "ipv6": "fd00:1::/56"}, "10.0.0.0/16 fd00:1::/56"),
    ("head", {"vpc": None}, None),
    ("compute", {"vpc": "10.0.0.0/16"}, None),
], ids=["two", "both-families", "none", "not-a-head"])
def test_a_head_knows_its_networks(world, role, blocks, want):
    extra = {NIC + "vpc-ipv4-cidr-blocks": blocks["vpc"]} | (
        {NIC + "vpc-ipv6-cidr-blocks": blocks["ipv6"]} if "ipv6" in blocks else {})
    world.imds.identities["*"] = instance(extra=extra, user_data=f"#hpc-node\nrole: {role}\n")
    r = world.facts("--json")
    assert r.code == 0, r.err
    assert json.loads(r.out).get("vpc-cidrs", {}).get("value") == want
    assert bool(world.imds.seen("GET", "/latest/" + NIC + "vpc-ipv4-cidr-blocks")) == (role == "head")


def test_networks_that_are_none(world):
    world.imds.identities["*"] = instance(extra={NIC + "vpc-ipv4-cidr-blocks": "10.0.0.0/16 *(rw)"},
                                          user_data="#hpc-node\nrole: head\n")
    r = world.facts()
    assert r.code == 4 and "networks" in r.err, r.err


def test_version_2_only(world):
    world.fetch(CONF)
    world.facts()
    for r in world.imds.log:
        assert r.get("x-forwarded-for") is None
        if r.method == "PUT":
            assert r.path == TOKEN and r.get("x-aws-ec2-metadata-token-ttl-seconds") == "21600"
        else:
            assert r.method == "GET" and r.get("x-aws-ec2-metadata-token")


def test_one_token_few_connections(world):
    r = world.fetch(CONF)
    assert r.code == 0 and r.out == BODY
    assert len(tokens(world)) == 1 and world.imds.conns <= 4


def test_server_that_closes_every_connection(world):
    world.imds.keepalive = False
    assert world.fetch(CONF).out == BODY


def test_ipv6_endpoint(world):
    with Imds(address="::1") as six:
        r = world.fetch(CONF, env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": six.url})
        assert r.code == 0 and r.out == BODY and not world.imds.log


def test_ten_seconds_late(world):
    with Imds(late=10) as late:
        start = time.monotonic()
        r = world.fetch(CONF, env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": late.url})
        assert r.code == 0 and r.out == BODY, r.err
        assert time.monotonic() - start >= 10


def test_no_metadata_service(world):
    world.imds.stop()
    r = world.fetch(CONF, *SHORT)
    assert r.code == 4 and "imds-unreachable" in r.err, r.err
    assert world.facts(*SHORT).code == 4


ONCE = {
    "401 mid-way": Fault("status", status=401, match="/latest/meta-data/*"),
    "401 on credentials": Fault("status", status=401, match=ROLES + "hpc-node"),
    "503 three times": Fault("status", status=503, times=3),
    "500 on the token": Fault("status", status=500, match=TOKEN, times=2),
    "429": Fault("status", status=429, match="/latest/meta-data/*"),
    "reset before the head": Fault("reset", at=-1, times=2),
    "reset in the body": Fault("reset", at=3, match=ROLES + "*"),
    "hangs up": Fault("close", match="/latest/meta-data/*", times=2),
    "truncated": Fault("truncate", at=20, match=ROLES + "hpc-node"),
    "claims more than it sends": Fault("length", at=7, match=ROLES + "hpc-node"),
    "slow": Fault("slow", seconds=0.01, size=16, match=ROLES + "hpc-node"),
    "hangs once": Fault("hang", match=TOKEN),
    "role list not there yet": Fault("status", status=404, match=ROLES, times=2),
    "credentials not there yet": Fault("status", status=404, match=ROLES + "hpc-node", times=2),
    "document not there yet": Fault("status", status=404,
                                    match="/latest/dynamic/instance-identity/document"),
}


@pytest.mark.parametrize("name", ONCE)
def test_passing_fault(world, name):
    world.imds.fault(ONCE[name])
    r = world.fetch(CONF)
    assert r.code == 0 and r.out == BODY, r.err


@pytest.mark.parametrize("name", ["503 three times", "reset before the head", "document not there yet"])
def test_passing_fault_of_facts(world, name):
    f = ONCE[name]
    world.imds.fault(Fault(f.kind, match=f.match, status=f.status, at=f.at, times=f.times))
    r = world.facts()
    assert r.code == 0 and b"i-0123456789abcdef0" in r.out, r.err


def test_401_takes_one_new_token(world):
    world.imds.fault(Fault("status", status=401, match=ROLES + "*"))
    assert world.fetch(CONF).code == 0
    assert len(tokens(world)) == 2


def test_401_for_ever_ends(world):
    world.imds.fault(Fault("status", status=401, method="GET", times=0))
    r = world.fetch(CONF)
    assert r.code == 4 and len(tokens(world)) == 2, r.err


def test_retry_after_is_kept(world):
    world.imds.fault(Fault("status", status=429, headers=[("Retry-After", "1")], match=TOKEN))
    assert world.fetch(CONF).code == 0
    first, second = tokens(world)
    assert second.when - first.when >= 1


@pytest.mark.parametrize("path", [TOKEN, "*"])
def test_403_is_final_and_clear(world, path):
    world.imds.fault(Fault("status", status=403, match=path, times=0))
    r = world.fetch(CONF)
    assert r.code == 4 and len(world.imds.log) == 1, r.err
    assert "403" in r.err or "forbid" in r.err or "disabled" in r.err


def test_no_role(world):
    world.imds.identities["*"] = instance(role=None)
    r = world.fetch(CONF, *SHORT)
    assert r.code == 4 and "role" in r.err, r.err
    assert not world.aws.log


@pytest.mark.parametrize("listing", ["hpc-node\r\n", "hpc-node\n", "  hpc-node \t\r\n",
                                     "hpc-node\nother-role\n", "\r\nhpc-node\r\n\r\n"])
def test_role_name_with_odd_whitespace(world, listing):
    world.imds.fault(Fault("edit", match=ROLES, body=listing))
    assert world.fetch(CONF).out == BODY


@pytest.mark.parametrize("listing", ["", " \r\n", "a b\n", "../../user-data", "x" * 5000,
                                     "r\x00ole", "r\x1bole", "{}", "<html>"])
def test_role_name_that_is_none(world, listing):
    world.imds.fault(Fault("edit", match=ROLES, body=listing.encode(), times=0))
    r = world.fetch(CONF, *SHORT)
    assert r.code == 4 and not world.aws.log, r.err
    assert all(r.path in (TOKEN, ROLES) or not r.path.startswith(ROLES) or r.path == ROLES + "hpc-node"
               for r in world.imds.log)


@pytest.mark.parametrize("change", [
    {"Code": "AssumeRoleUnauthorizedAccess"}, {"Code": None}, {"SecretAccessKey": None},
    {"AccessKeyId": ""}, {"Token": "a\r\nX-Injected: 1"}, {"Token": 7}, {"Expiration": "soon"},
    {"AccessKeyId": "A" * 4000}])
def test_credentials_that_are_none(world, change):
    creds = {k: v for k, v in {**CREDS, **change}.items() if v is not None}
    world.imds.identities["*"] = instance(creds=creds)
    r = world.fetch(CONF, *SHORT)
    assert r.code == 4 and not world.aws.log, r.err
    if change.get("Code"):
        assert "AssumeRoleUnauthorizedAccess" in r.err


@pytest.mark.parametrize("body", ["", "{", "[]", "null", '{"Code":"Success"} x', "\xff\xfe",
                                  '{"Code":"Success","Code":"Failed"}', "[" * 5000])
def test_credentials_that_are_not_json(world, body):
    world.imds.fault(Fault("edit", match=ROLES + "hpc-node", body=body.encode("latin-1"), times=0))
    r = world.fetch(CONF, *SHORT)
    assert r.code == 4 and not world.aws.log, r.err


def test_expired_credentials_stay_in_use(world):
    world.imds.identities["*"] = instance(creds=credentials(life=-60))
    r = world.fetch(CONF)
    assert r.code == 0 and r.out == BODY and "expired" in r.err, r.err
    world.aws.keys = [type(KEY)(KEY.access_key, KEY.secret, KEY.token, expires=1)]
    r = world.fetch(CONF, *SHORT)
    assert r.code == 4 and "ExpiredToken" in r.err, r.err


def test_redirect_is_not_followed(world, trap):
    for match in (TOKEN, "/latest/meta-data/*"):
        world.imds.reset()
        world.imds.fault(Fault("status", status=302, headers=[("Location", trap.url + "/x")],
                               match=match, times=0))
        assert world.fetch(CONF, *SHORT).code == 4


def test_proxy_settings_do_not_capture_us(world, trap):
    names = ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY")
    r = world.facts(env={n: trap.url for n in names})
    assert r.code == 0 and b"i-0123456789abcdef0" in r.out, r.err


@pytest.mark.parametrize("fault", [Fault("endless", match="*", times=0),
                                   Fault("endless", match="/latest/meta-data/*", times=0),
                                   Fault("headers", match="*", times=0),
                                   Fault("garbage", match="*", times=0),
                                   Fault("edit", match=TOKEN, body=b"t" * 100000, times=0),
                                   Fault("edit", match=TOKEN, body=b"a\r\nX-I: 1", times=0),
                                   Fault("edit", match=TOKEN, body=b"", times=0)],
                         ids=["endless", "endless-data", "headers", "garbage", "long-token",
                              "token-with-crlf", "empty-token"])
def test_nonsense_is_bounded(world, fault):
    world.imds.fault(fault)
    r = world.fetch(CONF, *SHORT)
    assert r.code == 4, r.err
    assert all(q.get("x-i") is None for q in world.imds.log)


def test_the_node_tag_of_the_quick_start(world):
    """The service decodes nothing: a key is asked for as it is listed, with its colon."""
    world.imds.identities["*"] = instance(tags={"hpc-node:node": "queue1-dy-t3micro-1", "a+b=c,d_e:f@g.h-i": "odd"})
    r = world.facts()
    assert r.code == 0 and b"queue1-dy-t3micro-1" in r.out and b"odd" in r.out, r.err
    assert world.imds.seen("GET", "/latest/meta-data/tags/instance/hpc-node:node")
    assert not [q for q in world.imds.log if "%" in q.path] and r.err == ""


def test_a_listed_tag_without_a_value_is_a_warning(world):
    world.imds.identities["*"] = instance(tags={"Name": "n1", "hpc-node:role": "compute"})
    world.imds.fault(Fault("status", status=404, match="*/tags/instance/Name", times=0))
    r = world.facts()
    assert r.code == 0 and b"compute" in r.out and "tag 'Name'" in r.err, (r.out, r.err)


def test_tags_disabled_and_no_user_data(world):
    world.imds.identities["*"] = instance(tags=None)
    r = world.facts()
    assert r.code == 0 and b"i-0123456789abcdef0" in r.out


def test_tag_values_cannot_write_on_the_terminal(world):
    world.imds.identities["*"] = instance(tags={"Name": "a\x1b[31mb\r\nc"})
    r = world.facts()
    assert r.code == 0 and b"\x1b" not in r.out and b"\r" not in r.out, r.out


def test_no_region_is_never_a_default(world):
    gone = {"meta-data/placement/region": None, "meta-data/placement/availability-zone": None,
            "dynamic/instance-identity/document": None}
    world.imds.identities["*"] = instance(extra=gone)
    r = world.fetch(CONF, *SHORT)
    assert r.code == 4 and "region" in r.err and not world.aws.log, r.err
    r = world.fetch(CONF, env={"AWS_REGION": "eu-west-1"})
    assert r.code == 0 and r.out == BODY, r.err


@pytest.mark.parametrize("endpoint", ["ftp://127.0.0.1/", "http://", "127.0.0.1:80", "http://u:p@127.0.0.1/",
                                      "http://127.0.0.1:99999", "http://a b/"])
def test_endpoint_setting_that_is_none(world, endpoint):
    r = world.facts(env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": endpoint})
    assert r.code in (2, 3) and "AWS_EC2_METADATA_SERVICE_ENDPOINT" in r.err, r.err


def test_endpoint_setting_with_a_slash(world):
    r = world.fetch(CONF, env={"AWS_EC2_METADATA_SERVICE_ENDPOINT": world.imds.url + "/",
                               "AWS_ENDPOINT_URL": world.aws.url + "/"})
    assert r.code == 0 and r.out == BODY, r.err


def test_tokens_that_end_early(world):
    """The service forgets its tokens between two reads: one new token, and everything is read."""
    world.imds.on_request = lambda req: (req.path.startswith(ROLES + "h") and len(tokens(world)) == 1
                                         and world.imds.expire_tokens())
    r = world.fetch(CONF)
    assert r.code == 0 and r.out == BODY and len(tokens(world)) == 2, r.err
