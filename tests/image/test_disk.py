"""Disks from trees: the same bytes each time, sound by other tools, as overlayfs shows the layers, and they boot."""
import hashlib
import os
import re
import shutil
import signal
import stat
import subprocess
import time

import pytest

import disks

BLOCK = 512 * 1024


@pytest.fixture(scope="session")
def node():
    return disks.rootfs.image() / "root"


@pytest.fixture(scope="session")
def kernel(tmp_path_factory):
    return disks.kernel_layer(tmp_path_factory.mktemp("kernel") / "layer")


@pytest.fixture(scope="session")
def disk(tmp_path_factory, node, kernel):
    return disks.written(tmp_path_factory.mktemp("disk") / "node.raw", node, kernel)


@pytest.fixture
def small(tmp_path):
    """A tree of all kinds of things, with as much of a kernel as the disk looks for."""
    tree = tmp_path / "small"
    for directory in ("boot", "etc/keep", "etc/gone", "etc/opaque/inner", "usr/bin"):
        (tree / directory).mkdir(parents=True)
    (tree / "boot/vmlinuz-6.1.0-9-test").write_bytes(b"kernel")
    (tree / "etc/fstab").write_text("# ours\nUUID=old / ext4 defaults 0 1\nhead:/home /home nfs4 defaults 0 0\n")
    (tree / "etc/keep/a").write_text("a")
    (tree / "etc/gone/b").write_bytes(os.urandom(300_000))
    (tree / "etc/opaque/inner/c").write_text("c")
    (tree / "usr/bin/tool").write_bytes(b"#!" + bytes(3 << 20) + b"end")
    (tree / "usr/bin/tool").chmod(0o4755)
    os.link(tree / "usr/bin/tool", tree / "usr/bin/tool2")
    (tree / "usr/bin/short").symlink_to("tool")
    (tree / "usr/bin/long").symlink_to("x/" * 60 + "tool")
    os.mkfifo(tree / "etc/fifo")
    os.mknod(tree / "etc/node", 0o600 | stat.S_IFBLK, os.makedev(259, 70000))
    os.chown(tree / "etc/keep/a", 70000, 80000)
    os.setxattr(tree / "etc/keep/a", "user.b", b"2")
    os.setxattr(tree / "etc/keep/a", "user.a", b"1")
    return tree


@pytest.fixture
def upper(tmp_path):
    tree = tmp_path / "upper"
    (tree / "etc/opaque").mkdir(parents=True)
    os.mknod(tree / "etc/gone", stat.S_IFCHR, 0)
    os.setxattr(tree / "etc/opaque", "trusted.overlay.opaque", b"y")
    (tree / "etc/opaque/new").write_text("new")
    (tree / "etc/keep").write_text("a file now")
    (tree / "usr/bin").mkdir(parents=True)
    (tree / "usr/bin/tool").write_text("replaced")
    return tree


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def fsck(disk):
    checked = disks.run("e2fsck", "-fn", disks.root(disk))
    assert checked.returncode == 0, checked.stdout + checked.stderr


def changed(a, b):
    count = 0
    with open(a, "rb") as one, open(b, "rb") as two:
        while block := one.read(BLOCK):
            count += block != two.read(BLOCK)
    return count


def test_the_same_tree_elsewhere_and_later_gives_the_same_bytes(disk, node, kernel, tmp_path):
    subprocess.run(["cp", "-a", node, tmp_path / "copy"], check=True)
    time.sleep(1.1)     # times are kept in seconds
    os.utime(tmp_path / "copy/etc/hosts")
    again = disks.written(tmp_path / "again.raw", tmp_path / "copy", kernel)
    assert digest(disk) == digest(again)


def test_another_seed_gives_other_names(disk, node, kernel, tmp_path):
    other = disks.written(tmp_path / "other.raw", node, kernel, seed="another seed")
    ids = [set(re.findall(r"[0-9A-F]{8}-[0-9A-F-]{27}", disks.run("sfdisk", "--dump", path).stdout.split("start=", 1)[0] +
                          " ".join(re.findall("uuid=[^,]*", disks.run("sfdisk", "--dump", path).stdout))))
           for path in (disk, other)]
    assert all(len(found) == 4 for found in ids) and not ids[0] & ids[1], ids


