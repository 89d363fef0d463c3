"""Building: what comes out, what is remembered, what is left when it fails or is killed. One cold base for all of it."""
import hashlib
import io
import json
import os
import random
import re
import shutil
import signal
import subprocess
import tarfile
import time

import pytest

import disks
from fakes.ebs import BLOCK, Account
from fakes.sigcheck import Key
from program import Tool

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")

RECIPE = """\
image: {{name: small, version: 1.0.0, from: debian:bookworm}}
packages: [netbase]
users:
  - {{name: alice, uid: 2000}}
files:
  - {{path: /etc/motd, content: "$(id) 'quoted' {motd}\\n-- two\\n"}}
sysctl: {{net.core.somaxconn: 4321}}
tests:
  - {{run: [cat, /etc/motd], expect: {{stdout: "$(id) 'quoted' {motd}\\n-- two\\n"}}}}
"""


def mounts():
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        return [line.split()[4] for line in f]


def processes_about(path):
    found = []
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/cmdline", "rb") as f:
                if os.fsencode(path) in f.read():
                    found.append(int(pid))
        except OSError:
            pass
    return found


class Builder:
    """A store and an output directory that several tests share."""

    def __init__(self, program, folder):
        self.program, self.folder = program, folder
        self.store, self.out = folder / "store", folder / "out"
        self.tool = Tool(program, folder)

    def recipe(self, text):
        path = self.folder / "recipe.yaml"
        path.write_text(text)
        return path

    def args(self, text, *more):
        return ["build", str(self.recipe(text)), "--store", str(self.store), *more]

    def __call__(self, text, *more, guard=500, **env):
        r = self.tool(*self.args(text, *more), guard=guard, **env)
        assert not [m for m in mounts() if m.startswith(str(self.folder))]
        return r

    def states(self, text, *more):
        r = self(text, "--json", *more)
        assert r.code == 0, r.err
        events = [json.loads(line) for line in r.out.splitlines()]
        return {e["step"]: e["state"] for e in events if e["event"] == "step"}


@pytest.fixture(scope="module")
def builder(program, tmp_path_factory):
    b = Builder(program, tmp_path_factory.mktemp("build"))
    r = b(RECIPE.format(motd="first"), "--format", "dir,tar", "-o", str(b.out))
    assert r.code == 0, r.err
    assert "done: 6 built, 0 cached" in r.out, r.out
    return b


def test_the_tree_is_the_recipe(builder):
    tree = builder.out / "small-1.0.0"
    assert (tree / "etc/motd").read_text() == "$(id) 'quoted' first\n-- two\n"
    assert (tree / "etc/sysctl.d/90-hpc-node.conf").read_text().count("4321") == 1
    assert "alice:x:2000:2000:" in (tree / "etc/passwd").read_text()
    assert (tree / "home/alice").stat().st_uid == 2000
    assert "Package: netbase\nStatus: install ok installed" in (tree / "var/lib/dpkg/status").read_text()


def test_the_image_and_a_file_beside_it_tell_what_is_in_it(builder):
    tree = builder.out / "small-1.0.0"
    manifest = json.loads((tree / "usr/lib/hpc-node/image-manifest.json").read_text())
    sbom = json.loads((builder.out / "small-1.0.0.spdx.json").read_text())
    shown = subprocess.run(["dpkg-query", f"--admindir={tree}/var/lib/dpkg", "-W", "-f", "${Package} ${Version}\n"],
                           capture_output=True, text=True, check=True).stdout.splitlines()
    assert sorted(f"{p['name']} {p['version']}" for p in manifest["packages"]) == sorted(shown)
    assert sorted(f"{p['name']} {p['versionInfo']}" for p in sbom["packages"][1:]) == sorted(shown)
    assert manifest["package-database-sha256"] == sha256(tree / "var/lib/dpkg/status")
    image = manifest["image"]
    assert (image["name"], image["version"], image["lock-sha256"]) == ("small", "1.0.0", None)
    assert re.fullmatch("[0-9a-f]{64}", image["recipe-sha256"])
    listed = json.loads(builder.tool("cache", "list", "--store", builder.store, "--json").out)
    assert image["layers"] in {e["key"] for e in listed}
    assert {e["schema"] for e in listed} == {1}


