"""ssh: the command it becomes, and the host keys it knows, against stand-ins of CloudFormation and EC2."""
import base64
import os
import struct
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from fakes.cloudformation import CloudFormation  # noqa: E402
from fakes.instances import Cloud, Instance  # noqa: E402
from fakes.sigcheck import Key  # noqa: E402

PROGRAM = os.environ.get("HPC_CLUSTER", "hpc-cluster")
KEY = Key("AKIAEXAMPLEKEY000001", "canary/secret+key/of/the/person/000000000")
HEAD = "i-0123456789abcdef0"


def key(kind, *parts):
    return base64.b64encode(b"".join(struct.pack(">I", len(p)) + p for p in (kind.encode(), *parts))).decode()


ED = key("ssh-ed25519", bytes(range(32)))
RSA = key("ssh-rsa", b"\1\0\1", b"\0" + b"\x99" * 256)
BLOCK = "-----BEGIN SSH HOST KEY KEYS-----\r\n{}-----END SSH HOST KEY KEYS-----\r\n"
GOOD = "Linux version 6.1\r\n" + BLOCK.format(f"ssh-ed25519 {ED} root@head\r\nssh-rsa {RSA}\r\n") + "\r\nhpc-agent: head ready in 9 s\r\n"


@pytest.fixture
def world(tmp_path):
    with CloudFormation([KEY]) as cfn, Cloud([KEY]) as ec2:
        cfn.stack("c", "CREATE_COMPLETE", outputs={"Head": HEAD, "User": "admin"})
        ec2.instances[HEAD] = Instance(HEAD, "t3.micro", "subnet-1", "eu-west-1a", "ami-1", "", 0, b"", {}, state="running",
                                       address="172.31.5.10", public="198.51.100.7")
        ec2.consoles[HEAD] = GOOD
        yield World(cfn, ec2, tmp_path)


class World:
    def __init__(self, cfn, ec2, home):
        self.cfn, self.ec2, self.home = cfn, ec2, home
        self.file = home / ".ssh" / "hpc-cluster" / HEAD

    def run(self, *args, code=0, **env):
        r = subprocess.run([PROGRAM, "ssh", *args], capture_output=True, text=True, timeout=60, env={
            "PATH": f"{self.home}/bin:/usr/bin:/bin", "HOME": str(self.home), "AWS_REGION": "eu-west-1", "AWS_ACCESS_KEY_ID": KEY.access_key,
            "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_EC2_METADATA_DISABLED": "true", "AWS_ENDPOINT_URL_CLOUDFORMATION": self.cfn.url,
            "AWS_ENDPOINT_URL_EC2": self.ec2.url, **env})
        assert "Sanitizer" not in r.stderr and r.returncode == code, f"{r.returncode}: {r.stdout}{r.stderr}"
        return r

    def options(self, how="yes"):
        return f"-o HostKeyAlias={HEAD} -o UserKnownHostsFile={self.file} -o StrictHostKeyChecking={how}"


def test_dryrun_prints_the_command(world):
    assert world.run("c", "--dryrun").stdout == f"ssh admin@198.51.100.7 {world.options()}\n"
    assert world.run("c", "--dryrun", "--private", "-i", "/k/id rsa", "--user", "me", "--", "-L", "80:x:80", "echo", "it's").stdout == (
        f"ssh me@172.31.5.10 {world.options()} -i '/k/id rsa' -L 80:x:80 echo 'it'\"'\"'s'\n")


def test_keys_come_from_the_console_and_are_kept(world):
    world.run("c", "--dryrun")
    assert world.file.read_text() == f"{HEAD} ssh-ed25519 {ED}\n{HEAD} ssh-rsa {RSA}\n"
    assert world.file.stat().st_mode & 0o777 == 0o600 and world.file.parent.stat().st_mode & 0o777 == 0o700
    assert len(world.ec2.log) == 2
    del world.ec2.consoles[HEAD]  # it scrolled away
    world.run("c", "--dryrun")
    assert len(world.ec2.log) == 3


def test_ssh_is_what_it_becomes(world):
    (world.home / "bin").mkdir()
    (world.home / "bin/ssh").write_text("#!/bin/sh\nprintf '%s\\n' \"$@\"\necho $AWS_REGION\nexit 42\n")
    (world.home / "bin/ssh").chmod(0o755)
    out = world.run("c", "--", "true", code=42).stdout.splitlines()
    assert out[0] == "admin@198.51.100.7" and out[-2:] == ["true", "eu-west-1"]
    assert "running ssh: No such file" in world.run("c", code=1, PATH="/nonexistent").stderr


