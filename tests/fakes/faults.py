"""Scripted bad days for httpd.Server.

A fault says which requests it takes (glob on the path, method, source address), how many of them
(`skip` first ones pass, then `times` are hit; 0 = all), and what happens to the answer (`kind`):

status   answer with `status`, `headers`, `body`            edit     the true answer with `status`, `headers`, `body` replaced
delay    the true answer after `seconds`                    slow     the true answer, `size` bytes every `seconds`
hang     no answer for `seconds`                            close    hang up without an answer
reset    RST after `at` body bytes (-1: before the head)    truncate hang up after `at` body bytes
length   Content-Length wrong by `at`                       endless  a body that ends after `at` bytes only as a guard
headers  `count` more headers                               garbage  bytes that are not HTTP

`then` is called after each hit (to change an object between two tries, say).
"""
import fnmatch
import os
from dataclasses import dataclass, field

from .httpd import HangUp, Response

ENDLESS_GUARD = 256 * 1024 * 1024


@dataclass
class Fault:
    kind: str
    match: str = "*"
    method: str = ""
    source: str = ""
    skip: int = 0
    times: int = 1
    status: int = 0
    headers: list = field(default_factory=list)
    body: object = None
    seconds: float = 0
    size: int = 1
    at: int = 0
    count: int = 10000
    then: object = None
    hits: int = 0
    passed: int = 0
    sent: int = 0  # bytes of a slow answer that are on their way

    def __post_init__(self):
        if not hasattr(self, "_" + self.kind):
            raise ValueError(f"no fault kind {self.kind!r}")
        if isinstance(self.headers, dict):
            self.headers = list(self.headers.items())
        if isinstance(self.body, str):
            self.body = self.body.encode()

    def takes(self, req):
        if self.times and self.hits >= self.times:
            return False
        if (self.method and req.method != self.method) or (self.source and
                                                           req.source != self.source):
            return False
        if not fnmatch.fnmatchcase(req.path, self.match):
            return False
        if self.passed < self.skip:
            self.passed += 1
            return False
        self.hits += 1
        return True

    def apply(self, wire, respond):
        """Do it; true when the connection may be used again."""
        try:
            return getattr(self, "_" + self.kind)(wire, respond)
        finally:
            if self.then:
                self.then()

    def _status(self, wire, _respond):
        return wire.send(Response(self.status, self.body or b"", self.headers))

    def _edit(self, wire, respond):
        resp = respond()
        names = {k.lower() for k, _ in self.headers}
        resp.headers = [h for h in resp.headers if h[0].lower() not in names] + self.headers
        resp.status = self.status or resp.status
        resp.body = resp.body if self.body is None else self.body
        return wire.send(resp)

    def _delay(self, wire, respond):
        wire.wait(self.seconds)
        return wire.send(respond())

    def _slow(self, wire, respond):
        resp = respond()
        wire.raw(resp.head(wire.server.date, wire.close))
        for i in range(0, len(resp.body), self.size):
            wire.wait(self.seconds)
            wire.raw(resp.body[i:i + self.size])
            self.sent += self.size
        return True

    def _hang(self, wire, _respond):
        wire.wait(self.seconds or 3600)
        raise HangUp

    def _close(self, _wire, _respond):
        raise HangUp

    def _reset(self, wire, respond):
        if self.at >= 0:
            resp = respond()
            wire.raw(resp.head(wire.server.date, wire.close) + resp.body[:self.at])
            wire.wait(0.05)
        wire.reset()

    def _truncate(self, wire, respond):
        resp = respond()
        wire.raw(resp.head(wire.server.date, wire.close) + resp.body[:self.at])
        raise HangUp

    def _length(self, wire, respond):
        resp = respond()
        resp.headers = resp.headers + [("Content-Length", len(resp.body) + self.at)]
        wire.send(resp)
        raise HangUp

    def _endless(self, wire, respond):
        resp = respond()
        resp.headers = resp.headers + [("Transfer-Encoding", "chunked")]
        wire.raw(resp.head(wire.server.date, wire.close))
        chunk = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
        for _ in range((self.at or ENDLESS_GUARD) // 0x10000):
            wire.raw(chunk)
        raise HangUp

    def _headers(self, wire, respond):
        resp = respond()
        resp.headers = resp.headers + [(f"X-Filler-{i}", "y" * 60) for i in range(self.count)]
        return wire.send(resp)

    def _garbage(self, wire, _respond):
        wire.raw(b"\x00\x01\xfe" + os.urandom(200) + b"\r\n\r\n")
        raise HangUp


def from_json(items):
    """Faults out of a state file."""
    return [Fault(**{k: v for k, v in i.items() if k not in ("hits", "passed", "sent")}) for i in items]
