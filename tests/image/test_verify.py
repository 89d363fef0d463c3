"""Looking into images that are finished: what they carry, and how two of them differ."""
import hashlib
import json
import os
import re
import shutil
import stat
import subprocess

import pytest

import disks

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="unpacking needs root")

DPKG = "Package: {0}\nStatus: install ok installed\nArchitecture: amd64\nVersion: {1}\n\n"


@pytest.fixture(scope="module")
def built(program, tmp_path_factory):
    """One image in three forms, its recipe beside it."""
    folder = tmp_path_factory.mktemp("built")
    tree = disks.all_kinds(folder / "tree")
    (tree / "var/lib/dpkg").mkdir(parents=True)
    (tree / "var/lib/dpkg/status").write_text(DPKG.format("one", "1.0") + DPKG.format("two", "2.0"))
    (tree / "lib/modules/6.1.0-9-test").mkdir(parents=True)
    (folder / "recipe.yaml").write_text("""\
image: {name: v, from: tree, disk: {size: 512M}}
files: [{path: /root/.ssh/authorized_keys, content: "ssh-ed25519 AAAA me\\n", mode: "0600"}]
""")
    r = disks.run(program, "build", folder / "recipe.yaml", "--store", folder / "store", "-o", folder,
                  "--format", "dir,tar,raw,qcow2")
    assert r.returncode == 0, r.stderr
    r = disks.run(program, "build", folder / "recipe.yaml", "--store", folder / "store", "-o", folder / "small",
                  "--format", "dir,tar,raw,qcow2", "--compress")
    assert r.returncode == 0, r.stderr
    return folder


@pytest.fixture
def look(tool, tmp_path):
    def run(verb, *args, **more):
        r = tool(verb, *args, "--store", tmp_path / "store", guard=200, **more)
        left = list((tmp_path / "store/work").glob("*")) if (tmp_path / "store").exists() else []
        assert not left, "what was unpacked is gone again"
        return r
    return run


def verdicts(r):
    return [(v["check"], v["state"], v["what"]) for v in map(json.loads, r.out.splitlines()) if v.get("event") != "phase"]


# ---- verify


@pytest.mark.parametrize("form", ["v-1.0.0", "v-1.0.0.tar", "v-1.0.0.raw", "v-1.0.0.qcow2",
                                  "small/v-1.0.0.tar.zst", "small/v-1.0.0.raw.zst", "small/v-1.0.0.qcow2"])
def test_an_image_that_was_built_is_sound(look, built, form):
    r = look("verify", built / form, "--recipe", built / "recipe.yaml", "--json")
    found = verdicts(r)
    assert r.code == 0 and {state for _, state, _ in found} == {"ok"}, r.out + r.err
    phases = [e["what"] for e in map(json.loads, r.out.splitlines()) if e.get("event") == "phase"]
    assert phases[0] == "opening the image" and phases[-2:] == ["searching for what no image may have", "comparing the manifest"]
    disk = ["partition-table", "file-system", "boot", "kernel", "fstab"] if form.endswith(("raw", "raw.zst", "qcow2")) else []
    assert not disk or found[2][2] == "a loader for UEFI and one for BIOS, by the image's own files of GRUB"
    assert [check for check, _, _ in found] == [*disk, "hygiene", "manifest"]


def test_compressed_files_hold_the_same_and_are_smaller(program, tool, built):
    small = built / "small"
    assert sorted(p.name for p in small.iterdir()) == ["v-1.0.0", "v-1.0.0.qcow2", "v-1.0.0.raw.zst", "v-1.0.0.spdx.json", "v-1.0.0.tar.zst"]
    for form in ("tar", "raw"):
        packed = small / f"v-1.0.0.{form}.zst"
        assert subprocess.run(["zstd", "-qdc", packed], capture_output=True, check=True).stdout == (built / f"v-1.0.0.{form}").read_bytes()
        assert packed.stat().st_size < (built / f"v-1.0.0.{form}").stat().st_size / 2
    disks.run("qemu-img", "compare", built / "v-1.0.0.qcow2", small / "v-1.0.0.qcow2")
    assert (small / "v-1.0.0.qcow2").stat().st_size < (built / "v-1.0.0.qcow2").stat().st_size / 2
    before = {p.name: p.stat().st_ino for p in small.iterdir()}
    again = [program, "build", built / "recipe.yaml", "--store", built / "store", "-o", small, "--format", "tar,raw,qcow2"]
    assert disks.run(*again, "--compress").returncode == 0
    assert {p.name: p.stat().st_ino for p in small.iterdir()} == before, "what is there is kept"
    for args, says in ((["--format", "ami", "--compress", "-o", small], "an AMI is made of a raw disk"), (["--compress"], "expected --output DIR")):
        r = tool("build", built / "recipe.yaml", "--store", built / "store", *args)
        assert r.code == 2 and says in r.err
    r = tool("test", small / "v-1.0.0.raw.zst")
    assert r.code == 3 and "is compressed: expected the raw disk in it" in r.err


