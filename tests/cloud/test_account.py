"""The fake account of EBS direct, EC2 and SSM: AWS's own client works against it, and what AWS refuses it
refuses, in AWS's words."""
import base64
import datetime
import hashlib
import time

import botocore.session
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from botocore.exceptions import ClientError

from fakes.ebs import BLOCK, Account
from fakes.sigcheck import Key
from test_fakes import http

KEY = Key("AKIAEXAMPLEEXAMPLE00", "a-secret/of+the/account", "a-session-token")
NEXT_YEAR = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 365 * 86400))
REFUSED = ("ValidationException", "InvalidParameterValue")  # by EBS, or by AWS's model of it
KMS = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.fixture
def account():
    with Account([KEY]) as a:
        yield a


@pytest.fixture
def client(account):
    def make(name, key=KEY, region="eu-west-1"):
        return botocore.session.Session().create_client(
            name, region_name=region, endpoint_url=account.url, aws_access_key_id=key.access_key,
            aws_secret_access_key=key.secret, aws_session_token=key.token,
            config=Config(retries={"total_max_attempts": 1}, parameter_validation=False))
    return make


def digest(raw):
    return base64.b64encode(hashlib.sha256(raw).digest()).decode()


def put(ebs, name, index=0, data=b"x" * BLOCK, **more):
    return ebs.put_snapshot_block(**{"SnapshotId": name, "BlockIndex": index, "BlockData": data,
                                     "DataLength": len(data), "Checksum": digest(data),
                                     "ChecksumAlgorithm": "SHA256", **more})


def snapshot(client, token="t", **more):
    """One with a block in it, completed."""
    ebs = client("ebs")
    name = ebs.start_snapshot(VolumeSize=1, ClientToken=token, **more)["SnapshotId"]
    put(ebs, name)
    total = digest(hashlib.sha256(b"x" * BLOCK).digest())
    ebs.complete_snapshot(SnapshotId=name, ChangedBlocksCount=1, Checksum=total, ChecksumAlgorithm="SHA256",
                          ChecksumAggregationMethod="LINEAR")
    ec2 = client("ec2")
    while ec2.describe_snapshots(OwnerIds=["self"], SnapshotIds=[name])["Snapshots"][0]["State"] != "completed":
        pass
    return name


def register(client, name, shot, **more):
    return client("ec2").register_image(
        **{"Name": name, "RootDeviceName": "/dev/xvda", "Architecture": "x86_64", "VirtualizationType": "hvm",
           "BlockDeviceMappings": [{"DeviceName": "/dev/xvda", "Ebs": {"SnapshotId": shot, "VolumeSize": 1}}],
           **more})["ImageId"]


def query(account, body):
    """A request of the query protocol as it stands, signed."""
    url, kind = account.url + "/", "application/x-www-form-urlencoded; charset=utf-8"
    req = AWSRequest("POST", url, data=body, headers={"Content-Type": kind})
    SigV4Auth(Credentials(KEY.access_key, KEY.secret, KEY.token), "ec2", "eu-west-1").add_auth(req)
    return http(url, "POST", dict(req.headers), body.encode())


def refused(call, **kw):
    with pytest.raises(ClientError) as e:
        call(**kw)
    assert e.value.response["ResponseMetadata"]["RequestId"], e.value.response
    return e.value.response["Error"]["Code"]


def test_awss_own_client_makes_an_image(account, client):
    ec2, ssm = client("ec2"), client("ssm")
    image = register(client, "one", snapshot(client), Description="a <b>")
    ec2.create_tags(Resources=[image], Tags=[{"Key": "für", "Value": "a&b"}])
    ec2.modify_image_attribute(ImageId=image, LaunchPermission={"Add": [{"UserId": "111122223333"}]})
    ec2.enable_image_deprecation(ImageId=image, DeprecateAt=NEXT_YEAR)
    ssm.put_parameter(Name="/a", Value=image, Type="String", DataType="aws:ec2:image")
    assert ssm.get_parameter(Name="/a")["Parameter"]["Value"] == image
    shown, = ec2.describe_images(Owners=["self"], ImageIds=[image])["Images"]
    assert shown["Tags"] == [{"Key": "für", "Value": "a&b"}] and shown["Description"] == "a <b>"
    copy = client("ec2", region="us-east-1").copy_image(Name="one", SourceImageId=image,
                                                        SourceRegion="eu-west-1")["ImageId"]
    assert account.images[copy].region == "us-east-1"
    assert ec2.deregister_image(ImageId=image)["ResponseMetadata"]["HTTPStatusCode"] == 200


