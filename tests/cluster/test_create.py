"""create: what it checks, what it makes, in which order, and what is left where it fails."""
import hashlib
import json
import os
import re
import signal
import subprocess
import time

import pytest
from world import ACCOUNT, BUCKET, CASES, HEAD_AMI, NODE_AMI, REGION, events

WALK = json.loads((CASES / "walk.json").read_text())["Resources"]


def test_the_walk(world):
    r = world.create()
    s = world.cfn.find("c")
    digest = hashlib.sha256(world.file.read_bytes()).hexdigest()
    assert s.status == "CREATE_COMPLETE" and set(s.resources) == set(WALK)
    assert s.values == {"Bucket": BUCKET, "Configuration": f"cluster-config-{digest}.yaml", "HeadImage": HEAD_AMI, "ComputeImage": NODE_AMI,
                        "Vpc": "vpc-1", "StateSize": "40"}
    bucket = world.s3.buckets[BUCKET]
    assert bucket.objects[f"c/cluster-config-{digest}.yaml".encode()][-1].body == world.file.read_bytes()
    # The head's document, with all names put in.
    head = world.ec2.instances[s.resources["Head"].physical]
    document = head.user_data.decode()
    assert f"config: s3://{BUCKET}/c/cluster-config-{digest}.yaml\nconfig-sha256: {digest}\nbucket-owner: \"{ACCOUNT}\"\n" in document
    assert f'image: "{NODE_AMI}", security-groups: ["{s.resources["ComputeSecurityGroup"].physical}"]' in document
    # Each resource is a line, and the last one says what there is.
    for name in WALK:
        assert f"CREATE_COMPLETE        {name} " in r.stdout
    assert r.stdout.splitlines()[-1] == f"cluster c: CREATE_COMPLETE, head {head.id}, {head.address}"


def test_the_bucket_is_nobody_elses(world):
    world.create()
    bucket = world.s3.buckets[BUCKET]
    assert bucket.versioned and bucket.owner == ACCOUNT and bucket.region == REGION
    assert set(bucket.guards["publicAccessBlock"].values()) == {"true"}
    (s,) = bucket.guards["policy"]["Statement"]
    assert (s["Effect"], s["Principal"], s["Action"], s["Condition"]) == ("Deny", "*", "s3:*", {"Bool": {"aws:SecureTransport": "false"}})
    assert all(r.get("x-amz-expected-bucket-owner") == ACCOUNT for r in world.s3.log if r.path != f"/{BUCKET}/" or r.query)
    before = len(world.s3.calls)
    world.create("d")
    assert len(world.s3.calls) == before, "the second cluster changes nothing of it"


def test_a_bucket_half_made_is_finished(world):
    world.s3.bucket(BUCKET)
    world.create()
    assert world.s3.buckets[BUCKET].versioned and "policy" in world.s3.buckets[BUCKET].guards


def test_calls_and_their_order(world):
    world.cfn.pace = 100
    world.create()
    assert world.calls() <= 40
    first = next(r for r in world.cfn.log if b"Action=CreateStack" in r.body)
    assert [r for r in world.s3.log if r.when > first.when] == []


def test_json_is_a_line_an_event(world):
    told = events(world.create("c", "--json").stdout)
    assert {e["event"] for e in told} == {"resource", "cluster"}
    assert {e["logicalResourceId"] for e in told if e["event"] == "resource"} == {*WALK, "c"}
    assert told[-1]["clusterStatus"] == told[-1]["cloudFormationStackStatus"] == "CREATE_COMPLETE" and told[-1]["head"].startswith("i-")


def test_no_wait_ends_when_it_has_begun(world):
    r = world.create("c", "--no-wait")
    assert world.cfn.find("c").status == "CREATE_IN_PROGRESS" and "arn:aws:cloudformation" in r.stdout
    assert world.cfn.actions == ["DescribeStacks", "CreateStack"]


# ---- nothing is made of what is wrong ----

