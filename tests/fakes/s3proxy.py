"""A fault proxy in front of a real S3 server: what it forwards is the client's own signed request.

    with S3Proxy(swift.url) as p: p.fault(cut(1000), *slow_down(3)); … p.url …

The Host header and the path go through byte for byte, so the server behind still verifies the signature
the client made for this proxy's address. The functions below name the bad days of object storage.
"""
import email.utils
import http.client
import time
from urllib.parse import urlsplit

from .faults import Fault
from .httpd import Response, Server

HOP = {"connection", "keep-alive", "transfer-encoding"}
XML = [("Content-Type", "application/xml")]


def error_xml(code, message, **more):
    inner = "".join(f"<{k}>{v}</{k}>" for k, v in {"Code": code, "Message": message, **more}.items())
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<Error>{inner}</Error>'.encode()


class S3Proxy(Server):
    def __init__(self, upstream, address="127.0.0.1", port=0, **kw):
        super().__init__(self._forward, address, port, date=False, **kw)
        self.upstream = urlsplit(upstream)

    def _forward(self, req):
        conn = http.client.HTTPConnection(self.upstream.hostname, self.upstream.port, timeout=30)
        try:
            conn.putrequest(req.method, req.target, skip_host=True, skip_accept_encoding=True)
            for name, value in req.headers:
                if name.lower() not in HOP | {"expect"}:
                    conn.putheader(name, value)
            conn.endheaders(req.body or None)
            r = conn.getresponse()
            headers = [(k, v) for k, v in r.getheaders() if k.lower() not in HOP]
            return Response(r.status, r.read(), headers)
        finally:
            conn.close()


def cut(at, **kw):
    """The body ends after `at` bytes: the connection is closed in an orderly way."""
    return Fault("truncate", at=at, **kw)


def reset(at, **kw):
    """RST after `at` bytes of the body."""
    return Fault("reset", at=at, **kw)


def slow_down(times=1, retry_after=None, **kw):
    """503 SlowDown, as S3 throttles."""
    more = [("Retry-After", retry_after)] if retry_after is not None else []
    return Fault("status", status=503, times=times, headers=XML + more,
                 body=error_xml("SlowDown", "Please reduce your request rate."), **kw)


def redirect(location, status=307, **kw):
    """Sends the client elsewhere; nothing of ours may arrive there."""
    code = "TemporaryRedirect" if status == 307 else "PermanentRedirect"
    return Fault("status", status=status, headers=XML + [("Location", location)],
                 body=error_xml(code, "Please re-send this request to the specified endpoint.",
                                Endpoint=urlsplit(location).netloc), **kw)


def wrong_region(region, header=False, **kw):
    """The region of the signature is wrong: told in the XML, or in a header beside a 301."""
    if header:
        return Fault("status", status=301, headers=XML + [("x-amz-bucket-region", region)],
                     body=error_xml("PermanentRedirect", "The bucket you are attempting to access "
                                    "must be addressed using the specified endpoint."), **kw)
    return Fault("status", status=400, headers=XML, **kw, body=error_xml(
        "AuthorizationHeaderMalformed", f"The authorization header is malformed; the region is "
        f"wrong; expecting '{region}'", Region=region))


def skewed(seconds, **kw):
    """RequestTimeTooSkewed with a Date `seconds` away from ours."""
    date = email.utils.formatdate(time.time() + seconds, usegmt=True)
    return Fault("status", status=403, headers=XML + [("Date", date)], **kw, body=error_xml(
        "RequestTimeTooSkewed", "The difference between the request time and the current time is "
        "too large."))


def error_in_200(**kw):
    """A success status around an error document."""
    return Fault("edit", headers=XML, body=error_xml("InternalError", "We encountered an internal "
                                                     "error. Please try again."), **kw)
