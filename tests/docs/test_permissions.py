"""docs/iam against the code: each call of AWS is granted to whom it is made by, and nothing is granted that isn't called."""
import json
import os
import re
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import manual  # noqa: E402
from manual import SOURCE, Page  # noqa: E402

POLICIES = {p.stem: json.loads(p.read_text()) for p in sorted(SOURCE.glob("docs/iam/*.json"))}

# The functions of lib/aws and lib/cloud that make each call.
CALLS = {
    "cloudformation:CreateChangeSet": "stacks_plan_make",
    "cloudformation:CreateStack": "stacks_create",
    "cloudformation:DeleteChangeSet": "stacks_plan_drop",
    "cloudformation:DeleteStack": "stacks_delete",
    "cloudformation:DescribeChangeSet": "stacks_plan_look",
    "cloudformation:DescribeStackEvents": "stacks_events",
    "cloudformation:DescribeStacks": "stacks_list",
    "cloudformation:ExecuteChangeSet": "stacks_plan_run",
    "ebs:CompleteSnapshot": "ebs_complete",
    "ebs:PutSnapshotBlock": "ebs_put",
    "ebs:StartSnapshot": "ebs_start",
    "ec2:CopyImage": "ec2_copy",
    "ec2:DeleteSnapshot": "ec2_delete_snapshot",
    "ec2:DeregisterImage": "ec2_deregister",
    "ec2:DescribeImages": "ec2_images",
    "ec2:DescribeInstanceTypeOfferings": "ec2_offers",
    "ec2:DescribeInstances": "instances_list",
    "ec2:DescribeKeyPairs": "ec2_key_pairs",
    "ec2:DescribeRegions": "ec2_regions",
    "ec2:DescribeRouteTables": "ec2_routes",
    "ec2:DescribeSnapshots": "ec2_snapshots",
    "ec2:DescribeSubnets": "ec2_subnets",
    "ec2:DescribeVpcEndpoints": "ec2_endpoints",
    "ec2:DescribeVpcs": "ec2_vpcs",
    "ec2:EnableImageDeprecation": "ec2_deprecate",
    "ec2:GetConsoleOutput": "instances_console",
    "ec2:GetEbsEncryptionByDefault": "ec2_encrypts",
    "ec2:ModifyImageAttribute": "ec2_share_image",
    "ec2:ModifySnapshotAttribute": "ec2_share_snapshot",
    "ec2:RegisterImage": "ec2_register",
    "ec2:RunInstances": "instances_run",
    "ec2:StopInstances": "instances_stop",
    "ec2:TerminateInstances": "instances_end",
    "s3:CreateBucket": "s3_bucket_make",
    "s3:DeleteObjectVersion": "s3_bucket_purge",
    "s3:GetBucketVersioning": "s3_bucket_look",
    "s3:GetObject": "fetch_(?:memory|file|secret)",
    "s3:ListBucket": "s3_list",
    "s3:ListBucketVersions": "s3_bucket_purge",
    "s3:PutBucketPolicy": "s3_bucket_guard",
    "s3:PutBucketPublicAccessBlock": "s3_bucket_guard",
    "s3:PutBucketVersioning": "s3_bucket_guard",
    "s3:PutObject": "s3_put",
    "secretsmanager:GetSecretValue": "fetch_secret",
    "ssm:PutParameter": "ssm_put_image",
    "sts:AssumeRole": "sts_assume",
}

# Where a program's own code is; the agent's is in the lower floors too, that imagebuilder shares.
WHERE = {
    "agent": ("agent/*.c", "lib/*/*.c"),
    "fleet": ("fleet/*/*.c",),
    "imagebuild": ("imagebuilder/*/*.c",),
    "workstation": ("cluster/*/*.c",),
}
NOT_AGENT = ("lib/aws/", "lib/cloud/", "lib/program/")

# Which policies have a program's calls, and those of each that are the head's alone.
PROFILES = {"imagebuild", "workstation"}  # their credentials may be a profile with role_arn
ROLES = {"compute": "agent", "login": "agent", "head": "agent", "fleet": "fleet", "imagebuild": "imagebuild",
         "workstation": "workstation"}
HEAD_ALONE = {"s3:PutObject"}