def test_faults_of_the_file_at_once(world):
    world.file.write_text((CASES / "bad.yaml").read_text())
    r = world.create(code=3)
    assert r.stderr.count("cluster-config.yaml:") >= 4 and world.calls() == 0


@pytest.mark.parametrize("name", ["", "1c", "a_b", "x" * 61, "-a"])
def test_names(world, name):
    assert "is no name of a cluster" in world.run("create", "--", name, world.file, code=2).stderr
    assert world.calls() == 0


def test_without_an_image_the_commands_are_told(world):
    world.ec2.images.clear()
    r = world.create(code=4)
    assert "hpc-imagebuild build /usr/share/hpc-node/recipes/head.yaml -o out" in r.stderr
    assert "hpc-imagebuild publish out/compute-1.0.0.raw --name compute-x86_64 --tag hpc-node:role=compute" in r.stderr
    assert "nothing was made" in r.stderr and world.changes() == []
    # The installed recipes are of x86-64: one for arm64 is made of them, which `check` takes.
    world.file.write_text(world.file.read_text().replace("InstanceType: t3.micro", "InstanceType: t4g.micro"))
    r = world.create(code=4)
    assert "hpc-imagebuild build head-arm64.yaml -o out" in r.stderr and "--arch arm64 --name head-arm64" in r.stderr
    recipe = world.file.with_name("head-arm64.yaml")
    text = re.search("printf '(.*?)' >head-arm64.yaml", r.stderr, re.S)[1].replace("\\n", "\n")
    recipe.write_text(text.replace("head.yaml", str(CASES.parents[2] / "recipes/head.yaml")))
    subprocess.run([os.environ["HPC_IMAGEBUILD"], "check", recipe], check=True)


def test_the_newest_image_of_role_and_architecture(world):
    world.image("ami-00000000000000ccc", "head", "2026-03-01T00:00:00.000Z")
    world.image("ami-00000000000000ddd", "head", "2026-02-01T00:00:00.000Z")
    world.image("ami-00000000000000eee", "head", "2026-04-01T00:00:00.000Z", arch="arm64")
    world.image("ami-00000000000000fff", "head", "2026-05-01T00:00:00.000Z", state="failed")
    world.ec2.launchable.add("ami-00000000000000ccc")
    assert "HeadImage: ami-00000000000000ccc, the newest image of a head" in world.create().stdout
    assert world.cfn.find("c").values["HeadImage"] == "ami-00000000000000ccc"


def test_images_that_are_given_arent_looked_for(world):
    world.ec2.images.clear()
    world.create("c", "--image", HEAD_AMI, "--compute-image", NODE_AMI)
    assert not [r for r in world.ec2.log if b"DescribeImages" in r.body]


def test_queues_of_two_architectures_need_images_of_their_own(world):
    world.file.write_text(world.file.read_text() + "  - {Name: arm, ComputeResources: [{Name: c, InstanceType: t4g.micro, MaxCount: 1}], "
                          "Networking: {SubnetIds: [subnet-12121212]}}\n")
    assert "queue 'arm' is of arm64, others of x86_64" in world.create(code=3).stderr and world.changes() == []


def test_subnets_of_another_network(world):
    world.file.write_text(world.file.read_text().replace("      - subnet-12121212", "      - subnet-34343434"))
    world.ec2.networks["subnet-34343434"] = "vpc-2"
    r = world.create(code=3)
    assert "cluster-config.yaml:24:9: subnet 'subnet-34343434' is in network 'vpc-2'" in r.stderr and world.changes() == []


def test_a_subnet_that_isnt_there(world):
    world.ec2.subnets.clear()
    r = world.create(code=3)
    told = [line for line in r.stderr.splitlines() if "isn't there: expected one of this region" in line]
    assert len(told) == 1 and "cluster-config.yaml:7:15: subnet 'subnet-12121212'" in told[0] and world.changes() == []


