"""CloudFormation, as strict as AWS, for those who look at stacks: signature, form, parameters, pages, throttling.

    with CloudFormation(keys) as cfn:
        cfn.stack("test-cluster", "CREATE_COMPLETE", outputs={"Head": "i-1"}).event("Head", "AWS::EC2::Instance", "CREATE_COMPLETE")
        AWS_ENDPOINT_URL_CLOUDFORMATION=cfn.url hpc-cluster list

`page`: so many stacks or events an answer has. `throttle`: so many calls are refused first. `denied`: actions that the
credentials may not do. A deleted stack is found by its id only.
"""
import time
import uuid
from dataclasses import dataclass, field
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

from . import model
from .httpd import Response, Server
from .sigcheck import Refused, verify

NS = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
MARK = "A Slurm cluster of hpc-node: its head and what it stands on"


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
    values: dict = field(default_factory=dict)  # of its parameters

    def event(self, logical, kind, status, reason=""):
        """The newest one; AWS tells them newest first."""
        self.events.insert(0, {"StackId": self.id, "EventId": f"{logical}-{uuid.uuid4()}", "StackName": self.name, "LogicalResourceId": logical,
                               "PhysicalResourceId": f"id-of-{logical}", "ResourceType": kind, "Timestamp": f"2026-01-01T00:00:{len(self.events):02d}Z",
                               "ResourceStatus": status, **({"ResourceStatusReason": reason} if reason else {})})
        return self


def xml(value):
    if isinstance(value, dict):
        return "".join(f"<{k}>{xml(v)}</{k}>" for k, v in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{xml(v)}</member>" for v in value)
    return escape(str(value))


class CloudFormation(Server):
    def __init__(self, keys, address="127.0.0.1", port=0, **kw):
        super().__init__(self._answer, address, port, **kw)
        self.keys, self.stacks = list(keys), []
        self.page, self.throttle, self.denied = 100, 0, set()

    def stack(self, name, status, outputs=None, tags=None, description=MARK, reason=""):
        arn = f"arn:aws:cloudformation:eu-west-1:123456789012:stack/{name}/{uuid.uuid4()}"
        self.stacks.append(Stack(name, status, arn, description, outputs or {}, tags or {}, reason))
        return self.stacks[-1]

    def _answer(self, req):
        try:
            action, result = self._call(req)
        except Refused as why:
            return Response(why.status, f'<ErrorResponse xmlns="{NS}"><Error><Type>Sender</Type><Code>{why.code}</Code>'
                            f"<Message>{escape(why.message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>",
                            [("Content-Type", "text/xml")])
        model.check_answer("cloudformation", action, result)
        return Response(200, f'<{action}Response xmlns="{NS}"><{action}Result>{xml(result)}</{action}Result><ResponseMetadata>'
                        f"<RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>", [("Content-Type", "text/xml")])

    def _call(self, req):
        verify(req, self.keys, "cloudformation", time.time())
        if req.method != "POST" or req.path != "/" or req.query:
            raise Refused(400, "InvalidAction", "expected POST /")
        if not req.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Refused(400, "MalformedInput", "content type")
        ask = {unquote_plus(k): unquote_plus(v) for k, _, v in (p.partition("=") for p in req.body.decode().split("&"))}
        action, version = ask.pop("Action", ""), ask.pop("Version", "")
        if version != "2010-05-15" or action not in ("DescribeStacks", "DescribeStackEvents"):
            raise Refused(400, "InvalidAction", f"Could not find operation {action} for version {version}")
        model.check_query("cloudformation", action, ask)
        if action in self.denied:
            raise Refused(403, "AccessDenied", f"User is not authorized to perform: cloudformation:{action}")
        if self.throttle:
            self.throttle -= 1
            raise Refused(400, "Throttling", "Rate exceeded")
        return action, getattr(self, f"_{action}")(ask)

    def _named(self, name):
        found = [s for s in self.stacks if name == s.id or (name == s.name and s.status != "DELETE_COMPLETE")]
        if not found:
            raise Refused(400, "ValidationError", f"Stack with id {name} does not exist")
        return found

    def _pages(self, name, items, ask):
        at = int(ask.get("NextToken", "token-0").removeprefix("token-"))
        more = at + self.page < len(items)
        return {name: items[at:at + self.page], **({"NextToken": f"token-{at + self.page}"} if more else {})}

    def _DescribeStacks(self, ask):
        found = self._named(ask["StackName"]) if "StackName" in ask else [s for s in self.stacks if s.status != "DELETE_COMPLETE"]
        return self._pages("Stacks", [{
            "StackId": s.id, "StackName": s.name, "Description": s.description, "CreationTime": s.created, "StackStatus": s.status,
            **({"StackStatusReason": s.reason} if s.reason else {}), "DisableRollback": "false",
            **({"Parameters": [{"ParameterKey": k, "ParameterValue": v} for k, v in s.values.items()]} if s.values else {}),
            "Outputs": [{"OutputKey": k, "OutputValue": v} for k, v in s.outputs.items()],
            "Tags": [{"Key": k, "Value": v} for k, v in s.tags.items()]} for s in found], ask)

    def _DescribeStackEvents(self, ask):
        if "StackName" not in ask:
            raise Refused(400, "ValidationError", "1 validation error detected: Value null at 'stackName'")
        return self._pages("StackEvents", self._named(ask["StackName"])[0].events, ask)