# What a role needs and no call names.
BESIDE = {
    "compute": {"elasticfilesystem:ClientMount", "elasticfilesystem:ClientWrite"},  # mount.efs, with iam: true
    "fleet": {"ec2:CreateTags", "iam:PassRole"},  # RunInstances with tags and with a profile
    "imagebuild": {"ec2:CreateTags"},  # RegisterImage with tags
}
BESIDE["login"] = BESIDE["compute"]
BESIDE["head"] = BESIDE["compute"] | {"logs:CreateLogStream", "logs:PutLogEvents"}  # CloudWatch's agent

# CloudFormation reads a long template with the rights of who asks.
BESIDE["workstation"] = {"s3:GetObject"}

# What CloudFormation calls for a resource of the stack, with the rights of who asked: the documentation of each type.
STACK = {
    "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm DeleteAlarms DescribeAlarms",
    "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard DeleteDashboards GetDashboard",
    "AWS::EC2::EIP": "ec2:AllocateAddress ReleaseAddress DescribeAddresses CreateTags",
    "AWS::EC2::EIPAssociation": "ec2:AssociateAddress DisassociateAddress DescribeAddresses",
    "AWS::EC2::Instance": "ec2:RunInstances TerminateInstances StopInstances StartInstances ModifyInstanceAttribute DescribeInstances CreateTags",
    "AWS::EC2::SecurityGroup": "ec2:CreateSecurityGroup DeleteSecurityGroup DescribeSecurityGroups AuthorizeSecurityGroupIngress "
                               "RevokeSecurityGroupIngress RevokeSecurityGroupEgress CreateTags",
    "AWS::EC2::SecurityGroupEgress": "ec2:AuthorizeSecurityGroupEgress RevokeSecurityGroupEgress DescribeSecurityGroupRules",
    "AWS::EC2::SecurityGroupIngress": "ec2:AuthorizeSecurityGroupIngress RevokeSecurityGroupIngress DescribeSecurityGroupRules",
    "AWS::EC2::Volume": "ec2:CreateVolume DeleteVolume ModifyVolume DescribeVolumes CreateSnapshot DescribeSnapshots CreateTags",
    "AWS::EC2::VolumeAttachment": "ec2:AttachVolume DetachVolume DescribeVolumes",
    "AWS::EFS::FileSystem": "elasticfilesystem:CreateFileSystem DeleteFileSystem DescribeFileSystems TagResource",
    "AWS::EFS::MountTarget": "elasticfilesystem:CreateMountTarget DeleteMountTarget DescribeMountTargets",
    "AWS::FSx::FileSystem": "fsx:CreateFileSystem DeleteFileSystem DescribeFileSystems TagResource",
    "AWS::IAM::InstanceProfile": "iam:CreateInstanceProfile DeleteInstanceProfile GetInstanceProfile AddRoleToInstanceProfile "
                                 "RemoveRoleFromInstanceProfile PassRole",
    "AWS::IAM::Role": "iam:CreateRole DeleteRole GetRole PutRolePolicy DeleteRolePolicy GetRolePolicy AttachRolePolicy DetachRolePolicy TagRole",
    "AWS::Logs::LogGroup": "logs:CreateLogGroup DeleteLogGroup DescribeLogGroups PutRetentionPolicy TagResource",
}

ANONYMOUS = {"sts:AssumeRoleWithWebIdentity",  # it is not signed, so that nobody is granted it
             "sts:GetCallerIdentity"}  # everybody may


def listed(policy):
    return [a for s in policy["Statement"] for a in ([s["Action"]] if isinstance(s["Action"], str) else s["Action"])]


