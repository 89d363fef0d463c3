"""Disks as bases: what was written into one comes out of it again, and what is none or damaged is refused."""
import json
import os
import shutil
import stat
import subprocess

import pytest

import disks

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")

@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    return disks.all_kinds(tmp_path_factory.mktemp("tree") / "tree")


@pytest.fixture(scope="module")
def disk(tree, tmp_path_factory):
    return disks.written(tmp_path_factory.mktemp("disk") / "d.raw", tree, size="512M")


def look(top):
    """Everything by its path; times as the writer of disks has them, in seconds and not after its epoch."""
    found = {}
    for base, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(base, name)
            st = os.lstat(path)
            what = os.readlink(path) if stat.S_ISLNK(st.st_mode) else ""
            if stat.S_ISREG(st.st_mode):
                with open(path, "rb") as file:
                    what = file.read()
            xattrs = {x: os.getxattr(path, x, follow_symlinks=False) for x in os.listxattr(path, follow_symlinks=False)}
            links = 0 if stat.S_ISDIR(st.st_mode) else st.st_nlink
            found[os.path.relpath(path, top)] = [stat.filemode(st.st_mode), st.st_uid, st.st_gid, st.st_rdev, links,
                                                 xattrs, what, st.st_mtime_ns]
    return found


def clamped(found, epoch=1577836800):
    return {path: [*rest, min(ns // 10**9, epoch)] for path, (*rest, ns) in found.items()}


def build(tool, folder, source, *more):
    (folder / "recipe.yaml").write_text(f"image: {{name: again, from: {source}, disk: {{size: 512M}}}}\n")
    return tool("build", folder / "recipe.yaml", "--store", folder / "store", *more, guard=200)


OURS = ("usr/lib", "usr/lib/hpc-node", "usr/lib/hpc-node/image-manifest.json")     # put in by any build


def built(tool, folder, source):
    r = build(tool, folder, source, "-o", folder / "out", "--format", "dir")
    assert r.code == 0, r.err
    return {path: what for path, what in look(folder / "out/again-1.0.0").items() if path not in OURS}


def test_what_was_written_comes_out_again(tool, tree, disk, tmp_path):
    want, have = clamped(look(tree)), clamped(built(tool, tmp_path, disk))
    for ours in [path for path in have if path == "etc/fstab" or path.split("/")[:2] == ["boot", "grub"]]:
        have.pop(ours)
    for changed in ("boot", "etc", "usr"):    # directories that got a name more
        assert have.pop(changed)[:4] == want.pop(changed)[:4]
    assert have == want
    assert os.stat(tmp_path / "out/again-1.0.0/etc/sparse").st_blocks * 512 < 4 << 20, "holes stay holes"


def test_the_path_may_be_beside_the_recipe(tool, disk, tmp_path):
    os.link(disk, tmp_path / "beside.raw")
    (tmp_path / "recipe.yaml").write_text("image: {name: again, from: beside.raw, disk: {size: 512M}}\n")
    r = tool("build", "recipe.yaml", "--store", "store", guard=200)
    assert r.code == 0 and f"base {tmp_path}/beside.raw" in r.out, r.out + r.err
    assert "2 cached" in tool("build", "recipe.yaml", "--store", "store", guard=200).out


@pytest.mark.parametrize("kind", ["ext2 -b 1024", "ext3", "ext4 -O inline_data -I 256", "ext4 -b 4096 -O bigalloc -C 65536"])
def test_a_file_system_without_a_table_is_a_disk_too(tool, tree, kind, tmp_path):
    image = tmp_path / "bare.img"
    image.touch()
    os.truncate(image, 200 << 20)
    made = disks.run("mke2fs", "-q", "-F", "-t", *kind.split(), "-d", tree, image)
    assert made.returncode == 0, made.stderr
    want, have = look(tree), built(tool, tmp_path, image)
    for found in (want, have):
        for path in found:    # mke2fs keeps seconds
            found[path][-1] //= 10**9
        assert found.pop("usr")
        if "inline" in kind:    # mke2fs 1.47.0 writes another size
            assert found.pop("etc/sparse")
    assert have == want


def test_the_only_partition_of_linux_is_the_root(tool, tree, tmp_path):
    image = tmp_path / "d.img"
    image.touch()
    os.truncate(image, 200 << 20)
    table = "label: gpt\nstart=2048, size=2048, type=21686148-6449-6E6F-744E-656564454649\n" \
            "start=4096, size=400000, type=0FC63DAF-8483-4772-8E79-3D69D8477DE4\n"
    subprocess.run(["sfdisk", "--quiet", image], input=table, text=True, check=True)
    made = disks.run("mke2fs", "-q", "-F", "-t", "ext4", "-E", f"offset={4096 * 512}", "-d", tree, image, "195m")
    assert made.returncode == 0, made.stderr
    assert set(built(tool, tmp_path, image)) == set(look(tree))


def test_files_beside_the_loader_are_not_lost_in_silence(tool, disk, tmp_path):
    """A disk that is made gets a new partition for UEFI, with the loader alone."""
    table = subprocess.run(["sfdisk", "--json", disk], capture_output=True, check=True).stdout
    esp = next(p for p in json.loads(table)["partitiontable"]["partitions"] if p["type"].startswith("C12A7328"))
    source = tmp_path / "d.raw"
    shutil.copy(disk, source)
    at = f"{source}@@{esp['start'] * 512}"
    (tmp_path / "x").write_text("x")
    for command in (["mmd", "-i", at, "::/EFI/debian", "::/EFI/tools"], ["mcopy", "-i", at, tmp_path / "x", "::/EFI/debian/shimx64.efi"],
                    ["mcopy", "-i", at, tmp_path / "x", "::/EFI/debian/grub.cfg"]):
        subprocess.run(command, check=True)
    assert build(tool, tmp_path, source).code == 0
    for name in ("EFI/tools/Memory test.efi", "startup.nsh"):
        subprocess.run(["mcopy", "-i", at, tmp_path / "x", f"::/{name}"], check=True)
    r = build(tool, tmp_path, source)
    assert r.code == 3 and "its partition for UEFI has " in r.err and "'/startup.nsh'" in r.err and "'/EFI/tools/Memory test.efi'" in r.err, r.err


def qcow2(path):
    whole = path.with_suffix(".q")
    subprocess.run(["qemu-img", "convert", "-O", "qcow2", path, whole], check=True)
    whole.rename(path)


def mbr(path):
    disks.poke(path, 0, bytes(2 << 20))
    subprocess.run(["sfdisk", "--quiet", path], input="label: dos\n2048,,L\n", text=True, check=True)


def root_of(path):
    return disks.part(path, 3)[0]


REFUSED = {
    "an empty file": (lambda p: os.truncate(p, 0), 3, "isn't a file with a disk in it"),
    "another format": (qcow2, 3, "is a qcow2 file; expected a raw disk"),
    "no disk at all": (lambda p: disks.poke(p, 0, bytes(200 << 20)), 3, "neither a GPT nor a file system"),
    "an MBR": (mbr, 3, "MBR's partition table, expected a GPT"),
    "a root of xfs": (lambda p: disks.poke(p, root_of(p), b"XFSB" + bytes(4096)), 3, "its root is xfs"),
    "no file system": (lambda p: disks.poke(p, root_of(p), bytes(4096)), 3, "no file system that is known here"),
    "one not unmounted": (lambda p: disks.edit(p, "feature needs_recovery"), 3, "was not unmounted"),
    "a changed table": (lambda p: disks.poke(p, 2 * 512 + 40, b"\x99"), 5, "its entries have a wrong checksum"),
    "a changed header": (lambda p: disks.poke(p, 512 + 40, b"\x99"), 5, "its header has a wrong checksum"),
    "a part of a disk": (lambda p: os.truncate(p, 300 << 20), 5, "it is of a larger disk"),
    "a damaged directory": (lambda p: disks.edit(p, "clri /etc/many"), 5, "e2fsck finds it damaged"),
    "a device": (lambda p: disks.edit(p, "mknod sda b 8 0"), 3, "is a device, which an image gets"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_what_is_no_sound_disk_is_refused(tool, disk, what, tmp_path):
    spoil, code, text = REFUSED[what]
    image = tmp_path / "d.raw"
    shutil.copy(disk, image)
    spoil(image)
    r = build(tool, tmp_path, image)
    assert (r.code, text in r.err) == (code, True), r.err
    assert not list((tmp_path / "store/layers").glob("*")) if (tmp_path / "store").exists() else True


def test_more_than_fits_the_disk_is_refused(tool, tmp_path):
    bare = tmp_path / "bare.img"
    bare.touch()
    os.truncate(bare, 700 << 20)
    (tmp_path / "t").mkdir()
    with open(tmp_path / "t/big", "wb") as file:
        for _ in range(530):
            file.write(b"x" * (1 << 20))
    assert disks.run("mke2fs", "-q", "-F", "-t", "ext4", "-d", tmp_path / "t", bare).returncode == 0
    r = build(tool, tmp_path, bare)
    assert r.code == 3 and "'/big': more than 512 MiB" in r.err, r.err