def test_nothing_of_the_build_is_in_the_tree(builder):
    tree = builder.out / "small-1.0.0"
    for lent in ("etc/resolv.conf", "etc/hostname", "usr/sbin/policy-rc.d"):
        assert not os.path.lexists(tree / lent), lent
    for folder in ("run", "tmp", "dev/shm", "var/lib/apt/lists", "var/cache/apt", "var/log"):
        files = [p for p in (tree / folder).rglob("*") if p.is_file() and p.stat().st_size]
        assert files == [], files


def test_the_tar_has_the_same(builder):
    tree = builder.out / "small-1.0.0"
    with tarfile.open(builder.out / "small-1.0.0.tar") as tar:
        names = {os.path.normpath(m.name): m for m in tar}
        there = {os.path.relpath(os.path.join(d, n), tree) for d, s, f in os.walk(tree) for n in s + f}
        assert set(names) - {"."} == there
        assert names["home/alice"].uid == 2000
        assert tar.extractfile(names["etc/motd"]).read().startswith(b"$(id)")


def test_an_output_that_another_build_writes_is_left_to_it(builder):
    """Else the one would take away what the other is about to publish."""
    work = builder.out / ".small-1.0.0.tar.hpc-work"
    work.mkdir()
    (work / "new").write_text("theirs")
    before = (builder.out / "small-1.0.0.tar").stat().st_ino
    with disks.locked(work):
        (builder.out / "small-1.0.0.tar").touch()
        r = builder(RECIPE.format(motd="first"), "--format", "tar", "-o", str(builder.out))
    assert r.code == 6 and "another process is writing it" in r.err, r.err
    assert (work / "new").read_text() == "theirs" and (builder.out / "small-1.0.0.tar").stat().st_ino == before
    r = builder(RECIPE.format(motd="first"), "--format", "tar", "-o", str(builder.out))
    assert r.code == 0 and "written " in r.out and not work.exists(), r.err


def test_an_unchanged_recipe_builds_nothing(builder):
    commented = "# a comment\n" + RECIPE.format(motd="first")
    assert set(builder.states(commented).values()) == {"cached"}
    before = (builder.out / "small-1.0.0.tar").stat().st_ino
    r = builder(commented, "--format", "tar", "-o", str(builder.out))
    assert "done: 0 built, 6 cached" in r.out and "unchanged " in r.out
    assert (builder.out / "small-1.0.0.tar").stat().st_ino == before


def test_only_what_is_above_a_change_is_built_again(builder):
    states = builder.states(RECIPE.format(motd="second"))
    assert states == {"base debian:bookworm": "cached", "users:alice": "cached", "sysctl": "cached",
                      "files:/etc/motd": "built", "clean": "built", "tests": "built"}


def test_two_writings_of_a_tar_are_equal(builder, tmp_path):
    text = RECIPE.format(motd="first")
    for name in ("a", "b"):
        assert builder(text, "--format", "tar", "-o", str(tmp_path / name)).code == 0
    first, second = ((tmp_path / n / "small-1.0.0.tar").read_bytes() for n in ("a", "b"))
    assert first == second


def test_a_failed_step_says_what_and_where(builder):
    text = RECIPE.format(motd="first") + """\
scripts:
  - id: broken
    content: |
      #!/bin/sh
      echo one >/made-by-it
      for i in $(seq 50); do echo "line $i"; done
      exit 7
"""
    r = builder(text)
    assert r.code == 1
    assert "step 'broken'" in r.err and "7" in r.err, r.err
    assert "line 50" in r.err and "line 10\n" not in r.err
    kept = re.search(r"what it changed: (\S+)", r.err)[1]
    with open(os.path.join(kept, "made-by-it"), encoding="utf-8") as f:
        assert f.read() == "one\n"
    log = re.search(r"its log: +(\S+)", r.err)[1]
    with open(log, encoding="utf-8") as f:
        assert "line 1\n" in f.read()
    assert set(builder.states(RECIPE.format(motd="first")).values()) == {"cached"}


