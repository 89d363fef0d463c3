"""haproxy in front of a real server, for the faults a real proxy makes better than we do.

503 for the first N requests of a client address (stick table), then the server; or a connection that is
accepted and then never answered (silent-drop).
"""
import os

from .proc import free_ports, reap, spawn, wait_port

CONFIG = """global
    maxconn 200
defaults
    mode http
    timeout connect 5s
    timeout client 60s
    timeout server 60s
frontend f
    bind {address}:{port}
    stick-table type ip size 1k expire 10m store gpc0
    http-request track-sc0 src
    {rule}
    default_backend b
backend b
    server s {upstream}
"""
FIRST_503 = """http-request sc-inc-gpc0(0)
    http-request return status 503 content-type application/xml string "<Error><Code>SlowDown</Code></Error>" hdr Retry-After 0 if { sc0_get_gpc0 le %d }"""
FIRST_DROP = """http-request sc-inc-gpc0(0)
    http-request silent-drop if { sc0_get_gpc0 le %d }"""


class Haproxy:
    """`rule` is FIRST_503 or FIRST_DROP; it hits the first `n` requests."""

    def __init__(self, directory, upstream, rule, n, address="127.0.0.1"):
        self.address, self.port, self.proc = address, free_ports(1, address)[0], None
        self.config, self.log = f"{directory}/haproxy.cfg", f"{directory}/haproxy.log"
        os.makedirs(directory, exist_ok=True)
        with open(self.config, "w", encoding="ascii") as f:
            f.write(CONFIG.format(address=address, port=self.port, rule=rule % n,
                                  upstream=upstream.split("//")[1]))

    @property
    def url(self):
        return f"http://{self.address}:{self.port}"

    def __enter__(self):
        self.proc = spawn(["haproxy", "-db", "-f", self.config], self.log)
        wait_port(self.address, self.port, self.proc)
        return self

    def __exit__(self, *exc):
        reap(self.proc)
