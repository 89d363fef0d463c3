"""shell: a look into an image, or into the step that failed; what it changes is gone, and so is it, whatever ends it."""
import json
import os
import pty
import re
import shlex
import signal
import stat
import subprocess
import time

import pytest

import tiny
from test_build import Builder, mounts, processes_about

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")

RECIPE = """\
image: {name: shell, from: tree}
files: [{path: /etc/word, content: good}]
scripts:
  - id: last
    content: |
      #!/bin/sh
      echo one >/made-by-it
      for i in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31 32; do echo "line $i."; done
      exit 0
"""
FAILING = RECIPE.replace("exit 0", "exit 9")


class Shell(Builder):
    @property
    def command(self):
        return [self.program, "shell", str(self.folder / "recipe.yaml"), "--store", str(self.store)]

    def look(self, *args, guard=60):
        r = self.tool("shell", self.folder / "recipe.yaml", "--store", self.store, *args, guard=guard)
        assert not [m for m in mounts() if m.startswith(str(self.folder))]
        assert os.listdir(self.store / "work") == []
        return r


@pytest.fixture(scope="module")
def shell(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("shell")
    tiny.make(folder / "tree")
    os.mknod(folder / "tree/disk", 0o600 | stat.S_IFBLK, os.makedev(7, 0))
    s = Shell(program, folder)
    r = s(RECIPE)
    assert r.code == 0, r.err
    return s


@pytest.fixture
def failed(shell):
    r = shell(FAILING)
    assert r.code == 1
    yield r
    assert shell(RECIPE).code == 0


@pytest.mark.parametrize("command, code, out", [
    (["cat", "/etc/word"], 0, "good"),
    (["sh", "-c", "exit 37"], 37, ""),
    (["sh", "-c", "kill -9 $$"], 137, ""),
    (["sh", "-c", "echo $0 $*", "--", "-a", "b c", "$(id)"], 0, "-- -a b c $(id)\n"),
    (["sh", "-c", "echo $PATH $HOME"], 0, "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin /root\n"),
    (["sh", "-c", "cd /proc && echo $$ && cat sys/kernel/hostname && ls /sys/class/net"], 0, "2\nimage\nlo\n"),
])
def test_a_command_in_the_image(shell, command, code, out):
    r = shell.look("--", *command)
    assert (r.code, r.out, r.err) == (code, out, "")


def test_disks_and_network_of_this_machine_are_out_of_reach(shell):
    """A device in the image can't be opened, none be made in /dev, and the network not be changed even where it is shared."""
    r = shell.look("--", "sh", "-c", "cat /disk; echo >/dev/sda; echo x >/dev/null && ls -l /dev/null")
    assert "/disk: Permission denied" in r.err and "/dev/sda: Read-only file system" in r.err and "1, 3" in r.out, r
    r = shell.look("--", "cat", "/proc/self/status")
    bounding = int(re.search(r"CapBnd:\s*(\w+)", r.out)[1], 16)
    for capability in (9, 12, 16, 17, 21):      # immutable, net_admin, sys_module, sys_rawio, sys_admin
        assert not bounding >> capability & 1, capability


def test_a_command_that_cannot_be_run(shell):
    r = shell.look("--", "nowhere")
    assert r.code == 127 and "running 'nowhere' in the image: No such file" in r.err
    r = shell.look("--", "/etc/word")
    assert r.code == 126 and "Permission denied" in r.err


def test_changes_are_thrown_away(shell):
    change = "echo bad >/etc/word; rm -r /root; echo x >/new; cat /etc/word"
    r = shell.look("--", "sh", "-c", change)
    assert (r.code, r.out) == (0, "bad\n"), r.err
    r = shell.look("--", "sh", "-c", "cat /etc/word; test -d /root -a ! -e /new")
    assert (r.code, r.out) == (0, "good"), r.err
    assert set(shell.states(RECIPE).values()) == {"cached"}


def test_input_is_passed_on(shell):
    p = subprocess.run([*shell.command], cwd=shell.folder,
                       input=b"cat /etc/word\nexit 5\n", capture_output=True, timeout=60, check=False)
    assert (p.returncode, p.stdout) == (5, b"good"), p.stderr


def test_what_is_not_built_is_named_with_the_way_out(shell, tmp_path):
    shell.recipe(RECIPE.replace("good", "unbuilt"))
    r = shell.look("--", "cat", "/etc/word")
    assert r.code == 1 and f"'files:/etc/word' is not in the store: hpc-imagebuild build {shell.folder}/recipe.yaml\n" in r.err, r.err
    r = shell.tool("shell", shell.folder / "recipe.yaml", "--store", tmp_path / "none")
    assert r.code == 1 and "is not in the store" in r.err and not (tmp_path / "none").exists()
    shell.recipe(RECIPE)
    r = shell.look("--failed", "--", "cat")
    assert r.code == 1 and "recipe.yaml' in this store did not fail" in r.err


def test_a_failed_build_says_how_to_look_and_that_works(shell, failed):
    assert "step 'last'" in failed.err and "  | last: line 32.\n" in failed.err and "| last: line 2." not in failed.err
    assert len(re.findall(r"^  \| ", failed.err, re.M)) == 30
    command = re.search(r"to look inside:  (hpc-imagebuild .*)", failed.err)[1]
    words = shlex.split(command)
    r = shell.tool(*words[1:], "--", "sh", "-c", "cat /made-by-it /etc/word; rm /made-by-it")
    assert (r.code, r.out) == (0, "one\ngood"), r.err
    shell.recipe(FAILING.replace("good", "edited since"))
    r = shell.look("--failed", "--", "cat", "/made-by-it", "/etc/word")
    assert (r.code, r.out) == (0, "one\ngood"), r.err
    r = shell.tool("cache", "prune", "--store", shell.store, "--keep", "20G")
    assert r.code == 0
    r = shell.look("--failed", "--", "cat")
    assert r.code == 1 and "'last' is not in the store" in r.err


def test_a_failure_as_events(shell, failed):
    r = shell(FAILING, "--json")
    last, error = map(json.loads, r.out.splitlines()[-2:])
    assert error["event"] == "error" and error["text"] in r.err
    assert last["event"] == "failed" and last["step"] == "last" and len(last["lines"]) == 30
    assert last["look"] in failed.err and last["tree"] in failed.err and last["log"] in failed.err


def test_names_that_need_quotes(shell):
    folder = shell.folder / "it's a folder"
    folder.mkdir()
    recipe = folder / "-x $(id).yaml"
    recipe.write_text(FAILING.replace("from: tree", "from: ../tree"))
    r = shell.tool("build", recipe, "--store", shell.store)
    assert r.code == 1
    words = shlex.split(re.search(r"to look inside:  (hpc-imagebuild .*)", r.err)[1])
    assert words[1:] == ["shell", "--failed", "--store", str(shell.store), str(recipe)]
    assert shell.tool(*words[1:], "--", "cat", "/made-by-it").out == "one\n"


def on_terminal(shell, *args):
    pid, fd = pty.fork()
    if pid == 0:
        os.execve(shell.program, [*shell.command, *args],
                  {"PATH": "/usr/bin:/bin", "TERM": "xterm-test"})
    return pid, fd


def read_until(fd, text):
    got = b""
    give_up = time.monotonic() + 60
    while text not in got and time.monotonic() < give_up:
        try:
            got += os.read(fd, 1000)
        except OSError:  # the other side is closed
            break
    assert text in got, got
    return got


def test_it_has_the_terminal(shell):
    pid, fd = on_terminal(shell)
    read_until(fd, b"# ")
    os.write(fd, b"test -t 0 && echo $TERM >&2\n")
    read_until(fd, b"\nxterm-test")
    os.write(fd, b"sleep 600; echo went-on $((40 + 2))\n")
    time.sleep(0.3)
    os.write(fd, b"\x03")  # ends what the shell runs, not the shell
    read_until(fd, b"# ")
    os.write(fd, b"echo here $((40 + 2)); exit 6\n")
    read_until(fd, b"here 42")
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 6
    os.close(fd)
    assert os.listdir(shell.store / "work") == []


@pytest.mark.parametrize("sig, status, left", [(signal.SIGTERM, 143, 0), (signal.SIGHUP, 129, 0), (signal.SIGKILL, -9, 1)])
def test_ended_from_outside_all_of_it_goes(shell, sig, status, left):
    marker = f"shell-{os.getpid()}-{int(sig)}"
    p = subprocess.Popen([*shell.command, "--", "sh", "-c",
                          f"(sleep 600; : {marker}) & sh -c 'echo up; sleep 600; : {marker}'; :"],
                         stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"up\n"
    p.send_signal(sig)
    assert p.wait(timeout=30) == status
    p.stdout.close()
    give_up = time.monotonic() + 20
    while processes_about(marker) and time.monotonic() < give_up:
        time.sleep(0.02)
    assert not processes_about(marker)
    assert not [m for m in mounts() if m.startswith(str(shell.folder))]
    assert len(os.listdir(shell.store / "work")) == left
    assert shell.tool("cache", "prune", "--store", shell.store).code == 0
    assert os.listdir(shell.store / "work") == []


def test_what_is_looked_at_is_not_pruned(shell):
    p = subprocess.Popen([*shell.command, "--", "sh", "-c",
                          "echo up; cat; cat /etc/word"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert p.stdout.readline() == b"up\n"
    there = len(os.listdir(shell.store / "layers"))
    assert shell.tool("cache", "prune", "--store", shell.store, "--keep", "1").code == 0
    assert 0 < len(os.listdir(shell.store / "layers")) <= there
    assert p.communicate(timeout=30)[0] == b"good" and p.returncode == 0
    assert shell(RECIPE).code == 0