def test_all_subnets_that_arent_there(world):
    del world.ec2.subnets["subnet-12121212"]
    world.file.write_text(world.file.read_text().replace("      - subnet-12121212", "      - subnet-34343434\n      - subnet-9"))
    r = world.create(code=3)
    assert r.stderr.count("isn't there: expected one of this region") == 2 and "in network" not in r.stderr


def test_the_wrong_region(world):
    r = world.create("c", "--region", "us-east-1", code=3)
    assert "cluster-config.yaml:1:9: Region: the file is for 'eu-west-1', and --region says 'us-east-1'" in r.stderr and world.calls() == 0
    # The file's is used where nothing else is said.
    world.create(AWS_REGION="us-east-1")


def test_another_account(world):
    world.sts.account = "999999999999"
    world.file.write_text((CASES / "given.yaml").read_text())
    r = world.create(code=3)
    assert r.stderr.count("it is of account 111122223333, and the credentials are of 999999999999") == 2 and world.changes() == []


# ---- a dry run ----

def test_dryrun_makes_nothing(world):
    r = world.create("c", "--dryrun")
    assert f"bucket {BUCKET}: it would be made" in r.stdout and f"a stack of {len(WALK)} resources would be made; nothing was" in r.stdout
    assert world.changes() == [] and not world.ec2.instances and not world.s3.buckets
    assert any(b"DryRun=true" in q.body for q in world.ec2.log)
    (told,) = [e for e in events(world.create("c", "--dryrun", "--json").stdout)]
    assert (told["event"], told["resources"]) == ("dryrun", len(WALK))


def test_dryrun_finds_what_ec2_would_refuse(world):
    world.ec2.pairs = {"another"}
    assert "InvalidKeyPair.NotFound" in world.create("c", "--dryrun", code=4).stderr
    world.ec2.forbidden = {"RunInstances"}
    r = world.create("c", "--dryrun", code=4)
    assert '{"Effect":"Allow","Action":"ec2:RunInstances","Resource":"*"}' in r.stderr and world.changes() == []


# ---- what is there already ----

@pytest.mark.parametrize("status, code, words", [
    ("CREATE_IN_PROGRESS", 6, "is being made of another file"), ("CREATE_COMPLETE", 4, "`hpc-cluster update` changes it"),
    ("UPDATE_COMPLETE", 4, "`hpc-cluster update` changes it"), ("ROLLBACK_IN_PROGRESS", 6, "is being undone: wait"),
    ("ROLLBACK_COMPLETE", 4, "`hpc-cluster delete` makes room"), ("ROLLBACK_FAILED", 4, "`hpc-cluster delete` makes room"),
    ("CREATE_FAILED", 4, "`hpc-cluster delete` makes room"), ("DELETE_IN_PROGRESS", 6, "is being deleted: wait"),
    ("DELETE_FAILED", 4, "`hpc-cluster delete` goes on"), ("UPDATE_IN_PROGRESS", 6, "it is being changed"),
    ("UPDATE_ROLLBACK_COMPLETE", 4, "`hpc-cluster update` changes it"), ("UPDATE_ROLLBACK_FAILED", 4, "`hpc-cluster update` changes it"),
    ("UPDATE_ROLLBACK_IN_PROGRESS", 6, "it is being changed"), ("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", 6, "it is being changed")])
def test_the_name_is_taken(world, status, code, words):
    world.cfn.stack("c", status)
    r = world.create(code=code)
    assert f"there is a cluster 'c' already ({status})" in r.stderr and words in r.stderr and world.changes() == []


def test_the_name_is_somebody_elses(world):
    world.cfn.stack("c", "CREATE_COMPLETE", description="a shop")
    assert "which is no cluster's" in world.create(code=4).stderr and world.changes() == []


def test_the_same_again_makes_nothing(world):
    world.create()
    before = len(world.changes())
    assert "cluster c: CREATE_COMPLETE" in world.create().stdout and len(world.changes()) == before


def test_of_a_deleted_one_the_name_is_free(world):
    world.cfn.stack("c", "DELETE_COMPLETE")
    world.create()