def strip(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def requests():
    """What the code says it asks, by where each protocol has the name of the action."""
    found = set()
    for path, text in manual.sources("lib/aws/*.c", "lib/cloud/*.c"):
        text, name = strip(text), path.name
        ec2 = re.findall(r'\bec2_form\(\w+, [\w>-]+, "(\w+)"\)', text)
        ec2 += re.findall(r'\bchange\(c, region, "\w+", "(\w+)"', text)
        ec2 += re.findall(r'\bstruct listing l = \{"(\w+)"', text)
        found |= {f"ec2:{a}" for a in ec2}
        if name.startswith("stacks"):
            found |= {f"cloudformation:{a}" for a in re.findall(r'\.action = "(\w+)"', text) + re.findall(r'stacks_form\(a, "(\w+)"\)', text)}
        if name == "caller.c":
            found |= {f"sts:{a}" for a in re.findall(r'"Action", "(\w+)"', text)}
        if name == "s3_bucket.c":
            found |= {f"s3:{a}" for a in re.findall(r'"s3:(\w+)"', text)} | {f"s3:{a}" for a in re.findall(r's3:(\w+Versions?) on', text)}
            continue
        if name == "sts.c":
            found |= {f"sts:{a}" for pair in re.findall(r'action = token \? "(\w+)" : "(\w+)"', text) for a in pair}
        for target, action in re.findall(r'"X-Amz-Target", "(\w+)\.(\w+)"', text):
            found.add(f"{ {'AmazonSSM': 'ssm'}.get(target, target)}:{action}")
        if name.startswith("s3"):
            of = {("s3.c", "GET"): "GetObject", ("s3.c", "PUT"): "PutObject", ("s3_list.c", "GET"): "ListBucket"}
            found |= {f"s3:{of[name, m]}" for m in re.findall(r'\.method = "(\w+)"', text)}
        if name.startswith("ebs"):
            of = {"/snapshots": "StartSnapshot", "/snapshots/completion/%s": "CompleteSnapshot",
                  "/snapshots/%s/blocks/%u": "PutSnapshotBlock"}
            found |= {f"ebs:{of[m]}" for m in re.findall(r'"(/snapshots[^"?]*)', text)}
    return found


def calls(program):
    text = "".join(strip(t) for p, t in manual.sources(*WHERE[program])
                   if program != "agent" or not str(p.relative_to(SOURCE)).startswith(NOT_AGENT))
    return {a for a, function in CALLS.items() if re.search(rf"\b{function}[(,)]", text)}


def test_every_call_is_read_from_the_code():
    assert requests() - ANONYMOUS == set(CALLS)


def test_no_call_of_another_kind():
    """A service or a way of calling that requests() doesn't know needs a rule there."""
    text = {p.name: strip(t) for p, t in manual.sources("lib/aws/*.c", "lib/cloud/*.c")}
    named = {(n, s) for n, t in text.items() for s in re.findall(r'\.service = "(\w+)"', t)}
    assert {n for n, t in text.items() if re.search(r"\bcall_run\(c, ", t)} - {"call.c"} == {
        "ebs.c", "query.c", "s3.c", "secrets.c", "ssm.c", "sts.c"}
    assert named == {("ssm.c", "ssm"), ("ebs.c", "ebs"), ("ebs_put.c", "ebs"), ("secrets.c", "secretsmanager")} | {
        (n, s) for n, s in named if s in ("s3", "sts")}
    assert {n for n, t in text.items() if re.search(r"\bquery_call\(c, ", t)} == {"caller.c", "ec2_form.c", "stacks_form.c"}
    loose = [m for t in text.values() for m in re.findall(r"= ec2_form\(([^\"()]*)\);", t)]
    assert sorted(loose) == ["a, q->region, l->action", "a, region, action"]


@pytest.mark.parametrize("role", sorted(ROLES))
def test_a_role_may_do_what_its_program_calls_and_no_more(role):
    need = calls(ROLES[role]) | BESIDE.get(role, set())
    if role in ("compute", "login"):
        need -= HEAD_ALONE
    if role in PROFILES:
        need.add("sts:AssumeRole")
    assert set(listed(POLICIES[role])) == need


def test_there_is_a_policy_for_each_role_and_the_page_names_it():
    assert set(POLICIES) == {*ROLES, "stack"}
    assert set(re.findall(r"\(iam/(\w+)\.json\)", (SOURCE / "docs/PERMISSIONS.md").read_text())) == {*ROLES, "stack"}


def test_the_stacks_policy_is_for_the_types_it_has():
    made = set()
    for _, text in manual.sources("cluster/stack/*.c"):
        made |= set(re.findall(r'"(AWS::(?!EC2::VPC::|EC2::Image::)\w+::\w+)"', text))
    assert made == set(STACK)
    need = {f"{v.partition(':')[0]}:{a}" for v in STACK.values() for a in v.partition(":")[2].split()}
    assert set(listed(POLICIES["stack"])) == need


@pytest.mark.parametrize("role", sorted(POLICIES))
def test_policies_are_narrow(role):
    everywhere = {"Look", "LookAtClusters", "ChooseWhatThereIs", "LookBeforeMaking", "LookAtWhatIsMade", "Publish", "CollectAndDeregister", "CopyShareDeprecate"}
    for s in POLICIES[role]["Statement"]:
        assert s["Effect"] == "Allow" and all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", a) for a in s["Action"])
        assert (s["Resource"] == ["*"]) == (s["Sid"] in everywhere), s["Sid"]
        for r in s["Resource"]:
            if r.startswith("arn:aws:s3:"):
                assert re.match(r"arn:aws:s3:::BUCKET(/(CLUSTER|IMAGES)/|$)", r)
            if ":secret:" in r:
                assert re.fullmatch(r"arn:.*:secret:CLUSTER-\w+-AbCdEf", r)


def test_the_fleet_launches_and_ends_only_its_own():
    by = {s["Sid"]: s for s in POLICIES["fleet"]["Statement"]}
    assert by["LaunchOnlyIntoThisCluster"]["Condition"] == {"StringEquals": {"aws:RequestTag/hpc-node:cluster": "CLUSTER"}}
    # Without an instance in it, the other statement launches nothing.
    assert not [r for r in by["WhatALaunchUses"]["Resource"] if ":instance/" in r or ":volume/" in r]
    assert by["EndItsOwn"]["Condition"] == {"StringEquals": {"aws:ResourceTag/hpc-node:cluster": "CLUSTER"}}
    assert by["TagsOfALaunch"]["Condition"] == {"StringEquals": {"ec2:CreateAction": "RunInstances"}}
    assert by["TheNodesRole"]["Resource"] == ["arn:aws:iam::111122223333:role/CLUSTER-compute"]
    assert by["TheNodesRole"]["Condition"] == {"StringEquals": {"iam:PassedToService": "ec2.amazonaws.com"}}


# ---- the roles that a template makes ----

def template(case):
    """{role: its statements} of a golden template, without those of S3Access, which are the file's."""
    resources = json.loads((SOURCE / f"tests/cluster/cases/{case}.json").read_text())["Resources"]
    return {name: [s for p in r["Properties"]["Policies"] for s in p["PolicyDocument"]["Statement"]
                   if not re.fullmatch(r"Bucket\d+", s["Sid"])]
            for name, r in resources.items() if r["Type"] == "AWS::IAM::Role"}


def shape(statements):
    """{sid: (actions, kinds of resources, condition's operators and keys)}"""
    def kinds(s):
        texts = [r if isinstance(r, str) else r.get("Fn::Sub", "") for r in s["Resource"]]
        return {m.group(1) for m in (re.match(r"arn:[^:]*(?:::[^:]*)?:ec2:.*:([a-z-]+)/\*$", r) for r in texts) if m}
    return {re.sub(r"^FileSystem\d+$", "SharedFileSystem", s["Sid"]):
            (sorted([s["Action"]] if isinstance(s["Action"], str) else s["Action"]), kinds(s),
             {op: sorted(keys) for op, keys in s.get("Condition", {}).items()}) for s in statements}


@pytest.mark.parametrize("made,roles", [("HeadRole", ("head", "fleet")), ("ComputeRole", ("compute",)), ("LoginRole", ("login",))])
def test_templates_roles_have_the_policies_statements(made, roles):
    policy = shape([s for r in roles for s in POLICIES[r]["Statement"]])
    stack = shape(template("full")[made])
    lacking = {sid for sid in policy if sid not in stack}
    assert lacking <= {"Directory"}, "full.yaml has all but a directory's secret"
    assert stack == {sid: v for sid, v in policy.items() if sid not in lacking}
    assert made != "HeadRole" or shape(template("walk")[made]).items() <= policy.items()


def test_pages_name_the_policies_actions():
    for page, role, kinds in (("hpc-imagebuild.8", "imagebuild", "ebs|ec2|ssm"), ("hpc-fleet.8", "fleet", "ec2|iam"),
                              ("hpc-cluster.1", "workstation", "cloudformation|ec2")):
        told = set(re.findall(rf"\b(?:{kinds}):[A-Z]\w+", Page(page).sections["PERMISSIONS"]))
        assert told == {a for a in listed(POLICIES[role]) if re.match(rf"(?:{kinds}):", a)}
