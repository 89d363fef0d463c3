"""Locks: what is written, that a build uses exactly that, without a network, and what is refused."""
import fcntl
import hashlib
import json
import os
import re
import subprocess
from urllib.parse import unquote

import pytest

from fakes.aws import Aws
from fakes.httpd import Response, Server
from fakes.sigcheck import Key
from fakes.tls import certificate, context
from program import Tool

RECIPE = ("image: {name: small, version: 1.0.0, from: debian:bookworm}\npackages: [netbase]\n"
          "files: [{path: /opt/section, source: 's3://tools/section'}]\n"
          "components: [{file: tool.yaml, parameters: {Version: '4.1'}}]\n")
COMPONENT = """\
name: tool
schemaVersion: 1.0
parameters: [{Version: {type: string}}]
phases:
  - name: build
    steps:
      - {name: Name, action: ExecuteBash, inputs: {commands: [echo one]}}
      - name: Get
        action: S3Download
        loop: {forEach: [one, two]}
        inputs: [{source: "s3://tools/mpi {{ Version }}/{{ loop.value }}", destination: "/opt/{{ loop.value }}"}]
      - name: Web
        action: WebDownload
        inputs: [{source: "SITE/empty", destination: /opt/empty}]
      - name: Many
        action: S3Download
        inputs: [{source: "s3://tools/many/*", destination: /opt/many}]
  - name: test
    steps:
      - {name: Again, action: S3Download, inputs: [{source: s3://tools/expected, destination: /tmp/expected}]}
      - {name: Look, action: ExecuteBash, inputs: {commands: [cmp /tmp/expected /opt/one]}}
"""
FILES = ("small.yaml", "small.lock", "tool.yaml")
KEY = Key("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "token")
SCRIPT = b"#!/bin/sh\necho ran >/opt/ran\n"
BODIES = {"one": os.urandom(300000), "two": b"two\n"}


class Folder(Tool):
    """Where recipe, lock and store are, with the cloud's and the site's addresses; all verbs have them."""

    def __init__(self, program, path, env):
        super().__init__(program, path)
        self.env = env

    def __call__(self, verb, *args, **more):
        return super().__call__(verb, "small.yaml", "--store", self.cwd / "store", *args, guard=300, **{**self.env, **more})


@pytest.fixture(scope="module")
def cloud(tmp_path_factory):
    pki = tmp_path_factory.mktemp("pki")
    bundle = certificate(pki, "site")
    with Aws(keys=[KEY]) as aws, Server(lambda request: Response(200, b""), tls=context(pki, "site")) as site:
        tools = aws.bucket("tools")
        for name, body in BODIES.items():
            tools.put(f"mpi 4.1/{name}", body)
        tools.put("expected", BODIES["one"])
        tools.put("many/x", b"x")
        tools.put("many/y/z", b"z")
        tools.put("section", b"of a section\n")
        tools.put("script", SCRIPT)
        aws.site = site
        aws.env = {"AWS_ENDPOINT_URL_S3": aws.url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": KEY.access_key,
                   "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_SESSION_TOKEN": KEY.token, "AWS_CA_BUNDLE": str(bundle)}
        yield aws


@pytest.fixture(scope="module")
def locked(program, tmp_path_factory, cloud):
    """A folder with a recipe, its lock, and a store with all that is locked."""
    folder = tmp_path_factory.mktemp("lock, of a recipe")
    (folder / "small.yaml").write_text(RECIPE)
    (folder / "tool.yaml").write_text(COMPONENT.replace("SITE", cloud.site.url))
    r = Folder(program, folder, cloud.env)("lock", "--fetch")
    assert r.code == 0 and re.search(r"'small.lock' has \d+ packages and 7 files", r.out), r.err
    return folder


@pytest.fixture
def apart(locked, tmp_path):
    """The same in a folder of the test's own, to spoil; without the store."""
    for name in FILES:
        (tmp_path / name).write_text((locked / name).read_text())
    return tmp_path


def build(folder, program, *args):
    """Without a network, and without keys."""
    return subprocess.run(["unshare", "-n", program, "build", "small.yaml", "--store", "store", *args], cwd=folder,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}, capture_output=True, text=True, timeout=300)


