"""What hpc-cluster works with: an account's S3, EC2, CloudFormation and STS on loopback, and a run of the program against them."""
import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fakes.aws import Aws  # noqa: E402
from fakes.cloudformation import CloudFormation  # noqa: E402
from fakes.ec2 import Image  # noqa: E402
from fakes.instances import Cloud, Instance  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402
from fakes.sts import Sts  # noqa: E402

PROGRAM = os.environ.get("HPC_CLUSTER", "hpc-cluster")
CASES = Path(__file__).resolve().parent / "cases"
KEY = Key("AKIAEXAMPLEKEY000001", "canary/secret+key/of/the/person/000000000")
ACCOUNT, REGION, BUCKET = "123456789012", "eu-west-1", "hpc-node-123456789012-eu-west-1"
HEAD_AMI, NODE_AMI = "ami-00000000000000aaa", "ami-00000000000000bbb"


class World:
    """All servers at once. `file`: the walk's configuration, unless a test writes another one."""

    def __init__(self, directory):
        self.directory = directory
        self.s3, self.ec2, self.sts = Aws([KEY]), Cloud([KEY]), Sts([KEY], [])
        self.cfn = CloudFormation([KEY], ec2=self.ec2, s3=self.s3)
        self.servers = [self.s3, self.ec2, self.sts, self.cfn]
        self.ec2.rate, self.ec2.subnets = False, {"subnet-12121212": REGION + "a", "subnet-34343434": REGION + "b"}
        self.ec2.launchable = {HEAD_AMI, NODE_AMI}
        self.image(HEAD_AMI, "head")
        self.image(NODE_AMI, "compute")
        self.file = directory / "cluster-config.yaml"
        self.file.write_text((CASES / "walk.yaml").read_text())

    def __enter__(self):
        for s in self.servers:
            s.start()
        return self

    def __exit__(self, *exc):
        for s in self.servers:
            s.stop()

    def image(self, ami, role, made="2026-01-01T00:00:00.000Z", arch="x86_64", state="available", **tags):
        self.ec2.images[ami] = Image(ami, REGION, ami, "snap-1", {"hpc-node:role": role, **tags}, arch=arch, state=state, made=made)

    def node(self, n, cluster="c", state="running", groups=()):
        """An instance as the head of a cluster launches them."""
        name = f"i-{n:017x}"
        self.ec2.instances[name] = Instance(name, "t3.micro", "subnet-12121212", REGION + "a", NODE_AMI, "", 0, b"nodes: n-%d" % n,
                                            {"hpc-node:cluster": cluster}, state=state, groups=tuple(groups), address=f"10.0.9.{n}")
        return self.ec2.instances[name]

    def environment(self, **more):
        return {"PATH": "/usr/bin:/bin", "HOME": "/nonexistent", "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": KEY.access_key,
                "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_CLOUDFORMATION": self.cfn.url,
                "AWS_ENDPOINT_URL_EC2": self.ec2.url, "AWS_ENDPOINT_URL_S3": self.s3.url, "AWS_ENDPOINT_URL_STS": self.sts.url, **more}

    def start(self, *args, **more):
        interval = [] if args[0] in ("list", "describe") else ["--interval", "10ms"]
        return subprocess.Popen([PROGRAM, args[0], *interval, *map(str, args[1:])], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                env=self.environment(**more))

    def run(self, *args, code=0, **more):
        p = self.start(*args, **more)
        try:
            out, err = p.communicate(timeout=15)
        except subprocess.TimeoutExpired:
            p.kill()
            out, err = p.communicate()
            raise AssertionError(f"it hangs: {out}{err}") from None
        assert "Sanitizer" not in err and p.returncode == code, f"{p.returncode}: {out}{err}"
        assert KEY.secret not in out + err
        return subprocess.CompletedProcess(args, p.returncode, out, err)

    def create(self, name="c", *args, code=0, **more):
        return self.run("create", name, self.file, *args, code=code, **more)

    def calls(self):
        return sum(len(s.log) for s in self.servers)

    def changes(self):
        """What was made or changed, in all services."""
        return self.s3.calls + [r.target for r in self.s3.log if r.method == "PUT"] + [a for a in self.cfn.actions if not a.startswith("Describe")]


def events(out):
    """The lines of --json."""
    return [json.loads(line) for line in out.splitlines()]
