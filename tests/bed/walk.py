"""The walk: a head that the agent makes of the seed's file, jobs of its user, and the instances that come and go for them.

    with Walk(bed, layers, home) as walk:
        walk.submit(9); walk.wait(); walk.wait_for_none()

EC2 is the stand-in of fakes/instances.py: each instance is a container that boots with the metadata of its own launch, whose
agent starts with it. The file is the seed's with two things more, for containers, which have neither control groups for jobs
nor NFS of the kernel: lines of slurm.conf, and a /home that is not exported, but a directory of this machine that is bound
into head and nodes. Idle nodes end after seconds. NFS between guests is in test_exports.py and test_guest.py.
"""
import re
import time

from fakes.aws import Aws
from fakes.instances import Cloud
from fakes.sigcheck import Key

from . import agent, net
from .cluster import BUCKET, CLUSTER, REGION, SEED, Identity
from .proc import wait_until

HEAD, USER = "server-1", "ec2-user"
ADDRESS = Identity(HEAD).address
IMAGE, SUBNET, GROUP, PROFILE = "ami-00000000000000001", "subnet-12121212", "sg-00000000000000001", "walk-compute"
GUARD = 120                     # seconds: a hang guard
MORE = """ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SlurmdParameters=config_overrides
SuspendTime={idle}
SuspendTimeout=5
"""
FILE = SEED.read_text().replace("  Scheduler: slurm\n", f"""  Scheduler: slurm
  SlurmSettings:
    CustomSlurmSettingsIncludeFile: s3://{BUCKET}/{CLUSTER}/more.conf
""") + "HpcNode:\n  SharedHome: false\n"
NODE_DOCUMENT = f"""#hpc-node
cluster: {CLUSTER}
role: head
config: s3://{BUCKET}/{CLUSTER}/cluster-config.yaml
deadline: 60s
fleet:
  image: {IMAGE}
  security-groups: [{GROUP}]
  instance-profile: {PROFILE}
  node: {{deadline: 60s}}
"""
SCRIPT = """#!/bin/bash
sleep {seconds}
echo "Hello World from $(hostname)"
"""
ASAN = "ASAN_OPTIONS=detect_leaks=0\n"


