"""The Security Token Service, as strict as AWS: who may assume which role, by signature or by a web identity's token.

    with Sts(keys, lent) as sts:    # `lent`, a list that S3's fake has: what is issued works there
        sts.role(ARN, trusts=["AKIA…"])
        AWS_ENDPOINT_URL_STS=sts.url hpc-imagebuild …
"""
import re
import time
import uuid
from urllib.parse import unquote_plus
from xml.sax.saxutils import escape

from . import model
from .httpd import Response, Server
from .sigcheck import Key, Refused, verify

ARN = re.compile(r"arn:aws(-[a-z-]+)?:iam::\d{12}:role/[\w+=,.@/-]{1,64}\Z")
SESSION = re.compile(r"[\w+=,.@-]{2,64}\Z")


class Sts(Server):
    def __init__(self, keys, lent, address="127.0.0.1", port=0, **kw):
        super().__init__(self._answer, address, port, **kw)
        self.keys, self.lent, self.roles, self.issued = list(keys), lent, {}, []
        self.account = "123456789012"

    def role(self, arn, trusts=(), tokens=(), external_id=None):
        """A role; the access keys and other roles, and the tokens, that may have it."""
        self.roles[arn] = (set(trusts), set(tokens), external_id)

    def _answer(self, req):
        try:
            return self._call(req)
        except Refused as why:
            return Response(why.status, f'<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><Error><Type>Sender</Type>'
                            f"<Code>{why.code}</Code><Message>{escape(why.message)}</Message></Error>"
                            f"<RequestId>{uuid.uuid4()}</RequestId></ErrorResponse>", [("Content-Type", "text/xml")])

    def _form(self, req):
        if req.method != "POST" or req.path != "/" or req.query:
            raise Refused(400, "InvalidAction", "expected POST /")
        if not req.get("content-type", "").startswith("application/x-www-form-urlencoded"):
            raise Refused(400, "MalformedInput", "content type")
        pairs = [p.partition("=") for p in req.body.decode().split("&")]
        ask = {unquote_plus(k): unquote_plus(v) for k, _, v in pairs}
        if ask.pop("Version", "") != "2011-06-15":
            raise Refused(400, "NoSuchVersion", "")
        return ask.pop("Action", ""), ask

    def _call(self, req):
        action, ask = self._form(req)
        if action == "GetCallerIdentity":
            return self._identity(req, ask)
        return self._assume(req, action, ask)

    def _identity(self, req, ask):
        model.check_query("sts", "GetCallerIdentity", ask)
        verify(req, self.keys + self.lent, "sts", time.time())
        return Response(200, '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
                        f"<Arn>arn:aws:iam::{self.account}:user/somebody</Arn><UserId>AIDA1</UserId><Account>{self.account}</Account>"
                        f"</GetCallerIdentityResult><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata>"
                        "</GetCallerIdentityResponse>", [("Content-Type", "text/xml")])

    def _assume(self, req, action, ask):
        if action not in ("AssumeRole", "AssumeRoleWithWebIdentity"):
            raise Refused(400, "InvalidAction", action)
        model.check_query("sts", action, ask)
        if not ARN.match(ask["RoleArn"]) or not SESSION.match(ask["RoleSessionName"]):
            raise Refused(400, "ValidationError", "1 validation error detected")
        if not 900 <= int(ask.get("DurationSeconds", 3600)) <= 43200:
            raise Refused(400, "ValidationError", "DurationSeconds")
        trusts, tokens, external_id = self.roles.get(ask["RoleArn"], (set(), set(), None))
        if action == "AssumeRole":
            claim, _ = verify(req, self.keys + self.lent, "sts", time.time())
            who = {claim.access_key} | {a["RoleArn"] for _, a, k in self.issued if k.access_key == claim.access_key}
            if not who & trusts or ask.get("ExternalId") != external_id:
                raise Refused(403, "AccessDenied", f"User is not authorized to perform: sts:AssumeRole on resource: {ask['RoleArn']}")
        elif req.get("authorization") is not None or req.get("x-amz-security-token") is not None:
            raise Refused(400, "IncompleteSignature", "a web identity's call is not signed")
        elif ask["WebIdentityToken"] not in tokens:
            raise Refused(400, "InvalidIdentityToken", "No OpenIDConnect provider found in your account")
        return self._issue(action, ask)

    def _issue(self, action, ask):
        key = Key("ASIA" + uuid.uuid4().hex[:16].upper(), uuid.uuid4().hex, "token/" + uuid.uuid4().hex + "==")
        self.lent.append(key)
        self.issued.append((action, ask, key))
        ends = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + int(ask.get("DurationSeconds", 3600))))
        role, session = ask["RoleArn"].partition("role/")[2], ask["RoleSessionName"]
        body = (f'<{action}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{action}Result><AssumedRoleUser>'
                f"<AssumedRoleId>AROA1:{session}</AssumedRoleId><Arn>arn:aws:sts::123456789012:assumed-role/{role}/{session}</Arn>"
                f"</AssumedRoleUser><Credentials><AccessKeyId>{key.access_key}</AccessKeyId><SecretAccessKey>{key.secret}"
                f"</SecretAccessKey><SessionToken>{key.token}</SessionToken><Expiration>{ends}</Expiration></Credentials>"
                f"</{action}Result><ResponseMetadata><RequestId>{uuid.uuid4()}</RequestId></ResponseMetadata></{action}Response>")
        return Response(200, body, [("Content-Type", "text/xml")])