def test_other_tools_find_it_sound(disk, tmp_path):
    checked = disks.run("sgdisk", "-v", disk)
    assert "No problems found" in checked.stdout and "Warning" not in checked.stdout, checked.stdout
    fsck(disk)
    offset, size = disks.part(disk, 2)
    with open(disk, "rb") as whole, open(tmp_path / "esp", "wb") as esp:
        whole.seek(offset)
        esp.write(whole.read(size))
    checked = disks.run("fsck.vfat", "-n", tmp_path / "esp")
    assert checked.returncode == 0, checked.stdout
    assert "BOOTX64.EFI" in disks.run("mdir", "-b", "-i", tmp_path / "esp", "::EFI/BOOT").stdout
    offset, size = disks.part(disk, 3)
    assert offset + size == (2 << 30) - (1 << 20), "the root is last"
    assert os.stat(disk).st_blocks * 512 < 600 << 20, "sparse"


def look(top):
    """Everything in a tree by path: mode, owner, content or target.  Not set-user-ID, which rdump loses by its chown."""
    found = {}
    for base, dirs, files in os.walk(top):
        for name in dirs + files:
            path = os.path.join(base, name)
            st = os.lstat(path)
            what = os.readlink(path) if stat.S_ISLNK(st.st_mode) else digest(path) if stat.S_ISREG(st.st_mode) else ""
            found[os.path.relpath(path, top)] = (stat.filemode(st.st_mode & ~0o6000), st.st_uid, st.st_gid, what)
    return found


def test_layers_are_as_overlayfs_shows_them(small, upper, tmp_path):
    disk = disks.written(tmp_path / "d.raw", small, upper, size="512M")
    fsck(disk)
    (tmp_path / "merged").mkdir()
    (tmp_path / "out").mkdir()
    shown = disks.run("unshare", "-m", "sh", "-c", 'mount -t overlay overlay -o "lowerdir=$1:$2" "$3" && tar -C "$3" -c . | '
                      'tar -C "$4" -xp --numeric-owner', "sh", upper, small, tmp_path / "merged", tmp_path / "out")
    assert shown.returncode == 0, shown.stderr
    (tmp_path / "back").mkdir()
    disks.debugfs(disk, f"rdump / {tmp_path}/back")
    want, have = look(tmp_path / "out"), look(tmp_path / "back")
    assert {"boot/grub/grub.cfg", "boot/grub/i386-pc/core.img", "boot/grub/x86_64-efi/core.efi"} < set(have)
    for found in (have, want):
        for ours in [path for path in found if path.startswith(("lost+found", "boot/grub", "etc/fstab"))]:
            found.pop(ours)
    for special in ("etc/fifo", "etc/node"):    # rdump leaves them out
        want.pop(special)
    assert have == want
    assert "etc/keep" in want and "etc/gone" not in want and "etc/opaque/inner" not in want


def test_links_devices_and_attributes_come_along(small, tmp_path):
    disk = disks.written(tmp_path / "d.raw", small, size="512M")
    fsck(disk)
    tool, tool2 = disks.debugfs(disk, "stat /usr/bin/tool"), disks.debugfs(disk, "stat /usr/bin/tool2")
    assert tool.split()[1] == tool2.split()[1] and "Links: 2" in tool
    assert "Mode:  04755" in tool
    assert "Blockcount: 2056" in tool, "two of its four pieces are zeros, and holes"
    assert "259:70000" in disks.debugfs(disk, "stat /etc/node")
    owned = disks.debugfs(disk, "stat /etc/keep/a")
    assert "User: 70000" in owned and "Group: 80000" in owned
    assert 'user.a (1) = "1"' in owned and 'user.b (1) = "2"' in owned


