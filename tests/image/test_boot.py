"""What `test` makes of a console: with a stand-in for QEMU. A real machine is started by the system tests."""
import pytest

from machine import Machine

LOGIN = "[\\033[0;32m  OK  \\033[0m] Started \\033[0;1;39mserial-getty@ttyS0.service\\033[0m - Serial Getty on ttyS0."
FAILED = "[\\033[0;1;31mFAILED\\033[0m] Failed to start \\033[0;1;39m{}.service\\033[0m - A thing."


def mbr(type=0x83, mark=b"\x55\xaa"):
    """A first sector with one partition."""
    return bytes(446) + bytes([0, 0, 0, 0, type]) + bytes(11 + 48) + mark


@pytest.fixture
def start(program, tmp_path):
    machine = Machine(program, tmp_path)

    def run(*console, args=(), image="disk.raw", end="", then=()):
        (tmp_path / image).write_bytes(b"QFI\xfb" if image.endswith(".qcow2") else mbr())
        fake = tmp_path / "qemu"
        fake.write_text("#!/bin/sh\necho \"$@\" >/argv\n" + "".join(f"printf '{line}\\r\\n'\n" for line in console) + end)
        fake.chmod(0o755)
        return machine.run(["cp", fake, "/usr/bin/qemu-system-x86_64"], [program, "test", tmp_path / image, *args],
                           ["cat", "/argv"], *then)[1:]
    return run


def test_a_login_is_what_it_waits_for(start):
    (status, out, err), argv, left = start("booting", LOGIN, then=[["sh", "-c", "ls -d $(grep -o '/tmp/hpc-imagebuild-[^/]*' /argv) 2>/dev/null"]])
    assert status == 0 and "starts by UEFI" in out, err
    assert "snapshot=on" in argv[1] and "format=raw" in argv[1] and "pflash" in argv[1]
    assert "/tmp/hpc-imagebuild-" in argv[1] and left[1] == ""


def test_firmware_and_format(start):
    (status, out, _), argv = start(LOGIN, args=["--firmware", "bios"], image="a,b.qcow2")
    assert status == 0 and "BIOS" in out
    assert "pflash" not in argv[1] and "format=qcow2" in argv[1] and "a,,b.qcow2" in argv[1]


@pytest.mark.parametrize("console, said", [
    ([FAILED.format("ssh"), LOGIN], "1 failed: [FAILED] Failed to start ssh.service - A thing."),
    ([FAILED.format("ssh"), FAILED.format("chrony"), LOGIN], "2 failed: [FAILED] Failed to start ssh.service"),
    (["[    1.5] Kernel panic - not syncing: VFS"], "Kernel panic - not syncing: VFS"),
    (["GRUB loading"], "it ended before it offered a login"),
    ([], "it ended before it offered a login"),
])
def test_what_fails_it(start, console, said):
    (status, out, err), _ = start(*console)
    assert (status, out) == (1, "") and said in err, err
    assert all(line.split(" - ")[0].split("\\")[0] in err for line in console)


def test_the_agent_has_nothing_to_join(start):
    assert start(FAILED.format("hpc-agent"), LOGIN)[0][0] == 0


def test_a_machine_that_hangs(start):
    (status, _, err), _ = start("Loading...", args=["--deadline", "1s"], end="exec sleep 600\n")
    assert status == 7 and "no login by the deadline" in err and "  Loading..." in err, err


def test_what_is_no_disk(tool, tmp_path):
    r = tool("test", tmp_path / "none.raw")
    assert r.code == 3 and "none.raw" in r.err
    r = tool("test", tmp_path)
    assert r.code == 3 and "is no file, expected a raw or qcow2 disk" in r.err
    assert tool("test", tmp_path / "none.raw", "--firmware", "coreboot").code == 2


@pytest.mark.parametrize("name, content, said", [
    ("hosts", b"127.0.0.1 localhost\n", "has no partition table"),
    ("empty.raw", b"", "has no partition table"),
    ("zeros.raw", bytes(1 << 20), "has no partition table"),
    ("no-part.raw", mbr(type=0), "has no partition table"),
    ("no-mark.raw", mbr(mark=b"\x55\xab"), "has no partition table"),
    ("other.qcow2", mbr(), "is no qcow2 disk, though it is called so")])
def test_what_firmware_would_find_nothing_on(tool, tmp_path, name, content, said):
    """Told at once, not at the deadline of a machine."""
    (tmp_path / name).write_bytes(content)
    r = tool("test", tmp_path / name, guard=10)
    assert r.code == 3 and f"{name}' {said}" in r.err, r.err
