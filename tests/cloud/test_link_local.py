"""The service's two real addresses, in a network namespace where nothing else is: IPv4 first, IPv6 150 ms
later or as soon as IPv4 has failed, and who answered stays."""
import json
import os
import subprocess
import sys
import time

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))

from fakes.imds import Imds, instance  # noqa: E402

V4, V6 = "169.254.169.254", "fd00:ec2::254"


def ip(*args):
    subprocess.run(["ip", *args], check=True, timeout=10)


def main(binary, mode, *serving):
    """In the namespace: one run of the agent, and what each address was asked."""
    ip("link", "set", "lo", "up")
    if mode == "refusing" or "v4" in serving:
        ip("addr", "add", V4 + "/32", "dev", "lo")
    ip("addr", "add", V6 + "/128", "dev", "lo", "nodad")
    servers = {v: Imds(instance(), address, 80).start()
               for v, address in (("v4", V4), ("v6", V6)) if v in serving}
    start = time.monotonic()
    env = {"PATH": "/usr/bin:/bin"}
    p = subprocess.run([binary, "facts", "--deadline", "5s"], env=env, capture_output=True, timeout=60)
    print(json.dumps({"code": p.returncode, "out": p.stdout.decode(), "err": p.stderr.decode(),
                      "seconds": time.monotonic() - start,
                      "asked": {v: [r.method for r in s.log] for v, s in servers.items()}}))


def run(binary, mode, *serving):
    p = subprocess.run(["unshare", "-n", sys.executable, __file__, binary, mode, *serving],
                       capture_output=True, text=True, timeout=90)
    assert p.returncode == 0, p.stderr
    r = json.loads(p.stdout)
    assert "Sanitizer" not in r["err"], r["err"]
    return r


def test_ipv4_alone_is_asked(binary):
    r = run(binary, "refusing", "v4", "v6")
    assert r["code"] == 0 and "i-0123456789abcdef0" in r["out"], r
    assert r["asked"]["v4"].count("PUT") == 1 and "GET" not in r["asked"]["v6"], r


@pytest.mark.parametrize("mode", ["refusing", "no-route"])
def test_ipv6_answers(binary, mode):
    r = run(binary, mode, "v6")
    assert r["code"] == 0 and "i-0123456789abcdef0" in r["out"], r
    assert r["asked"]["v6"].count("PUT") == 1 and "GET" in r["asked"]["v6"], r


def test_neither_answers(binary):
    r = run(binary, "refusing")
    assert r["code"] == 4 and "metadata service" in r["err"], r


if __name__ == "__main__":
    main(*sys.argv[1:])
