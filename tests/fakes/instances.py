"""EC2's instances, as strict as EC2, with a ledger of all that ever happened.

    with Cloud(keys=[Key("ASIA…", "secret", "token")]) as ec2:
        ec2.subnets["subnet-1"] = "eu-west-1a"; ec2.launchable = {"ami-1"}; ...
        AWS_ENDPOINT_URL_EC2=ec2.url hpc-fleet serve …

What AWS refuses is refused: unknown parameters, a token with another request, counts, what doesn't exist. `capacity`:
instances that a (type, subnet) has, or a (type, subnet, market), `addresses`: that a subnet has; both have no end where nothing is said. `settle`:
seconds for which a new instance isn't listed. `late`: a (type, subnet) whose instances end while they are pending, with
that stateReason. `rate`: whether the published buckets hold. `on_launch(instance)` and `on_end(instance)` may start and
stop what stands for it. `cut`: so many launches happen, and their answers are lost. `roots`: names of images' root volumes other than /dev/xvda.
`networks`: the VPC of a subnet, vpc-1 where nothing is said. `pairs`: the key pairs that there are; None: all. `forbidden`: actions that the
credentials may not do. `stops_after`: looks at an instance until it is stopped. `clock`: its time, in seconds.
"""
import base64
import binascii
import re
import time
import uuid
from dataclasses import dataclass, field

from .ebs import Account
from .ec2 import tag_fault, tag_set
from .httpd import HangUp
from .networks import NetworkAnswers
from .sigcheck import Refused

TOKEN = re.compile(r"[\x21-\x7e]{1,64}\Z")
METADATA_KEY = re.compile(r"[A-Za-z0-9+\-=.,_:@]{1,128}\Z")
TYPE = re.compile(r"[a-z][a-z0-9-]*\.[a-z0-9]+\Z")
ARM = re.compile(r"(a1|[a-z]+\d+g[a-z]*)\.")
ALIVE = ("pending", "running")
KEEPS = 3600


@dataclass
class Instance:
    id: str
    type: str
    subnet: str
    zone: str
    image: str
    token: str
    index: int
    user_data: bytes
    tags: dict
    profile: str = ""
    groups: tuple = ()
    shape: dict = field(default_factory=dict)  # what else the launch said, as it said it
    state: str = "pending"
    reason: str = ""
    address: str = ""
    public: str = ""
    launched: str = "2026-01-01T00:00:00.000Z"
    born: float = 0
    ended: float = 0

    @property
    def alive(self):
        return self.state in ALIVE

    @property
    def market(self):
        return self.shape.get("InstanceMarketOptions.MarketType", "on-demand")

    @property
    def node(self):
        """The name it will take, by its user data and its index."""
        return names(re.search(rb'"?nodes"?: *"?([^"\n]+)', self.user_data)[1].decode())[self.index]


def names(text):
    """A host list's names; one pair of brackets a name."""
    out = []
    for part in re.findall(r"[^,\[]+(?:\[[^\]]*\])?", text):
        m = re.fullmatch(r"([^\[]+)\[([^\]]*)\]", part)
        if not m:
            out.append(part)
            continue
        for piece in m[2].split(","):
            first, _, last = piece.partition("-")
            out += [f"{m[1]}{n:0{len(first)}d}" for n in range(int(first), int(last or first) + 1)]
    return out


class Bucket:
    def __init__(self, burst, rate):
        self.burst, self.rate, self.level, self.at = burst, rate, burst, 0

    def take(self, n, now):
        self.level = min(self.burst, self.level + (now - self.at) * self.rate)
        self.at = now
        if self.level < min(n, self.burst):
            raise Refused(503, "RequestLimitExceeded", "Request limit exceeded.")
        self.level -= n


def listed(ask, name):
    out = []
    while f"{name}.{len(out) + 1}" in ask:
        out.append(ask.pop(f"{name}.{len(out) + 1}"))
    return out


