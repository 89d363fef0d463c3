"""CloudFormation, as strict as AWS: signature, form, names, templates, parameters, tokens, pages, throttling.

    with CloudFormation(keys, ec2=cloud, s3=aws) as cfn:
        cfn.stack("test-cluster", "CREATE_COMPLETE", outputs={"Head": "i-1"}).event("Head", "AWS::EC2::Instance", "CREATE_COMPLETE")
        AWS_ENDPOINT_URL_CLOUDFORMATION=cfn.url hpc-cluster list

A stack that is made goes a step further with each look at it (`pace` steps a look). Its instances are the stand-in's for EC2,
so that a security group that one of them has can't be deleted, and templates at an address are read from the one for S3.
`fails`: resources, by their logical names, that can't be made or changed, with the reason; `fails_to_go`: those that can't be
deleted. `forgets`: what undoes a creation has no token in its events. `denied`: actions that the credentials may not do, those of the resources too. `page`: so many stacks or events an
answer has. `throttle`: so many calls are refused first. `cut`: so many changes are begun, and their answers are lost. A deleted
stack is found by its id only.
"""
import re
import time
import uuid
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

from . import model
from .cfn_stack import ACCOUNT, REGION, Stack
from .cfn_template import BODY_MAX, URL_MAX, Template, invalid, too_long
from .httpd import HangUp, Response, Server
from .sigcheck import Refused, verify

NS = "http://cloudformation.amazonaws.com/doc/2010-05-15/"
MARK = "A Slurm cluster of hpc-node: its head and what it stands on"
NAME = re.compile(r"[a-zA-Z][-a-zA-Z0-9]*\Z")
TOKEN = re.compile(r"[a-zA-Z0-9][-a-zA-Z0-9]{0,127}\Z")
URL = re.compile(r"https://s3\.[a-z0-9-]+\.amazonaws\.com/([^/]+)/(.+)\Z")
ACTIONS = {"DescribeStacks", "DescribeStackEvents", "CreateStack", "DeleteStack", "UpdateStack", "CreateChangeSet", "DescribeChangeSet",
           "ExecuteChangeSet", "DeleteChangeSet"}
UPDATABLE = ("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE")