def test_what_a_layer_removes_is_not_left_to_be_read(small, upper, tmp_path):
    secret = (small / "etc/gone/b").read_bytes()[100_000:100_064]
    assert secret in disks.written(tmp_path / "with.raw", small, size="512M").read_bytes()
    assert secret not in disks.written(tmp_path / "without.raw", small, upper, size="512M").read_bytes()


def test_fstab_and_grub_know_the_disk(small, tmp_path):
    disk = disks.written(tmp_path / "d.raw", small, size="512M", boot="uefi")
    fstab = disks.debugfs(disk, "cat /etc/fstab").splitlines()
    uuid = disks.run("dumpe2fs", "-h", disks.root(disk)).stdout.split("Filesystem UUID:")[1].split()[0]
    assert fstab == [f"UUID={uuid} / ext4 defaults,x-systemd.growfs 0 1", "# ours", "head:/home /home nfs4 defaults 0 0"]
    config = disks.debugfs(disk, "cat /boot/grub/grub.cfg")
    assert f"--set=root {uuid}" in config and "linux /boot/vmlinuz-6.1.0-9-test root=PARTUUID=" in config
    table = disks.run("sfdisk", "--dump", disk).stdout
    assert "21686148" not in table, "no BIOS boot partition with `uefi`"
    assert disk.open("rb").read(440) == bytes(440)


def test_a_stem_saves_work_and_changes_nothing(node, kernel, tmp_path):
    edit = tmp_path / "edit"
    for text in ("one", "two"):
        (edit / "etc").mkdir(parents=True, exist_ok=True)
        (edit / "etc/motd").write_text(text)
        stem = {"stem": tmp_path / "stem", "fresh": 1}
        disks.written(tmp_path / f"{text}.raw", node, kernel, edit, **stem)
        assert (tmp_path / "stem").exists()
    cold = disks.written(tmp_path / "cold.raw", node, kernel, edit)
    assert digest(cold) == digest(tmp_path / "two.raw")
    fsck(cold)
    assert 0 < changed(tmp_path / "one.raw", cold) <= 10
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cold.raw", "edit", "one.raw", "stem", "two.raw"]


def test_a_stem_that_another_keeps_is_left_to_it(small, upper, tmp_path):
    """Two builds of the same layers at once, for two outputs."""
    (tmp_path / ".stem.hpc-work").mkdir()
    with disks.locked(tmp_path / ".stem.hpc-work"):
        disks.written(tmp_path / "one.raw", small, upper, size="512M", stem=tmp_path / "stem", fresh=1)
    assert not (tmp_path / "stem").exists()



def test_a_tree_too_large_is_told_the_size_that_would_do(small, tmp_path):
    for i in range(5):
        (small / f"big{i}").write_bytes(os.urandom(100 << 20))
    output = tmp_path / "d.raw"
    output.write_text("old")
    failed = disks.write(output, small, size="512M")
    assert failed.returncode == 3 and "set image.disk.size to" in failed.stderr, failed.stderr
    assert output.read_text() == "old"
    assert not list(tmp_path.glob(".*"))
    enough = failed.stderr.split("set image.disk.size to ")[1].split()[0]
    fsck(disks.written(output, small, size=enough))


def test_a_tree_without_a_kernel_is_refused(small, tmp_path):
    (small / "boot/vmlinuz-6.1.0-9-test").unlink()
    output = tmp_path / "d.raw"
    output.write_text("old")
    failed = disks.write(output, small, size="512M")
    assert failed.returncode == 3 and "no /boot/vmlinuz-*" in failed.stderr
    assert output.read_text() == "old"
    assert not list(tmp_path.glob(".*"))