@pytest.mark.parametrize("at, good", [(1, True), (3652, True), (3660, False), (-1, False)])
def test_deprecation_lies_within_ten_years(client, at, good):
    image = register(client, "one", snapshot(client))
    when = (datetime.datetime.utcnow() + datetime.timedelta(days=at)).strftime("%Y-%m-%dT%H:%M:%SZ")
    call = client("ec2").enable_image_deprecation
    if good:
        call(ImageId=image, DeprecateAt=when)
    else:
        assert refused(call, ImageId=image, DeprecateAt=when) == "InvalidParameterValue"


@pytest.mark.parametrize("more, shared", [({}, True), ({"Encrypted": True, "KmsKeyArn": KMS}, True),
                                          ({"Encrypted": True}, False)])
def test_what_the_default_key_encrypts_is_not_shared(client, more, shared):
    ec2, shot = client("ec2"), snapshot(client, **more)
    image = register(client, "one", shot)
    add = {"ImageId": image, "LaunchPermission": {"Add": [{"UserId": "111122223333"}]}}
    one = {"SnapshotId": shot, "Attribute": "createVolumePermission", "OperationType": "add",
           "UserIds": ["111122223333"]}
    if shared:
        ec2.modify_image_attribute(**add)
        ec2.modify_snapshot_attribute(**one)
    else:
        assert refused(ec2.modify_image_attribute, **add) == "InvalidParameter"
        assert refused(ec2.modify_snapshot_attribute, **one) == "OperationNotPermitted"


def test_a_name_is_there_once_in_a_region(client):
    shot = snapshot(client)
    image, east = register(client, "one", shot), client("ec2", region="us-east-1")
    assert refused(lambda: register(client, "one", shot)) == "InvalidAMIName.Duplicate"
    copy = {"Name": "one", "SourceImageId": image, "SourceRegion": "eu-west-1"}
    first = east.copy_image(ClientToken="a", **copy)["ImageId"]
    assert east.copy_image(ClientToken="a", **copy)["ImageId"] == first
    assert refused(east.copy_image, ClientToken="b", **copy) == "InvalidAMIName.Duplicate"


def test_ec2_takes_longer_tags_than_ebs(client):
    ec2, ebs, shot = client("ec2"), client("ebs"), snapshot(client)
    for key, value in (("k" * 128, "v"), ("k", "v" * 256)):
        tags = [{"Key": key, "Value": value}]
        ec2.create_tags(Resources=[shot], Tags=tags)
        assert refused(ebs.start_snapshot, VolumeSize=1, ClientToken="u", Tags=tags) in REFUSED


@pytest.mark.parametrize("key, value, good", [
    ("k" * 127, "v" * 255, True), ("k" * 129, "v", False), ("k", "v" * 257, False), ("", "v", False),
    ("aws:k", "v", False), ("AWS:k", "v", False), ("k\n", "v", False), ("ü", "日", True)])
def test_tags(client, key, value, good):
    tags = [{"Key": key, "Value": value}]
    shot, ebs, ec2 = snapshot(client), client("ebs"), client("ec2")
    if good:
        ec2.create_tags(Resources=[shot], Tags=tags)
        ebs.start_snapshot(VolumeSize=1, ClientToken="u", Tags=tags)
        return
    assert refused(ec2.create_tags, Resources=[shot], Tags=tags) == "InvalidParameterValue"
    assert refused(ebs.start_snapshot, VolumeSize=1, ClientToken="u", Tags=tags) in REFUSED


def test_fifty_tags_and_no_more(client):
    tags = [{"Key": f"k{i}", "Value": "v"} for i in range(51)]
    ebs = client("ebs")
    ebs.start_snapshot(VolumeSize=1, ClientToken="a", Tags=tags[:50])
    assert refused(ebs.start_snapshot, VolumeSize=1, ClientToken="b", Tags=tags) in REFUSED


@pytest.mark.parametrize("text, good", [("d" * 255, True), ("d" * 256, False), ("für", False), ("a\nb", False)])
def test_descriptions(client, text, good):
    ebs, shot = client("ebs"), snapshot(client)
    if good:
        register(client, "one", shot, Description=text)
        ebs.start_snapshot(VolumeSize=1, ClientToken="u", Description=text)
    else:
        assert refused(lambda: register(client, "one", shot, Description=text)) == "InvalidParameterValue"
        assert refused(ebs.start_snapshot, VolumeSize=1, ClientToken="u", Description=text) in REFUSED


def test_ids_and_pages_exclude_each_other(account, client):
    ec2, shot = client("ec2"), snapshot(client)
    code = "InvalidParameterCombination"
    assert refused(ec2.describe_snapshots, OwnerIds=["self"], SnapshotIds=[shot], MaxResults=5) == code
    image = register(client, "one", shot)
    owner = "Action=DescribeImages&Version=2016-11-15&Owner.1=self"
    assert f"<Code>{code}<".encode() in query(account, owner + f"&ImageId.1={image}&MaxResults=5")[1]
    assert b"<Code>InvalidParameterValue<" in query(account, owner + "&MaxResults=4")[1]
    assert image.encode() in query(account, owner + "&MaxResults=5")[1]


