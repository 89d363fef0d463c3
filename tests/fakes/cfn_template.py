"""A CloudFormation template as CloudFormation reads it: its parameters, what refers to what, the properties with all
names put in, and what of two versions differs.
"""
import json
import re

from .sigcheck import Refused

BODY_MAX, URL_MAX = 51200, 1000000
TYPES = {
    "AWS::CloudWatch::Alarm", "AWS::CloudWatch::Dashboard", "AWS::EC2::EIP", "AWS::EC2::EIPAssociation", "AWS::EC2::Instance",
    "AWS::EC2::SecurityGroup", "AWS::EC2::SecurityGroupEgress", "AWS::EC2::SecurityGroupIngress", "AWS::EC2::Volume",
    "AWS::EC2::VolumeAttachment", "AWS::EFS::FileSystem", "AWS::EFS::MountTarget", "AWS::FSx::FileSystem",
    "AWS::IAM::InstanceProfile", "AWS::IAM::Role", "AWS::Logs::LogGroup"}
# What another value of a property means: a new resource, or none at all; everything else changes in place.
REPLACES = {
    "AWS::EC2::Instance": {"ImageId", "SubnetId", "KeyName", "BlockDeviceMappings", "AvailabilityZone"},
    "AWS::EC2::SecurityGroup": {"GroupDescription", "VpcId", "GroupName"},
    "AWS::EC2::SecurityGroupEgress": {"*"}, "AWS::EC2::SecurityGroupIngress": {"*"}, "AWS::EC2::EIPAssociation": {"*"},
    "AWS::EC2::Volume": {"AvailabilityZone", "Encrypted", "KmsKeyId", "SnapshotId"},
    "AWS::EFS::FileSystem": {"Encrypted", "KmsKeyId", "PerformanceMode"}, "AWS::EFS::MountTarget": {"FileSystemId", "SubnetId"},
    "AWS::FSx::FileSystem": {"SubnetIds", "SecurityGroupIds", "FileSystemType", "StorageType", "KmsKeyId", "BackupId"},
    "AWS::IAM::Role": {"RoleName", "Path"}, "AWS::IAM::InstanceProfile": {"Path"}, "AWS::CloudWatch::Dashboard": {"DashboardName"},
}
UNCHANGEABLE = {"AWS::EC2::VolumeAttachment"}
INTERRUPTS = {"AWS::EC2::Instance": {"InstanceType", "UserData"}}
NAMES = re.compile(r"\$\{([^!}][^}]*)\}")
PSEUDO = {"AWS::StackName", "AWS::StackId", "AWS::AccountId", "AWS::Region", "AWS::Partition", "AWS::URLSuffix"}


def invalid(message):
    return Refused(400, "ValidationError", message)


def too_long(name, value, most):
    return invalid(f"1 validation error detected: Value '{value[:40]}...' at '{name}' failed to satisfy constraint: Member must have "
                   f"length less than or equal to {most}")


class Template:
    def __init__(self, text):
        try:
            self.doc = json.loads(text)
        except ValueError as why:
            raise invalid(f"Template format error: JSON not well-formed. ({why})") from None
        self.resources, self.parameters = self.doc.get("Resources") or {}, self.doc.get("Parameters") or {}
        self.outputs, self.description = self.doc.get("Outputs") or {}, self.doc.get("Description", "")
        unknown = {r.get("Type") for r in self.resources.values()} - TYPES
        if not self.resources:
            raise invalid("Template format error: At least one Resources member must be defined.")
        if unknown:
            raise invalid(f"Template format error: Unrecognized resource types: [{', '.join(sorted(map(str, unknown)))}]")
        lost = sorted(set(self._references(self.resources)) - set(self.resources) - set(self.parameters) - PSEUDO)
        if lost:
            raise invalid(f"Template format error: Unresolved resource dependencies [{', '.join(lost)}] in the Resources block of the template")
        self.order()

    @classmethod
    def _references(cls, node):
        if isinstance(node, dict):
            if set(node) == {"Ref"}:
                yield node["Ref"]
            elif set(node) == {"Fn::GetAtt"}:
                yield node["Fn::GetAtt"][0]
            elif set(node) == {"Fn::Sub"}:
                yield from (n if n in PSEUDO else n.partition(".")[0] for n in NAMES.findall(node["Fn::Sub"]))
            for k, below in node.items():
                if k == "DependsOn":
                    yield from [below] if isinstance(below, str) else below
                yield from cls._references(below)
        elif isinstance(node, list):
            for below in node:
                yield from cls._references(below)

    def needs(self, name):
        return {n for n in self._references(self.resources[name]) if n in self.resources}

    def order(self):
        """Waves: each resource is in the first one that has all it needs behind it."""
        waves, done, left = [], set(), set(self.resources)
        while left:
            wave = [n for n in self.resources if n in left and self.needs(n) - {n} <= done]
            if not wave:
                raise invalid(f"Circular dependency between resources: [{', '.join(sorted(left))}]")
            waves.append(wave)
            done |= set(wave)
            left -= set(wave)
        return waves

    @property
    def roles(self):
        return any(r["Type"].startswith("AWS::IAM::") for r in self.resources.values())

    def values(self, given, before=None):
        """{parameter: its value}; `given` is {name: value, or None for the one before}."""
        unknown = set(given) - set(self.parameters)
        if unknown:
            raise invalid(f"Parameters: [{', '.join(sorted(unknown))}] do not exist in the template")
        out = {}
        for name, p in self.parameters.items():
            if name in given and given[name] is None:
                if before is None or name not in before:
                    raise invalid(f"Invalid input for parameter key {name}. Cannot specify usePreviousValue as true for a parameter key not in the previous template")
                out[name] = before[name]
            elif name in given:
                out[name] = given[name]
            elif "Default" in p:
                out[name] = p["Default"]
        missing = sorted(set(self.parameters) - set(out))
        if missing:
            raise invalid(f"Parameters: [{', '.join(missing)}] must have values")
        for name, value in out.items():
            kind = self.parameters[name].get("Type")
            if kind == "Number" and not re.fullmatch(r"-?\d+(\.\d+)?", str(value)):
                raise invalid(f"Parameter '{name}' must be a number")
        return out


def resolve(node, name_of):
    """`node` with what its functions say. name_of(name, attribute or None)"""
    if isinstance(node, list):
        return [resolve(n, name_of) for n in node]
    if not isinstance(node, dict):
        return node
    if set(node) == {"Ref"}:
        return name_of(node["Ref"], None)
    if set(node) == {"Fn::GetAtt"}:
        return name_of(*node["Fn::GetAtt"])
    if set(node) == {"Fn::Base64"}:
        return resolve(node["Fn::Base64"], name_of)
    if set(node) == {"Fn::Sub"}:
        def one(m):
            name, _, attribute = (m[1], "", "") if m[1] in PSEUDO else m[1].partition(".")
            return str(name_of(name, attribute or None))
        return NAMES.sub(one, node["Fn::Sub"]).replace("${!", "${")
    return {k: resolve(v, name_of) for k, v in node.items()}


def changed(kind, old, new):
    """None, or how a resource's properties change: "in place", "interrupted", "replaced", "refused"."""
    keys = {k for k in set(old) | set(new) if old.get(k) != new.get(k)}
    if not keys:
        return None
    if kind in UNCHANGEABLE:
        return "refused"
    if REPLACES.get(kind, set()) & (keys | {"*"}):
        return "replaced"
    return "interrupted" if INTERRUPTS.get(kind, set()) & keys else "in place"