def packages(text):
    return re.findall(r'^- {name: "(.*?)", version: "(.*?)", arch: "(.*?)", size: (\d+), .*sha256: "(.*?)", url: "(.*?)"}$', text, re.M)


def files(text):
    return re.findall(r'^- {uri: "(.*?)", sha256: "(.*?)"}$', text, re.M)


def test_a_lock_names_each_package_once(locked):
    text = (locked / "small.lock").read_text()
    rows = packages(text)
    assert len(rows) + len(files(text)) == text.count("\n- ") and rows == sorted(rows, key=lambda row: (row[0], row[2]))
    by_name = {row[0]: row for row in rows}
    assert len(by_name) == len(rows) and {"netbase", "dpkg", "libc6"} <= set(by_name)
    for name, version, arch, size, digest, url in rows:
        path = locked / "store/objects" / digest
        assert url.startswith("http") and path.stat().st_size == int(size), name
        told = subprocess.run(["dpkg-deb", "-f", path, "Package", "Version", "Architecture"], capture_output=True, text=True, check=True)
        assert told.stdout == f"Package: {name}\nVersion: {version}\nArchitecture: {arch}\n"
    assert set(os.listdir(locked / "store/objects")) == {row[4] for row in rows} | {row[1] for row in files(text)}


def test_a_lock_names_what_components_fetch(locked, cloud):
    one, two = (hashlib.sha256(BODIES[name]).hexdigest() for name in ("one", "two"))
    want = [(cloud.site.url + "/empty", hashlib.sha256(b"").hexdigest()), ("s3://tools/expected", one),
            ("s3://tools/many/x", hashlib.sha256(b"x").hexdigest()), ("s3://tools/many/y/z", hashlib.sha256(b"z").hexdigest()),
            ("s3://tools/mpi 4.1/one", one), ("s3://tools/mpi 4.1/two", two),
            ("s3://tools/section", hashlib.sha256(b"of a section\n").hexdigest())]
    assert files((locked / "small.lock").read_text()) == want


@pytest.fixture(scope="module")
def tree(locked, program):
    """The finished image, which was built without a network."""
    done = build(locked, program, "--format", "dir", "-o", "out")
    assert done.returncode == 0, done.stderr
    return locked / "out/small-1.0.0"


def test_it_is_built_without_a_network(locked, tree, program):
    for name, body in {**BODIES, "empty": b"", "section": b"of a section\n"}.items():
        assert (tree / "opt" / name).read_bytes() == body
    assert [(tree / "opt/many" / name).read_text() for name in ("x", "y/z")] == ["x", "z"]
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
    assert done.returncode == 4 and re.search(r"fetching 'http.*' and others: Temporary failure resolving", done.stderr), done.stderr
    assert os.listdir(apart / "store/objects") == [] and os.listdir(apart / "store/layers") == []


def gone_from_archive(locked, apart):
    """The store lacks one package, and the archive has none at its address; its row."""
    (apart / "store/objects").mkdir(parents=True)
    row = next(row for row in packages((apart / "small.lock").read_text()) if row[0] == "netbase")
    for name in os.listdir(locked / "store/objects"):
        if name != row[4]:
            os.link(locked / "store/objects" / name, apart / "store/objects" / name)
    gone = row[5].replace("netbase_", "netbase_0.")
    (apart / "small.lock").write_text((apart / "small.lock").read_text().replace(row[5], gone))
    return (*row[:5], gone)


def test_a_package_that_the_archive_no_longer_has(locked, apart, program, cloud):
    *_, digest, gone = gone_from_archive(locked, apart)
    r = Folder(program, apart, cloud.env)("build", "--snapshot", "")
    assert r.code == 4 and f"fetching '{gone}': 404 " in r.err and "has it: make the lock anew by `hpc-imagebuild lock`" in r.err, r.err
    assert digest not in os.listdir(apart / "store/objects") and os.listdir(apart / "store/work") == []
    r = Folder(program, apart, cloud.env)("build", "--snapshot", "ftp://x")
    assert r.code == 2 and "--snapshot: 'ftp://x' is no address" in r.err, r.err


