"""AWS's own description of its services, as botocore carries it: what a fake is asked, and what it answers,
is held against that, so that a fake can't agree with a client on a request that AWS would not understand.
"""
import functools
import json
import re

from botocore.loaders import Loader
from botocore.model import ServiceModel

from .sigcheck import Refused

# What AWS has added since the oldest botocore that tests run with (Debian 12's: 1.29.27).
NEWER_MEMBERS = {"DeregisterImage": {"DeleteAssociatedSnapshots": "boolean"},
                 "DescribeImages": {"MaxResults": "integer", "NextToken": "string"},
                 "RegisterImage": {"TagSpecification": "TagSpecificationList"},
                 "CreateStack": {"RetainExceptOnCreate": "boolean"}}
NEWER_ANSWERS = {"DeregisterImage": {"deleteSnapshotResultSet"}, "DescribeImages": {"nextToken"}}
NEWER_VALUES = {"uefi-preferred", "capacity-block", "efa-only", "p5.48xlarge", "p6-b300.48xlarge"}

SCALARS = {"integer": re.compile(r"-?\d+"), "long": re.compile(r"-?\d+"), "boolean": re.compile("true|false"),
           "double": re.compile(r"-?\d+(\.\d+)?"), "float": re.compile(r"-?\d+(\.\d+)?"),
           "timestamp": re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")}


@functools.cache
def service(name):
    return ServiceModel(Loader().load_service_model(name, "service-2"), name)


def operation(name, action):
    try:
        return service(name).operation_model(action)
    except Exception:
        raise Refused(400, "InvalidAction", f"{name} has no {action}") from None


def bad(where, why):
    return Refused(400, "InvalidParameterValue", f"{where}: {why}")


def check_type(name, value, where):
    pattern = SCALARS.get(name)
    if pattern and not pattern.fullmatch(value):
        raise bad(where, f"{value!r} is no {name}")


def check_scalar(shape, value, where):
    check_type(shape.type_name, value, where)
    if getattr(shape, "enum", None) and value not in shape.enum and value not in NEWER_VALUES:
        raise bad(where, f"{value!r} is none of {shape.enum}")


# --- the query protocol, and EC2's own kind of it ---
def query_name(name, shape, ec2):
    s = shape.serialization
    if not ec2:
        return s.get("name") or name
    plain = s.get("queryName") or s.get("name") or name
    return plain if "queryName" in s else plain[:1].upper() + plain[1:]


def below(ask, prefix):
    return any(k == prefix or k.startswith(prefix + ".") for k in ask)


def walk_query(shape, prefix, ask, ec2):
    """Takes out of `ask` what the shape knows, and checks it."""
    if shape.type_name == "structure":
        for name, member in shape.members.items():
            at = (prefix + "." if prefix else "") + query_name(name, member, ec2)
            if below(ask, at):
                walk_query(member, at, ask, ec2)
            elif name in shape.required_members:
                raise Refused(400, "MissingParameter", f"The request must contain the parameter {at}")
    elif shape.type_name == "list":
        n, prefix = 1, prefix if ec2 or shape.serialization.get("flattened") else prefix + ".member"
        while below(ask, f"{prefix}.{n}"):
            walk_query(shape.member, f"{prefix}.{n}", ask, ec2)
            n += 1
    else:
        if prefix not in ask:
            raise bad(prefix, "a structure where a value is expected")
        check_scalar(shape, ask.pop(prefix), prefix)


def check_query(name, action, ask):
    left, ec2 = dict(ask), service(name).metadata["protocol"] == "ec2"
    walk_query(operation(name, action).input_shape, "", left, ec2)
    for extra, kind in NEWER_MEMBERS.get(action, {}).items():
        if extra in left:
            check_type(kind, left.pop(extra), extra)
        elif below(left, extra):
            walk_query(service(name).shape_for(kind), extra, left, ec2)
    if left:
        raise Refused(400, "UnknownParameter", f"The parameters {sorted(left)} are not recognized")


def check_answer(name, action, value):
    """What a fake says to `action`, by the names it has on the wire."""
    shape = operation(name, action).output_shape
    known = NEWER_ANSWERS.get(action, set())
    if shape is None:
        assert set(value) <= {"return", *known}, f"{action} answers nothing"
        return
    walk_answer(shape, {k: v for k, v in value.items() if k not in known and k != "return"}, action)


def walk_answer(shape, value, where):
    if isinstance(value, dict):
        names = {m.serialization.get("name", k): m for k, m in shape.members.items()}
        for k, v in value.items():
            assert k in names, f"{where}: AWS's answer has no {k}"
            walk_answer(names[k], v, f"{where}.{k}")
    elif isinstance(value, list):
        for v in value:
            walk_answer(shape.member, v, where)


# --- JSON, and REST with JSON bodies ---
def walk_json(shape, value, where):
    kind = {"structure": dict, "list": list, "map": dict, "boolean": bool, "integer": int, "long": int,
            "string": str, "blob": str}.get(shape.type_name)
    if kind and (not isinstance(value, kind) or (kind is int and isinstance(value, bool))):
        raise bad(where, f"{value!r} is no {shape.type_name}")
    if shape.type_name == "structure":
        names = {m.serialization.get("name", k): (k, m) for k, m in shape.members.items()}
        for k, v in value.items():
            if k not in names:
                raise bad(where, f"there is no {k}")
            walk_json(names[k][1], v, f"{where}.{k}")
        lacking = [k for n, (k, _) in names.items() if k in shape.required_members and n not in value]
        if lacking:
            raise bad(where, f"{lacking} are required")
    elif shape.type_name == "list":
        for v in value:
            walk_json(shape.member, v, where)
    elif shape.type_name == "string" and getattr(shape, "enum", None):
        check_scalar(shape, value, where)
    limits = shape.metadata
    if shape.type_name == "string" and not limits.get("min", 0) <= len(value) <= limits.get("max", len(value)):
        raise bad(where, f"{len(value)} characters")


def check_json(name, req):
    """A request of the JSON protocol: its target, and its body."""
    model = service(name)
    prefix, _, action = req.get("x-amz-target", "").rpartition(".")
    if prefix != model.metadata["targetPrefix"] or action not in model.operation_names:
        raise Refused(400, "UnknownOperationException", req.get("x-amz-target", ""))
    if req.get("content-type") != "application/x-amz-json-" + model.metadata["jsonVersion"]:
        raise Refused(400, "SerializationException", "content type")
    try:
        ask = json.loads(req.body)
    except ValueError:
        raise Refused(400, "SerializationException", "not JSON") from None
    walk_json(model.operation_model(action).input_shape, ask, action)
    return ask


def check_rest(name, action, req):
    """A request of the REST protocol: what its operation knows of headers, query and body."""
    shape = operation(name, action).input_shape
    places = {m.serialization.get("name", k).lower(): m for k, m in shape.members.items()
              if m.serialization.get("location") in ("header", "querystring")}
    for k, v in req.headers:
        if k.lower().startswith("x-amz-") and k.lower() not in COMMON_HEADERS:
            if k.lower() not in places:
                raise bad(action, f"there is no header {k}")
            check_scalar(places[k.lower()], v, k)
    for k, m in shape.members.items():
        place = m.serialization
        if k in shape.required_members and place.get("location") == "header" and req.get(place["name"]) is None:
            raise bad(action, f"header {place['name']} is required")
    if shape.serialization.get("payload") or any(m.serialization.get("streaming") for m in shape.members.values()):
        return
    body = {k: m for k, m in shape.members.items() if "location" not in m.serialization}
    if not body:
        return
    try:
        ask = json.loads(req.body)
    except ValueError:
        raise bad(action, "the body isn't JSON") from None
    for k in ask:
        if k not in body:
            raise bad(action, f"there is no {k}")
        walk_json(body[k], ask[k], k)
    for k in shape.required_members:
        if k in body and k not in ask:
            raise bad(action, f"{k} is required")


COMMON_HEADERS = {"x-amz-date", "x-amz-security-token", "x-amz-content-sha256", "x-amz-target"}
