"""What `cmake --install` puts where, from a release build: size, libraries, hardening, relative paths."""
import os
import re
import subprocess

import pytest

SIZE_MAX = 500 * 1024
NAMED = {"libcurl.so.4", "libcjson.so.1", "libmount.so.1", "libsystemd.so.0", "libyaml-0.so.2",
         "libcrypto.so.3", "libz.so.1", "libc.so.6"}


@pytest.fixture(scope="module")
def tree(source, tmp_path_factory):
    build, dest = tmp_path_factory.mktemp("release"), tmp_path_factory.mktemp("dest")
    env = dict(os.environ, DESTDIR=str(dest), CFLAGS="", LDFLAGS="")

    def run(*args):
        r = subprocess.run(args, env=env, capture_output=True, text=True)
        assert r.returncode == 0, r.stdout[-3000:] + r.stderr[-3000:]
        return r
    run("cmake", "-S", source, "-B", build, "-G", "Ninja", "-DCMAKE_BUILD_TYPE=RelWithDebInfo",
        "-DBUILD_TESTING=OFF", "-DCMAKE_INSTALL_PREFIX=/usr", "-DHPC_WERROR=ON")
    run("ninja", "-C", build, "-j2")
    run("cmake", "--install", build, "--strip")
    return dest


@pytest.fixture(scope="module")
def installed(tree):
    path = tree / "usr/sbin/hpc-agent"
    assert path.is_file() and os.access(path, os.X_OK)
    return path


def readelf(path, *what):
    return subprocess.run(["readelf", "-W", *what, path], capture_output=True, text=True,
                          check=True).stdout


def test_size(installed):
    assert installed.stat().st_size < SIZE_MAX


def test_libraries_are_the_named_ones(installed):
    needed = set(re.findall(r"\(NEEDED\).*\[(.*?)\]", readelf(installed, "-d")))
    assert needed <= NAMED, needed - NAMED
    assert not re.search(r"\((RPATH|RUNPATH)\)", readelf(installed, "-d"))


def test_hardening(installed):
    dynamic, headers = readelf(installed, "-d"), readelf(installed, "-lh")
    assert "DYN (" in headers and "GNU_RELRO" in headers
    assert re.search(r"FLAGS_1\).*NOW", dynamic) and re.search(r"FLAGS_1\).*PIE", dynamic)
    assert re.search(r"GNU_STACK.* RW ", headers), "executable stack"
    symbols = readelf(installed, "--dyn-syms")
    assert "__stack_chk_fail" in symbols and re.search(r"__\w+_chk@", symbols)
    for banned in ("strcpy", "strcat", "sprintf", "vsprintf", "strtok", "atoi", "atol", "system",
                   "popen", "mktemp", "gets", "localtime"):
        assert not re.search(rf"\bUND {banned}@", symbols), banned


def test_no_path_of_the_builder(installed, source):
    with open(installed, "rb") as f:
        assert source.encode() not in f.read()


def test_where_things_are(tree):
    names = {os.path.relpath(os.path.join(d, f), tree) for d, _, fs in os.walk(tree) for f in fs}
    for want in ("usr/sbin/hpc-agent", "usr/lib/systemd/system/hpc-agent.service",
                 "usr/lib/systemd/system/hpc-node-ready.target",
                 "usr/share/bash-completion/completions/hpc-agent"):
        assert want in names, (want, sorted(names))
    assert any(re.match(r"usr/share/man/man[18]/hpc-agent\.[18]", n) for n in names)
    assert all(n.startswith("usr/") for n in names), sorted(names)


def test_it_runs(installed):
    r = subprocess.run([installed, "version"], capture_output=True, text=True, timeout=30)
    assert r.returncode == 0 and re.search(r"\d+\.\d+\.\d+", r.stdout)


def test_units_verify(tree):
    units = tree / "usr/lib/systemd/system"
    for name in ("hpc-agent.service", "hpc-node-ready.target"):
        r = subprocess.run(["systemd-analyze", "verify", "--man=no", units / name],
                           capture_output=True, text=True)
        bad = [line for line in r.stderr.splitlines()
               if "hpc-" in line and "is not executable" not in line]
        assert not bad, bad