@pytest.fixture
def snapshot():
    """Debian's snapshot service with the files it is given, as its interface is described there."""
    files, asked = {}, []

    def answer(request):
        asked.append(request.target)
        binary = re.fullmatch(r"/mr/binary/([^/]+)/([^/]+)/binfiles\?fileinfo=1", request.target)
        if binary:
            name, version = (unquote(part) for part in binary.groups())
            found = {hashlib.sha1(body).hexdigest(): (arch, body) for (n, v, arch), body in files.items() if (n, v) == (name, version)}
            return Response(200, json.dumps({
                "_comment": "foo", "binary": name, "binary_version": version,
                "result": [{"architecture": arch, "hash": sha1} for sha1, (arch, _) in found.items()],
                "fileinfo": {sha1: [{"archive_name": "debian", "first_seen": "20230101T000000Z", "path": "/pool/main/x", "size": len(body),
                                     "name": f"{name}_{version.partition(':')[2] or version}_{arch}.deb"}]
                             for sha1, (arch, body) in found.items()}}).encode()) if found else Response(404, b"")
        for body in files.values():
            if request.path == "/file/" + hashlib.sha1(body).hexdigest():
                return Response(200, body)
        return Response(404, b"")
    with Server(answer) as server:
        server.files, server.asked = files, asked
        yield server


def test_what_left_the_archive_comes_from_the_snapshot_service(locked, apart, program, cloud, snapshot):
    name, version, arch, _, digest, gone = gone_from_archive(locked, apart)
    body = (locked / "store/objects" / digest).read_bytes()
    snapshot.files[name, version, arch] = b"x" * len(body)  # the digest decides: no trust is needed
    snapshot.files[name, version, "hurd-i386"] = body + b"x"
    r = Folder(program, apart, cloud.env)("build", "--snapshot", snapshot.url)
    assert r.code == 4 and f"fetching '{gone}': 404 " in r.err and "nor has the snapshot service" in r.err, r.err
    assert not (apart / "store/objects" / digest).exists()
    snapshot.files[name, version, arch] = body
    r = Folder(program, apart, cloud.env)("build", "--snapshot", snapshot.url)
    assert r.code == 0 and f"1 package left the archive: asking '{snapshot.url}'" in r.err, r.err
    assert (apart / "store/objects" / digest).read_bytes() == body
    assert snapshot.asked and all("netbase" in path or path.startswith("/file/") for path in snapshot.asked), snapshot.asked


def test_a_damaged_file_is_fetched_again(locked, tree, program, cloud):
    """The layer of the component is made anew, and with it its files are looked at."""
    two = locked / "store/objects" / hashlib.sha256(BODIES["two"]).hexdigest()
    bucket, folder = cloud.buckets["tools"], Folder(program, locked, cloud.env)
    kept = (locked / "tool.yaml").read_text()
    try:
        (locked / "tool.yaml").write_text(kept + "# a change\n")
        two.write_bytes(b"tw0\n")
        bucket.put("mpi 4.1/two", b"another")
        r = folder("build")
        assert r.code == 5 and "tool.yaml:11:27: fetching 's3://tools/mpi 4.1/two'" in r.err, r.err
        bucket.put("mpi 4.1/two", BODIES["two"])
        before = len(cloud.log)
        r = folder("build")
        assert r.code == 0 and "done: 3 built, 2 cached" in r.out, r.out + r.err
        assert two.read_bytes() == BODIES["two"] and len(cloud.log) == before + 1
    finally:
        (locked / "tool.yaml").write_text(kept)


@pytest.mark.parametrize("change, said", [
    (("expected, destination", "other, destination"), "tool.yaml:20:61: 's3://tools/other' is not in 'small.lock'"),
    (("/opt/empty}", "/opt/empty, checksum: " + 64 * "A" + "}"), "has another checksum in 'small.lock'"),
    (('source: "s3://tools/mpi {{ Version }}/{{ loop.value }}"', 'source: "s3://tools/{{ build.Name.outputs.stdout }}"'),
     "'source' of a download is known only when a step before has run"),
    (("[one, two]}\n        inputs: [{source: \"s3://tools/mpi {{ Version }}/{{ loop.value }}\"", "[s3://tools/a, tools/b]}\n        inputs: [{source: \"{{ loop.value }}\""),
     "'tools/b' is no s3://bucket/key"),
])
def test_files_that_the_lock_is_not_of(apart, program, change, said):
    text = (apart / "tool.yaml").read_text()
    assert change[0] in text
    (apart / "tool.yaml").write_text(text.replace(*change))
    done = build(apart, program)
    assert done.returncode == 3 and said in done.stderr, done.stderr
    assert not (apart / "store/layers").exists() or os.listdir(apart / "store/layers") == []


