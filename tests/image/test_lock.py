"""Locks: what is written, that a build uses exactly that, without a network, and what is refused."""
import json
import os
import re
import subprocess

import pytest

from program import Tool

RECIPE = "image: {name: small, version: 1.0.0, from: debian:bookworm}\npackages: [netbase]\n"


@pytest.fixture(scope="module")
def locked(program, tmp_path_factory):
    """A folder with a recipe, its lock, and a store with the packages."""
    folder = tmp_path_factory.mktemp("lock")
    (folder / "small.yaml").write_text(RECIPE)
    r = Tool(program, folder)("lock", "small.yaml", "--fetch", "--store", folder / "store", guard=300)
    assert r.code == 0 and re.search(r"'small.lock' has \d+ packages", r.out), r.err
    return folder


@pytest.fixture
def apart(locked, tmp_path):
    """The same in a folder of the test's own, to spoil; without the store."""
    for name in ("small.yaml", "small.lock"):
        (tmp_path / name).write_text((locked / name).read_text())
    return tmp_path


def build(folder, program, *args):
    return subprocess.run(["unshare", "-n", program, "build", "small.yaml", "--store", "store", *args], cwd=folder,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, text=True, timeout=300)


def packages(text):
    return re.findall(r'^- {name: "(.*?)", version: "(.*?)", arch: "(.*?)", size: (\d+), .*sha256: "(.*?)", url: "(.*?)"}$', text, re.M)


def test_a_lock_names_each_package_once(locked):
    text = (locked / "small.lock").read_text()
    rows = packages(text)
    assert len(rows) == text.count("\n- ") and rows == sorted(rows, key=lambda row: (row[0], row[2]))
    by_name = {row[0]: row for row in rows}
    assert len(by_name) == len(rows) and {"netbase", "dpkg", "libc6"} <= set(by_name)
    for name, version, arch, size, digest, url in rows:
        path = locked / "store/objects" / digest
        assert url.startswith("http") and path.stat().st_size == int(size), name
        told = subprocess.run(["dpkg-deb", "-f", path, "Package", "Version", "Architecture"], capture_output=True, text=True, check=True)
        assert told.stdout == f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\n"
    assert sorted(os.listdir(locked / "store/objects")) == sorted(row[4] for row in rows)