def tag_specifications(ask):
    """{resource: tags} of TagSpecification.N."""
    out, n = {}, 1
    while f"TagSpecification.{n}.ResourceType" in ask:
        kind, tags, k = ask.pop(f"TagSpecification.{n}.ResourceType"), {}, 1
        while f"TagSpecification.{n}.Tag.{k}.Key" in ask:
            tags[ask.pop(f"TagSpecification.{n}.Tag.{k}.Key")] = ask.pop(f"TagSpecification.{n}.Tag.{k}.Value", "")
            k += 1
        if kind in out or kind not in ("instance", "volume"):
            raise Refused(400, "InvalidParameterValue", f"'{kind}' is not a valid taggable resource type")
        if tag_fault(tags):
            raise Refused(400, *tag_fault(tags))
        out[kind] = tags
        n += 1
    return out


class Cloud(NetworkAnswers, Account):
    def __init__(self, keys, *args, **kw):
        super().__init__(keys, *args, **kw)
        self._choices()
        self.instances, self.ledger, self.launches = {}, [], {}
        self.subnets, self.launchable, self.groups, self.profiles = {}, set(), set(), set()
        self.capacity, self.addresses, self.late = {}, {}, {}
        self.consoles = {}  # what an instance's serial console showed, by its id
        self.placement_groups, self.reservations, self.types = set(), {}, {}
        self.settle_s, self.cut, self.rate, self.roots = 0, 0, True, {}
        self.architectures = {}  # of images, where it matters
        self.stops_after, self.slow, self.clock = 1, {}, time.monotonic
        self.on_launch = self.on_end = lambda _instance: None
        self.buckets = {"run": Bucket(5, 2), "instances": Bucket(1000, 2), "end": Bucket(100, 5), "look": Bucket(100, 20)}

    def alive(self):
        return [i for i in self.instances.values() if i.alive]

    def of_node(self, node):
        return [i for i in self.instances.values() if i.node == node]

    def _take(self, bucket, n=1):
        if self.rate:
            self.buckets[bucket].take(n, self.clock())

    def _told(self, event, instance, why=""):
        self.ledger.append((self.clock(), event, instance.id, instance.node, why))

    # --- RunInstances ---
    def _RunInstances(self, ask, region):
        self._may("RunInstances")
        token = ask.pop("ClientToken", None)
        dry = ask.pop("DryRun", "false") == "true"
        if token is not None and not TOKEN.match(token):
            raise Refused(400, "InvalidParameterValue", "ClientToken must be at most 64 ASCII characters")
        self._take("run")
        subnet = ask.get("SubnetId") or ask.get("NetworkInterface.1.SubnetId", "")
        if subnet not in self.subnets:
            raise Refused(400, "InvalidSubnetID.NotFound", f"The subnet ID '{subnet}' does not exist")
        if dry:
            raise self._dry_run(ask)
        zone, request = self.subnets[subnet], tuple(sorted(ask.items()))
        if token and (zone, token) in self.launches:
            before, made = self.launches[zone, token]
            if before != request:
                raise Refused(400, "IdempotentParameterMismatch", "The request uses the same client token as a previous, "
                              "but non-identical request.")
            ask.clear()
            return self._reservation(made)
        made = self._launch(ask, zone, token or "")
        self.launches[zone, token or uuid.uuid4().hex] = (request, made)
        if self.cut:
            self.cut -= 1
            raise HangUp()
        return self._reservation(made)

    def _dry_run(self, ask):
        """What a launch that isn't one says: refused as it would be, or that it would be done."""
        kind, image = ask.pop("InstanceType", ""), ask.pop("ImageId", "")
        _, groups = self._network(kind, ask)
        self._check(kind, image, groups, ask.pop("IamInstanceProfile.Name", ""), ask)
        ask.clear()
        return Refused(412, "DryRunOperation", "Request would have succeeded, but DryRun flag is set.")

    # --- StopInstances ---
    def _StopInstances(self, ask, region):
        self._may("StopInstances")
        ids = listed(ask, "InstanceId")
        missing = [i for i in ids if i not in self.instances]
        if missing:
            raise Refused(400, "InvalidInstanceID.NotFound", f"The instance ID '{missing[0]}' does not exist")
        for i in (self.instances[i] for i in ids):
            if i.state in ("pending", "shutting-down", "terminated"):
                raise Refused(400, "IncorrectInstanceState", f"The instance '{i.id}' is not in a state from which it can be stopped.")
            i.state = "stopping" if i.state == "running" else i.state
            self.slow.setdefault(i.id, self.stops_after)
        return {"instancesSet": [{"instanceId": i, "currentState": {"code": 64, "name": "stopping"},
                                       "previousState": {"code": 16, "name": "running"}} for i in ids]}

    def _launch(self, ask, zone, token):
        try:
            least, most = int(ask.pop("MinCount", "")), int(ask.pop("MaxCount", ""))
        except ValueError:
            raise Refused(400, "MissingParameter", "The request must contain MinCount and MaxCount") from None
        if not 1 <= least <= most:
            raise Refused(400, "InvalidParameterValue", f"Value ({least}) for parameter minCount is invalid")
        kind, image = ask.pop("InstanceType", ""), ask.pop("ImageId", "")
        shape = {k: v for k, v in ask.items() if k.split(".")[0] in self.SHAPE}
        subnet, groups = self._network(kind, ask)
        profile = ask.pop("IamInstanceProfile.Name", "") or ask.pop("IamInstanceProfile.Arn", "")
        self._check(kind, image, groups, profile, ask)
        market = self._market(kind, ask)
        self._placement(market, ask)
        self._processors(kind, ask)
        self._disks(image, ask)
        tags, data = tag_specifications(ask), self._user_data(ask)
        for key in tags.get("instance", {}):
            if not METADATA_KEY.match(key):
                raise Refused(400, "InvalidParameterValue", f"'{key}' is not a valid tag key with tags in metadata")
        give = self._room(kind, subnet, market, least, most)
        made = []
        for index in range(give):
            i = Instance("i-" + uuid.uuid4().hex[:17], kind, subnet, zone, image, token, index, data,
                         tags.get("instance", {}), profile, tuple(groups), shape, address=f"10.{len(self.instances) // 62500}.{len(self.instances) // 250 % 250}.{len(self.instances) % 250 + 4}",
                         born=self.clock())
            self.instances[i.id] = i
            made.append(i)
            self._told("launch", i)
        for i in made:
            self.on_launch(i)
        return made

    def _check(self, kind, image, groups, profile, ask):
        if not TYPE.match(kind):
            raise Refused(400, "InvalidParameterValue", f"The following supplied instance types do not exist: [{kind}]")
        if image not in self.launchable:
            raise Refused(400, "InvalidAMIID.NotFound", f"The image id '[{image}]' does not exist")
        arch = "arm64" if ARM.match(kind) else "x86_64"
        if self.architectures.get(image, arch) != arch:
            raise Refused(400, "InvalidParameterValue", f"The architecture '{arch}' of the specified instance type does not match the "
                          f"architecture '{self.architectures[image]}' of the specified AMI.")
        for group in groups:
            if group not in self.groups:
                raise Refused(400, "InvalidGroup.NotFound", f"The security group '{group}' does not exist")
        if profile and profile not in self.profiles:
            raise Refused(400, "InvalidParameterValue", f"Value ({profile}) for parameter iamInstanceProfile.name is invalid. "
                          "Invalid IAM Instance Profile name")
        wanted = {"InstanceInitiatedShutdownBehavior": "terminate", "MetadataOptions.HttpEndpoint": "enabled",
                  "MetadataOptions.HttpTokens": "required", "MetadataOptions.HttpPutResponseHopLimit": "1",
                  "MetadataOptions.InstanceMetadataTags": "enabled"}
        for key, value in wanted.items():
            if ask.pop(key, None) != value:
                raise Refused(400, "InvalidParameterValue", f"this cluster's policy allows only {key}={value}")
        pair = ask.pop("KeyName", None)
        if pair is not None and self.pairs is not None and pair not in self.pairs:
            raise Refused(400, "InvalidKeyPair.NotFound", f"The key pair '{pair}' does not exist")

    SHAPE = ("InstanceMarketOptions", "CapacityReservationSpecification", "Placement", "CpuOptions", "NetworkInterface",
             "BlockDeviceMapping")

    def _network(self, kind, ask):
        """(subnet, groups), said at the top or by interfaces, not by both."""
        if "NetworkInterface.1.DeviceIndex" not in ask:
            return ask.pop("SubnetId", ""), listed(ask, "SecurityGroupId")
        if "SubnetId" in ask or "SecurityGroupId.1" in ask:
            raise Refused(400, "InvalidParameterCombination", "Network interfaces and an instance-level subnet ID or security "
                          "groups may not be specified on the same request")
        cards, efa = self.types.get(kind, {}).get("cards", 1), self.types.get(kind, {}).get("efa", 0)
        subnets, groups, places, public, n = set(), [], [], False, 1
        while f"NetworkInterface.{n}.DeviceIndex" in ask:
            at = f"NetworkInterface.{n}."
            card, index = int(ask.pop(at + "NetworkCardIndex", "0")), int(ask.pop(at + "DeviceIndex"))
            what = ask.pop(at + "InterfaceType", "interface")
            subnets.add(ask.pop(at + "SubnetId", ""))
            groups = listed(ask, at + "SecurityGroupId")
            public |= ask.pop(at + "AssociatePublicIpAddress", "false") == "true"
            if ask.pop(at + "DeleteOnTermination", None) != "true":
                raise Refused(400, "InvalidParameterValue", "this cluster's policy allows only interfaces that end")
            if card >= cards or what not in ("interface", "efa", "efa-only"):
                raise Refused(400, "InvalidParameterValue", f"card {card}, type {what}: the type has {cards} cards")
            if (card, index) in [p[:2] for p in places]:
                raise Refused(400, "InvalidParameterValue", "Each network interface requires a unique device index")
            places.append((card, index, what))
            n += 1
        if (0, 0) not in [p[:2] for p in places] or (0, 0, "efa-only") in places:
            raise Refused(400, "InvalidParameterCombination", "the primary network interface must be at card 0, index 0, with an "
                          "address")
        if sum(p[2] != "interface" for p in places) > efa:
            raise Refused(400, "InvalidParameterCombination", f"{kind} supports {efa} EFA interfaces")
        if public and len(places) > 1:
            raise Refused(400, "InvalidParameterCombination", "The associatePublicIPAddress parameter cannot be specified when "
                          "launching with multiple network interfaces.")
        if len(subnets) > 1:
            raise Refused(400, "InvalidParameterCombination", "interfaces of several subnets")
        return subnets.pop(), groups

    def _market(self, kind, ask):
        market = ask.pop("InstanceMarketOptions.MarketType", "on-demand")
        target = "CapacityReservationSpecification.CapacityReservationTarget."
        spot = {k: ask.pop("InstanceMarketOptions.SpotOptions." + k, None) for k in (
            "SpotInstanceType", "InstanceInterruptionBehavior", "MaxPrice")}
        reservation = ask.pop(target + "CapacityReservationId", "") or ask.pop(target + "CapacityReservationResourceGroupArn", "")
        if market not in ("on-demand", "spot", "capacity-block"):
            raise Refused(400, "InvalidParameterValue", f"market type {market}")
        if any(spot.values()) and market != "spot":
            raise Refused(400, "InvalidParameterCombination", "Spot options without the Spot market")
        if market == "spot" and (spot["SpotInstanceType"], spot["InstanceInterruptionBehavior"]) != ("one-time", "terminate"):
            raise Refused(400, "InvalidParameterValue", "this cluster's policy allows only one-time Spot instances that end")
        if spot["MaxPrice"] and float(spot["MaxPrice"]) < self.types.get(kind, {}).get("spot", 0):
            raise Refused(400, "SpotMaxPriceTooLow", "Your Spot request price is lower than the minimum required Spot request "
                          "fulfillment price.")
        if reservation and market == "spot":
            raise Refused(400, "InvalidParameterCombination", "Spot instances can't use capacity reservations")
        if reservation and reservation not in self.reservations:
            raise Refused(400, "InvalidCapacityReservationId.NotFound", f"The capacity reservation '{reservation}' does not exist")
        if market == "capacity-block" and self.reservations.get(reservation) != "capacity-block":
            raise Refused(400, "InvalidParameterCombination", "market type capacity-block needs a capacity block")
        return market

    def _placement(self, market, ask):
        group = ask.pop("Placement.GroupName", None)
        if ask.pop("Placement.Tenancy", "default") not in ("default", "dedicated"):
            raise Refused(400, "InvalidParameterValue", "tenancy")
        if group is not None and group not in self.placement_groups:
            raise Refused(400, "InvalidPlacementGroup.Unknown", f"The Placement Group '{group}' is unknown.")
        if group and market == "capacity-block":
            raise Refused(400, "InvalidParameterCombination", "capacity blocks take no placement group")

    def _processors(self, kind, ask):
        cores, threads = ask.pop("CpuOptions.CoreCount", None), ask.pop("CpuOptions.ThreadsPerCore", None)
        if (cores is None) != (threads is None):
            raise Refused(400, "InvalidParameterCombination", "You must specify both core count and threads per core")
        if cores and int(cores) > self.types.get(kind, {}).get("cores", 0):
            raise Refused(400, "InvalidParameterValue", f"{kind} has not {cores} cores")

    def _disks(self, image, ask):
        if "BlockDeviceMapping.1.DeviceName" not in ask:
            return
        if ask.pop("BlockDeviceMapping.1.DeviceName") != self.roots.get(image, "/dev/xvda"):
            raise Refused(400, "InvalidBlockDeviceMapping", "the image has no such device")
        ebs = {k: ask.pop("BlockDeviceMapping.1.Ebs." + k, None) for k in (
            "VolumeSize", "VolumeType", "Iops", "Throughput", "Encrypted", "KmsKeyId", "DeleteOnTermination")}
        if ebs["DeleteOnTermination"] != "true":
            raise Refused(400, "InvalidParameterValue", "this cluster's policy allows only volumes that end")
        if ebs["KmsKeyId"] and ebs["Encrypted"] != "true":
            raise Refused(400, "InvalidParameterDependency", "The parameter KmsKeyId requires the parameter Encrypted to be set.")
        if ebs["Throughput"] and ebs["VolumeType"] != "gp3":
            raise Refused(400, "InvalidParameterCombination", "only gp3 has a throughput")
        if ebs["Iops"] and ebs["VolumeType"] not in ("gp3", "io1", "io2"):
            raise Refused(400, "InvalidParameterCombination", f"{ebs['VolumeType']} takes no iops")

    def _user_data(self, ask):
        try:
            data = base64.b64decode(ask.pop("UserData", ""), validate=True)
        except binascii.Error:
            raise Refused(400, "InvalidUserData.Malformed", "Invalid BASE64 encoding of user data.") from None
        if len(data) > 16384:
            raise Refused(400, "InvalidParameterValue", "User data is limited to 16384 bytes")
        return data

    def _room(self, kind, subnet, market, least, most):
        """How many it gives."""
        here = [i for i in self.alive() if i.subnet == subnet]
        free = self.addresses.get(subnet, most + len(here)) - len(here)
        if free < least:
            raise Refused(400, "InsufficientFreeAddressesInSubnet", f"There are not enough free addresses in subnet '{subnet}'")
        limit = self.capacity.get((kind, subnet, market), self.capacity.get((kind, subnet), most + len(here)))
        room = limit - sum(i.type == kind and (i.market == market or (kind, subnet) in self.capacity) for i in here)
        if room < least:
            raise Refused(500, "InsufficientInstanceCapacity", f"We currently do not have sufficient {kind} capacity in the "
                          f"Availability Zone you requested ({self.subnets[subnet]}).")
        give = min(most, room, free)
        self._take("instances", give)
        return give

    def _reservation(self, made):
        return {"reservationId": "r-" + uuid.uuid4().hex[:17], "ownerId": "123456789012",
                "instancesSet": [self._show(i, new=True) for i in made]}

    def _show(self, i, new=False):
        codes = {"pending": 0, "running": 16, "shutting-down": 32, "terminated": 48, "stopping": 64, "stopped": 80}
        out = {"instanceId": i.id, "imageId": i.image, "instanceState": {"code": codes[i.state], "name": i.state},
               "amiLaunchIndex": i.index, "instanceType": i.type, "launchTime": i.launched, "placement": {"availabilityZone": i.zone},
               "subnetId": i.subnet, "clientToken": i.token, "tagSet": tag_set(i.tags)}
        if i.alive and not new:
            out["privateIpAddress"] = i.address
        if i.public and i.state == "running":
            out["ipAddress"] = i.public
        if i.market != "on-demand":
            out["instanceLifecycle"] = i.market
        if i.reason:
            out["stateReason"] = {"code": i.reason, "message": i.reason}
        return out

    # --- DescribeInstances ---
    def _DescribeInstances(self, ask, region):
        self._take("look")
        ids, filters, n = listed(ask, "InstanceId"), [], 1
        while f"Filter.{n}.Name" in ask:
            filters.append((ask.pop(f"Filter.{n}.Name"), listed(ask, f"Filter.{n}.Value")))
            n += 1
        now = self.clock()
        found = [i for i in self.instances.values() if now - i.born >= self.settle_s and (i.state != "terminated" or now - i.ended < KEEPS)]
        for i in found:
            self._settle(i)
        missing = [x for x in ids if x not in {i.id for i in found}]
        if missing:
            raise Refused(400, "InvalidInstanceID.NotFound", f"The instance ID '{missing[0]}' does not exist")
        found = [i for i in found if (not ids or i.id in ids) and all(self._passes(i, k, v) for k, v in filters)]
        return self._page(ask, found, lambda i: {"reservationId": "r-1", "instancesSet": [self._show(i)]},
                          "reservationSet", ids)

    def _settle(self, i):
        if i.state == "pending" and (i.type, i.subnet) in self.late:
            self.end(i, self.late[i.type, i.subnet])
        elif i.state == "pending":
            i.state = "running"
        elif i.state == "stopping":
            self.slow[i.id] -= 1
            i.state = "stopped" if self.slow[i.id] < 0 else i.state

    @staticmethod
    def _passes(i, key, values):
        plain = {"client-token": i.token, "instance-state-name": i.state, "subnet-id": i.subnet, "instance-type": i.type}
        if key in plain:
            return plain[key] in values
        if not key.startswith("tag:"):
            raise Refused(400, "InvalidParameterValue", f"The filter '{key}' is invalid")
        return i.tags.get(key[4:]) in values

    # --- GetConsoleOutput ---
    def _GetConsoleOutput(self, ask, region):
        name, latest = ask.pop("InstanceId", ""), ask.pop("Latest", "false") == "true"
        if name not in self.instances:
            raise Refused(400, "InvalidInstanceID.NotFound", f"The instance ID '{name}' does not exist")
        if latest and self.instances[name].type.startswith(("t2.", "m4.", "c4.")):
            raise Refused(400, "UnsupportedOperation", "This instance type does not support retrieving the latest console logs.")
        text = self.consoles.get(name, "")
        return {"instanceId": name, "timestamp": "2026-01-01T00:05:00.000Z",
                **({"output": base64.encodebytes(text.encode()[-65536:]).decode()} if text else {})}

    # --- TerminateInstances ---
    def _TerminateInstances(self, ask, region):
        self._may("TerminateInstances")
        ids = listed(ask, "InstanceId")
        self._take("end")
        if not 1 <= len(ids) <= 1000:
            raise Refused(400, "InvalidParameterValue", "1 to 1000 ids")
        now = self.clock()
        missing = [x for x in ids if x not in self.instances or now - self.instances[x].born < self.settle_s]
        if missing:
            some = f"ID '{missing[0]}' does" if len(missing) == 1 else f"IDs '{', '.join(missing)}' do"
            raise Refused(400, "InvalidInstanceID.NotFound", f"The instance {some} not exist")
        out = []
        for x in ids:
            before = self.instances[x].state
            if self.instances[x].alive or before in ("stopping", "stopped"):
                self.end(self.instances[x], "Client.UserInitiatedShutdown")
            out.append({"instanceId": x, "previousState": {"code": 16, "name": before},
                        "currentState": {"code": 48, "name": self.instances[x].state}})
        return {"instancesSet": out}

    def end(self, i, reason):
        """It ends, by whomever."""
        i.state, i.reason, i.ended = "terminated", reason, self.clock()
        self._told("end", i, reason)
        self.on_end(i)

    # --- what must never have been ---
    def doubles(self):
        """(node, ids) that had more than one instance at a time."""
        out, now = [], {}
        for _, event, name, node, _ in self.ledger:
            have = now.setdefault(node, set())
            if event == "launch":
                have.add(name)
                if len(have) > 1:
                    out.append((node, sorted(have)))
            else:
                have.discard(name)
        return out
