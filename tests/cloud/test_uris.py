"""https: and file: addresses of `hpc-agent fetch`."""
import hashlib
import os
import subprocess

import pytest

from fakes.faults import Fault
from fakes.httpd import Response, Server
from fakes.tls import LOCAL, certificate, context

BODY = b"#!/bin/sh\necho hello\n"
OLD = b"the old file\n"
SHA = hashlib.sha256(BODY).hexdigest()
SHORT = ("--deadline", "3s")  # where it tries until then


@pytest.fixture(scope="module")
def pki(tmp_path_factory):
    """A certificate for localhost that is its own authority, and a second one nobody trusts."""
    d = tmp_path_factory.mktemp("pki")
    for name, san in (("good", LOCAL), ("other", LOCAL), ("name", "DNS:elsewhere.example")):
        certificate(d, name, san)
    return d


def tls(pki, name="good"):
    return context(pki, name)


def answer(req):
    routes = {"/f": Response(200, BODY), "/hop": Response(302, b"", [("Location", "/f")]),
              "/loop": Response(302, b"", [("Location", "/loop")]), "/gone": Response(404, b"no"),
              "/nowhere": Response(302, b"")}
    path = req.path
    if path.startswith("/hops/"):
        n = int(path[6:])
        return Response(302, b"", [("Location", f"/hops/{n - 1}" if n > 1 else "/f")])
    return routes.get(path, Response(404, b"no"))


@pytest.fixture
def site(world, pki):
    world.env["AWS_CA_BUNDLE"] = str(pki / "good.crt")
    with Server(answer, tls=tls(pki)) as s:
        yield s


def test_https(world, site, tmp_path):
    out = tmp_path / "f"
    r = world.fetch(site.url + "/f", "-o", out, "--sha256", SHA)
    assert r.code == 0 and out.read_bytes() == BODY, r.err
    assert world.fetch(f"https://localhost:{site.port}/f").out == BODY
    for q in site.log:
        assert q.get("authorization") is None and q.get("x-amz-security-token") is None
    assert not world.imds.log, "an https fetch needs no credentials"


def test_certificates_are_checked(world, pki):
    for name in ("other", "name"):
        with Server(answer, tls=tls(pki, name)) as s:
            bundle = "good.crt" if name == "other" else "name.crt"
            r = world.fetch(s.url + "/f", env={"AWS_CA_BUNDLE": str(pki / bundle)})
            assert r.code == 4 and r.out == b"" and not s.log and s.conns == 1, r.err
            assert "certificate" in r.err.lower() or "tls" in r.err.lower()
    with Server(answer, tls=tls(pki)) as s:
        assert world.fetch(s.url + "/f", *SHORT).code == 4, "no bundle: the system's authorities"
        r = world.fetch(s.url + "/f", *SHORT, env={"AWS_CA_BUNDLE": "/nonexistent.pem"})
        assert r.code in (2, 3, 4) and not s.log, r.err


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x15\x03\x03\x00\x02\x02\x28"],
                         ids=["plain-http", "handshake-failure"])
def test_a_handshake_that_is_refused_is_not_tried_again(world, words):
    with Server(answer, greeting=words) as s:
        r = world.fetch(f"https://127.0.0.1:{s.port}/f")
    assert r.code == 4 and "http-tls" in r.err and s.conns == 1, r.err


def test_a_handshake_that_breaks_off_is_tried_again(world, site):
    site.hangups = 1
    r = world.fetch(f"https://localhost:{site.port}/f", "-v")
    assert r.code == 0 and r.out == BODY and site.conns == 2, r.err
    assert "try 2 in " in r.err and "'localhost:" in r.err and "(127.0.0.1)" in r.err, r.err


@pytest.mark.parametrize("how", ["cp {crt} a.pem; openssl rehash .",
                                 "cp {crt} ca-certificates.crt", "true"])
def test_the_systems_authorities(world, pki, how):
    """In a mount namespace whose /etc/ssl/certs is an index, a bundle without one, or nothing."""
    with Server(answer, tls=tls(pki)) as s:
        fill = how.format(crt=pki / "good.crt")
        script = ("mount -t tmpfs tmpfs /etc/ssl/certs && cd /etc/ssl/certs && " + fill +
                  f" && cd / && exec '{world.binary}' fetch '{s.url}/f' --deadline 3s")
        p = subprocess.run(["unshare", "-m", "sh", "-c", script], env=world.env,
                           capture_output=True, timeout=60)
    if how == "true":
        assert p.returncode == 4 and not s.log, p.stderr
    else:
        assert p.returncode == 0 and p.stdout == BODY, p.stderr


def test_redirects_at_most_three(world, site):
    assert world.fetch(site.url + "/hop").out == BODY
    assert world.fetch(site.url + "/hops/3").out == BODY
    for path in ("/hops/4", "/loop", "/nowhere"):
        before = len(site.log)
        r = world.fetch(site.url + path, *SHORT)
        assert r.code == 4 and r.out == b"" and len(site.log) - before <= 4, r.err


def test_redirect_to_another_scheme(world, site, trap):
    for where in (trap.url + "/f", "file:///etc/hostname", "ftp://127.0.0.1/x", "//127.0.0.1:1/x"):
        site.reset()
        site.fault(Fault("status", status=302, headers=[("Location", where + "?secret")], match="/f", times=0))
        r = world.fetch(site.url + "/f", *SHORT)
        assert r.code == 4 and r.out == b"" and "secret" not in r.err, r.err
        assert where in r.err or where.startswith("//"), r.err


def test_absent_is_not_tried_again(world, site):
    r = world.fetch(site.url + "/gone")
    assert r.code == 4 and "404" in r.err and len(site.log) == 1, r.err


def test_query_of_a_presigned_address_is_not_shown(world, site):
    r = world.fetch(site.url + "/gone?X-Amz-Signature=canary&X-Amz-Credential=canary")
    assert r.code == 4, r.err


def test_passing_faults(world, site):
    site.fault(Fault("status", status=503), Fault("reset", at=5), Fault("truncate", at=3))
    assert world.fetch(site.url + "/f").out == BODY


def test_file(world, tmp_path):
    src, out = tmp_path / "src", tmp_path / "out"
    src.write_bytes(BODY)
    assert world.fetch(f"file:{src}").out == BODY
    assert world.fetch(f"file://{src}").out == BODY
    out.write_bytes(OLD)
    assert world.fetch(f"file:{src}", "-o", out, "--sha256", "0" * 64).code == 5
    assert out.read_bytes() == OLD
    assert world.fetch(f"file:{src}", "-o", out, "--sha256", SHA).code == 0
    assert out.read_bytes() == BODY and not world.imds.log


def test_file_that_is_none(world, tmp_path):
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    for path in (tmp_path / "absent", tmp_path, fifo, "/dev/zero"):
        r = world.fetch(f"file:{path}", *SHORT, guard=20)
        assert r.code in (1, 3, 4) and r.out == b"", (path, r.err)


def test_output_that_fails(world, tmp_path):
    (tmp_path / "src").write_bytes(BODY)
    with open("/dev/full", "wb") as full:
        p = subprocess.run([world.binary, "fetch", f"file:{tmp_path}/src"], env=world.env,
                           stdout=full, stderr=subprocess.PIPE, timeout=30)
    assert p.returncode == 1 and b"No space" in p.stderr, p.stderr
