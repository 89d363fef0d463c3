"""Before any work: what can't come about is refused with the way out. After it: the finished tree has what was asked for."""
import json
import os
import subprocess

import pytest

import tiny
from test_build import Builder

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")


@pytest.fixture
def builder(program, tmp_path):
    tiny.make(tmp_path / "tree")
    return Builder(program, tmp_path)


# ---- features ----

def kernel(builder, name, dep, builtin=""):
    folder = builder.folder / "tree/lib/modules" / name
    folder.mkdir(parents=True)
    (folder / "modules.dep").write_text(dep)
    (folder / "modules.builtin").write_text(builtin)


EFA = "kernel/net/other.ko:\nkernel/drivers/infiniband/hw/efa/efa.ko: kernel/drivers/infiniband/core/ib_core.ko\n"
OTHER = "kernel/net/efafs.ko: kernel/net/my-efa.ko\nkernel/efa/x.ko:\n"


@needs_root
@pytest.mark.parametrize("feature, kernels, said", [
    ("efa", {"6.1-a": (EFA,)}, None),
    ("efa", {"6.1-a": (OTHER, "kernel/net/efa.ko\n")}, None),
    ("efa", {"6.1-a": (EFA,), "6.1-b": (OTHER,)}, "recipe.yaml:1:41: feature 'efa': the kernel '6.1-b' in the finished tree has no module 'efa'"),
    ("efa", {}, "the finished tree has no kernel in /lib/modules"),
    ("lustre", {"1": ("updates/kernel/fs/lustre/lustre.ko.zst:\n",)}, None),
    ("lustre", {"1": ("kernel/fs/lustrefs.ko\n",)}, "the kernel '1' in the finished tree has no module 'lustre'"),
    ("nvidia", {"1": ("updates/dkms/nvidia-current.ko:\n",)}, None),
    ("nvidia", {"1": ("extra/nvidia.ko.xz: x.ko\n",)}, None),
    ("nvidia", {"1": ("kernel/drivers/platform/x86/nvidia-wmi-ec-backlight.ko:\n",)}, "no module 'nvidia'"),
])
def test_each_kernel_of_the_tree_has_what_features_ask_for(builder, feature, kernels, said):
    for name, lists in kernels.items():
        kernel(builder, name, *lists)
    text = f"image: {{name: x, from: tree, features: [{feature}]}}\n"
    r = builder(text)
    assert r.code == (1 if said else 0), r.err
    assert not said or ("step 'tests'" in r.err and said in r.err), r.err
    other = builder.tool("provision", builder.recipe(text), "--root", builder.folder / "tree")
    assert other.code == r.code and (not said or said in other.err), other.err


@needs_root
def test_features_are_part_of_the_tests_key(builder):
    kernel(builder, "6.1", EFA + "lustre.ko:\n")
    text = "image: {name: x, from: tree, features: [efa%s]}\n"
    assert list(builder.states(text % "").values()) == ["built"] * 3
    assert builder.states(text % ", lustre")["tests"] == "built"
    assert set(builder.states(text % "").values()) == {"cached"}
    (builder.folder / "top.yaml").write_text("image: {name: top, from: recipe.yaml}\n")
    states = json.loads("[" + ",".join(builder.tool("build", builder.folder / "top.yaml", "--store", builder.store,
                                                    "--json").out.splitlines()) + "]")
    assert [s["state"] for s in states if s.get("step") == "tests" and s["state"] != "running"] == ["built"]


DEBIAN = "image: {{name: x, from: debian:bookworm, features: [{feature}]}}\npackages: {packages}\n"


@pytest.mark.parametrize("feature, packages, more", [
    ("efa", "[linux-image-cloud-amd64, efa]", ""),
    ("efa", "[linux-image-cloud-amd64]", "components: [efa.yaml]\n"),
    ("efa", "[linux-image-cloud-amd64]", "scripts: [{id: efa, content: '#!/bin/sh'}]\n"),
    ("efa", "[linux-image-cloud-amd64]", "copy: [{from: efa.yaml, to: /lib/modules/efa.ko}]\n"),
    ("lustre", "[lustre-client-modules-dkms]", ""),
    ("nvidia", "{names: [linux-headers-cloud-amd64, nvidia-driver]}", ""),
])
def test_what_may_come_about_is_not_refused(builder, feature, packages, more):
    (builder.folder / "efa.yaml").write_text(
        "name: efa\nschemaVersion: 1.0\nphases: [{name: build, steps: [{name: a, action: ExecuteBash, inputs: {commands: [id]}}]}]\n")
    path = builder.recipe(DEBIAN.format(feature=feature, packages=packages) + more)
    assert builder.tool("check", path).code == 0


def test_what_cannot_is_refused_by_each_verb(builder):
    path = builder.recipe(DEBIAN.format(feature="efa", packages="[linux-image-cloud-amd64]"))
    said = "recipe.yaml:1:52: feature 'efa': no package of this image brings it: Debian's kernels are built without EFA"
    (builder.folder / "top.yaml").write_text("image: {name: top, from: recipe.yaml}\n")
    for verb in ("check", "build") if os.geteuid() == 0 else ("check",):
        for recipe in (path, builder.folder / "top.yaml"):
            r = builder.tool(verb, recipe, *(["--store", builder.store] if verb == "build" else []))
            assert (r.code, said in r.err) == (3, True), r.err
    assert not builder.store.exists()
    r = builder.tool("plan", path, "--store", builder.store)
    assert r.code == 0 and "'build' refuses this: " in r.err and said in r.err


