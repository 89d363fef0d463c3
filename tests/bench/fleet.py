"""The figures of tests/bench/fleet that need no cluster.

All but the first and the last are of simulated time: bench_fleet is hpc-fleet with a clock that moves instead of waiting, and
EC2's stand-in reads the same clock; processor time and memory are the machine's. Each instance is described at the length
that EC2 describes it.
"""
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]
BUILD = Path(os.environ.get("HPC_BUILD_DIR", TESTS.parent / "build/release")).resolve()
IDLE = int(os.environ.get("HPC_IDLE", "120"))
os.environ["HPC_FLEET"] = str(BUILD / "fleet/hpc-fleet")
sys.path[:0] = [str(TESTS / "fleet"), str(TESTS)]
from conftest import KEYS, Head, wait_until  # noqa: E402
from fakes.aws import Aws  # noqa: E402
from simulated import BEGIN, Clock, Simulated  # noqa: E402
from fakes.ec2 import Xml, xml  # noqa: E402
from fakes.imds import Imds, credentials, instance  # noqa: E402

NS = 10**9
GUARD = 1800                    # seconds: a hang guard
SITE = """
cluster: test-cluster
resources:
- {nodes: 'q-dy-a-[1-%d]', image: ami-1, types: [t3.micro, t3a.micro], subnets: [subnet-a, subnet-b], instance-profile: compute}
"""
# What EC2 says of an instance beside what the stand-in says: here only its length counts.
REST = """<dnsName/><productCodes/><monitoring><state>disabled</state></monitoring>
<vpcId>vpc-0123456789abcdef0</vpcId><sourceDestCheck>true</sourceDestCheck><groupSet><item><groupId>sg-0123456789abcdef0</groupId>
<groupName>compute</groupName></item></groupSet><architecture>x86_64</architecture><rootDeviceType>ebs</rootDeviceType>
<rootDeviceName>/dev/xvda</rootDeviceName><blockDeviceMapping><item><deviceName>/dev/xvda</deviceName><ebs><volumeId>vol-0123456789abcdef0
</volumeId><status>attached</status><attachTime>2026-01-31T12:00:01.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></ebs>
</item></blockDeviceMapping><virtualizationType>hvm</virtualizationType><hypervisor>xen</hypervisor><networkInterfaceSet><item>
<networkInterfaceId>eni-0123456789abcdef0</networkInterfaceId><subnetId>subnet-0123456789abcdef0</subnetId><vpcId>vpc-0123456789abcdef0</vpcId>
<description/><ownerId>123456789012</ownerId><status>in-use</status><macAddress>0a:11:22:33:44:55</macAddress><privateIpAddress>10.0.0.1
</privateIpAddress><privateDnsName>ip-10-0-0-1.eu-west-1.compute.internal</privateDnsName><sourceDestCheck>true</sourceDestCheck><groupSet>
<item><groupId>sg-0123456789abcdef0</groupId><groupName>compute</groupName></item></groupSet><attachment><attachmentId>
eni-attach-0123456789abcdef0</attachmentId><deviceIndex>0</deviceIndex><networkCardIndex>0</networkCardIndex><status>attached</status>
<attachTime>2026-01-31T12:00:00.000Z</attachTime><deleteOnTermination>true</deleteOnTermination></attachment><privateIpAddressesSet><item>
<privateIpAddress>10.0.0.1</privateIpAddress><privateDnsName>ip-10-0-0-1.eu-west-1.compute.internal</privateDnsName><primary>true</primary></item>
</privateIpAddressesSet><ipv6AddressesSet/><interfaceType>interface</interfaceType><operator><managed>false</managed></operator></item>
</networkInterfaceSet><iamInstanceProfile><arn>arn:aws:iam::123456789012:instance-profile/compute</arn><id>AIPA0123456789ABCDEFG</id>
</iamInstanceProfile><ebsOptimized>false</ebsOptimized><enaSupport>true</enaSupport><cpuOptions><coreCount>1</coreCount><threadsPerCore>2
</threadsPerCore></cpuOptions><capacityReservationSpecification><capacityReservationPreference>open</capacityReservationPreference>
</capacityReservationSpecification><hibernationOptions><configured>false</configured></hibernationOptions><enclaveOptions><enabled>false</enabled>
</enclaveOptions><metadataOptions><state>applied</state><httpTokens>required</httpTokens><httpPutResponseHopLimit>1</httpPutResponseHopLimit>
<httpEndpoint>enabled</httpEndpoint><httpProtocolIpv4>enabled</httpProtocolIpv4><httpProtocolIpv6>disabled</httpProtocolIpv6>
<instanceMetadataTags>enabled</instanceMetadataTags></metadataOptions><platformDetails>Linux/UNIX</platformDetails><usageOperation>RunInstances
</usageOperation><usageOperationUpdateTime>2026-01-31T12:00:00.000Z</usageOperationUpdateTime><privateDnsNameOptions><hostnameType>ip-name
</hostnameType><enableResourceNameDnsARecord>false</enableResourceNameDnsARecord><enableResourceNameDnsAAAARecord>false
</enableResourceNameDnsAAAARecord></privateDnsNameOptions><maintenanceOptions><autoRecovery>default</autoRecovery></maintenanceOptions>
<currentInstanceBootMode>uefi</currentInstanceBootMode><operator><managed>false</managed></operator>""".replace("\n", "")


