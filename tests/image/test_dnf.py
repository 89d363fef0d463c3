"""Bases of rpm packages, from a repository made here: nothing of it needs a network."""
import json
import os
import shutil
import stat
import subprocess
import tarfile

import pytest

import disks
from program import Tool

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")

# A system in miniature: a shell that is busybox, and dnf and rpm that are scripts for it.
SPEC = r"""
Name: basesystem
Version: 11
Release: 1
Summary: x
License: none
Vendor: Somebody
Provides: filesystem

%description
x
@package system-release
@package bash
Provides: /bin/sh
Requires: basesystem
@package coreutils
Requires: /bin/sh
@package dnf
Requires: coreutils
@package tool
Requires: toollib coreutils
%post -n tool
(id -u; pwd; test -c /dev/null && test -r /proc/self/stat && test -d /sys/kernel && echo mounted) >/etc/tool.post
@package toollib
Epoch: 2
@package served
Requires: tool
@package broken
Requires: /bin/sh
%post -n broken
exit 3
@package needy
Requires: nobody-has-it
@package kernel

%install
cd %{buildroot}
mkdir -p etc/systemd/system/multi-user.target.wants usr/bin usr/lib/systemd/system usr/share/toollib usr/share/served boot lib/modules/6.1.0-9.amzn var/tmp
printf 'ID=amzn\nVERSION_ID=2023\n' >etc/os-release
cp /bin/busybox usr/bin
for i in sh; do ln -s busybox usr/bin/$i; done
for i in cat id test pwd touch; do ln -s busybox usr/bin/$i; done
ln -s usr/bin bin
printf '#!/bin/sh\necho "$*" >>/etc/dnf.called\nexec touch /usr/share/added\n' >usr/bin/dnf
printf '#!/bin/sh\ntest -e /usr/share/added && echo installed added 1-1\n' >usr/bin/rpm
chmod 755 usr/bin/dnf usr/bin/rpm
echo one >usr/bin/tool
echo two >usr/share/toollib/data
chmod 640 usr/share/toollib/data
echo kernel >boot/vmlinuz-6.1.0-9.amzn
echo initramfs >boot/initramfs-6.1.0-9.amzn.img
echo 'id = AKIAQ7ZX2M4K9P3R5T6W' >usr/share/served/example
touch usr/lib/systemd/system/served.service
ln -s /usr/lib/systemd/system/served.service etc/systemd/system/multi-user.target.wants
touch -d 2024-05-06T07:08:09Z usr/share/toollib/data

%files
/bin
%dir %attr(1777, root, root) /var/tmp
%files -n system-release
/etc/os-release
%files -n bash
/usr/bin/busybox
/usr/bin/sh
%files -n coreutils
/usr/bin/cat
/usr/bin/id
/usr/bin/test
/usr/bin/pwd
/usr/bin/touch
%files -n dnf
/usr/bin/dnf
/usr/bin/rpm
%files -n tool
/usr/bin/tool
%files -n toollib
/usr/share/toollib/data
%files -n served
/usr/share/served
/usr/lib/systemd/system/served.service
/etc/systemd/system/multi-user.target.wants/served.service
%files -n broken
%files -n needy
%files -n kernel
/boot/*
/lib/modules/6.1.0-9.amzn
"""
RECIPE = "image: {{name: small, from: {}, disk: {{size: 512M}}}}\npackages: [{}]\n"
REPO = "[small]\nname=small\nbaseurl=file://{}\n{}\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    top = tmp_path_factory.mktemp("rpm")
    spec = "\n".join(f"%package -n {line.split()[1]}\nSummary: x\n%description -n {line.split()[1]}\nx"
                     if line.startswith("@package") else line for line in SPEC.splitlines())
    # What belongs to a package stands before its description.
    lines, kept = spec.splitlines(), []
    for line in lines:
        if line.startswith(("Provides: /", "Requires:", "Epoch:")):
            at = max(i for i, text in enumerate(kept) if text.startswith("%description"))
            kept.insert(at, line)
        else:
            kept.append(line)
    (top / "small.spec").write_text("\n".join(kept) + "\n")
    made = disks.run("rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}/build", "--define", f"_rpmdir {top}/packages",
                     "--define", "_build_id_links none", top / "small.spec", env={"PATH": os.environ["PATH"], "HOME": str(top)})
    assert made.returncode == 0, made.stderr
    return indexed(top / "packages")