def test_without_a_lock_a_file_needs_a_checksum(apart, program):
    done = build(apart, program, "--unlocked")
    assert done.returncode == 3 and "small.yaml:3:38: 's3://tools/section' has no SHA256 checksum here" in done.stderr, done.stderr
    assert "hpc-imagebuild lock" in done.stderr
    (apart / "small.yaml").write_text(re.sub("^files:.*\n", "", RECIPE, flags=re.M))
    done = build(apart, program, "--unlocked")
    assert done.returncode == 3 and "tool.yaml:11:27: 's3://tools/mpi 4.1/one' has no SHA256 checksum here" in done.stderr, done.stderr


def test_a_checksum_in_the_document_does_without_a_lock(tree, program, cloud, tmp_path):
    (tmp_path / "small.yaml").write_text(f"image: {{name: small, from: '{tree}'}}\ncomponents: [tool.yaml]\n")
    for body, code in ((b"", 0), (b"other", 5)):
        digest = hashlib.sha256(body).hexdigest()
        (tmp_path / "tool.yaml").write_text("name: tool\nschemaVersion: 1.0\nphases: [{name: build, steps: [{name: Web, action: WebDownload, "
                                            f"inputs: [{{source: {cloud.site.url}/x, destination: /opt/x, checksum: {digest.upper()}}}]}}]}}]\n")
        r = Folder(program, tmp_path, cloud.env)("build")
        assert r.code == code, r.err
        assert os.path.exists(tmp_path / "store/objects" / digest) == (code == 0)
    assert f"fetching '{cloud.site.url}/x'" in r.err


def test_sections_fetch_too(tree, program, cloud, tmp_path):
    """By their digest, outside of the sandbox; what has none is refused at its place."""
    script, web = (hashlib.sha256(body).hexdigest() for body in (SCRIPT, b""))
    recipe = (f"image: {{name: small, from: '{tree}'}}\n"
              f"files: [{{path: /opt/web, source: '{cloud.site.url}/x', sha256: {web}}}]\n"
              f"scripts: [{{id: fetched, source: 's3://tools/script', sha256: {script}}}]\n")
    (tmp_path / "small.yaml").write_text(recipe)
    r = Folder(program, tmp_path, cloud.env)("build", "--format", "dir", "-o", tmp_path / "out")
    assert r.code == 0, r.err
    assert (tmp_path / "out/small-1.0.0/opt/ran").read_text() == "ran\n" and (tmp_path / "out/small-1.0.0/opt/web").read_bytes() == b""
    offline = build(tmp_path, program)
    assert "done: 0 built" in offline.stdout, offline.stderr
    (tmp_path / "small.yaml").write_text(recipe.replace(f", sha256: {script}", ""))
    r = Folder(program, tmp_path, cloud.env)("build")
    assert r.code == 3 and "small.yaml:3:33: 's3://tools/script' has no SHA256 checksum here" in r.err, r.err
    (tmp_path / "small.yaml").write_text(recipe.replace(web, hashlib.sha256(b"other").hexdigest()))
    r = Folder(program, tmp_path, cloud.env)("build")
    assert r.code == 5 and "small.yaml:2:34: fetching" in r.err, r.err


def test_an_object_that_has_another_name(locked, tree, program):
    """Though its content is the same: what is below a prefix comes by its names."""
    kept = (locked / "small.lock").read_text()
    try:
        (locked / "small.lock").write_text(kept.replace("many/x", "many/w"))
        done = build(locked, program, "--format", "dir", "-o", "renamed")
        assert done.returncode == 0, done.stderr
        assert sorted(p.name for p in (locked / "renamed/small-1.0.0/opt/many").iterdir()) == ["w", "y"]
    finally:
        (locked / "small.lock").write_text(kept)