def test_killed_it_leaves_the_old_file_and_the_next_run_finishes(disk, node, kernel, tmp_path):
    output = tmp_path / "d.raw"
    output.write_text("old")
    for delay in (0.05, 0.3, 0.6):
        run = subprocess.Popen([disks.PROBE, "write", output, "raw", "2G", "uefi+bios", "a seed", "-", "0", node, kernel],
                               stderr=subprocess.DEVNULL)
        time.sleep(delay)
        run.send_signal(signal.SIGKILL)
        if run.wait() == -signal.SIGKILL:
            assert output.read_text() == "old"
    assert digest(disks.written(output, node, kernel)) == digest(disk)
    assert [path.name for path in tmp_path.iterdir()] == ["d.raw"]


def test_qcow2_holds_the_same_and_is_the_same_each_time(disk, node, kernel, tmp_path):
    one, two = (disks.written(tmp_path / name, node, kernel, form="qcow2") for name in ("one", "two"))
    assert digest(one) == digest(two)
    compared = disks.run("qemu-img", "compare", "-f", "raw", "-F", "qcow2", disk, one)
    assert compared.returncode == 0, compared.stdout


@pytest.fixture(scope="session")
def first_boot(tmp_path_factory):
    """What a node finds out about itself at its first boot, told on the console."""
    layer = tmp_path_factory.mktemp("first-boot") / "layer"
    units, wants = layer / "etc/systemd/system", layer / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (units / "tell.service").write_text(
        "[Unit]\nAfter=local-fs.target systemd-growfs-root.service hpc-ssh-host-keys.service\n"
        "[Service]\nType=oneshot\nStandardOutput=tty\nTTYPath=/dev/ttyS0\n"
        "ExecStart=/bin/sh -c 'echo @@SIZE $(df --output=size -B1 / | tail -1) ID $(cat /etc/machine-id) "
        "KEYS $(ls /etc/ssh/ 2>/dev/null) @@END'\n")
    (wants / "tell.service").symlink_to("../tell.service")
    source = os.environ["HPC_SOURCE"]
    shutil.copy(f"{source}/units/hpc-ssh-host-keys.service", units)
    (wants / "hpc-ssh-host-keys.service").symlink_to("../hpc-ssh-host-keys.service")
    (layer / "etc/ssh").mkdir()
    (layer / "usr/bin").mkdir(parents=True)
    shutil.copy("/usr/bin/ssh-keygen", layer / "usr/bin")
    return layer


@pytest.mark.parametrize("firmware", ["uefi", "bios"])
def test_it_boots_from_a_larger_nvme_volume_and_fills_it(node, kernel, first_boot, firmware, tmp_path):
    disk = disks.written(tmp_path / "d.raw", node, kernel, first_boot)
    os.truncate(disk, 3 << 30)
    told = disks.boot(disk, firmware, "@@END").split("@@SIZE ")[1].split()
    assert int(told[0]) > 2.7 * (1 << 30), told
    assert re.fullmatch("[0-9a-f]{32}", told[2]), told
    assert {"ssh_host_ed25519_key", "ssh_host_rsa_key.pub"} <= set(told), told


def test_the_kernel_before_is_started_where_the_newest_is_not_there(node, kernel, first_boot, tmp_path):
    layer = tmp_path / "links"
    layer.mkdir()
    version, = os.listdir(kernel / "boot")
    (layer / "vmlinuz").symlink_to("boot/vmlinuz-of-an-upgrade-that-was-cut-off")
    (layer / "vmlinuz.old").symlink_to(f"boot/{version}")
    disk = disks.written(tmp_path / "d.raw", node, kernel, first_boot, layer)
    assert "@@SIZE" in disks.boot(disk, "bios", "@@END")


# ---- Secure Boot


@pytest.fixture(scope="session")
def signed(tmp_path_factory):
    """The shim and GRUB that Debian ships, signed; and a unit that tells whether the kernel locked itself, as Debian's does by Secure Boot only."""
    layer, debs = tmp_path_factory.mktemp("signed") / "layer", tmp_path_factory.mktemp("debs")
    subprocess.run(["apt-get", "-q", "download", "shim-signed", "grub-efi-amd64-signed"], cwd=debs, check=True, capture_output=True)
    for deb in debs.iterdir():
        subprocess.run(["dpkg-deb", "-x", deb, layer], check=True)
    wants = layer / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True)
    (wants.parent / "tell.service").write_text(
        "[Unit]\nAfter=local-fs.target\n[Service]\nType=oneshot\nStandardOutput=tty\nTTYPath=/dev/ttyS0\n"
        "ExecStart=/bin/sh -c 'echo @@LOCKDOWN $(cat /sys/kernel/security/lockdown) @@END'\n")
    (wants / "tell.service").symlink_to("../tell.service")
    return layer