def test_it_is_built_without_a_network(locked, program):
    done = build(locked, program, "--format", "dir", "-o", "out")
    assert done.returncode == 0, done.stderr
    tree = locked / "out/small-1.0.0"
    shown = subprocess.run(["dpkg-query", f"--admindir={tree}/var/lib/dpkg", "-W", "-f", "${Package} ${Version} ${Architecture}\n"],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    text = (locked / "small.lock").read_text()
    assert sorted(shown) == sorted(" ".join(row[:3]) for row in packages(text))
    sources = json.loads(re.search(r"^sources: (.*)$", text, re.M)[1])
    assert [line for line in (tree / "etc/apt/sources.list").read_text().splitlines() if line] == sources
    manifest = json.loads((tree / "usr/lib/hpc-node/image-manifest.json").read_text())
    assert manifest["image"]["lock-sha256"] == subprocess.run(["sha256sum", locked / "small.lock"], capture_output=True, text=True,
                                                              check=True).stdout.split()[0]
    again = build(locked, program)
    assert "done: 0 built" in again.stdout, again.stderr
    assert os.listdir(locked / "store/work") == []
    # And a lock that says something else is told by the package.
    netbase = next(row for row in packages(text) if row[0] == "netbase")
    (locked / "small.lock").write_text(text.replace(netbase[4], "0" * 64))
    plan = Tool(program, locked)("plan", "small.yaml", "--store", "store", "--json")
    (locked / "small.lock").write_text(text)
    assert json.loads(plan.out)[0]["reasons"] == ["package netbase:all changed"], plan.out


def test_a_package_that_is_not_to_be_had(apart, program):
    done = build(apart, program)
    assert done.returncode == 4 and "fetching 'http" in done.stderr and "hpc-imagebuild lock" in done.stderr, done.stderr
    assert os.listdir(apart / "store/objects") == [] and os.listdir(apart / "store/layers") == []


def test_a_damaged_object_is_fetched_again(locked, program, tmp_path):
    rows = packages((locked / "small.lock").read_text())
    netbase = next(row for row in rows if row[0] == "netbase")
    (tmp_path / "store/objects").mkdir(parents=True)
    for row in rows:
        os.link(locked / "store/objects" / row[4], tmp_path / "store/objects" / row[4])
    path = tmp_path / "store/objects" / netbase[4]
    path.unlink()
    path.write_bytes(b"x" * int(netbase[3]))
    for name in ("small.yaml", "small.lock"):
        (tmp_path / name).write_text((locked / name).read_text())
    done = build(tmp_path, program)
    assert done.returncode == 4 and netbase[5] in done.stderr, done.stderr
    r = Tool(program, tmp_path)("lock", "small.yaml", "--fetch", "--store", tmp_path / "store", guard=300)
    assert r.code == 0, r.err
    assert path.read_bytes() == (locked / "store/objects" / netbase[4]).read_bytes()


@pytest.mark.parametrize("change, said", [
    (("[netbase]", "[netbase, less]"), "small.lock: it is without the package 'less'"),
    (("[netbase]", "[]"), "small.lock: it has the package 'netbase'"),
    (("debian:bookworm", "debian:trixie"), "small.lock: it is of 'debian:bookworm'"),
])
def test_a_lock_that_does_not_fit(apart, program, change, said):
    (apart / "small.yaml").write_text(RECIPE.replace(*change))
    done = build(apart, program)
    assert done.returncode == 3 and said in done.stderr and "hpc-imagebuild lock small.yaml" in done.stderr, done.stderr


@pytest.mark.parametrize("change, said", [
    (("lock: 1", "lock: 2"), "small.lock:2:7: "),
    ((", size: ", ", seize: "), "seize"),
    (('sha256: "', 'sha256: "zz'), "sha256"),
    (('url: "http', 'url: "--x=http'), "is no URL: expected http or https"),
    (("packages:\n", "packages:\n- {}\n"), "small.lock:8:3: "),
    (("from:", "from"), "small.lock:"),
])
def test_a_damaged_lock(apart, program, change, said):
    text = (apart / "small.lock").read_text()
    assert change[0] in text
    (apart / "small.lock").write_text(text.replace(*change, 1))
    done = build(apart, program)
    assert done.returncode == 3 and said in done.stderr, done.stderr


def test_what_can_not_be_locked(tool, tmp_path):
    (tmp_path / "base.yaml").write_text(RECIPE)
    (tmp_path / "top.yaml").write_text("image: {name: top, from: base.yaml}\npackages: [less]\n")
    (tmp_path / "tar.yaml").write_text("image: {name: top, from: some.tar}\n")
    (tmp_path / "some.tar").write_text("")
    r = tool("lock", "top.yaml")
    assert r.code == 3 and "top.yaml:2:11: packages over another recipe can't be locked" in r.err, r.err
    r = tool("lock", "tar.yaml")
    assert r.code == 3 and "only the packages of Debian and Ubuntu can be locked" in r.err, r.err
    assert sorted(os.listdir(tmp_path)) == ["base.yaml", "some.tar", "tar.yaml", "top.yaml"]


def test_a_package_that_does_not_exist(tool, tmp_path):
    (tmp_path / "small.yaml").write_text(RECIPE.replace("netbase", "no-such-package-anywhere"))
    r = tool("lock", "small.yaml", guard=300)
    assert r.code == 1 and "no-such-package-anywhere" in r.err, r.err
    assert os.listdir(tmp_path) == ["small.yaml"]
