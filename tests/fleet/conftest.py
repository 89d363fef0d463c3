"""hpc-fleet as a service, with EC2's stand-in, and programs in place of Slurm's in a mount namespace of its own."""
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fakes.aws import Aws  # noqa: E402
from fakes.imds import Imds, credentials, instance  # noqa: E402
from fakes.instances import Cloud, names  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402

PROGRAM = os.environ.get("HPC_FLEET", "")
GUARD = 60  # seconds: a hang guard

SITE = """
cluster: test-cluster
node: {config: "s3://bucket/test-cluster/cluster-config.yaml", head: 10.0.0.10}
resources:
- nodes: q-dy-a-[1-300]
  image: ami-1
  types: [t3.micro, t3a.micro]
  subnets: [subnet-a, subnet-b]
  security-groups: [sg-1]
  instance-profile: compute
  tags: {team: physics}
- nodes: q-dy-b-[1-10]
  image: ami-2
  types: [c7g.large]
  subnets: [subnet-b]
"""

# What slurmctld is told, a line each; and its nodes and jobs, by files the test writes.
SCONTROL = """#!/bin/sh
if [ "$1" = show ]; then
	cat "{dir}/job.$3" 2>/dev/null && exit 0
	echo 'slurm_load_jobs error: Invalid job id specified' >&2
	exit 1
fi
printf '%s\\n' "$*" >>{dir}/scontrol.log
"""
SUFFIXES = {"~": "powered_down", "#": "not_responding+powering_up", "%": "powering_down", "!": "power_down", "*": "not_responding"}
# Whose jobs are, and which are on nodes, by files the test writes.
SQUEUE = """#!/bin/sh
case "$*" in
*--states=PENDING*)
	cat {dir}/pending 2>/dev/null
	exit 0 ;;
*--nodelist=*)
	list=${{*##*--nodelist=}}
	cat "{dir}/on.${{list%% *}}" 2>/dev/null
	exit 0 ;;
esac
printf '%s\\n' "$*" >>{dir}/squeue.log
cat {dir}/jobs 2>/dev/null
exit 0
"""
SINFO = """#!/bin/sh
cat {dir}/nodes 2>/dev/null
exit 0
"""


def wait_until(what, words, seconds=GUARD):
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"not within {seconds} s: {words}"
        time.sleep(0.02)