# ---- rights ----

@pytest.mark.parametrize("service, action", [
    ("cfn", "cloudformation:DescribeStacks"), ("cfn", "cloudformation:CreateStack"), ("cfn", "cloudformation:DescribeStackEvents"),
    ("cfn", "iam:CreateRole"), ("cfn", "logs:CreateLogGroup"), ("ec2", "DescribeSubnets"), ("s3", "s3:CreateBucket"), ("s3", "s3:PutObject"),
    ("s3", "s3:GetBucketVersioning"), ("s3", "s3:PutBucketPolicy")])
def test_a_missing_right_is_named_with_what_grants_it(world, service, action):
    if action == "s3:GetBucketVersioning":
        world.s3.bucket(BUCKET)
    getattr(world, service).__dict__["denied" if service == "cfn" else "forbidden"].add(action)
    r = world.create(code=4)
    whole = action if ":" in action else "ec2:" + action
    assert f'the statement that allows it: {{"Effect":"Allow","Action":"{whole}","Resource":' in r.stderr
    assert not [i for i in world.ec2.alive() if i.state == "running"], "no head is left"


def test_the_bucket_is_another_accounts(world):
    world.s3.bucket(BUCKET, owner="999999999999")
    r = world.create(code=4)
    assert "another account's" in r.stderr and "CreateStack" not in world.cfn.actions
    world.s3.bucket("mine", owner="999999999999")
    assert "another account's" in world.create("c", "--bucket", "mine", code=4).stderr


def test_a_bucket_that_is_given_is_used_as_it_is(world):
    world.s3.bucket("mine")
    world.create("c", "--bucket", "mine")
    assert world.s3.calls == [] and world.cfn.find("c").values["Bucket"] == "mine" and BUCKET not in world.s3.buckets
    assert "NoSuchBucket" in world.create("d", "--bucket", "isnt-there", code=4).stderr


# ---- bad days ----

@pytest.mark.parametrize("name", sorted(WALK))
def test_each_resource_may_fail_and_nothing_is_left(world, name):
    world.cfn.fails = {name: "it is a bad day"}
    r = world.create(code=4)
    assert f"{name} failed: it is a bad day; it is DELETE_COMPLETE now" in r.stderr
    assert sorted(world.cfn.made) == sorted(world.cfn.gone)
    assert world.cfn.find("c") is None and not world.ec2.alive() and not world.cfn.kept
    world.cfn.fails = {}
    world.create()


def test_what_undoes_it_may_have_no_token(world):
    world.cfn.fails, world.cfn.forgets = {"Head": "it is a bad day"}, True
    assert "Head failed: it is a bad day; it is DELETE_COMPLETE now" in world.create("c", "--deadline", "10s", code=4).stderr


def test_a_failed_one_stays_to_be_looked_at_where_nobody_waited(world):
    world.cfn.fails = {"Head": "there is no room"}
    world.create("c", "--no-wait")
    world.cfn.find("c").advance(1000)
    assert world.cfn.find("c").status == "ROLLBACK_COMPLETE"
    assert "it failed by Head: there is no room" in world.run("events", "c").stdout
    assert "`hpc-cluster delete` makes room" in world.create(code=4).stderr


@pytest.mark.parametrize("wait", [(), ("--no-wait",)])
def test_all_of_a_failed_one_stays_where_that_is_wanted(world, wait):
    world.cfn.fails = {"Head": "there is no room"}
    world.create("c", "--keep-failed", *wait, code=0 if wait else 4)
    world.cfn.find("c").advance(1000)
    assert world.cfn.find("c").status == "CREATE_FAILED" and world.cfn.find("c").resources and not world.cfn.gone
    world.run("delete", "c")
    assert world.cfn.find("c") is None and not world.ec2.alive() and len(world.cfn.gone) + len(world.cfn.kept) == len(world.cfn.made)