def test_ssh_itself_takes_the_file(world):
    """What is written is known hosts to ssh-keygen, under the instance's id."""
    world.run("c", "--dryrun")
    found = subprocess.run(["ssh-keygen", "-F", HEAD, "-f", str(world.file)], capture_output=True, text=True)
    assert found.returncode == 0 and ED in found.stdout and RSA in found.stdout


@pytest.mark.parametrize("console", [
    "", "Linux\r\n", BLOCK.format(""), GOOD.split("-----END")[0],
    BLOCK.format(f"ssh-ed25519 {ED[:-8]}\r\n"), BLOCK.format(f"ssh-ed25519 {RSA}\r\n"), BLOCK.format("ssh-ed25519\r\n"),
    BLOCK.format(f"ssh-ed25519 {ED[:20]}[   9.1] usb\r\n{ED[20:]}\r\n"), BLOCK.format(f"ssh-dss {key('ssh-dss', b'x')}\r\n"),
    BLOCK.format(f"ssh-ed25519 {key('ssh-ed25519')}\r\n"), BLOCK.format(f"@cert-authority ssh-ed25519 {ED}\r\n")])
def test_what_is_no_whole_key_is_not_taken(world, console):
    world.ec2.consoles[HEAD] = console
    r = world.run("c", "--dryrun", code=4)
    assert "doesn't tell the keys of its SSH server" in r.stderr and "--accept-new" in r.stderr and not world.file.exists()


def test_the_last_whole_block_counts(world):
    other = key("ssh-ed25519", bytes(32))
    world.ec2.consoles[HEAD] = BLOCK.format(f"ssh-ed25519 {other}\n") + GOOD + "-----BEGIN SSH HOST KEY KEYS-----\r\nssh-ed"
    world.run("c", "--dryrun")
    assert ED in world.file.read_text() and other not in world.file.read_text()


def test_types_that_tell_their_console_late(world):
    world.ec2.instances[HEAD].type = "t2.micro"
    world.run("c", "--dryrun")
    assert ED in world.file.read_text() and len(world.ec2.log) == 3


def test_accept_new_asks_nobody(world):
    del world.ec2.consoles[HEAD]
    assert world.run("c", "--dryrun", "--accept-new").stdout == f"ssh admin@198.51.100.7 {world.options('accept-new')}\n"
    assert len(world.ec2.log) == 1 and world.file.parent.is_dir() and not world.file.exists()


def test_a_head_that_cannot_be_reached(world):
    head = world.ec2.instances[HEAD]
    head.public = ""
    assert "admin@172.31.5.10" in world.run("c", "--dryrun").stdout
    head.state = "stopped"
    assert "is stopped, expected it running" in world.run("c", "--dryrun", code=4).stderr
    del world.ec2.instances[HEAD]
    assert "has no head: its stack is CREATE_COMPLETE" in world.run("c", "--dryrun", code=4).stderr


def test_who_logs_in(world):
    world.cfn.stack("old", "CREATE_COMPLETE", outputs={"Head": HEAD})
    assert "expected --user" in world.run("old", "--dryrun", code=2).stderr
    for user in ("-oProxyCommand=x", "a@b", "a b"):
        assert "expected the name of a user" in world.run("c", "--dryrun", f"--user={user}", code=2).stderr


@pytest.mark.parametrize("home, words", [("", "HOME isn't set"), ("relative", "HOME isn't set"), ("/a%h", "ssh takes no files below")])
def test_homes_without_a_place_for_known_hosts(world, home, words):
    assert words in world.run("c", "--dryrun", code=3, HOME=home).stderr


def test_a_home_with_a_blank(world, tmp_path):
    home = tmp_path / "a b"
    home.mkdir()
    out = world.run("c", "--dryrun", HOME=str(home)).stdout
    assert f"-o 'UserKnownHostsFile=\"{home}/.ssh/hpc-cluster/{HEAD}\"'" in out


def test_missing_rights_are_named(world):
    world.ec2.refused["GetConsoleOutput"] = HEAD
    assert "reading the console of" in world.run("c", "--dryrun", code=4).stderr