def test_a_file_that_is_not_to_be_had_leaves_the_lock_alone(apart, program, cloud):
    (apart / "tool.yaml").write_text((apart / "tool.yaml").read_text().replace("tools/expected", "tools/none"))
    before = (apart / "small.lock").read_bytes()
    r = Folder(program, apart, cloud.env)("lock")
    assert r.code == 4 and "tool.yaml:20:61: locking 's3://tools/none'" in r.err and KEY.secret not in r.err, r.err
    assert (apart / "small.lock").read_bytes() == before


def test_a_damaged_object_is_fetched_again(locked, program, cloud, tmp_path):
    rows = packages((locked / "small.lock").read_text())
    netbase = next(row for row in rows if row[0] == "netbase")
    (tmp_path / "store/objects").mkdir(parents=True)
    for row in rows:
        os.link(locked / "store/objects" / row[4], tmp_path / "store/objects" / row[4])
    path = tmp_path / "store/objects" / netbase[4]
    path.unlink()
    path.write_bytes(b"x" * int(netbase[3]))
    for name in FILES:
        (tmp_path / name).write_text((locked / name).read_text())
    r = Folder(program, tmp_path, cloud.env)("lock", "--fetch")
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
    (('"s3://tools/expected", sha256: "', '"s3://tools/expected", sha256: "ZZ'), "sha256"),
    (('- {uri: ', '- {url: '), "url"),
])
def test_a_damaged_lock(apart, program, change, said):
    text = (apart / "small.lock").read_text()
    assert change[0] in text
    (apart / "small.lock").write_text(text.replace(*change, 1))
    done = build(apart, program)
    assert done.returncode == 3 and said in done.stderr, done.stderr


def test_what_can_not_be_locked(tool, tmp_path):
    (tmp_path / "base.yaml").write_text(RECIPE.partition("components:")[0])
    (tmp_path / "top.yaml").write_text("image: {name: top, from: base.yaml}\npackages: [less]\n")
    (tmp_path / "tar.yaml").write_text("image: {name: top, from: some.tar}\n")
    (tmp_path / "some.tar").write_text("")
    r = tool("lock", "top.yaml")
    assert r.code == 3 and "top.yaml:2:11: packages over another recipe can't be locked" in r.err, r.err
    r = tool("lock", "tar.yaml")
    assert r.code == 3 and "only the packages of Debian and Ubuntu can be locked" in r.err, r.err
    assert sorted(os.listdir(tmp_path)) == ["base.yaml", "some.tar", "tar.yaml", "top.yaml"]


def test_a_package_that_does_not_exist(tool, tmp_path):
    (tmp_path / "small.yaml").write_text(RECIPE.partition("components:")[0].replace("netbase", "no-such-package-anywhere"))
    r = tool("lock", "small.yaml", guard=300)
    assert r.code == 1 and "no-such-package-anywhere" in r.err, r.err
    assert os.listdir(tmp_path) == ["small.yaml"]


def test_what_a_killed_fetch_left_is_pruned(tool, tmp_path):
    work = tmp_path / "store/work"
    (tmp_path / "store/layers").mkdir(parents=True)
    for name in ("scratch.killed", "scratch.atwork"):
        (work / name / "pool").mkdir(parents=True)
    held = os.open(work / "scratch.atwork", os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_SH)
    r = tool("cache", "prune", "--store", tmp_path / "store")
    os.close(held)
    assert r.code == 0 and os.listdir(work) == ["scratch.atwork"], r.err



def test_a_recipe_is_not_written_over_by_its_lock(program, tmp_path):
    (tmp_path / "small.lock").write_text(RECIPE)
    r = Tool(program, tmp_path)("lock", "small.lock")
    assert r.code == 3 and "called as its lock would be" in r.err and (tmp_path / "small.lock").read_text() == RECIPE, r.err


# ---- lock --update ----

