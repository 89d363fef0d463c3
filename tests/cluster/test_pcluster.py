"""hpc-cluster called as pcluster: calls as scripts make them, with what they read, against stand-ins of AWS.

pcluster.calls has them: "$ CALL", "? STATUS", then standard output, or after "! " a part of standard error. UPDATE_GOLDEN=1
writes it anew.
"""
import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fakes.aws import Aws  # noqa: E402
from fakes.cloudformation import CloudFormation  # noqa: E402
from fakes.ec2 import Image  # noqa: E402
from fakes.instances import Cloud, Instance  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402
from fakes.sts import Sts  # noqa: E402

PROGRAM = os.environ.get("HPC_CLUSTER", "hpc-cluster")
KEY = Key("AKIAEXAMPLEKEY000001", "canary/secret+key/of/the/person/000000000")
CALLS = Path(__file__).parent / "pcluster.calls"
CASES = Path(__file__).parent / "cases"
HEAD, NODES = "ami-00000000000000aaa", "ami-00000000000000bbb"
UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def blocks():
    out = []
    for block in re.split(r"^(?=\$ )", CALLS.read_text(), flags=re.M)[1:]:
        call, status, *rest = block.rstrip("\n").split("\n")
        out.append((call.removeprefix("$ "), status.removeprefix("? "), "\n".join(rest)))
    return out


def instance(name, kind, tags, **more):
    return Instance(name, kind, "subnet-1", "eu-west-1a", "ami-1", "", 0, b"", tags, **{"state": "running", **more})


def write_files(home):
    """Configurations that calls name: the walk's, one with more, some that are wrong."""
    walk = (CASES / "walk.yaml").read_text()
    files = {"walk.yaml": walk, "more.yaml": walk.replace("MaxCount: 10", "MaxCount: 20"),
             "noted.yaml": walk + "SomethingNew: 1\n", "queues.yaml": walk.replace("Name: queue1", "Name: other"),
             "wrong.yaml": walk.replace("MaxCount: 10", "MaxCount: ten").replace("InstanceType: t3.micro\n  Net", "InstanceTypo: t3.micro\n  Net"),
             "broken.yaml": "HeadNode: [", "said.yaml": "# it is said\n" + walk, "empty.yaml": "", "key.yaml": walk.replace("KeyName: hpc-cluster", "KeyName: other")}
    for name, text in files.items():
        (home / name).write_text(text)


def account(ec2):
    """What create-cluster finds in EC2."""
    ec2.rate, ec2.subnets, ec2.launchable = False, {"subnet-12121212": "eu-west-1a"}, {HEAD, NODES}
    for ami, role in ((HEAD, "head"), (NODES, "compute")):
        ec2.images[ami] = Image(ami, "eu-west-1", ami, "snap-1", {"hpc-node:role": role}, arch="x86_64", state="available", made="2026-01-01T00:00:00.000Z")


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    """Clusters that are there, begin, have failed; a stack of somebody else."""
    home = tmp_path_factory.mktemp("home")
    (home / "pcluster").symlink_to(PROGRAM)
    write_files(home)
    with Cloud([KEY]) as ec2, Aws([KEY]) as s3, Sts([KEY], []) as sts, CloudFormation([KEY], ec2=ec2, s3=s3) as cfn:
        account(ec2)
        cfn.pace = 100  # each look finds done what was begun
        hello = cfn.stack("hello-slurm", "CREATE_COMPLETE", outputs={"Head": "i-00000000000000001", "User": "admin"}, tags={"team": "physics"})
        hello.values = {"Bucket": "bucket"}
        hello.event("Head", "AWS::EC2::Instance", "CREATE_COMPLETE").event("hello-slurm", "AWS::CloudFormation::Stack", "CREATE_COMPLETE")
        cfn.stack("making", "CREATE_IN_PROGRESS").values = {"Bucket": "bucket"}
        broken = cfn.stack("broken", "ROLLBACK_COMPLETE", reason="The following resource(s) failed to create: [Head].")
        broken.values = {"Bucket": "bucket"}
        broken.event("broken", "AWS::CloudFormation::Stack", "CREATE_IN_PROGRESS", "User Initiated")
        broken.event("Head", "AWS::EC2::Instance", "CREATE_FAILED", "The image id '[ami-1]' does not exist")
        broken.event("broken", "AWS::CloudFormation::Stack", "ROLLBACK_COMPLETE")
        cfn.stack("others", "CREATE_COMPLETE", description="somebody's")
        for i in (instance("i-00000000000000001", "t3.micro", {}, address="10.0.0.1", public="198.51.100.7"),
                  instance("i-00000000000000002", "c5.large", {"hpc-node:cluster": "hello-slurm", "hpc-node:queue": "queue1"}, address="10.0.0.2"),
                  instance("i-00000000000000003", "c5.large", {"hpc-node:cluster": "hello-slurm", "hpc-node:queue": "queue2"}, address="10.0.0.3"),
                  instance("i-00000000000000004", "c5.large", {"hpc-node:cluster": "walk", "hpc-node:queue": "queue1"}, address="10.0.0.4")):
            ec2.instances[i.id] = i
            i.user_data = b"nodes: n-1"
        bucket = s3.bucket("bucket")
        bucket.put("hello-slurm/fleet/status.json", json.dumps({"id": "", "status": "RUNNING", "at": "2026-01-01T00:10:00Z"}).encode())
        keys = home / ".ssh/hpc-cluster"
        keys.mkdir(parents=True)
        (keys / "i-00000000000000001").write_text("i-00000000000000001 ssh-ed25519 AAAA\n")
        yield home, {"PATH": f"{home}:/usr/bin:/bin", "HOME": str(home), "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": KEY.access_key,
                     "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_CLOUDFORMATION": cfn.url,
                     "AWS_ENDPOINT_URL_EC2": ec2.url, "AWS_ENDPOINT_URL_S3": s3.url, "AWS_ENDPOINT_URL_STS": sts.url}


