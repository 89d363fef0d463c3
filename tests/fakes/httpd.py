"""A small HTTP/1.1 server for fakes: strict in what it reads, one write per response, scripted faults.

Every request is kept in Server.log. A fault (see faults.py) is looked up before the handler runs.
"""
import email.utils
import http.client
import socket
import struct
import threading
import time
from dataclasses import dataclass, field

HEAD_MAX = 64 * 1024
BODY_MAX = 64 * 1024 * 1024


class BadRequest(Exception):
    """The peer sent something that is not HTTP/1.1 as the RFC and AWS want it."""


class HangUp(Exception):
    """A fault ended the connection."""


@dataclass
class Request:
    method: str
    target: str
    headers: list
    source: str
    conn: int
    body: bytes = b""
    when: float = field(default_factory=time.monotonic)

    @property
    def path(self):
        return self.target.partition("?")[0]

    @property
    def query(self):
        return self.target.partition("?")[2]

    def all(self, name):
        return [v for k, v in self.headers if k.lower() == name.lower()]

    def get(self, name, default=None):
        found = self.all(name)
        return found[0] if found else default

    def as_json(self):
        return {"method": self.method, "target": self.target, "source": self.source,
                "conn": self.conn, "when": round(self.when, 6), "headers": self.headers,
                "body": len(self.body)}


@dataclass
class Response:
    status: int = 200
    body: bytes = b""
    headers: list = field(default_factory=list)

    def __post_init__(self):
        if isinstance(self.body, str):
            self.body = self.body.encode()

    def head(self, date=True, close=False):
        have = {k.lower() for k, _ in self.headers}
        out = [f"HTTP/1.1 {self.status} {http.client.responses.get(self.status, 'Unknown')}"]
        out += [f"{k}: {v}" for k, v in self.headers]
        if date and "date" not in have:
            out.append("Date: " + email.utils.formatdate(usegmt=True))
        if not have & {"content-length", "transfer-encoding"} and self.status not in (204, 304):
            out.append(f"Content-Length: {len(self.body)}")
        if close:
            out.append("Connection: close")
        return ("\r\n".join(out) + "\r\n\r\n").encode("latin-1", "surrogateescape")


def read_head(stream):
    """Request line and headers, or None at a clean end of the connection."""
    raw = b""
    while not raw.endswith(b"\r\n\r\n"):
        line = stream.readline(HEAD_MAX)
        if not line:
            if raw:
                raise BadRequest("connection closed in the head")
            return None
        raw += line
        if len(raw) > HEAD_MAX or not line.endswith(b"\r\n"):
            raise BadRequest("head too long or bare LF")
    lines = raw[:-4].decode("latin-1").split("\r\n")
    parts = lines[0].split(" ")
    if len(parts) != 3 or parts[2] != "HTTP/1.1" or not parts[1]:
        raise BadRequest(f"request line {lines[0]!r}")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon or not name or name != name.strip() or any(c in value for c in "\r\n\0"):
            raise BadRequest(f"header {line!r}")
        headers.append((name, value.strip(" \t")))
    return parts[0], parts[1], headers


def read_body(stream, req, sock):
    if req.get("transfer-encoding"):
        raise BadRequest("chunked request body")
    lengths = req.all("content-length")
    if not lengths:
        return b""
    if len(lengths) > 1 or not lengths[0].isdigit() or int(lengths[0]) > BODY_MAX:
        raise BadRequest("content-length")
    if req.get("expect", "").lower() == "100-continue":
        sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    body = stream.read(int(lengths[0]))
    if len(body) != int(lengths[0]):
        raise BadRequest("short body")
    return body