# ---- tools and space ----

def without(builder, path, *args):
    """A run on a machine that doesn't have the program, or can't run it."""
    script = 'touch "$0.none" && mount --bind "$0.none" "$1" && shift && exec "$@"'
    return run_in(builder, script, builder.folder / "program", os.path.realpath(path), builder.program, *args)


def run_in(builder, script, *args):
    p = subprocess.run(["unshare", "--mount", "sh", "-c", script, *map(str, args)], cwd=builder.folder,
                       capture_output=True, text=True, timeout=60, check=False)
    assert "Sanitizer" not in p.stderr, p.stderr
    return p


@needs_root
@pytest.mark.parametrize("missing, base, options, package", [
    ("/usr/bin/mmdebstrap", "debian:bookworm", [], "install mmdebstrap"),
    ("/sbin/sfdisk", "tree", ["--format", "raw", "-o", "out"], "install fdisk"),
    ("/sbin/mkfs.vfat", "tree", ["--format", "dir,raw", "-o", "out"], "install dosfstools"),
    ("/usr/bin/qemu-img", "tree", ["--format", "qcow2", "-o", "out"], "install qemu-utils"),
])
def test_a_missing_tool_is_named_with_its_package(builder, missing, base, options, package):
    builder.recipe(f"image: {{name: x, from: {base}}}\n")
    p = without(builder, missing, "build", "recipe.yaml", "--store", "store", *options)
    assert p.returncode == 1 and package in p.stderr and os.path.basename(missing) in p.stderr, p.stderr
    assert not (builder.folder / "out").exists() and not any(builder.folder.glob("store/*/*"))


SMALL = 'mkdir -p small && mount -t tmpfs -o size="$1" none small && shift && exec "$@"'


@needs_root
def test_too_little_space_is_told_before_any_work(builder):
    path = builder.recipe("image: {name: x, from: tree, disk: {size: 512M}}\nfiles: [{path: /boot/vmlinuz-1, content: x}]\n")
    build = [builder.program, "build", path, "--store", "store"]
    p = run_in(builder, SMALL, "sh", "100m", builder.program, "build", path, "--store", "small/a/b")
    assert p.returncode == 1 and "takes about 1024 MiB at 'small/a/b', which has 100: make room there" in p.stderr
    assert p.stderr.count("by --store") == 1 and p.stdout == ""
    # Of a disk its size is enough; with what the last build took, less is.
    p = run_in(builder, SMALL, "sh", "100m", *build, "--format", "raw", "-o", "small/out")
    assert p.returncode == 1 and "takes about 512 MiB at 'small/out', which has 100" in p.stderr
    assert "by --output" in p.stderr and not (builder.folder / "store").exists()
    assert builder.tool("build", path, "--store", "store").code == 0
    p = run_in(builder, SMALL, "sh", "100m", *build, "--format", "raw", "-o", "small/out")
    assert p.returncode == 0 and "small/out/x-1.0.0.raw" in p.stdout, p.stderr
    p = run_in(builder, SMALL, "sh", "20m", *build, "--format", "tar", "-o", "small/out")
    assert p.returncode == 1 and "at 'small/out', which has 20" in p.stderr
    p = run_in(builder, SMALL, "sh", "800m", builder.program, "build", path, "--store", "small/s", "--format", "dir,tar", "-o", "small/o")
    assert p.returncode == 1 and "takes about 3072 MiB at 'small/s'" in p.stderr


# ---- where to ----

@needs_root
@pytest.mark.parametrize("out, said", [
    ("nowhere/deep", "--output: writing to 'nowhere/': No such file"),
    ("recipe.yaml", "--output: 'recipe.yaml' is no directory"),
    ("recipe.yaml/x", "--output: writing to 'recipe.yaml/x': Not a directory"),
    ("", "--output: the value is empty, expected DIR"),
])
def test_an_output_that_cannot_be_written_is_refused(builder, out, said):
    """Not after an hour of building."""
    r = builder("image: {name: x, from: tree}\n", "--format", "tar", "-o", out)
    assert r.code == 2 and said in r.err and not builder.store.exists(), r.err


@needs_root
def test_an_output_that_is_read_only_is_refused(builder):
    path = builder.recipe("image: {name: x, from: tree}\n")
    p = run_in(builder, 'mkdir ro && mount -t tmpfs -o ro none ro && exec "$@"', "sh", builder.program, "build", path,
               "--store", "store", "-o", "ro/out")
    assert p.returncode == 2 and "--output: writing to 'ro/': Read-only file system" in p.stderr, p.stderr
    assert not builder.store.exists()


@needs_root
def test_an_output_is_made_where_it_is_missing(builder):
    r = builder("image: {name: x, from: tree}\n", "--format", "tar", "-o", "new/")
    assert r.code == 0 and (builder.folder / "new/x-1.0.0.tar").exists(), r.err


@needs_root
@pytest.mark.parametrize("name", ["recipe.yaml", "./recipe.yaml"])
def test_files_are_found_from_where_one_is(builder, name):
    """Beside a recipe that is named from its own directory, too, by steps that run elsewhere."""
    (builder.folder / "word").write_text("copied")
    builder.recipe("image: {name: x, from: tree}\ncopy: [{from: word, to: /etc/word}]\n"
                   "tests: [{run: [cat, /etc/word], expect: {stdout: copied}}]\n")
    r = builder.tool("build", name, "--store", "store", "--format", "tar", "-o", "out")
    assert r.code == 0 and (builder.folder / "out/x-1.0.0.tar").exists(), r.err