def run(world, call, **env):
    home, base = world
    r = subprocess.run(shlex.split(call), capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL, env={**base, **env}, cwd=home,
                       executable=str(home / "pcluster"))
    assert "Sanitizer" not in r.stderr and KEY.secret not in r.stdout + r.stderr
    return r


def as_told(world, r):
    text = r.stdout or "! " + r.stderr if r.returncode else r.stdout
    text = UUID.sub("00000000-0000-4000-8000-000000000000", text).replace(str(world[0]), "/home/me")
    return re.sub(r'("lastStatusUpdatedTime": )"(?!2026-01-01)[^"]*"', r'\1"NOW"', text).rstrip("\n")


def test_calls_of_scripts(world):
    """All of them, in their order: some change what a later one reads."""
    told = [(call, r) for call, r in ((call, run(world, call)) for call, _, _ in blocks())]
    got = [(call, str(r.returncode), as_told(world, r)) for call, r in told]
    if os.environ.get("UPDATE_GOLDEN"):
        CALLS.write_text("".join(f"$ {c}\n? {s}\n{t}\n" + ("\n" if t else "") for c, s, t in got))
    for have, want in zip(got, blocks(), strict=True):
        assert have == want
    for call, r in told:
        if r.stdout.startswith(("{", "[")):
            assert r.stdout == json.dumps(json.loads(r.stdout), indent=2) + "\n", f"{call}: as Python prints it"


def test_there_is_no_region(world):
    r = run(world, "pcluster list-clusters", AWS_DEFAULT_REGION="")
    assert r.returncode == 1 and json.loads(r.stdout) == {"message": "Bad Request: region needs to be set"}


def test_there_are_no_credentials(world):
    r = run(world, "pcluster list-clusters", AWS_ACCESS_KEY_ID="", AWS_SECRET_ACCESS_KEY="")
    assert r.returncode == 1 and "credentials" in json.loads(r.stdout)["message"]


def test_ssh_runs_it(world):
    home, _ = world
    (home / "ssh").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\nexit 3\n")
    (home / "ssh").chmod(0o755)
    r = run(world, "pcluster ssh -n hello-slurm -i key.pem -L 80:x:80 hostname")
    assert r.returncode == 3 and r.stdout.splitlines()[0] == "admin@198.51.100.7"
    assert r.stdout.splitlines()[-5:] == ["-i", "key.pem", "-L", "80:x:80", "hostname"]


def test_configure_writes_a_file(world, tmp_path):
    home, base = world
    r = subprocess.run(["pcluster", "configure", "-c", str(tmp_path / "c.yaml"), "-r", "eu-west-1"], executable=str(home / "pcluster"), timeout=60, env={
        **base, "AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, capture_output=True, text=True,
        input="key\n" + "\n" * 8 + "subnet-0123456789abcdef0\n\n")
    assert r.returncode == 0 and "KeyName: key" in (tmp_path / "c.yaml").read_text(), r.stdout + r.stderr


def test_by_its_own_name_it_is_itself(world):
    r = subprocess.run([PROGRAM, "list-clusters"], capture_output=True, text=True, timeout=60)
    assert r.returncode == 2 and "unknown verb 'list-clusters'" in r.stderr