def repacked(folder, store, name, version, **depends):
    """The locked package with another version, in the store; `depends` are relations of its control file, replaced. Its row."""
    text = (folder / "small.lock").read_text()
    row = next(row for row in packages(text) if row[0] == name)
    tree, deb = folder / f"tree-{name}", folder / f"{name}.deb"
    subprocess.run(["dpkg-deb", "-R", store / row[4], tree], check=True)
    control = (tree / "DEBIAN/control").read_text().replace(f"Version: {row[1]}\n", f"Version: {version}\n")
    for what, other in depends.items():
        control, n = re.subn(rf"{re.escape(what)} \(= [^)]*\)", f"{what} (= {other})", control)
        assert n, control
    (tree / "DEBIAN/control").write_text(control)
    subprocess.run(["dpkg-deb", "--root-owner-group", "-Znone", "-b", tree, deb], check=True, capture_output=True)
    body = deb.read_bytes()
    digest = hashlib.sha256(body).hexdigest()
    (folder / "store/objects" / digest).write_bytes(body)
    old = next(line for line in text.splitlines() if f'sha256: "{row[4]}"' in line)
    new = old.replace(row[1], version).replace(row[4], digest).replace(f"size: {row[3]},", f"size: {len(body)},")
    (folder / "small.lock").write_text(text.replace(old, new))
    return row[1]


@pytest.fixture
def outdated(locked, apart):
    """A lock whose packages of gcc and netbase are of versions that no archive has, but the store."""
    store = locked / "store/objects"
    (apart / "store/objects").mkdir(parents=True)
    old = {"gcc-12-base": "12.2.0-0old"}
    new = {"netbase": repacked(apart, store, "netbase", "6.0"),
           "gcc-12-base": repacked(apart, store, "gcc-12-base", "12.2.0-0old"),
           "libgcc-s1": repacked(apart, store, "libgcc-s1", "12.2.0-0old", **old),
           "libstdc++6": repacked(apart, store, "libstdc++6", "12.2.0-0old", **old)}
    return apart, new


def test_only_named_packages_are_made_anew(outdated, program, cloud):
    folder, new = outdated
    before = (folder / "small.lock").read_text()
    cloud.buckets["tools"].put("mpi 4.1/two", b"of another day")
    try:
        r = Folder(program, folder, cloud.env)("lock", "netbase", "--update")
    finally:
        cloud.buckets["tools"].put("mpi 4.1/two", BODIES["two"])
    assert r.code == 0, r.err
    assert r.out.splitlines() == [f"~ netbase 6.0 -> {new['netbase']}", r.out.splitlines()[-1]] and r.out.endswith("7 files, 1 changed\n")
    after = (folder / "small.lock").read_text()
    changed = [(a, b) for a, b in zip(before.splitlines(), after.splitlines()) if a != b]
    assert len(changed) == 1 and 'name: "netbase"' in changed[0][1] and len(before.splitlines()) == len(after.splitlines())


def test_what_a_named_package_newly_needs_comes_with_it(outdated, program, cloud):
    """libgcc-s1 needs gcc-12-base of its own version, and that libstdc++6 of the same."""
    folder, new = outdated
    r = Folder(program, folder, cloud.env)("lock", "libgcc-s1", "--update")
    assert r.code == 0, r.err
    assert r.out.splitlines()[:-1] == [f"~ {name} 12.2.0-0old -> {new[name]}" for name in ("gcc-12-base", "libgcc-s1", "libstdc++6")]
    assert 'name: "netbase", version: "6.0"' in (folder / "small.lock").read_text()


def test_a_whole_lock_is_made_anew(outdated, program, cloud):
    folder, new = outdated
    r = Folder(program, folder, cloud.env)("lock", "--update")
    assert r.code == 0, r.err
    assert [line.split()[1] for line in r.out.splitlines()[:-1]] == sorted(new), r.out
    again = Folder(program, folder, cloud.env)("lock")
    assert again.code == 0 and again.out.count("\n") == 1 and ", 0 changed" in again.out, again.out


def test_updates_that_mean_nothing(apart, program, cloud):
    folder, before = Folder(program, apart, cloud.env), (apart / "small.lock").read_text()
    for args, code, said in [(["netbase"], 2, "expected --update to name some of them"),
                             (["--update", "netbaze"], 2, "neither 'small.lock' nor the recipe has the package 'netbaze', did you mean 'netbase'?")]:
        r = folder("lock", *args)
        assert r.code == code and said in r.err, r.err
    (apart / "small.yaml").write_text(RECIPE.replace("bookworm", "trixie"))
    r = folder("lock", "--update", "netbase")
    assert r.code in (1, 3) and (apart / "small.lock").read_text() == before, r.err
    (apart / "small.lock").unlink()
    r = folder("lock", "--update")
    assert r.code == 3 and "small.lock" in r.err, r.err