def test_a_failed_test_fails_the_build(builder):
    text = RECIPE.format(motd="first").replace("stdout: \"$(id)", "stdout: \"nothing like it")
    r = builder(text)
    assert r.code == 1 and "step 'tests'" in r.err and "recipe.yaml:" in r.err, r.err


@pytest.mark.parametrize("path, content, rule", [
    ("/etc/profile.d/keys.sh", "export AWS_ACCESS_KEY_ID=AKIA" + "QZ7RT2WX3YV5PLMN", "aws-keys"),
    ("/etc/ssl/leaked.pem", "-----BEGIN RSA PRIVATE " + "KEY-----\\n" + 4 * "MIIEpAIBAAKCAQEA" + "\\n", "private-keys"),
])
def test_a_planted_secret_fails_the_build(builder, path, content, rule):
    text = RECIPE.format(motd="first").replace("sysctl:", f'  - {{path: {path}, content: "{content}"}}\nsysctl:')
    r = builder(text)
    assert r.code == 3 and rule in r.err and path in r.err, r.err


def test_a_component_is_a_layer(builder):
    (builder.folder / "tool.yaml").write_text("""\
name: tool
schemaVersion: 1.0
phases:
  - name: build
    steps:
      - {name: make, action: ExecuteBash, inputs: {commands: [echo made >/etc/made]}}
  - name: test
    steps:
      - {name: look, action: ExecuteBash, inputs: {commands: [grep made /etc/made]}}
""")
    states = builder.states(RECIPE.format(motd="first") + "components: [tool.yaml]\n")
    assert states["component tool"] == "built" and states["tests"] == "built"


SANDBOX = """\
scripts:
  - id: look
    content: |
      #!/bin/sh
      set -ex
      no() {{ if "$@"; then exit 9; fi; }}
      test "$(uname -n)" = image
      test -z "$(ls /sys/class/net | grep -v '^lo$')"
      test "$(ls -d /proc/[0-9]* | wc -l)" -lt 12
      no touch /sys/x
      no dd if=/etc/passwd of=/proc/sys/kernel/panic
      no mount -t tmpfs none /mnt
      no test -e {outside}
      test -c /dev/null
      touch /run/gone /tmp/gone /etc/stays
      sync
      test "$(/usr/sbin/policy-rc.d || echo $?)" = 101
  - id: later
    after: [look]
    content: |
      #!/bin/sh
      test -e /etc/stays -a ! -e /run/gone -a ! -e /tmp/gone
"""


def test_a_step_sees_the_image_and_no_more(builder):
    r = builder(RECIPE.format(motd="first") + SANDBOX.format(outside=builder.store))
    assert r.code == 0, r.err