def test_a_new_image_is_not_seen_at_once(account, client):
    ec2, account.image_settle = client("ec2"), 3600
    image = register(client, "one", snapshot(client))
    assert refused(ec2.describe_images, Owners=["self"], ImageIds=[image]) == "InvalidAMIID.NotFound"
    assert ec2.describe_images(Owners=["self"])["Images"] == []
    assert refused(ec2.enable_image_deprecation, ImageId=image, DeprecateAt=NEXT_YEAR) == "InvalidAMIID.NotFound"
    account.image_settle = 0
    assert ec2.describe_images(Owners=["self"], ImageIds=[image])["Images"]


def test_a_snapshot_nobody_goes_on_with_fails(account, client):
    account.minute, ebs = 3600, client("ebs")
    name = ebs.start_snapshot(VolumeSize=1, ClientToken="t", Timeout=10)["SnapshotId"]
    put(ebs, name)
    account.minute = 0
    assert refused(lambda: put(ebs, name, 1)) == "ConflictException"
    assert account.snapshots[name].status == "error"


@pytest.mark.parametrize("more", [{"Checksum": digest(b"other")}, {"ChecksumAlgorithm": "MD5"},
                                  {"DataLength": 5}, {"BlockData": b"short", "DataLength": 5},
                                  {"Progress": 101}, {"BlockIndex": 2048}])
def test_blocks_are_checked(client, more):
    ebs = client("ebs")
    name = ebs.start_snapshot(VolumeSize=1, ClientToken="t")["SnapshotId"]
    assert refused(lambda: put(ebs, name, **more)) in REFUSED
    put(ebs, name, Progress=100)


def test_completing_is_checked(client):
    ebs = client("ebs")
    name = ebs.start_snapshot(VolumeSize=1, ClientToken="t")["SnapshotId"]
    put(ebs, name)
    right = {"SnapshotId": name, "ChangedBlocksCount": 1, "ChecksumAlgorithm": "SHA256",
             "Checksum": digest(hashlib.sha256(b"x" * BLOCK).digest()), "ChecksumAggregationMethod": "LINEAR"}
    for wrong in ({"ChangedBlocksCount": 2}, {"Checksum": digest(b"x")}, {"ChecksumAggregationMethod": "TREE"}):
        assert refused(ebs.complete_snapshot, **{**right, **wrong}) in REFUSED
    ebs.complete_snapshot(**right)


@pytest.mark.parametrize("change, status, code", [
    ({"access_key": "AKIANOBODY0000000000"}, 401, "AuthFailure"), ({"secret": "other"}, 401, "AuthFailure"),
    ({"token": "other"}, 401, "AuthFailure"), ({"expires": 1}, 400, "RequestExpired"),
    ({"skew": 1200}, 400, "RequestExpired"), ({"skew": -1200}, 401, "AuthFailure")])
def test_ec2_has_its_own_words_for_credentials(account, client, change, status, code):
    key = Key(**{"access_key": KEY.access_key, "secret": KEY.secret, "token": KEY.token,
                 **{k: v for k, v in change.items() if k not in ("expires", "skew")}})
    if "expires" in change:
        account.keys = [Key(KEY.access_key, KEY.secret, KEY.token, expires=1)]
    account.skew = change.get("skew", 0)
    with pytest.raises(ClientError) as e:
        client("ec2", key).describe_images(Owners=["self"])
    assert (e.value.response["ResponseMetadata"]["HTTPStatusCode"], e.value.response["Error"]["Code"]) == \
        (status, code)


@pytest.mark.parametrize("body, code", [
    ("Action=DescribeImages&Version=2016-11-15&Owner.1=self&Nonsense=1", "UnknownParameter"),
    ("Action=NoSuchThing&Version=2016-11-15", "InvalidAction"),
    ("Action=DescribeImages&Version=2016-11-15&Owner.1=self&MaxResults=many", "InvalidParameterValue"),
    ("Action=RegisterImage&Version=2016-11-15&Architecture=x86_64", "MissingParameter"),
    ("Action=RegisterImage&Version=2016-11-15&Name=abc&Architecture=vax", "InvalidParameterValue"),
    ("Action=DeregisterImage&Version=2016-11-15&ImageId=ami-1&DryRun=yes", "InvalidParameterValue")])
def test_requests_are_held_against_awss_own_model(account, body, code):
    got = query(account, body)
    assert got[0] == 400 and f"<Code>{code}</Code>".encode() in got[1], got[1]
