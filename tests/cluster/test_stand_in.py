"""CloudFormation's stand-in, asked by AWS's own client: what it does, and what it refuses in AWS's words."""
import json

import botocore.session
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from world import CASES, HEAD_AMI, KEY, NODE_AMI, REGION

BODY = (CASES / "walk.json").read_text()
VALUES = [{"ParameterKey": k, "ParameterValue": v} for k, v in (("HeadImage", HEAD_AMI), ("ComputeImage", NODE_AMI), ("Vpc", "vpc-1"))]
IAM = ["CAPABILITY_IAM"]


@pytest.fixture
def aws(world):
    return botocore.session.get_session().create_client(
        "cloudformation", region_name=REGION, endpoint_url=world.cfn.url, aws_access_key_id=KEY.access_key, aws_secret_access_key=KEY.secret,
        config=Config(retries={"max_attempts": 0}))


def make(aws, **more):
    return aws.create_stack(**{"StackName": "c", "TemplateBody": BODY, "Parameters": VALUES, "Capabilities": IAM, **more})["StackId"]


def until(aws, arn, *status):
    for _ in range(200):
        now = aws.describe_stacks(StackName=arn)["Stacks"][0]["StackStatus"]
        if now in status:
            return now
    raise AssertionError(now)


def other(**changes):
    doc = json.loads(BODY)
    doc["Resources"]["Head"]["Properties"].update(changes)
    return json.dumps(doc)


def test_made_changed_and_deleted(aws, world):
    arn = make(aws)
    until(aws, arn, "CREATE_COMPLETE")
    aws.update_stack(StackName="c", TemplateBody=other(InstanceType="t3.large"), Parameters=VALUES, Capabilities=IAM)
    assert until(aws, arn, "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE") == "UPDATE_COMPLETE"
    head = world.ec2.instances[world.cfn.find("c").resources["Head"].physical]
    assert head.type == "t3.large"
    head.state = "stopped"
    aws.delete_stack(StackName=arn)
    until(aws, arn, "DELETE_COMPLETE")
    with pytest.raises(ClientError, match="Stack with id c does not exist"):
        aws.describe_stacks(StackName="c")


def test_a_running_heads_volume_stays_busy(aws):
    arn = make(aws)
    until(aws, arn, "CREATE_COMPLETE")
    aws.delete_stack(StackName=arn)
    assert until(aws, arn, "DELETE_COMPLETE", "DELETE_FAILED") == "DELETE_FAILED"


@pytest.mark.parametrize("status, done", [("ROLLBACK", "ROLLBACK_COMPLETE"), ("DELETE", "DELETE_COMPLETE"), ("DO_NOTHING", "CREATE_FAILED")])
def test_what_a_failure_leaves(aws, world, status, done):
    world.cfn.fails = {"Head": "no"}
    arn = make(aws, OnFailure=status)
    until(aws, arn, done)
    events = aws.describe_stack_events(StackName=arn)["StackEvents"]
    assert [e["ResourceStatusReason"] for e in events if e["LogicalResourceId"] == "Head" and e["ResourceStatus"] == "CREATE_FAILED"] == ["no"]
    if done == "DELETE_COMPLETE":
        return
    with pytest.raises(ClientError, match=f"is in {done} state and can not be updated"):
        aws.update_stack(StackName="c", TemplateBody=BODY, Parameters=VALUES, Capabilities=IAM)


def test_no_update(aws):
    until(aws, make(aws), "CREATE_COMPLETE")
    with pytest.raises(ClientError, match="No updates are to be performed"):
        aws.update_stack(StackName="c", TemplateBody=BODY, Parameters=VALUES, Capabilities=IAM)


def test_the_same_token_is_the_same_stack(aws):
    arn = make(aws, ClientRequestToken="t-1")
    assert make(aws, ClientRequestToken="t-1") == arn
    with pytest.raises(ClientError, match="AlreadyExistsException.*Stack \\[c\\] already exists"):
        make(aws, ClientRequestToken="t-2")


def test_a_change_set_that_is_not_ready(aws):
    until(aws, make(aws), "CREATE_COMPLETE")
    aws.create_change_set(StackName="c", ChangeSetName="x", TemplateBody=other(ImageId="ami-1"), Parameters=VALUES, Capabilities=IAM)
    with pytest.raises(ClientError, match="InvalidChangeSetStatus"):
        aws.execute_change_set(StackName="c", ChangeSetName="x")
    while (d := aws.describe_change_set(StackName="c", ChangeSetName="x"))["Status"] != "CREATE_COMPLETE":
        pass
    assert {c["ResourceChange"]["LogicalResourceId"]: c["ResourceChange"]["Replacement"] for c in d["Changes"]}["Head"] == "True"
    aws.delete_change_set(StackName="c", ChangeSetName="x")
    with pytest.raises(ClientError, match="ChangeSetNotFound"):
        aws.describe_change_set(StackName="c", ChangeSetName="x")


@pytest.mark.parametrize("how, words", [
    ({"StackName": "1c"}, "regular expression pattern"), ({"Capabilities": ["CAPABILITY_AUTO_EXPAND"]}, "InsufficientCapabilities.*CAPABILITY_IAM"),
    ({"TemplateBody": "{"}, "JSON not well-formed"), ({"TemplateBody": " " * 51201}, "less than or equal to 51200"),
    ({"TemplateBody": '{"Resources": {}}'}, "At least one Resources member"), ({"Parameters": VALUES[:1]}, "must have values"),
    ({"TemplateBody": '{"Resources": {"A": {"Type": "AWS::No::Thing"}}}'}, "Unrecognized resource types: \\[AWS::No::Thing\\]"),
    ({"TemplateBody": other(ImageId={"Ref": "Lost"})}, "Unresolved resource dependencies \\[Lost\\]"),
    ({"TemplateBody": other(SubnetId={"Ref": "StateAttachment"})}, "Circular dependency"),
    ({"Parameters": [*VALUES, {"ParameterKey": "More", "ParameterValue": "1"}]}, "\\[More\\] do not exist in the template"),
    ({"Parameters": [*VALUES, {"ParameterKey": "StateSize", "ParameterValue": "big"}]}, "must be a number"),
    ({"Tags": [{"Key": "aws:x", "Value": "1"}]}, "aws: prefixed tag"), ({"OnFailure": "DELETE", "DisableRollback": True}, "but not both"),
    ({"TemplateURL": "https://s3.eu-west-1.amazonaws.com/b/k"}, "Either Template URL or Template Body")])
def test_what_is_refused(aws, world, how, words):
    with pytest.raises(ClientError, match=words):
        make(aws, **how)
    assert not world.cfn.stacks


def test_templates_come_from_buckets(aws, world):
    world.s3.bucket("b").put("k/t.json", BODY.encode())
    url = "https://s3.eu-west-1.amazonaws.com/b/"
    with pytest.raises(ClientError, match="S3 error: Access Denied"):
        aws.create_stack(StackName="c", TemplateURL=url + "other", Parameters=VALUES, Capabilities=IAM)
    aws.create_stack(StackName="c", TemplateURL=url + "k/t.json", Parameters=VALUES, Capabilities=IAM)