def indexed(packages):
    subprocess.run(["createrepo_c", "--quiet", packages], check=True)
    return packages


class Builder:
    """Builds with files of its own in /etc/yum.repos.d."""

    def __init__(self, program, folder):
        self.folder = folder
        self.repos = folder / "etc/yum.repos.d"
        self.repos.mkdir(parents=True)
        (folder / "bin").mkdir()
        self.within = Tool("/usr/bin/unshare", folder)
        self.argv = ["-m", "sh", "-c", 'mount -t overlay overlay -o "lowerdir=$0/etc:/etc" /etc && '
                     'mount -t overlay overlay -o "lowerdir=$0/bin:/usr/bin" /usr/bin && exec "$@"', folder, program]

    def repo(self, file, text):
        (self.repos / file).write_text(text)

    def without(self, program):
        os.mknod(self.folder / "bin" / program, stat.S_IFCHR, 0)    # as overlayfs has what is removed

    def __call__(self, recipe, *more, store="store"):
        (self.folder / "recipe.yaml").write_text(recipe)
        return self.within(*self.argv, "build", self.folder / "recipe.yaml", "--store", self.folder / store, *more, guard=200)


@pytest.fixture
def builder(program, tmp_path, repository):
    b = Builder(program, tmp_path)
    b.repo("amazonlinux.repo", REPO.format(repository, "gpgcheck=0"))
    return b


def test_the_tree_is_the_packages(builder, tool, tmp_path):
    r = builder(RECIPE.format("amazonlinux:2023", "tool") + "tests: [{run: [cat, /etc/tool.post], expect: {stdout: \"0\\n/\\nmounted\\n\"}}]\n",
                "-o", tmp_path / "out", "--format", "dir,tar")
    assert r.code == 0, r.err
    assert "repository 'small' are taken without a check of their signatures" in r.err
    tree = tmp_path / "out/small-1.0.0"
    assert (tree / "usr/share/toollib/data").read_text() == "two\n"
    assert (tree / "usr/share/toollib/data").stat().st_mode & 0o7777 == 0o640
    assert {name: oct((tree / name).stat().st_mode & 0o7777) for name in ("proc", "sys", "dev", "var/tmp")} == \
        {"proc": "0o555", "sys": "0o555", "dev": "0o755", "var/tmp": "0o1777"}
    left = [p for folder in ("proc", "sys", "dev", "var/cache", "var/log", "var/lib/dnf", "root") for p in (tree / folder).rglob("*")
            if p.name != "dnf" or not p.is_dir()]
    assert left == [] and sorted(p.name for p in (tree / "var/lib/rpm").iterdir()) == [".rpm.lock", "rpmdb.sqlite"]
    manifest = json.loads((tree / "usr/lib/hpc-node/image-manifest.json").read_text())
    assert (manifest["distribution"], manifest["package-database"]) == ("amzn", "rpm")
    assert [(p["name"], p["version"], p["source"]) for p in manifest["packages"]] == [
        ("basesystem", "11-1", "basesystem"), ("bash", "11-1", "basesystem"), ("coreutils", "11-1", "basesystem"),
        ("dnf", "11-1", "basesystem"), ("system-release", "11-1", "basesystem"), ("tool", "11-1", "basesystem"),
        ("toollib", "2:11-1", "basesystem")]
    sbom = (tmp_path / "out/small-1.0.0.spdx.json").read_text()
    assert "pkg:rpm/amzn/toollib@11-1?arch=x86_64&epoch=2&distro=amzn-2023" in sbom
    r = tool("verify", tree)
    assert r.code == 0 and "ok     manifest         it fits" in r.out, r.out