def test_without_its_recipe_what_that_put_in_is_a_fault(look, built):
    r = look("verify", built / "v-1.0.0")
    assert r.code == 5 and "fault  hygiene          authorized-keys: '/root/.ssh/authorized_keys'" in r.out, r.out
    assert "its manifest says why it is there: the recipe puts it in" in r.out


def test_what_has_a_reason_is_a_note(look, built, tmp_path):
    """Which is told with the recipe; what that allows in vain is told as well."""
    recipe = tmp_path / "recipe.yaml"
    recipe.write_text((built / "recipe.yaml").read_text().replace("from: tree", f"from: {built}/tree") + """\
allow: [{rule: authorized-keys, path: /root, reason: the admin's}, {rule: aws-keys, path: /opt/x, reason: none}]
""")
    r = look("verify", built / "v-1.0.0", "--recipe", recipe)
    assert r.code == 0, r.out + r.err
    assert "note   hygiene          authorized-keys: '/root/.ssh/authorized_keys' is allowed: the admin's" in r.out
    assert "note   hygiene          the recipe allows what is not there: aws-keys: '/opt/x'" in r.out


def no_loader(path):
    subprocess.run(["mdel", "-i", f"{path}@@{disks.part(path, 2)[0]}", "::EFI/BOOT/BOOTX64.EFI"], check=True)


def another_fstab(path):
    other = path.with_name("fstab")
    other.write_text("UUID=00000000-0000-0000-0000-000000000000 / ext4 defaults 0 1\n")
    disks.edit(path, "rm /etc/fstab", f"write {other} /fstab", "ln fstab /etc/fstab", "unlink fstab")


def behind(path):
    os.truncate(path, 600 << 20)
    subprocess.run(["sgdisk", "-e", "-n", "9:0:0", path], check=True, capture_output=True)


def no_copy(path):
    disks.poke(path, (512 << 20) - 512, bytes(512))


def secret(path):
    key = path.with_name("key")
    key.write_text("-----BEGIN RSA PRIVATE " + "KEY-----\n" + 4 * "MIIEpAIBAAKCAQEA" + "\n")
    disks.edit(path, f"write {key} /leaked.pem")


def flipped(part, at):
    def spoil(path):
        start = disks.part(path, part)[0] if part else 0
        with open(path, "r+b") as f:
            f.seek(start + at)
            byte = f.read(1)[0]
            f.seek(start + at)
            f.write(bytes([byte ^ 1]))
    return spoil


def no_own_grub(path):
    disks.edit(path, *(f"rm /boot/grub/{name}" for name in ("i386-pc/boot.img", "i386-pc/core.img", "x86_64-efi/core.efi")))


def without_files(spoil):
    def both(path):
        no_own_grub(path)
        spoil(path)
    return both


def another_loader(path):
    other = path.with_name("BOOTX64.EFI")
    other.write_bytes(b"MZ" + bytes(4096))
    subprocess.run(["mcopy", "-o", "-i", f"{path}@@{disks.part(path, 2)[0]}", other, "::EFI/BOOT/BOOTX64.EFI"], check=True)