class Server:
    """Threads around `handler(request) -> Response`. Use as a context manager.

    late: seconds for which the port refuses connections. tls: an ssl.SSLContext. hangups: so many first
    connections are closed without a word. greeting: bytes said to whoever connects, and nothing else.
    """

    def __init__(self, handler, address="127.0.0.1", port=0, *, keepalive=True, date=True, late=0,
                 tls=None, on_request=None, hangups=0, greeting=None):
        self.handler, self.keepalive, self.date, self.tls = handler, keepalive, date, tls
        self.late, self.on_request = late, on_request
        self.hangups, self.greeting = hangups, greeting
        self.log, self.faults, self.conns = [], [], 0
        self.stopping = threading.Event()
        self.lock = threading.Lock()
        self.open = set()
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.listener = socket.socket(family)
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.listener.bind((address, port))
        self.address, self.port = self.listener.getsockname()[:2]

    @property
    def url(self):
        host = f"[{self.address}]" if ":" in self.address else self.address
        return f"{'https' if self.tls else 'http'}://{host}:{self.port}"

    def __enter__(self):
        return self.start()

    def __exit__(self, *exc):
        self.stop()

    def start(self):
        if not self.late:
            self.listener.listen(512)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def stop(self):
        self.stopping.set()
        with self.lock:
            socks = list(self.open)
        for s in [self.listener] + socks:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.listener.close()

    def fault(self, *faults):
        """Add faults; the first that matches a request and is not used up applies."""
        with self.lock:
            self.faults += faults
        return self

    def seen(self, method=None, prefix="/"):
        with self.lock:
            return [r for r in self.log
                    if method in (None, r.method) and r.path.startswith(prefix)]

    def reset(self):
        with self.lock:
            self.log, self.faults = [], []

    def _accept(self):
        if self.late:
            self.stopping.wait(self.late)
            try:
                self.listener.listen(512)
            except OSError:
                return
        while not self.stopping.is_set():
            try:
                sock, peer = self.listener.accept()
            except OSError:
                return
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.conns += 1
                number = self.conns
                self.open.add(sock)
            threading.Thread(target=self._serve, args=(sock, peer, number), daemon=True).start()

    def _serve(self, raw, peer, number):
        sock = raw
        try:
            if number <= self.hangups:
                raise HangUp
            if self.greeting is not None:
                raw.recv(4096)
                raw.sendall(self.greeting)
                raise HangUp
            if self.tls:
                sock = self.tls.wrap_socket(raw, server_side=True)
            with sock.makefile("rb") as stream:
                while self._one(sock, stream, peer, number):
                    pass
        except (OSError, HangUp):
            pass
        finally:
            with self.lock:
                self.open.discard(raw)
            sock.close()

    def _one(self, sock, stream, peer, number):
        try:
            head = read_head(stream)
            if head is None:
                return False
            req = Request(*head, source=peer[0].removeprefix("::ffff:"), conn=number)
            if len(req.all("host")) != 1:
                raise BadRequest("host")
            req.body = read_body(stream, req, sock)
        except BadRequest as why:
            sock.sendall(Response(400, f"{why}\n").head(self.date, True) + f"{why}\n".encode())
            return False
        if self.on_request:
            self.on_request(req)
        with self.lock:
            self.log.append(req)
            fault = next((f for f in self.faults if f.takes(req)), None)
        close = not self.keepalive or req.get("connection", "").lower() == "close"
        respond = lambda: self.handler(req)
        if fault:
            return fault.apply(Wire(self, sock, req, close), respond) and not close
        Wire(self, sock, req, close).send(respond())
        return not close


class Wire:
    """What a fault may do to one response on its way out."""

    def __init__(self, server, sock, req, close):
        self.server, self.sock, self.req, self.close = server, sock, req, close

    def send(self, resp):
        body = b"" if self.req.method == "HEAD" else resp.body
        self.sock.sendall(resp.head(self.server.date, self.close) + body)
        return True

    def raw(self, data):
        self.sock.sendall(data)

    def wait(self, seconds):
        if self.server.stopping.wait(seconds):
            raise HangUp

    def reset(self):
        """Answer with RST: what is unread or unsent is gone."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        raise HangUp
