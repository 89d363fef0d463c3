"""One stack of the stand-in for CloudFormation: what its resources are, and its way through creation, change and deletion,
step by step. Each change is a generator; a look at the stack takes it a step further.
"""
import time
import uuid
from dataclasses import dataclass, field

from .cfn_template import changed, resolve
from .instances import Instance

ACCOUNT, REGION = "123456789012", "eu-west-1"
CANCELLED = "Resource creation cancelled"
# What CloudFormation does with the caller's rights when it makes a resource of a type.
MAKES = {"AWS::IAM::Role": "iam:CreateRole", "AWS::IAM::InstanceProfile": "iam:CreateInstanceProfile", "AWS::EC2::Instance": "ec2:RunInstances",
         "AWS::EC2::SecurityGroup": "ec2:CreateSecurityGroup", "AWS::EC2::Volume": "ec2:CreateVolume", "AWS::Logs::LogGroup": "logs:CreateLogGroup",
         "AWS::CloudWatch::Dashboard": "cloudwatch:PutDashboard", "AWS::CloudWatch::Alarm": "cloudwatch:PutMetricAlarm"}
PREFIX = {"AWS::EC2::Instance": "i-", "AWS::EC2::SecurityGroup": "sg-", "AWS::EC2::Volume": "vol-", "AWS::EFS::FileSystem": "fs-",
          "AWS::FSx::FileSystem": "fs-", "AWS::EFS::MountTarget": "fsmt-", "AWS::EC2::SecurityGroupIngress": "sgr-",
          "AWS::EC2::SecurityGroupEgress": "sgr-", "AWS::EC2::EIP": "eipalloc-", "AWS::EC2::EIPAssociation": "eipassoc-"}


class Failed(Exception):
    pass


@dataclass
class Resource:
    kind: str
    physical: str
    properties: dict