SPOILED = {
    "BIOS code zeroed": (lambda p: disks.poke(p, 0, bytes(440)), "fault  boot ", "has no GRUB"),
    "most of the BIOS code zeroed": (lambda p: disks.poke(p, 100, bytes(340)), "fault  boot ", "is not the image's own boot.img"),
    "a bit of the BIOS code": (flipped(0, 0x120), "fault  boot ", "is not the image's own boot.img"),
    "GRUB elsewhere": (flipped(0, 0x5c), "fault  boot ", "doesn't begin GRUB's partition"),
    "a bit of GRUB for BIOS": (flipped(1, 9000), "fault  boot ", "is not the image's own core.img"),
    "a part of GRUB for BIOS, no files": (without_files(lambda p: disks.poke(p, disks.part(p, 1)[0] + 4096, bytes(4096))), "fault  boot ", "has parts missing"),
    "another loader for UEFI": (another_loader, "fault  boot ", "is not the image's own GRUB"),
    "no loader for UEFI, no files": (without_files(another_loader), "fault  boot ", "BOOTX64.EFI is no application for UEFI"),
    "the table's copy is gone": (no_copy, "fault  partition-table  the copy: ", "no header where one should be"),
    "a partition behind the root": (behind, "fault  partition-table  the root is not the last", ""),
    "no loader for UEFI": (no_loader, "fault  boot             the EFI system partition has no loader", ""),
    "no GRUB for BIOS": (lambda p: disks.poke(p, disks.part(p, 1)[0], bytes(1 << 20)), "fault  boot ", "has no GRUB"),
    "no kernel": (lambda p: disks.edit(p, "rm /boot/vmlinuz-6.1.0-9-test"), "fault  kernel           no /boot/vmlinuz-*", ""),
    "another disk's fstab": (another_fstab, "fault  fstab ", "names another root: UUID=00000000"),
    "no fstab": (lambda p: disks.edit(p, "rm /etc/fstab"), "fault  fstab            /etc/fstab has no line for /", ""),
    "a secret": (secret, "fault  hygiene          private-keys: '/leaked.pem'", ""),
    "modules that nobody told of": (lambda p: disks.edit(p, "mkdir /lib/modules/7.0"), "fault  manifest ", "doesn't name is there: 7.0"),
}


@pytest.mark.parametrize("what", SPOILED)
def test_each_fault_is_told(look, built, what, tmp_path):
    spoil, line, more = SPOILED[what]
    shutil.copy(built / "v-1.0.0.raw", tmp_path / "d.raw")
    spoil(tmp_path / "d.raw")
    r = look("verify", tmp_path / "d.raw", "--recipe", built / "recipe.yaml", "--quiet")
    assert r.code == 5, r.out + r.err
    assert [text for text in r.out.splitlines() if text.startswith(line) and more in text], r.out
    assert len(r.out.splitlines()) == 1, r.out


def test_a_damaged_file_system_is_not_looked_into(look, built, tmp_path):
    shutil.copy(built / "v-1.0.0.raw", tmp_path / "d.raw")
    disks.edit(tmp_path / "d.raw", "clri /etc/many")
    r = look("verify", tmp_path / "d.raw")
    assert r.code == 5 and "e2fsck finds it damaged" in r.err, r.err


def test_without_files_of_grub_the_form_is_told(look, built, tmp_path):
    shutil.copy(built / "v-1.0.0.raw", tmp_path / "d.raw")
    no_own_grub(tmp_path / "d.raw")
    r = look("verify", tmp_path / "d.raw", "--recipe", built / "recipe.yaml")
    assert r.code == 0 and "a loader for UEFI and one for BIOS, by its form: " in r.out, r.out


def test_qcow2(look, built, tmp_path):
    r = look("diff", built / "v-1.0.0.raw", built / "v-1.0.0.qcow2")
    assert (r.code, r.out) == (0, ""), r.out + r.err
    subprocess.run(["qemu-img", "create", "-q", "-f", "qcow2", "-F", "raw", "-b", built / "v-1.0.0.raw", tmp_path / "over.qcow2"], check=True)
    r = look("verify", tmp_path / "over.qcow2")
    assert r.code == 3 and "its content is in other files" in r.err, r.err
    (tmp_path / "none.qcow2").write_bytes(bytes(4096))
    r = look("verify", tmp_path / "none.qcow2")
    assert r.code == 3 and "it is no qcow2 disk of version 2 or 3" in r.err, r.err
    shutil.copy(built / "v-1.0.0.qcow2", tmp_path / "cut.qcow2")
    disks.poke(tmp_path / "cut.qcow2", 40, b"\xff" * 8)
    r = look("verify", tmp_path / "cut.qcow2")
    assert r.code == 5 and "reading the qcow2 disk" in r.err, r.err