def test_what_an_rpm_package_shipped_is_no_leak(builder, tmp_path):
    """Its content, and that it enables its unit: by rpm's database. What isn't as it was shipped is one."""
    (tmp_path / "below.yaml").write_text(RECIPE.format("amazonlinux:2023", "served"))
    scripts = 'scripts: [{id: leak, content: "#!/bin/sh\\ncd /usr/share/served; cat example >copied; echo >>example\\n"}]\n'
    r = builder("image: {name: small, from: below.yaml, disk: {size: 512M}}\n" + scripts)
    assert r.code == 3, r.err
    assert "aws-keys: '/usr/share/served/copied' at byte 5" in r.err and "aws-keys: '/usr/share/served/example' at byte 5" in r.err, r.err
    assert "served.service" not in r.err, r.err


def test_two_builds_are_equal(builder, tmp_path):
    tars = []
    for name in ("one", "two"):
        assert builder(RECIPE.format("amazonlinux:2023", "tool"), "-o", tmp_path / name, "--format", "tar", store=name + ".store").code == 0
        tars.append(tmp_path / name / "small-1.0.0.tar")
    assert tars[0].read_bytes() == tars[1].read_bytes()
    r = builder(RECIPE.format("amazonlinux:2023", "tool"), store="one.store")
    assert "0 built, 2 cached" in r.out, r.out


def test_the_database_is_where_the_distribution_looks(builder, repository, tmp_path):
    builder.repo("fedora.repo", REPO.format(repository, "gpgcheck=0"))
    assert builder(RECIPE.format("fedora:41", "tool=11"), "-o", tmp_path / "out", "--format", "dir").code == 0
    assert (tmp_path / "out/small-1.0.0/usr/lib/sysimage/rpm/rpmdb.sqlite").exists()
    assert not (tmp_path / "out/small-1.0.0/var/lib/rpm").exists()


def test_its_disk_starts_what_an_rpm_kernel_brings(builder, tool, tmp_path):
    r = builder(RECIPE.format("amazonlinux:2023", "tool, kernel"), "-o", tmp_path / "out", "--format", "raw,tar")
    assert r.code == 0, r.err
    disk = tmp_path / "out/small-1.0.0.raw"
    config = disks.debugfs(disk, "cat /boot/grub/grub.cfg")
    assert "linux /boot/vmlinuz-6.1.0-9.amzn" in config and "initrd /boot/initramfs-6.1.0-9.amzn.img" in config
    with tarfile.open(tmp_path / "out/small-1.0.0.tar") as tar:
        assert tar.getmember("./usr/share/toollib/data").mtime == 1714979289, "the image is not older than its packages"
    r = tool("verify", disk, "--store", tmp_path / "store")
    assert r.code == 0, r.out + r.err


def test_packages_over_it_are_installed_by_its_own_dnf(builder, tmp_path):
    (tmp_path / "below.yaml").write_text(RECIPE.format("amazonlinux:2023", "tool"))
    r = builder(RECIPE.format("below.yaml", "added"), "-o", tmp_path / "out", "--format", "dir")
    assert r.code == 0, r.err
    assert (tmp_path / "out/small-1.0.0/etc/dnf.called").read_text() == "-y -q --setopt=install_weak_deps=False install added\n"


def test_without_an_rpm_here_its_packages_are_not_known(builder, tmp_path):
    recipe = RECIPE.format("amazonlinux:2023", "tool")
    assert builder(recipe, "-o", tmp_path / "known", "--format", "dir").code == 0
    builder.without("rpm")
    r = builder.within(*builder.argv, "verify", tmp_path / "known/small-1.0.0")
    assert r.code == 0 and "note   manifest         its packages are not compared: no rpm here" in r.out, r.out + r.err
    r = builder(f"image: {{name: small, from: {tmp_path}/known/small-1.0.0}}\n", "-o", tmp_path / "out", "--format", "dir")
    assert r.code == 0, r.err
    manifest = json.loads((tmp_path / "out/small-1.0.0/usr/lib/hpc-node/image-manifest.json").read_text())
    assert manifest["package-database"] is None and manifest["packages"] == []