def test_events_follow_what_goes_on(world):
    world.create("c", "--no-wait")
    r = world.run("events", "c", "--follow")
    assert "CREATE_COMPLETE        Head " in r.stdout and r.stdout.splitlines()[-1].startswith("cluster c: CREATE_COMPLETE, head i-")
    assert [e["event"] for e in events(world.run("events", "c", "-f", "--json").stdout)][-1] == "cluster"
    world.cfn.fails = {"Head": "there is no room"}
    world.create("d", "--no-wait")
    assert "Head failed: there is no room; it is ROLLBACK_COMPLETE now" in world.run("events", "d", "--follow", code=4).stderr


def test_two_at_once_make_one(world):
    runs = [world.start("create", "c", world.file) for _ in range(2)]
    out = [p.communicate(timeout=60) for p in runs]
    assert [p.returncode for p in runs] == [0, 0], out
    assert [s.name for s in world.cfn.stacks] == ["c"] and len(world.ec2.instances) == 1
    assert all("cluster c: CREATE_COMPLETE" in o for o, _ in out)


def test_two_at_once_of_different_files(world, tmp_path):
    (tmp_path / "other.yaml").write_text(world.file.read_text().replace("MaxCount: 10", "MaxCount: 11"))
    world.create("c", "--no-wait")
    r = world.run("create", "c", tmp_path / "other.yaml", code=6)
    assert "is being made of another file" in r.stderr and len(world.cfn.stacks) == 1


def test_the_answer_of_create_is_lost(world):
    world.cfn.cut = 1
    world.create()
    assert len(world.cfn.stacks) == 1 and world.cfn.actions.count("CreateStack") == 2


def test_killed_anywhere_and_run_again(world):
    """After each of its calls in turn."""
    whole = 0
    for n in range(1, 60):
        name = f"c{n}"
        seen, hit = [0], {}

        def count(_req, hit=hit, seen=seen, n=n):
            seen[0] += 1
            if seen[0] == n and "p" in hit:
                hit["p"].send_signal(signal.SIGKILL)
        for s in world.servers:
            s.on_request = count
        p = hit["p"] = world.start("create", name, world.file)
        p.communicate(timeout=60)
        for s in world.servers:
            s.on_request = None
        if p.returncode == 0:
            whole = n
            break
        assert p.returncode == -signal.SIGKILL
        world.create(name)
        assert world.cfn.find(name).status == "CREATE_COMPLETE"
    assert whole > 8 and len([s for s in world.cfn.stacks]) == whole and len(world.ec2.instances) == whole


def test_throttled_and_paged(world):
    world.cfn.page, world.cfn.throttle = 7, 2
    world.create()


def test_the_time_is_over(world):
    world.cfn.pace = 0
    r = world.create("c", "--deadline", "2s", code=7)
    assert "goes on at AWS" in r.stderr and world.cfn.find("c").status == "CREATE_IN_PROGRESS"
    world.cfn.pace = 1
    assert "CREATE_COMPLETE" in world.create().stdout, "the same run again goes on with it"


def test_a_long_template_goes_by_the_bucket(world):
    roles = "".join("  - {Name: q%d, ComputeResources: [{Name: c, InstanceType: t3.micro, MaxCount: 1}], Networking: {SubnetIds: [subnet-12121212]}, "
                    "Iam: {S3Access: [{BucketName: data%d}]}}\n" % (i, i) for i in range(40))
    world.file.write_text(world.file.read_text() + roles)
    world.create()
    (body,) = [v[-1].body for k, v in world.s3.buckets[BUCKET].objects.items() if k.startswith(b"c/template-")]
    assert len(body) > 51200 and "ComputeRole40" in json.loads(body)["Resources"] and world.cfn.find("c").status == "CREATE_COMPLETE"


def test_what_costs_money_comes_soon(world):
    """A hang guard alone; the figure is docs' business."""
    began = time.monotonic()
    world.create("c", "--no-wait")
    assert time.monotonic() - began < 30