@dataclass
class Stack:
    name: str
    status: str
    id: str
    description: str
    outputs: dict
    tags: dict
    reason: str
    created: str = "2026-01-01T00:00:00Z"
    events: list = field(default_factory=list)
    world: object = None      # the CloudFormation that it is in
    template: object = None
    values: dict = field(default_factory=dict)
    resources: dict = field(default_factory=dict)
    plans: dict = field(default_factory=dict)
    work: object = None       # the change that goes on
    token: str = ""
    tokens: set = field(default_factory=set)
    mounted: bool = False     # its head has come up: volumes that are attached to it are in use while it runs

    def event(self, logical, kind, status, reason="", physical=None):
        """The newest one; AWS tells them newest first."""
        own = kind == "AWS::CloudFormation::Stack" and logical == self.name
        at = self.resources.get(logical)
        n = len(self.events)
        self.events.insert(0, {
            "StackId": self.id, "EventId": f"{logical}-{uuid.uuid4()}", "StackName": self.name, "LogicalResourceId": logical,
            "PhysicalResourceId": self.id if own else physical if physical is not None else at.physical if at else f"id-of-{logical}",
            "ResourceType": kind, "Timestamp": f"2026-01-01T00:{n // 60 % 60:02d}:{n % 60:02d}Z", "ResourceStatus": status,
            **({"ResourceStatusReason": reason} if reason else {}), **({"ClientRequestToken": self.token} if self.token else {})})
        return self

    def say(self, status, reason=""):
        self.status, self.reason = status, reason
        self.event(self.name, "AWS::CloudFormation::Stack", status, reason)

    def begin(self, work, token):
        self.token, self.work = token, work
        self.tokens.add(token)
        next(work)

    def advance(self, steps):
        for _ in range(steps):
            if self.work and next(self.work, "over") == "over":
                self.work = None

    # --- names ---
    def name_of(self, name, attribute):
        fixed = {"AWS::StackName": self.name, "AWS::StackId": self.id, "AWS::AccountId": ACCOUNT, "AWS::Region": REGION,
                 "AWS::Partition": "aws", "AWS::URLSuffix": "amazonaws.com"}
        if name in fixed:
            return fixed[name]
        if name in self.template.parameters:
            return self.values[name]
        if name not in self.resources:
            return f"{{{name}.{attribute or 'Ref'}}}"  # not there yet
        r = self.resources[name]
        if attribute in (None, "GroupId", "AllocationId"):
            return r.physical
        if r.kind == "AWS::EC2::Instance":
            i = self.world.ec2.instances.get(r.physical) if self.world.ec2 else None
            return {"PrivateIp": i.address if i else "10.0.0.4", "AvailabilityZone": i.zone if i else REGION + "a"}[attribute]
        return {"Arn": f"arn:aws:{r.kind}:{r.physical}", "LustreMountName": "mountname"}[attribute]

    def properties(self, template, name):
        return resolve(template.resources[name].get("Properties", {}), self.name_of)

    # --- one resource ---
    def make(self, name):
        kind, p = self.template.resources[name]["Type"], self.properties(self.template, name)
        if name in self.world.fails:
            raise Failed(self.world.fails[name])
        if MAKES.get(kind) in self.world.denied:
            raise Failed(f"User: {self.world.user} is not authorized to perform: {MAKES[kind]} on resource: * because no identity-based policy "
                         f"allows the {MAKES[kind]} action (Service: AWS, Status Code: 403, Request ID: {uuid.uuid4()})")
        physical = PREFIX.get(kind, f"{self.name}-{name}-") + uuid.uuid4().hex[:17]
        if kind == "AWS::EC2::Instance":
            self._launch(physical, p)
        if kind == "AWS::EC2::SecurityGroup" and self.world.ec2:
            self.world.ec2.groups.add(physical)
        if kind == "AWS::IAM::InstanceProfile" and self.world.ec2:
            self.world.ec2.profiles.add(physical)
        if kind == "AWS::EC2::VolumeAttachment":
            physical = f"{p['VolumeId']}|{p['InstanceId']}"
        self.resources[name] = Resource(kind, physical, p)
        self.world.made.append((self.name, name))

    def _launch(self, physical, p):
        ec2 = self.world.ec2
        if not ec2:
            return
        if ec2.launchable and p["ImageId"] not in ec2.launchable:
            raise Failed(f"The image id '[{p['ImageId']}]' does not exist (Service: Ec2, Status Code: 400, Request ID: {uuid.uuid4()})")
        tags = {t["Key"]: t["Value"] for t in p.get("Tags", [])}
        ec2.instances[physical] = Instance(physical, p["InstanceType"], p["SubnetId"], ec2.subnets.get(p["SubnetId"], REGION + "a"), p["ImageId"], "",
                                           0, p.get("UserData", "").encode(), tags, p.get("IamInstanceProfile", ""), tuple(p.get("SecurityGroupIds", ())),
                                           state="running", address=f"10.0.0.{len(ec2.instances) + 4}")

    def unmake(self, name):
        """Raises Failed, and is then as it was."""
        r, ec2 = self.resources[name], self.world.ec2
        if self.world.fails_to_go.get(name):
            raise Failed(self.world.fails_to_go[name])
        if ec2 and r.kind == "AWS::EC2::SecurityGroup":
            if any(r.physical in i.groups for i in ec2.instances.values() if i.state not in ("terminated",)):
                raise Failed(f"resource {r.physical} has a dependent object (Service: Ec2, Status Code: 400, Request ID: {uuid.uuid4()})")
            ec2.groups.discard(r.physical)
        if ec2 and r.kind == "AWS::EC2::VolumeAttachment":
            i = ec2.instances.get(r.physical.partition("|")[2])
            if i and i.state == "running" and self.mounted:
                raise Failed(f"Volume {r.physical.partition('|')[0]} is mounted and stays busy: the detachment timed out")
        if ec2 and r.kind == "AWS::EC2::Instance" and r.physical in ec2.instances:
            i = ec2.instances[r.physical]
            i.state, i.ended = "terminated", time.monotonic()
        del self.resources[name]
        self.world.gone.append((self.name, name))

    def drop(self, name, keep=True):
        """An event for what becomes of it; False: it is there still."""
        r, policy = self.resources[name], self.template.resources.get(name, {}).get("DeletionPolicy", "Delete")
        if keep and policy == "Retain":
            self.event(name, r.kind, "DELETE_SKIPPED")
            del self.resources[name]
            self.world.kept.append(r.physical)
            return True
        self.event(name, r.kind, "DELETE_IN_PROGRESS")
        try:
            self.unmake(name)
        except Failed as why:
            self.event(name, r.kind, "DELETE_FAILED", str(why))
            return False
        self.event(name, r.kind, "DELETE_COMPLETE", physical=r.physical)
        return True

    # --- the ways ---
    def creation(self, on_failure, keep):
        self.say("CREATE_IN_PROGRESS", "User Initiated")
        yield
        bad = yield from self._make_all("CREATE")
        if not bad:
            self._finish("CREATE_COMPLETE")
            return
        words = f"The following resource(s) failed to create: [{', '.join(bad)}]. "
        if on_failure == "DO_NOTHING":
            self.say("CREATE_FAILED", words)
            return
        doing = "ROLLBACK" if on_failure == "ROLLBACK" else "DELETE"
        self.token = "" if self.world.forgets else self.token
        self.say(f"{doing}_IN_PROGRESS", words + ("Rollback" if doing == "ROLLBACK" else "Delete") + " requested by user.")
        yield
        yield from self._drop_all(doing, keep)

    def _make_all(self, verb, names=None):
        """Wave by wave; the names that failed."""
        for wave in self.template.order():
            wave = [n for n in wave if (names is None or n in names) and n not in self.resources]
            for n in wave:
                self.event(n, self.template.resources[n]["Type"], f"{verb}_IN_PROGRESS", physical="")
            if wave:
                yield
            bad = []
            for n in wave:
                try:
                    if bad:
                        raise Failed(CANCELLED)
                    self.make(n)
                    self.event(n, self.template.resources[n]["Type"], f"{verb}_COMPLETE")
                except Failed as why:
                    bad += [n] if str(why) != CANCELLED else []
                    self.event(n, self.template.resources[n]["Type"], f"{verb}_FAILED", str(why), physical="")
            if bad:
                return bad
        return []

    def _drop_all(self, doing, keep):
        failed = []
        for wave in reversed(self.template.order()):
            for n in reversed(wave):
                # What a resource is needed by stays, and so does it.
                if n in self.resources and not any(n in self.template.needs(m) for m in self.resources if m != n and m in self.template.resources):
                    failed += [] if self.drop(n, keep) else [n]
            yield
        failed += [n for n in self.resources if n not in failed]
        if failed:
            self.say(f"{doing}_FAILED", f"The following resource(s) failed to delete: [{', '.join(failed)}]. ")
            return
        if doing == "DELETE":
            self.outputs = {}
        self.say(f"{doing}_COMPLETE")

    def deletion(self):
        self.say("DELETE_IN_PROGRESS", "User Initiated")
        yield
        if self.template:
            yield from self._drop_all("DELETE", True)
        else:
            self.say("DELETE_COMPLETE")

    def _finish(self, status):
        self.outputs = {k: str(resolve(o["Value"], self.name_of)) for k, o in self.template.outputs.items()}
        self.mounted = True
        self.say(status)

    def differences(self, template, values):
        """[(action, name, type, how)] of another template."""
        before, had = self.template, self.values
        self.template, self.values = template, values
        out = []
        for wave in template.order():
            for n in wave:
                kind = template.resources[n]["Type"]
                if n not in self.resources:
                    out.append(("Add", n, kind, ""))
                    continue
                how = changed(kind, self.resources[n].properties, self.properties(template, n))
                if how:
                    out.append(("Modify", n, kind, how))
        self.template, self.values = before, had
        return out + [("Remove", n, r.kind, "") for n, r in self.resources.items() if n not in template.resources]

    def change(self, template, values):
        differences = self.differences(template, values)
        before = (self.template, self.values, dict(self.resources))
        self.say("UPDATE_IN_PROGRESS", "User Initiated")
        yield
        self.template, self.values = template, values
        old, bad = {}, []
        for action, n, kind, how in differences:
            if action != "Modify" or bad:
                continue
            self.event(n, kind, "UPDATE_IN_PROGRESS")
            yield
            try:
                if n in self.world.fails:
                    raise Failed(self.world.fails[n])
                if how == "refused":
                    raise Failed(f"Update to resource type {kind} is not supported.")
                if how == "replaced":
                    old[n] = self.resources.pop(n)
                    self.make(n)
                else:
                    self._alter(n, how)
                self.event(n, kind, "UPDATE_COMPLETE")
            except Failed as why:
                self.resources.setdefault(n, old.pop(n, None) or before[2][n])
                self.event(n, kind, "UPDATE_FAILED", str(why))
                bad.append(n)
        if not bad:
            bad = yield from self._make_all("CREATE", {n for a, n, _, _ in differences if a == "Add"})
        if bad:
            self.say("UPDATE_ROLLBACK_IN_PROGRESS", f"The following resource(s) failed to update: [{', '.join(bad)}].")
            yield
            self.template, self.values = before[0], before[1]
            for n, r in before[2].items():
                self.resources[n] = r
            self.say("UPDATE_ROLLBACK_COMPLETE")
            return
        self.say("UPDATE_COMPLETE_CLEANUP_IN_PROGRESS")
        yield
        for action, n, _, _ in differences:
            if action == "Remove":
                self.drop(n)
        self._finish("UPDATE_COMPLETE")

    def _alter(self, name, how):
        p = self.properties(self.template, name)
        r = self.resources[name]
        self.resources[name] = Resource(r.kind, r.physical, p)
        if r.kind == "AWS::EC2::Instance" and self.world.ec2:
            i = self.world.ec2.instances[r.physical]
            i.type, i.user_data = p["InstanceType"], p.get("UserData", "").encode()
            if how == "interrupted":
                self.world.restarts.append(r.physical)