class Head:
    """A head: the service's directories, Slurm's stand-ins, and the programs that slurmctld calls."""

    def __init__(self, directory, ec2, s3, imds):
        self.dir, self.ec2, self.s3, self.imds, self.service = Path(directory), ec2, s3, imds, None
        self.program, self.more = PROGRAM, {}  # what serves, and what its environment has, too
        for name in ("bin", "state", "lib"):
            (self.dir / name).mkdir()
        for name, text in (("scontrol", SCONTROL), ("sinfo", SINFO), ("squeue", SQUEUE)):
            (self.dir / "bin" / name).write_text(text.format(dir=self.dir))
            (self.dir / "bin" / name).chmod(0o755)
        (self.dir / "state/spool").mkdir()
        for name in ("resume", "suspend", "resume-fail"):
            (self.dir / f"lib/slurm-{name}").symlink_to(PROGRAM)
        self.site(SITE)

    def site(self, text):
        (self.dir / "fleet.yaml").write_text(text)

    def nodes(self, **states):
        """What sinfo says: node="STATE" or (STATE, REASON[, COMMENT]); the state's last letter as %T has it, or words."""
        lines = []
        for name, v in states.items():
            state, reason, comment = (*(v if isinstance(v, tuple) else (v,)), "none", "(null)")[:3]
            words = SUFFIXES.get(state[-1])
            state = f"{state[:-1]}+cloud+{words}" if words else f"{state}+cloud"
            if isinstance(v, tuple) and len(v) > 2:
                reason, comment = v[1], v[2]
            lines.append(f"{name.replace('_', '-')}|{state}|{comment:<200.200}|{reason:<200.200}\n")
        (self.dir / "nodes").write_text("".join(lines))

    def jobs_on(self, nodes, *jobs):
        """What squeue says of a list of nodes."""
        (self.dir / f"on.{nodes}").write_text("".join(f"{j}\n" for j in jobs))

    def command(self, *argv):
        """In a mount namespace in which Slurm's programs are ours, and /var/lib/hpc-fleet is the head's."""
        inside = f"mount --make-rprivate / && mount --bind {self.dir}/bin /usr/local/sbin && mount -t tmpfs tmpfs /var/lib && mkdir /var/lib/hpc-fleet && " \
                 f"mount --bind {self.dir}/state /var/lib/hpc-fleet && exec \"$@\""
        return ["unshare", "--mount", "sh", "-c", inside, "sh", *map(str, argv)]

    def env(self):
        return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "AWS_EC2_METADATA_SERVICE_ENDPOINT": self.imds.url,
                "AWS_ENDPOINT_URL_EC2": self.ec2.url, "AWS_ENDPOINT_URL_S3": self.s3.url, "AWS_REGION": "eu-west-1", **self.more}

    def run(self, *args, code=0):
        r = subprocess.run(self.command(PROGRAM, *args), capture_output=True, text=True, timeout=GUARD, env=self.env())
        assert "Sanitizer" not in r.stderr and r.returncode == code, f"{r.returncode}: {r.stdout}{r.stderr}"
        return r.stdout + r.stderr

    def start(self, *options):
        self.log = open(self.dir / "log", "a")
        self.service = subprocess.Popen(self.command(self.program, "serve", "--config", self.dir / "fleet.yaml", *options), env=self.env(),
                                        stdout=self.log, stderr=self.log)
        return self

    def stop(self, how=signal.SIGTERM):
        if not self.service:
            return None
        self.service.send_signal(how)
        code = self.service.wait(GUARD)
        self.service = None
        self.log.close()
        assert "Sanitizer" not in self.messages(), self.messages()
        return code

    def slurm(self, what, nodes, jobs=None, code=0):
        """As slurmctld of 22.05 calls it: nothing in the environment, descriptors 0 to 2 closed."""
        env = {"SLURM_CONF": "/etc/slurm/slurm.conf"}
        if jobs is not None:
            (self.dir / "jobs.json").write_text(json.dumps(jobs))
            env["SLURM_RESUME_FILE"] = str(self.dir / "jobs.json")
        call = self.command(self.dir / f"lib/slurm-{what}", nodes)
        call[4] = call[4].replace('exec "$@"', 'exec "$@" <&- >&- 2>&-')
        assert subprocess.run(call, env={"PATH": "/usr/bin:/bin", **env}, timeout=GUARD).returncode == code

    def messages(self):
        return (self.dir / "log").read_text()

    def told(self):
        log = self.dir / "scontrol.log"
        return log.read_text().splitlines() if log.exists() else []

    def wait_alive(self, nodes):
        want = sorted(names(nodes)) if nodes else []
        try:
            wait_until(lambda: sorted(i.node for i in self.ec2.alive()) == want, f"instances of {nodes or 'none'}")
        except AssertionError as why:
            raise AssertionError(f"{why}\nhave {sorted(i.node for i in self.ec2.alive())}\n{self.messages()}") from None

    def wait_told(self, *parts):
        try:
            wait_until(lambda: any(all(p in line for p in parts) for line in self.told()), f"Slurm told of {parts}")
        except AssertionError as why:
            raise AssertionError(f"{why}\n{self.told()}\n{self.messages()}") from None


KEYS = [Key("ASIAEXAMPLEKEY000001", "canary/secret+key/of/the/instance/role00", "canary-session-token//of+the/role==")]


@pytest.fixture
def ec2():
    with Cloud(KEYS) as cloud:
        cloud.subnets.update({"subnet-a": "eu-west-1a", "subnet-b": "eu-west-1b"})
        cloud.launchable.update({"ami-1", "ami-2"})
        cloud.groups.add("sg-1")
        cloud.profiles.add("compute")
        yield cloud
        assert cloud.doubles() == []


@pytest.fixture
def s3():
    """With the bucket of the configuration."""
    with Aws(KEYS) as server:
        server.bucket("bucket")
        yield server


@pytest.fixture
def head(tmp_path, ec2, s3):
    with Imds(instance(creds=credentials())) as imds:
        h = Head(tmp_path, ec2, s3, imds)
        yield h
        h.stop()