class Described(Simulated):
    """It says as much of an instance as EC2 does; texts are made once."""
    def __init__(self, keys, now):
        super().__init__(keys, now)
        self.texts = {}

    def _show(self, i, new=False):
        key = i.id, i.state, new
        if key not in self.texts:
            self.texts[key] = Xml(xml(super()._show(i, new)) + ("" if new else REST))
        return self.texts[key]


class Sim:
    """A head on simulated time, with so many nodes that slurmctld waits for."""
    def __init__(self, nodes):
        self.nodes, self.dir = nodes, Path(tempfile.mkdtemp(prefix="hpc-bench-"))

    def __enter__(self):
        self.clock = Clock(self.dir / "clock")
        self.ec2, self.s3 = Described(KEYS, self.clock.now), Aws(KEYS)
        self.ec2.subnets.update({"subnet-a": "eu-west-1a", "subnet-b": "eu-west-1b"})
        self.ec2.launchable.add("ami-1")
        self.ec2.profiles.add("compute")
        self.ec2.__enter__()
        self.imds = Imds(instance(creds=credentials(life=30 * 86400)))
        self.imds.__enter__()
        self.head = Head(self.dir, self.ec2, self.s3, self.imds)
        self.head.program, self.head.more = BUILD / "tests/bench/bench_fleet", {"HPC_CLOCK": str(self.clock.path)}
        self.head.site(SITE % self.nodes)
        self.states("allocated#")
        return self

    def __exit__(self, *_):
        if self.head.service:
            self.head.stop()
        # What EC2 says must have been understood: figures of refused answers are none.
        if (self.head.dir / "log").exists():  # the service was started
            assert "isn't what EC2 sends" not in self.head.messages(), self.head.messages()[-1000:]
        self.imds.__exit__(*_)
        self.ec2.__exit__(*_)
        shutil.rmtree(self.dir)

    def states(self, state):
        (self.dir / "nodes").write_text("".join(f"q-dy-a-{n}|{state}|none\n" for n in range(1, self.nodes + 1)))

    def calls(self, action):
        return sum(b"Action=" + action.encode() in q.body for q in self.ec2.log)

    def until(self, what, words):
        wait_until(what, words, GUARD)