@pytest.mark.parametrize("missing", ["dnf", "rpm"])
def test_without_a_tool_it_says_what_to_install(builder, missing):
    builder.without(missing)
    r = builder(RECIPE.format("amazonlinux:2023", "tool"))
    assert r.code == 1 and f"install {missing}" in r.err, r.err


def test_a_script_that_fails_is_told(builder):
    r = builder(RECIPE.format("amazonlinux:2023", "broken"))
    assert r.code == 0 and "Error in POSTIN scriptlet in rpm package broken" in r.err, r.err


@pytest.fixture(scope="module")
def signed(repository, tmp_path_factory):
    """The same packages signed, and the key to check that."""
    top = tmp_path_factory.mktemp("signed")
    env = {"PATH": os.environ["PATH"], "HOME": str(top), "GNUPGHOME": str(top / "gnupg")}
    (top / "gnupg").mkdir(mode=0o700)
    for name in ("small", "other"):
        made = disks.run("gpg", "--batch", "--passphrase", "", "--quick-generate-key", f"{name}@example.com", "ed25519", "sign", "never", env=env)
        assert made.returncode == 0, made.stderr
        key = disks.run("gpg", "--batch", "--armor", "--export", f"{name}@example.com", env=env)
        (top / f"{name}.key").write_text(key.stdout)
    shutil.copytree(repository, top / "packages")
    made = disks.run("rpmsign", "--define", "_gpg_name small@example.com", "--define", "__gpg /usr/bin/gpg", "--addsign", *(top / "packages").rglob("*.rpm"), env=env)
    assert made.returncode == 0, made.stderr
    disks.run("gpgconf", "--homedir", top / "gnupg", "--kill", "all")
    indexed(top / "packages")
    return top


def test_signatures_are_checked(builder, signed, repository):
    builder.repo("amazonlinux.repo", REPO.format(signed / "packages", f"gpgkey=file://{signed}/small.key"))
    r = builder(RECIPE.format("amazonlinux:2023", "tool"))
    assert (r.code, r.err) == (0, ""), r.err
    for repo in (REPO.format(signed / "packages", f"gpgkey=file://{signed}/other.key"), REPO.format(repository, f"gpgkey=file://{signed}/small.key")):
        builder.repo("amazonlinux.repo", repo)
        r = builder(RECIPE.format("amazonlinux:2023", "tool"), store="store2")
        assert r.code == 5 and "installing with dnf" in r.err, r.err


@pytest.mark.parametrize("repos, package, code, text", [
    ({}, "tool", 1, "no repository for it: add its own as /etc/yum.repos.d/amazonlinux.repo"),
    ({"rocky.repo": "gpgcheck=0", "amazonlinux.repo.off": "gpgcheck=0"}, "tool", 1, "no repository for it"),
    ({"amazonlinux.repo": "gpgcheck=0\nenabled = False"}, "tool", 1, "no repository for it"),
    ({"AmazonLinux-extra.repo": "gpgcheck=0"}, "nothing", 1, "Unable to find a match: nothing"),
    ({"amazonlinux.repo": "gpgcheck=0"}, "needy", 1, "installing with dnf"),
    ({"amazonlinux.repo": "gpgcheck=0\n[gone]\nname=gone\nbaseurl=file:///nowhere\ngpgcheck=0"}, "tool", 1, "for repo 'gone'"),
    ({"amazonlinux.repo": ""}, "tool", 1, "the repository 'small' of /etc/yum.repos.d has no gpgkey="),
])
def test_what_cannot_be_installed_is_an_error(builder, repository, repos, package, code, text):
    (builder.repos / "amazonlinux.repo").unlink()
    for file, more in repos.items():
        builder.repo(file, REPO.format(repository, more))
    r = builder(RECIPE.format("amazonlinux:2023", package))
    assert (r.code, text in r.err) == (code, True), r.err
    assert not list((builder.folder / "store/layers").glob("*")) if (builder.folder / "store").exists() else True