def rewritten(tree, change):
    path = tree / "usr/lib/hpc-node/image-manifest.json"
    manifest = json.loads(path.read_text())
    change(manifest)
    path.write_text(json.dumps(manifest))


MANIFESTS = {
    "another version": (lambda m: m["packages"][0].update(version="1.1"),
                        {"a package it names is not there: one 1.1 amd64", "a package it doesn't name is there: one 1.0 amd64"}),
    "another database": (lambda m: m.update({"package-database-sha256": 64 * "0"}),
                         {"the package manager's database is not the one it was written for"}),
    "a kernel more": (lambda m: m["kernels"].append("9.9"), {"a kernel's modules it names is not there: 9.9"}),
    "another schema": (lambda m: m.update(schema=2), {"its schema is 2, expected 1"}),
}


@pytest.mark.parametrize("what", MANIFESTS)
def test_a_manifest_that_does_not_fit_is_told(look, built, what, tmp_path):
    change, want = MANIFESTS[what]
    shutil.copytree(built / "v-1.0.0/usr/lib", tmp_path / "t/usr/lib")
    for folder in ("lib/modules/6.1.0-9-test", "var/lib/dpkg"):
        (tmp_path / "t" / folder).mkdir(parents=True)
    shutil.copy(built / "v-1.0.0/var/lib/dpkg/status", tmp_path / "t/var/lib/dpkg")
    rewritten(tmp_path / "t", change)
    r = look("verify", tmp_path / "t", "--json")
    assert r.code == 5 and {what for check, state, what in verdicts(r) if state == "fault"} == want, r.out


def test_the_longest_path_is_still_json(look, tmp_path):
    folder = os.fsencode(tmp_path / "t") + 8 * (b"/" + 250 * b"\1")
    os.makedirs(folder)
    os.mknod(folder + b"/anyone", 0o666 | stat.S_IFREG)
    os.chmod(folder + b"/anyone", 0o666)
    r = look("verify", tmp_path / "t", "--json")
    assert r.code == 5 and any(what.count("\1") == 2000 for _, _, what in verdicts(r)), r.out


def test_a_directory_may_have_a_long_path(look, tmp_path):
    top = tmp_path.joinpath(*10 * [240 * "d"])
    (top / "etc/ssh").mkdir(parents=True)
    (top / "etc/ssh/ssh_host_rsa_key").write_text("x")
    r = look("verify", top)
    assert r.code == 5 and "ssh-host-keys: '/etc/ssh/ssh_host_rsa_key'" in r.out, r.out + r.err


def test_an_image_without_a_manifest_is_not_at_fault(look, tmp_path):
    (tmp_path / "t/etc").mkdir(parents=True)
    r = look("verify", tmp_path / "t")
    assert r.code == 0 and "note   manifest         the image has none" in r.out, r.out


@pytest.mark.parametrize("verb", ["verify", "diff"])
@pytest.mark.parametrize("name, content, text", [
    ("none", None, "opening 'none': No such file"),
    ("r.yaml", "image: {}", "'r.yaml' is a recipe, expected an image"),
    ("text.raw", "no disk", "neither a GPT nor a file system"),
    ("text.tar", "no tar", "text.tar': Unrecognized archive format"),
])
def test_what_is_no_image_is_refused(look, verb, name, content, text, tmp_path):
    if content:
        (tmp_path / name).write_text(content)
    r = look(verb, name, *([name] if verb == "diff" else []))
    assert r.code == 3 and text in r.err, r.err
    assert r.out == ""


# ---- diff


def test_forms_of_one_image_are_the_same(look, built):
    r = look("diff", built / "v-1.0.0", built / "v-1.0.0.tar")
    assert (r.code, r.out) == (0, ""), r.out + r.err
    r = look("diff", built / "v-1.0.0.tar", built / "v-1.0.0.raw")
    told = r.out.splitlines()
    assert r.code == 10 and all(line.startswith("+ file ") for line in told), r.out
    assert all(re.match(r"/boot/grub(/|$)|/etc/fstab$", line.split()[2]) for line in told), told