def xml(value):
    if isinstance(value, dict):
        return "".join(f"<{k}>{xml(v)}</{k}>" for k, v in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{xml(v)}</member>" for v in value)
    return escape(str(value))


def pairs(ask, name, *fields):
    """The structures of a list, as tuples of those of their fields that are there."""
    out, n = [], 1
    while any(k.startswith(f"{name}.member.{n}.") for k in ask):
        out.append(tuple(ask.pop(f"{name}.member.{n}.{f}", None) for f in fields))
        n += 1
    return out


class CloudFormation(Server):
    def __init__(self, keys, address="127.0.0.1", port=0, ec2=None, s3=None, **kw):
        super().__init__(self._answer, address, port, **kw)
        self.keys, self.stacks, self.ec2, self.s3 = list(keys), [], ec2, s3
        self.page, self.throttle, self.denied, self.cut, self.pace = 100, 0, set(), 0, 1
        self.fails, self.fails_to_go, self.forgets = {}, {}, False
        self.user = f"arn:aws:iam::{ACCOUNT}:user/somebody"
        self.made, self.gone, self.kept, self.restarts, self.actions = [], [], [], [], []

    def stack(self, name, status, outputs=None, tags=None, description=MARK, reason=""):
        arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{name}/{uuid.uuid4()}"
        self.stacks.append(Stack(name, status, arn, description, outputs or {}, tags or {}, reason, world=self))
        return self.stacks[-1]

    def find(self, name):
        return next((s for s in self.stacks if s.name == name and s.status != "DELETE_COMPLETE"), None)

    def _answer(self, req):
        try:
            with self.lock:
                action, result = self._call(req)
        except Refused as why:
            return Response(why.status, f'<ErrorResponse xmlns="{NS}"><Error><Type>Sender</Type><Code>{why.code}</Code>'
                            f"<Message>{escape(why.message)}</Message></Error><RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>",
                            [("Content-Type", "text/xml")])
        model.check_answer("cloudformation", action, result)
        if self.cut and not action.startswith("Describe"):
            self.cut -= 1
            raise HangUp()
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
        if version != "2010-05-15" or action not in ACTIONS:
            raise Refused(400, "InvalidAction", f"Could not find operation {action} for version {version}")
        self.actions.append(action)
        model.check_query("cloudformation", action, ask)
        if f"cloudformation:{action}" in self.denied or action in self.denied:
            raise Refused(403, "AccessDenied", f"User: {self.user} is not authorized to perform: cloudformation:{action} on resource: "
                          f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:stack/{ask.get('StackName', '*')}/*")
        if self.throttle:
            self.throttle -= 1
            raise Refused(400, "Throttling", "Rate exceeded")
        return action, getattr(self, f"_{action}")(ask)

    # --- looking ---
    def _named(self, name, look=True):
        found = [s for s in self.stacks if name == s.id or (name == s.name and s.status != "DELETE_COMPLETE")]
        if not found:
            raise invalid(f"Stack with id {name} does not exist")
        if look:
            found[0].advance(self.pace)
        # The last step of a deletion is told by its id, and its name is free.
        if name == found[0].name and found[0].status == "DELETE_COMPLETE":
            raise invalid(f"Stack with id {name} does not exist")
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
            raise invalid("1 validation error detected: Value null at 'stackName'")
        return self._pages("StackEvents", self._named(ask["StackName"], look="NextToken" not in ask)[0].events, ask)

    # --- what a request brings ---
    def _template(self, ask):
        body, url = ask.get("TemplateBody"), ask.get("TemplateURL")
        if (body is None) == (url is None):
            raise invalid("Either Template URL or Template Body must be specified.")
        if body is not None and len(body.encode()) > BODY_MAX:
            raise too_long("templateBody", body, BODY_MAX)
        return Template(body if body is not None else self._fetch(url))

    def _fetch(self, url):
        m = URL.match(url)
        if not m:
            raise invalid("TemplateURL must be a supported URL.")
        bucket = self.s3.buckets.get(m[1]) if self.s3 else None
        versions = bucket.objects.get(m[2].encode()) if bucket and not bucket.denied else None
        if not versions:
            raise invalid("S3 error: Access Denied")
        if len(versions[-1].body) > URL_MAX:
            raise too_long("template", url, URL_MAX)
        return versions[-1].body.decode()

    def _request(self, ask, before=None):
        """(template, values, tags)"""
        template = self._template(ask)
        given = {k: None if previous == "true" else v for k, v, previous in
                 pairs(ask, "Parameters", "ParameterKey", "ParameterValue", "UsePreviousValue")}
        values = template.values(given, before)
        if template.roles and "CAPABILITY_IAM" not in [v for k, v in ask.items() if k.startswith("Capabilities.member.")]:
            raise Refused(400, "InsufficientCapabilitiesException", "Requires capabilities : [CAPABILITY_IAM]")
        tags = dict(pairs(ask, "Tags", "Key", "Value"))
        if len(tags) > 50 or any(k.lower().startswith("aws:") for k in tags):
            raise invalid("aws: prefixed tag key names are not allowed for external use.")
        return template, values, tags

    @staticmethod
    def _token(ask):
        token = ask.get("ClientRequestToken", "")
        if token and not TOKEN.match(token):
            raise invalid("1 validation error detected: Value at 'clientRequestToken' failed to satisfy constraint: Member must satisfy "
                          "regular expression pattern: [a-zA-Z0-9][-a-zA-Z0-9]*")
        return token

    # --- making and deleting ---
    def _CreateStack(self, ask):
        name, token = ask["StackName"], self._token(ask)
        if not NAME.match(name) or len(name) > 128:
            raise invalid(f"1 validation error detected: Value '{name}' at 'stackName' failed to satisfy constraint: Member must satisfy regular "
                          "expression pattern: [a-zA-Z][-a-zA-Z0-9]*")
        if "OnFailure" in ask and "DisableRollback" in ask:
            raise invalid("You can specify either DisableRollback or OnFailure, but not both.")
        old = self.find(name)
        if old and token and token in old.tokens:
            return {"StackId": old.id}
        if old:
            raise Refused(400, "AlreadyExistsException", f"Stack [{name}] already exists")
        template, values, tags = self._request(ask)
        s = self.stack(name, "CREATE_IN_PROGRESS", tags=tags, description=template.description)
        s.template, s.values = template, values
        failure = ask.get("OnFailure", "DO_NOTHING" if ask.get("DisableRollback") == "true" else "ROLLBACK")
        s.begin(s.creation(failure, ask.get("RetainExceptOnCreate") != "true"), token)
        return {"StackId": s.id}

    def _DeleteStack(self, ask):
        name, token = ask["StackName"], self._token(ask)
        for s in self.stacks:
            if name in (s.id, s.name) and s.status != "DELETE_COMPLETE":
                if s.status == "DELETE_IN_PROGRESS" or (token and token in s.tokens):
                    break
                if s.status.endswith("CLEANUP_IN_PROGRESS") or s.status == "UPDATE_IN_PROGRESS":
                    raise invalid(f"Stack [{s.name}] cannot be deleted while in status {s.status}")
                s.begin(s.deletion(), token)
        return {}  # also of one that doesn't exist

    # --- changing ---
    def _updatable(self, ask):
        s = self._named(ask["StackName"], look=False)[0]
        if s.status not in UPDATABLE:
            raise invalid(f"Stack:{s.id} is in {s.status} state and can not be updated.")
        return s

    def _UpdateStack(self, ask):
        s = self._updatable(ask)
        template, values, tags = self._request(ask, s.values)
        if not s.differences(template, values) and tags == s.tags:
            raise invalid("No updates are to be performed.")
        s.tags = tags
        s.begin(s.change(template, values), self._token(ask))
        return {"StackId": s.id}

    def _CreateChangeSet(self, ask):
        name = ask["ChangeSetName"]
        if not NAME.match(name) or len(name) > 128:
            raise invalid("1 validation error detected: Value at 'changeSetName' failed to satisfy constraint")
        if ask.get("ChangeSetType", "UPDATE") != "UPDATE":
            raise Refused(501, "NotImplemented", "this stand-in plans changes only")
        s = self._updatable(ask)
        if name in s.plans:
            raise Refused(400, "AlreadyExistsException", f"ChangeSet {name} cannot be created due to a mismatch with existing attributes")
        template, values, tags = self._request(ask, s.values)
        arn = f"arn:aws:cloudformation:{REGION}:{ACCOUNT}:changeSet/{name}/{uuid.uuid4()}"
        s.plans[name] = {"id": arn, "template": template, "values": values, "tags": tags, "status": "CREATE_PENDING"}
        return {"Id": arn, "StackId": s.id}

    def _plan(self, ask):
        for s in self.stacks:
            for name, plan in s.plans.items():
                if ask["ChangeSetName"] == plan["id"] or (ask["ChangeSetName"], ask.get("StackName")) in ((name, s.name), (name, s.id)):
                    return s, name, plan
        raise Refused(404, "ChangeSetNotFound", f"ChangeSet [{ask['ChangeSetName']}] does not exist")

    def _DescribeChangeSet(self, ask):
        s, name, plan = self._plan(ask)
        steps = s.differences(plan["template"], plan["values"])
        if plan["status"] == "CREATE_PENDING":
            plan["status"] = "CREATE_IN_PROGRESS"
        elif plan["status"] == "CREATE_IN_PROGRESS":
            plan["status"] = "CREATE_COMPLETE" if steps or plan["tags"] != s.tags else "FAILED"
        why = {"StatusReason": "The submitted information didn't contain changes. Submit different information to create a change set."}
        ready = plan["status"] == "CREATE_COMPLETE"
        # What refers to one that may be another afterwards is listed, too, though nothing comes of it.
        listed = {n for _, n, _, _ in steps}
        steps += [("Modify", m, plan["template"].resources[m]["Type"], "follows") for m in plan["template"].resources
                  if m not in listed and m in s.resources
                  and plan["template"].needs(m) & {n for _, n, _, how in steps if how in ("interrupted", "replaced")}]
        changes = [{"Type": "Resource", "ResourceChange": {
            "Action": action, "LogicalResourceId": n, "ResourceType": kind,
            **({"PhysicalResourceId": s.resources[n].physical} if n in s.resources else {}),
            **({"Replacement": {"replaced": "True", "in place": "False"}.get(how, "Conditional")} if action == "Modify" else {})}}
            for action, n, kind, how in steps] if ready else []
        return {"ChangeSetName": name, "ChangeSetId": plan["id"], "StackId": s.id, "StackName": s.name, "Status": plan["status"],
                "ExecutionStatus": "AVAILABLE" if ready else "UNAVAILABLE", **(why if plan["status"] == "FAILED" else {}),
                **self._pages("Changes", changes, ask)}

    def _ExecuteChangeSet(self, ask):
        s, name, plan = self._plan(ask)
        if plan["status"] != "CREATE_COMPLETE":
            raise Refused(400, "InvalidChangeSetStatus", f"ChangeSet [{plan['id']}] cannot be executed in its current status of [{plan['status']}]")
        self._updatable({"StackName": s.id})
        s.plans, s.tags = {}, plan["tags"]
        s.begin(s.change(plan["template"], plan["values"]), self._token(ask))
        return {}

    def _DeleteChangeSet(self, ask):
        self._named(ask["StackName"], look=False) if "StackName" in ask else None
        try:
            s, name, _ = self._plan(ask)
            del s.plans[name]
        except Refused:
            pass  # as AWS: nothing is left of it
        return {}