def test_it_boots_by_secure_boot(node, kernel, signed, tmp_path):
    disk = disks.written(tmp_path / "d.raw", node, kernel, signed, boot="uefi+secure")
    for firmware, locked in (("uefi+secure", "[integrity]"), ("uefi", "[none]")):
        told = disks.boot(disk, firmware, "@@END", deadline=240).split("@@LOCKDOWN ")[1].split()
        assert locked in told, told
    assert digest(disks.written(tmp_path / "again.raw", node, kernel, signed, boot="uefi+secure")) == digest(disk)


def test_both_loaders_are_verified(node, kernel, signed, tmp_path):
    disk = disks.written(tmp_path / "d.raw", node, kernel, signed, boot="uefi+secure")

    def verdict():
        r = disks.run(os.environ["HPC_IMAGEBUILD"], "verify", disk, "--store", tmp_path / "store")
        return next(line for line in r.stdout.splitlines() if line.split()[1] == "boot")
    assert verdict().split(None, 2) == ["ok", "boot", "a loader for UEFI, by the image's own files of GRUB"]
    esp = f"{disk}@@{disks.part(disk, 1)[0]}"
    lead, asked = tmp_path / "grub.cfg", "::EFI/debian/grub.cfg"
    subprocess.run(["mcopy", "-i", esp, asked, lead], check=True)
    (tmp_path / "evil").write_bytes(lead.read_bytes() + b"set cmdline=init=/evil\n")
    subprocess.run(["mcopy", "-o", "-i", esp, tmp_path / "evil", asked], check=True)
    assert verdict().split(None, 2)[::2] == ["fault", "/EFI/debian/grub.cfg does other than lead GRUB to the image's root"]
    subprocess.run(["mcopy", "-o", "-i", esp, lead, asked], check=True)
    assert verdict().split(None, 2)[0] == "ok"
    (tmp_path / "other").write_bytes((signed / "usr/lib/grub/x86_64-efi-signed/grubx64.efi.signed").read_bytes()[:-1] + b"x")
    subprocess.run(["mcopy", "-o", "-i", esp, tmp_path / "other", "::EFI/BOOT/grubx64.efi"], check=True)
    assert verdict().split(None, 2)[::2] == ["fault", "the GRUB that the shim loads is not the image's own signed one"]
    subprocess.run(["mdel", "-i", esp, "::EFI/BOOT/grubx64.efi"], check=True)
    assert verdict().split(None, 2)[::2] == ["fault", "the shim has no grubx64.efi beside it to load"]


def test_without_a_signature_secure_boot_refuses_it(node, kernel, tmp_path):
    disk = disks.written(tmp_path / "d.raw", node, kernel, boot="uefi")
    assert "@@READY" not in disks.boot(disk, "uefi+secure", "Access Denied")


def test_a_tree_without_signed_loaders_is_refused(node, kernel, signed, tmp_path):
    failed = disks.write(tmp_path / "d.raw", node, kernel, boot="uefi+secure")
    assert failed.returncode == 3 and "add shim-signed to `packages`" in failed.stderr, failed.stderr
    shutil.copytree(signed / "usr/lib/shim", tmp_path / "layer/usr/lib/shim")
    failed = disks.write(tmp_path / "d.raw", node, kernel, tmp_path / "layer", boot="uefi+secure")
    assert failed.returncode == 3 and "add grub-efi-amd64-signed to `packages`" in failed.stderr, failed.stderr
    assert not (tmp_path / "d.raw").exists()