def used(service):
    """Processor seconds: of the program, and of the programs it started."""
    own = int(Path(f"/proc/{service.pid}/schedstat").read_text().split()[0]) / NS
    fields = Path(f"/proc/{service.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return own, (int(fields[13]) + int(fields[14])) / os.sysconf("SC_CLK_TCK")


def memory(service, what="VmHWM"):
    """MiB."""
    for line in Path(f"/proc/{service.pid}/status").read_text().splitlines():
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1024
    raise KeyError(what)


def verdict(value, most):
    return "within" if value <= most else "OVER"


def resume_program():
    """slurm-resume as slurmctld calls it, in a mount namespace that stays."""
    with Sim(1000) as s:
        s.head.slurm("resume", "q-dy-a-[1-1000]")
        inside = s.head.command("/usr/bin/python3", "-c", f"""
import os, time
for n in range(100):
    begun = time.monotonic()
    pid = os.posix_spawn({str(s.dir / 'lib/slurm-resume')!r}, ["slurm-resume", "q-dy-a-[1-1000]"], {{}})
    assert os.waitpid(pid, 0)[1] == 0
    print((time.monotonic() - begun) * 1000)
""")
        took = sorted(map(float, subprocess.run(inside, check=True, capture_output=True, text=True).stdout.split()))
    print(f"slurm-resume of 1,000 nodes: {statistics.median(took):.1f} ms (median of {len(took)}; most {took[-1]:.1f} ms): "
          f"{verdict(statistics.median(took), 10)} 10 ms")


def resume_thousand():
    with Sim(1000) as s:
        s.head.slurm("resume", "q-dy-a-[1-1000]")
        s.ec2.capacity = {("t3.micro", "subnet-a"): 350}
        s.head.start()
        s.until(lambda: len(s.ec2.alive()) == 1000, "1,000 instances")
        own, children = used(s.head.service)
        print(f"resume of 1,000 nodes, the first pool having 350: {own:.2f} s of the processor, {children:.2f} s in sinfo: "
              f"{verdict(own + children, 2)} 2 s; {s.calls('RunInstances')} calls of RunInstances, {len(s.head.told())} of scontrol")
        nothing_to_do(s)
    with Sim(1000) as s:
        s.head.slurm("resume", "q-dy-a-[1-1000]")
        s.ec2.capacity = {(kind, subnet): 0 for kind in ("t3.micro", "t3a.micro") for subnet in ("subnet-a", "subnet-b")}
        s.head.start()
        s.until(lambda: len(s.head.told()) >= 10, "Slurm is told")
        own, children = used(s.head.service)
        failed = [line for line in s.head.told() if "State=down" in line]
        print(f"  where no pool has any: {own:.2f} s, {s.calls('RunInstances')} calls of RunInstances, {len(failed)} of scontrol")


def nothing_to_do(s, rounds=50):
    s.states("allocated")
    looked = s.calls("DescribeInstances")
    s.until(lambda: s.calls("DescribeInstances") > looked, "a look")
    before, began, looked = used(s.head.service), s.clock.now(), s.calls("DescribeInstances")
    s.until(lambda: s.calls("DescribeInstances") >= looked + rounds, "looks")
    after, times, pages = used(s.head.service), (s.clock.now() - began) / 30, s.calls("DescribeInstances") - looked
    own, children = (1000 * (b - a) / times for a, b in zip(before, after))
    print(f"reconcile of 1,000 nodes, nothing to do: {own:.1f} ms of the processor, {children:.1f} ms in sinfo (mean of {times:.0f}): "
          f"{verdict(own + children, 100)} 100 ms; {pages / times:.2f} pages of DescribeInstances; {memory(s.head.service):.1f} MiB at most")


def ten_thousand():
    n = 10000
    with Sim(n) as s:
        s.head.slurm("resume", f"q-dy-a-[1-{n}]")
        begun = time.monotonic()
        s.head.start()
        s.until(lambda: len(s.ec2.alive()) == n, f"{n} instances")
        took, least = s.ec2.ledger[-1][0] - BEGIN, (n - 1000) / 2
        own, children = used(s.head.service)
        print(f"{n} nodes by EC2's published buckets: launched in {took:.0f} s of simulated time, {took / least:.3f} of the {least:.0f} s "
              f"that they allow: {verdict(took / least, 1.1)} 1.1")
        print(f"  {s.calls('RunInstances')} calls of RunInstances, {s.calls('DescribeInstances')} of DescribeInstances, {s.ec2.throttled} throttled; "
              f"{own:.1f} s of the processor, {children:.1f} s in sinfo; at most {memory(s.head.service):.1f} MiB: "
              f"{verdict(memory(s.head.service), 64)} 64 MiB; {time.monotonic() - begun:.0f} s of the machine's time")
        looked, before = s.calls("DescribeInstances"), used(s.head.service)
        s.states("idle~")
        at = s.clock.now()
        s.until(lambda: not s.ec2.alive(), "none")
        print(f"  all ended, because Slurm has them powered down: {s.ec2.ledger[-1][0] - at:.0f} s of simulated time, "
              f"{s.calls('TerminateInstances')} calls of TerminateInstances; {used(s.head.service)[0] - before[0]:.1f} s of the processor, "
              f"{s.calls('DescribeInstances') - looked} of DescribeInstances")


def idle():
    with Sim(1000) as s:
        s.head.program, s.head.more = os.environ["HPC_FLEET"], {}
        s.ec2.clock, s.ec2.began = time.monotonic, time.time() - time.monotonic()
        s.states("idle~")
        s.head.start()
        s.until(lambda: s.calls("DescribeInstances"), "the first look")
        time.sleep(1)
        before, begun = used(s.head.service), time.monotonic()
        time.sleep(IDLE)
        share = 100 * (sum(used(s.head.service)) - sum(before)) / (time.monotonic() - begun)
        rss, own = memory(s.head.service, "VmRSS"), memory(s.head.service, "RssAnon")
        print(f"an idle head, of 1,000 nodes powered down, {IDLE} s: {rss:.1f} MiB resident: {verdict(rss, 10)} 10 MiB; {own:.1f} MiB of them "
              f"are its own, the others pages of shared libraries; {share:.3f} % of a processor: {verdict(share, 0.1)} 0.1 %")


def main(names):
    figures = {"program": resume_program, "thousand": resume_thousand, "scale": ten_thousand, "idle": idle}
    for name in names or figures:
        figures[name]()


main(sys.argv[1:])