def test_killed_at_any_moment_leaves_nothing_running_or_mounted(builder):
    marker = f"hpc-sleeps-{os.getpid()}"
    text = RECIPE.format(motd="killed") + f"""\
scripts:
  - id: slow
    content: |
      #!/bin/sh
      sh -c 'sleep 600; : {marker}'
"""
    for delay in (0.05, 0.2, 0.5, 1.5):
        p = subprocess.Popen([builder.program, *builder.args(text)], stdout=subprocess.DEVNULL,
                             stderr=subprocess.DEVNULL, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        time.sleep(delay)
        p.send_signal(signal.SIGKILL)
        p.wait()
        give_up = time.monotonic() + 20
        while (processes_about(marker) or processes_about(str(builder.store))) and time.monotonic() < give_up:
            time.sleep(0.05)
        assert not processes_about(marker) and not processes_about(str(builder.store))
        assert not [m for m in mounts() if m.startswith(str(builder.folder))]
    r = builder(RECIPE.format(motd="killed"))
    assert r.code == 0, r.err


# Nothing boots it: a file where the kernel would be is all that a disk asks for.
DISK = RECIPE.format(motd="killed").replace("bookworm}", "bookworm, disk: {size: 1G}}") + "scripts: [{id: kernel, content: \"#!/bin/sh\\ntouch /boot/vmlinuz-1\\n\"}]\n"
KILLS = 4


def layers(store, base):
    """What is in each layer but the base, which must be whole: {key: {path: (kind and mode, size of a file)}}"""
    found = {}
    for folder in (p for p in (store / "layers").iterdir() if p.name != base):
        assert sorted(p.name for p in folder.iterdir() if not p.name.startswith((".stem", "stem"))) in (["log", "meta.json", "tree"], ["hygiene.json", "log", "meta.json", "tree"], ["hygiene.json", "log", "meta.json", "sbom.spdx.json", "tree"])
        assert json.loads((folder / "meta.json").read_text())["key"] == folder.name
        found[folder.name] = {}
        for path in (folder / "tree").rglob("*"):
            st = path.lstat()
            found[folder.name][str(path.relative_to(folder))] = st.st_mode, 0 if path.is_dir() else st.st_size
    return found


def sha256(path):
    with open(path, "rb") as f:
        return hashlib.file_digest(f, "sha256").hexdigest()


def test_killed_at_random_moments_up_to_the_disk(builder, tmp_path):
    """No half layer, no half disk, and the next run makes what one that was never killed makes."""
    seed = int(os.environ.get("HPC_SEED") or random.randrange(1 << 32))
    print(f"HPC_SEED={seed}")
    chance = random.Random(seed)
    start = time.monotonic()
    assert builder(DISK, "-o", str(tmp_path / "whole"), "--format", "raw").code == 0
    took = time.monotonic() - start
    want = sha256(tmp_path / "whole/small-1.0.0.raw")
    base = next(e["key"] for e in json.loads(builder.tool("cache", "list", "--store", builder.store, "--json").out)
                if e["step"].startswith("base"))
    whole = layers(builder.store, base)
    store, out = tmp_path / "store", tmp_path / "out"
    (store / "layers").mkdir(parents=True)
    subprocess.run(["cp", "-aT", builder.store / "layers" / base, store / "layers" / base], check=True)
    args = ["build", builder.recipe(DISK), "--store", store, "-o", out, "--format", "raw"]
    for i in range(KILLS):
        p = subprocess.Popen([builder.program, *args], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                             env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"})
        time.sleep(took * (i + chance.random()) / KILLS)
        p.kill()
        p.wait()
        give_up = time.monotonic() + 20
        while processes_about(str(tmp_path)) and time.monotonic() < give_up:
            time.sleep(0.02)
        assert not processes_about(str(tmp_path)), seed
        assert not [m for m in mounts() if m.startswith(str(tmp_path))], seed
        there = layers(store, base)
        assert {key: whole[key] for key in there} == there, seed
        raw = out / "small-1.0.0.raw"
        assert not raw.exists() or sha256(raw) == want, seed
        for key in there:  # so that there is something to be killed in
            shutil.rmtree(store / "layers" / key)
        raw.unlink(missing_ok=True)
    r = builder.tool(*args, guard=300)
    assert r.code == 0, r.err
    assert sha256(out / "small-1.0.0.raw") == want and sorted(os.listdir(out)) == ["small-1.0.0.raw", "small-1.0.0.spdx.json"], seed
    assert os.listdir(store / "work") == [], seed


def stems(store):
    """The steps whose layers have a stem beside them."""
    return sorted(json.loads((stem.parent / "meta.json").read_text())["step"] for stem in store.glob("layers/*/stem-*"))


def test_a_disk_is_not_written_whole_after_an_edit(builder, tmp_path):
    """The base's file system is kept, with what is large above it; small layers are laid on a copy."""
    assert builder(DISK, "-o", str(tmp_path / "a"), "--format", "raw").code == 0
    kept = stems(builder.store)
    assert len(kept) == 1 and kept[0].startswith("base"), kept
    assert builder(DISK.replace("sysctl: {net", "sysctl: {vm.swappiness: 7, net"), "-o", str(tmp_path / "b"), "--format", "raw").code == 0
    assert stems(builder.store) == kept
    more = {"large": "head -c 40000000 /dev/urandom >/opt/large", "small": "echo 1 >/opt/1", "last": "echo 2 >/opt/2"}
    large = DISK.rstrip("]\n") + "".join(f', {{id: {name}, content: "#!/bin/sh\\n{line}\\n"}}' for name, line in more.items()) + "]\n"
    assert builder(large, "-o", str(tmp_path / "c"), "--format", "raw").code == 0
    assert stems(builder.store) == sorted([*kept, "large"]), "what is above it is laid anew"


def test_an_ami_is_published_of_the_disk(builder, tmp_path):
    key = Key("AKIAEXAMPLEEXAMPLE00", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00", "a-session-token")
    with Account([key]) as account:
        env = {"AWS_ENDPOINT_URL": account.url, "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": key.access_key,
               "AWS_SECRET_ACCESS_KEY": key.secret, "AWS_SESSION_TOKEN": key.token}
        r = builder(DISK, "--format", "qcow2,ami", "-o", str(tmp_path), "--state", str(tmp_path / "state"),
                    "--tag", "team=hpc", "--quiet", **env)
        assert r.code == 0, r.err
        image = account.images[r.out.strip()]
        assert (image.name, image.arch, image.boot, image.tags["team"]) == ("small-1.0.0", "x86_64", "uefi-preferred", "hpc")
        sent = account.content(image.snapshot)
    raw = tmp_path / "small-1.0.0.raw"
    back = tmp_path / "back.raw"
    subprocess.run(["qemu-img", "convert", "-O", "raw", tmp_path / "small-1.0.0.qcow2", back], check=True)
    assert sha256(back) == sha256(raw)
    with open(raw, "rb") as f:
        blocks = {i: hashlib.sha256(b).digest() for i, b in enumerate(iter(lambda: f.read(BLOCK), b"")) if any(b)}
    assert sent == blocks


def test_options_of_an_ami_want_one(builder, tmp_path):
    r = builder(DISK, "--format", "raw", "-o", str(tmp_path / "out"), "--alias", "/x")
    assert (r.code, "--alias: expected --format ami with it" in r.err, (tmp_path / "out").exists()) == (2, True, False)


def test_two_builds_at_once_make_each_layer_once(builder):
    args = builder.args(RECIPE.format(motd="both"), "--json")
    both = [subprocess.Popen([builder.program, *args], stdout=subprocess.PIPE,
                             env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}) for _ in range(2)]
    events = [json.loads(line) for p in both for line in p.communicate(timeout=300)[0].splitlines()]
    assert [p.returncode for p in both] == [0, 0]
    built = [e["step"] for e in events if e["event"] == "step" and e["state"] == "built"]
    assert sorted(built) == ["clean", "files:/etc/motd", "tests"]


def test_the_cache_is_listed_and_pruned(builder, program, tmp_path):
    r = builder.tool("cache", "list", "--store", builder.store, "--json")
    assert r.code == 0
    listed = json.loads(r.out)
    assert {"base debian:bookworm", "users:alice", "files:/etc/motd"} <= {e["step"] for e in listed}
    shown = builder.tool("cache", "list", "--store", builder.store).out
    assert {line.split()[0] for line in shown.splitlines() if "Z  " in line} == {e["key"] for e in listed}, shown
    assert re.search(r"^[0-9a-f]{64} +\d+ KiB  \S+Z  files:/etc/motd$", shown, re.M), shown
    base = next(e for e in listed if e["step"].startswith("base"))
    r = builder.tool("cache", "prune", "--store", builder.store, "--keep", str(base["bytes"] + (1 << 20)))
    assert r.code == 0 and "removed " in r.out
    left = json.loads(builder.tool("cache", "list", "--store", builder.store, "--json").out)
    assert len(left) <= len(listed)
    assert os.listdir(builder.store / "failed") == []
    r = builder.tool("cache", "prune", "--store", builder.store, "--json")
    assert json.loads(r.out) == {"schema": 1, "removed": 0, "files": 0, "bytes": 0}
    for verb, out in ("list", "0 layers, 0 B"), ("prune", "removed 0 layers and 0 fetched files, 0 B"):
        r = builder.tool("cache", verb, "--store", tmp_path / "none")
        assert r.code == 0 and out in r.out and not (tmp_path / "none").exists(), "a look makes no store"


def test_a_directory_and_a_tar_are_bases_too(builder, tmp_path):
    tree = builder.out / "small-1.0.0"
    for source in (tree, builder.out / "small-1.0.0.tar"):
        r = builder(f"image: {{name: from, from: {source}}}\nfiles: [{{path: /etc/new, content: x}}]\n"
                    "tests: [{run: [cat, /etc/new, /etc/motd], expect: {stdout: quoted}}]\n")
        assert r.code == 0, r.err


def member(name, **more):
    """(header, content) of a tar's member."""
    info = tarfile.TarInfo(name)
    for key, value in more.items():
        setattr(info, key, value)
    return info


def archive(path, *members):
    with tarfile.open(path, "w:gz", format=tarfile.PAX_FORMAT) as tar:
        for info in members:
            tar.addfile(info, io.BytesIO(bytes(info.size)))
    return path


@pytest.mark.parametrize("members, code, text", [
    ([member("../evil", size=1)], 3, "'../evil' leads out of the image"),
    ([member("etc/a", size=1), member("x/../../evil", size=1)], 3, "'x/../../evil' leads out"),
    ([member("sda", type=tarfile.BLKTYPE, devmajor=8)], 3, "'sda' is a device"),
    ([member("dev/sda", type=tarfile.BLKTYPE, devmajor=8)], 3, "'dev/sda' is a device"),
    ([member("mem", type=tarfile.CHRTYPE, devmajor=1, devminor=1)], 3, "'mem' is a device"),
    ([member("dev/x", type=tarfile.CHRTYPE)], 3, "'dev/x' is a device"),
    ([member("zeros", size=700 << 20)], 3, "more than the 512 MiB of the disk"),
    ([member(f"zeros{i}", size=300 << 20) for i in range(2)], 3, "'zeros1' makes it more than the 512 MiB"),
    ([member("sda", type=tarfile.BLKTYPE, devmajor=8, pax_headers={"mtime": "9223372036854775807"})], 3,
     "has an invalid timestamp"),
    ([member("5dev/x", type=tarfile.CHRTYPE, devmajor=1, devminor=1, pax_headers={"mtime": "-9223372036854775808"})], 3,
     "has an invalid timestamp"),
    ([member("out", type=tarfile.SYMTYPE, linkname="{outside}"), member("out/evil", size=1)], 3, "'out/evil' leads out of the image"),
    ([member("hard", type=tarfile.LNKTYPE, linkname="{outside}/secret")], 3, "'hard' is a hard link to a file that the tar has not"),
])
def test_an_archive_that_means_ill_is_refused(builder, tmp_path, members, code, text):
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_text("secret")
    for info in members:
        info.linkname = info.linkname.format(outside=outside)
    path = archive(tmp_path / "base.tar.gz", *members)
    r = builder(f"image: {{name: ill, from: {path}, disk: {{size: 512M}}}}\n")
    assert (r.code, text in r.err) == (code, True), r.err
    assert sorted(os.listdir(outside)) == ["secret"] and sorted(os.listdir(tmp_path)) == ["base.tar.gz", "outside"]
    assert not os.path.exists("/evil")


def test_an_archive_may_have_the_usual_devices(builder, tmp_path):
    path = archive(tmp_path / "base.tar.gz", member("dev", type=tarfile.DIRTYPE, mode=0o755), member("etc", type=tarfile.DIRTYPE, mode=0o755),
                   member("dev/null", type=tarfile.CHRTYPE, devmajor=1, devminor=3, mode=0o666), member("etc/x -> y", size=3))
    r = builder(f"image: {{name: fine, from: {path}}}\n")
    assert r.code == 0, r.err


@pytest.mark.parametrize("image, code, text", [
    ("{name: x, from: amazonlinux:2023}", 1, "add its own as /etc/yum.repos.d/amazonlinux.repo"),
    ("{name: x, from: ubuntu:jammy}", 1, "no source for 'jammy'"),
    ("{name: x}", 3, "'from' is missing"),
])
def test_what_cannot_be_built_is_refused_with_the_way_out(builder, image, code, text):
    r = builder(f"image: {image}\n")
    assert (r.code, text in r.err) == (code, True), r.err