class Walk:
    def __init__(self, bed, layers, home, idle=5):
        """`layers`: the agent as installed, and hpc-fleet. `home` is /home of the whole cluster."""
        self.bed, self.layers, self.home, self.idle = bed, list(layers), home, idle
        key = Key(bed.s3.KEY, bed.s3.SECRET, "bed-session-token")
        self.s3, self.cloud = Aws([key], net.ROUTER), Cloud([key], net.ROUTER)
        self.nodes, self.jobs, self.booted, self.head = {}, [], {}, None

    # --- what stands for AWS ---
    def _launched(self, instance):
        self.nodes[instance.node] = instance
        self.bed._orders.put(("resume", instance.node))

    def _resume(self, node):
        one = self.nodes[node]
        box = self.bed.container(node, self.layers[:1], [f"{self.home}:/home"], user_data=one.user_data.decode(), tags=one.tags,
                                 instance_id=one.id, instance_type=one.type, ami=one.image,
                                 extra={"meta-data/ami-launch-index": str(one.index)})
        box.put("/etc/hpc-node/environment", f"AWS_ENDPOINT_URL_S3={self.s3.url}\n")
        box.run_inside_tree("systemctl", "enable", agent.UNIT)
        self.booted[one.id] = (time.time(), box)
        box.boot()

    # --- the head ---
    def __enter__(self):
        self.s3.__enter__()
        self.cloud.__enter__()
        conf = self.s3.bucket(BUCKET)
        for name, text in (("cluster-config.yaml", FILE), ("more.conf", MORE.format(idle=self.idle))):
            conf.put(f"{CLUSTER}/{name}", text.encode())
        self.cloud.subnets[SUBNET] = f"{REGION}a"
        self.cloud.launchable.add(IMAGE)
        self.cloud.groups.add(GROUP)
        self.cloud.profiles.add(PROFILE)
        self.cloud.pairs = {"hpc-cluster"}  # the file's
        self.cloud.on_launch = self._launched
        self.cloud.on_end = lambda one: self.bed._orders.put(("suspend", one.node))
        self.bed.resume = self._resume
        self.head = self.bed.container(HEAD, self.layers, [f"{self.home}:/home"], user_data=NODE_DOCUMENT)
        self.head.put("/etc/hpc-node/environment",
                      f"AWS_ENDPOINT_URL_S3={self.s3.url}\nAWS_ENDPOINT_URL_EC2={self.cloud.url}\n{ASAN}")
        return self

    def __exit__(self, *_):
        self.bed.resume = None
        self.cloud.__exit__(*_)
        self.s3.__exit__(*_)

    def boot(self):
        """The head, until its agent has ended; returns its status."""
        self.head.run_inside_tree("systemctl", "enable", agent.UNIT)
        self.head.boot()
        return agent.wait_ended(self.head, GUARD)

    def again(self):
        """Another run of its agent."""
        self.head.run(f"systemctl restart {agent.UNIT}", GUARD, check=False)
        return agent.wait_ended(self.head, GUARD)

    def said(self):
        return self.head.run("hpc-agent status; journalctl -b --no-pager -n 60 -u hpc-agent -u hpc-fleet; "
                             "squeue; sinfo -N -o '%N %T %E'; tail -n 40 /var/log/slurm/slurmctld.log", check=False)[1]

    # --- jobs ---
    def user(self, command, timeout=GUARD):
        return self.head.run(f"cd /home/{USER} && runuser -u {USER} -- {command}", timeout)[1]

    @staticmethod
    def script(seconds):
        return SCRIPT.format(seconds=seconds)

    def submit(self, count, seconds=1):
        (self.home / USER / "script.sh").write_text(self.script(seconds))
        for _ in range(count):
            begun = time.time()
            number = re.fullmatch(r"Submitted batch job (\d+)\n", self.user("sbatch script.sh"))[1]
            self.jobs.append((number, begun))
        return [number for number, _ in self.jobs[-count:]]

    def output(self, number):
        return self.home / USER / f"slurm-{number}.out"

    def are_written(self):
        return all(self.output(n).exists() and self.output(n).read_text() for n, _ in self.jobs)

    def wait(self, deadline=GUARD):
        """Until every job's output is there."""
        wait_until(self.are_written, deadline, "the jobs' output")

    def wait_for_none(self, deadline=GUARD):
        wait_until(lambda: not self.cloud.alive(), deadline, "idle instances end")

    def instance(self, number):
        """That a job of one node ran on."""
        return self.nodes[re.search(r"\sNodeList=(\S+)", self.head.run(f"scontrol show job {number}")[1])[1]]

    def split(self, number, status, seconds):
        """(who had it, seconds) from sbatch to the first command of a job, whose script sleeps first, by what its agent said."""
        begun, one = dict(self.jobs)[number], self.instance(number)
        launched = time.time() - (time.monotonic() - one.born)
        booted = self.booted[one.id][0]
        first = self.output(number).stat().st_mtime - seconds
        # Containers have this machine's clocks.
        since_boot = time.time() - time.clock_gettime(time.CLOCK_BOOTTIME)
        begin, end = (since_boot + status.document[key] / 1e9 for key in ("start_ns", "end_ns"))
        slurmd = since_boot + min(s["start_ns"] for s in status.steps.values() if s["kind"] == "slurm") / 1e9
        return [("Slurm, hpc-fleet: sbatch to the launch", launched - begun), ("EC2: to the instance's first program", booted - launched),
                ("boot of the container, to the agent", begin - booted), ("agent: identity, configuration, steps, munge", slurmd - begin),
                ("slurmd: until its node may have jobs", min(end, first) - slurmd), ("Slurm: until the job runs", max(0, first - end))]

    # --- what must hold of all that happened ---
    def faults(self):
        """None without a node of ours, none twice, none left, each ended once."""
        told = {}
        for _, event, name, node, *_ in self.cloud.ledger:
            told.setdefault(name, []).append((event, node))
        out = [f"{name}: {events}" for name, events in told.items()
               if [event for event, _ in events] != ["launch", "end"] or not re.fullmatch(r"queue1-dy-t3micro-\d+", events[0][1])]
        return out + [f"two instances: {one}" for one in self.cloud.doubles()] + [f"left: {one.id}" for one in self.cloud.alive()]