def test_two_disks_are_compared_outside_of_their_roots_too(look, built, tmp_path):
    disk, other = built / "v-1.0.0.raw", tmp_path / "d.raw"
    shutil.copy(disk, other)
    assert look("diff", disk, other).code == 0
    no_loader(other)
    disks.poke(other, 100, b"boot code")
    disks.edit(other, "rm /etc/random")
    r = look("diff", disk, other)
    assert r.code == 10
    digest = "bytes sha256:[0-9a-f]{16}"
    random = hashlib.sha256((built / "v-1.0.0/etc/random").read_bytes()).hexdigest()[:16]
    for line, form in zip(r.out.splitlines(), (f"~ disk    disk: boot-code 440 {digest} -> 440 {digest}",
                                               f"~ disk    partition 2 .esp.: content {64 << 20} {digest} -> {64 << 20} {digest}",
                                               f"- file    /etc/random [0-9]+ bytes sha256:{random}"), strict=True):
        assert re.fullmatch(form, line), line


@pytest.fixture
def pair(tmp_path):
    """Two trees, with one of each difference there can be."""
    for name in ("a", "b"):
        top = tmp_path / name
        for folder in ("etc/sub", "var/lib/dpkg"):
            (top / folder).mkdir(parents=True)
        for file in ("same", "content", "length", "mode", "owner", "type", "xattr"):
            (top / "etc" / file).write_text("12345")
        (top / "etc/link").symlink_to(name)
        os.mknod(top / "etc/node", 0o600 | stat.S_IFCHR, os.makedev(1, 3 if name == "a" else 5))
        (top / f"etc/only in\n{name}").mkdir()
        (top / f"etc/only in\n{name}/below").touch()
        (top / "var/lib/dpkg/status").write_text(
            DPKG.format("both", "1") + DPKG.format("changed", "1" if name == "a" else "2") + DPKG.format(f"only-{name}", "3"))
    b = tmp_path / "b/etc"
    (b / "content").write_text("12346")
    (b / "length").write_text("123456")
    (b / "mode").chmod(0o4711)
    os.chown(b / "owner", 7, 8)
    (b / "type").unlink()
    (b / "type").mkdir()
    os.setxattr(b / "xattr", "user.x", b"\x01")
    os.utime(b / "same", (1, 1))
    return tmp_path / "a", tmp_path / "b"


def told_as(text):
    return f"{len(text)} bytes sha256:{hashlib.sha256(text.encode()).hexdigest()[:16]}"


def test_each_difference_is_told(look, pair):
    r = look("diff", *pair, "--json")
    assert r.code == 10
    told = {(d["of"], d["name"]): (d["state"], {k: (v["from"], v["to"]) for k, v in d["changes"].items()})
            for d in map(json.loads, r.out.splitlines())}
    told.pop(("file", "/var/lib/dpkg/status"))
    assert told == {
        ("package", "changed:amd64"): ("changed", {"version": ("1", "2")}),
        ("package", "only-a:amd64"): ("removed", {"version": ("3", None)}),
        ("package", "only-b:amd64"): ("added", {"version": (None, "3")}),
        ("file", "/etc/content"): ("changed", {"content": (told_as("12345"), told_as("12346"))}),
        ("file", "/etc/length"): ("changed", {"content": (told_as("12345"), told_as("123456"))}),
        ("file", "/etc/mode"): ("changed", {"mode": ("0644", "4711")}),
        ("file", "/etc/owner"): ("changed", {"owner": ("0:0", "7:8")}),
        ("file", "/etc/type"): ("changed", {"type": ("file", "directory"), "mode": ("0644", "0755")}),
        ("file", "/etc/xattr"): ("changed", {"attributes": ("", "user.x=01")}),
        ("file", "/etc/link"): ("changed", {"target": ("a", "b")}),
        ("file", "/etc/node"): ("changed", {"device": ("1:3", "1:5")}),
        ("file", "/etc/only in\na"): ("removed", {}),
        ("file", "/etc/only in\na/below"): ("removed", {"content": (told_as(""), None)}),
        ("file", "/etc/only in\nb"): ("added", {}),
        ("file", "/etc/only in\nb/below"): ("added", {"content": (None, told_as(""))}),
    }
    plain = look("diff", *pair).out.splitlines()
    assert len(plain) == len(told) + 1, "a name with a newline is one line"
    assert "~ package changed:amd64: version 1 -> 2" in plain and "+ package only-b:amd64 3" in plain
    assert "~ file    /etc/mode: mode 0644 -> 4711" in plain
    assert look("diff", *pair, "--quiet").out == ""
    assert look("diff", pair[0], pair[0]).code == 0
