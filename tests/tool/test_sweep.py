"""`bootstrap` below a root while everything goes wrong: killed at a system call, or a call fails. Never a false OK, nothing lost, and
the next run makes it good. A fixed choice of the calls; all of them with HPC_TEST_FULL."""
import errno
import os
import re
import shutil
import stat
import subprocess

import pytest

import accidents
import tiny
from accidents import ERRORS, FULL

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="a root of its own needs root")

SAMPLE = 5                      # of each accident and document
DOCUMENTED = {0, 1, 3, 4, 5, 6, 7, 8}
OLD = "of the administrator\n" * 50
FILES = """\
hostname: node1
files:
- {path: /etc/motd, content: "new\\n"}
- {path: /etc/app/a.conf, content: "a\\n", mode: "0640"}
- {path: /srv/data, state: directory, mode: "0750"}
- {path: /etc/link, state: link, target: /etc/motd}
- {path: /etc/old, state: absent}
limits: {nofile: 65536}
sysctl: {net.core.somaxconn: 4321}
"""
USERS = FILES + """\
groups: [{name: lab, gid: 3000}]
users: [{name: alice, uid: 2000, groups: [lab]}]
"""
PROGRAMS = ["/usr/sbin/useradd", "/usr/sbin/usermod", "/usr/sbin/groupadd", "/usr/sbin/groupmod", "/bin/mkdir", "/bin/cp", "/bin/mv", "/bin/rm", "/bin/chown"]
# What shadow's programs leave beside their files, by themselves and when they are killed.
SHADOWS = re.compile(r"etc/(passwd|shadow|group|gshadow|subuid|subgid)([-+]|\.\d+|\.lock)$|etc/\.pwd\.lock$|var/(log|mail|spool)\b")


class Machine:
    """A root, made anew for each accident, and what it is when all went well."""

    def __init__(self, program, base, spec):
        self.program, self.base, self.root = program, base, base / "root"
        self.template = tiny.make(base / "template", PROGRAMS)
        etc = self.template / "etc"
        for name, text in {"motd": OLD, "old": "x\n", "login.defs": "UID_MIN 1000\nUSERGROUPS_ENAB yes\nCREATE_HOME yes\n", "shadow": "root:*:1::::::\n",
                           "gshadow": "root:*::\n", "subuid": "", "subgid": "", "hosts": "127.0.0.1 localhost\n"}.items():
            (etc / name).write_text(text)
        (etc / "skel").mkdir()
        for name in ("one", "two", "three"):
            (etc / "skel" / name).write_text(name * 100)
        (self.template / "home").mkdir()
        (base / "spec.yaml").write_text(spec)
        assert self.fresh() == 0
        self.total = {}
        self.right = self.look()
        assert self.look()["etc/motd"][-1] == b"new\n"

    def run(self, *how, verb="bootstrap"):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ASAN_OPTIONS": "detect_leaks=0", "AWS_EC2_METADATA_DISABLED": "true"}
        return subprocess.run([*how, self.program, verb, "--root", self.root, "--config", f"file:{self.base}/spec.yaml"], env=env,
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def fresh(self, *how, **more):
        """A new root and a run below it: its status."""
        shutil.rmtree(self.root, ignore_errors=True)
        subprocess.run(["cp", "-al", self.template, self.root], check=True)
        # What is written in place must not be the template's.
        for name in ("etc", "home", "var"):
            shutil.rmtree(self.root / name)
            subprocess.run(["cp", "-a", self.template / name, self.root / name], check=True)
        self.said = self.run(*how, **more)
        return self.said.returncode

    def disturbed(self, at, accident, verb="bootstrap"):
        status = self.fresh(*accidents.prefix(self.base / "report", at, accident), verb=verb)
        return accidents.judged(status, self.said.stderr), *accidents.told(self.base / "report")

    def loaded(self, accident):
        return accidents.loaded(self.program, self.base / "report", accident)

    def calls(self, accident, verb="bootstrap"):
        """Which of the calls have the accident."""
        _, total, _ = self.disturbed(0, accident, verb)
        everything = range(2, total + 1)  # the first executes the program
        if not FULL:
            own = everything[self.loaded(accident):]
            return accidents.sample(own, SAMPLE, f"{accident}{verb}")
        return everything

    def look(self):
        found = {}
        for folder, folders, files in os.walk(self.root):
            for path in (os.path.join(folder, name) for name in folders + files):
                name = os.path.relpath(path, self.root)
                st = os.lstat(path)
                if SHADOWS.search(name) or name.startswith(("usr/", "bin/", "lib", "run")):
                    continue
                content = os.readlink(path) if stat.S_ISLNK(st.st_mode) else open(path, "rb").read() if stat.S_ISREG(st.st_mode) else None
                found[name] = (stat.filemode(st.st_mode), st.st_uid, st.st_gid, content)
        return found

    def differences(self):
        now = self.look()
        return {name: (now.get(name), self.right.get(name)) for name in now.keys() | self.right.keys() if now.get(name) != self.right.get(name)}

    def judge(self, status, where):
        """What holds after whatever happened, and after the next run."""
        if status == 0:
            assert not self.differences(), (where, "a false OK", self.differences())
        motd = self.look().get("etc/motd", (None,))[-1]
        assert motd in (OLD.encode(), b"new\n"), (where, "lost")
        assert "root:x:0:" in (self.root / "etc/passwd").read_text(), (where, "passwd is lost")
        again = self.run()
        assert again.returncode == 0, (where, again.stderr)
        assert not self.differences(), (where, self.differences())


@pytest.fixture(scope="module", params=["files", "users"])
def machine(request, program, tmp_path_factory):
    return Machine(program, tmp_path_factory.mktemp(request.param), {"files": FILES, "users": USERS}[request.param])


@pytest.mark.parametrize("who", accidents.KILLS)
def test_killed(machine, who):
    for at in machine.calls(who):
        status, _, call = machine.disturbed(at, who)
        assert status in DOCUMENTED | {137}, (at, call, machine.said.stderr)
        machine.judge(status, (who, at, call))


@pytest.mark.parametrize("error", ERRORS)
def test_failing_calls(machine, error):
    number = str(getattr(errno, error))
    for at in machine.calls(number):
        status, _, call = machine.disturbed(at, number)
        # 127 and a crash are the loader's, before the program has begun; an abort is out of memory, or the sanitizer's in its own calls.
        early = {127, 139} if at <= machine.loaded(number) else set()
        assert status in DOCUMENTED | early or (error == "ENOMEM" and status == 134), (error, at, call, machine.said.stderr)
        if status in DOCUMENTED - {0}:
            assert "hpc-agent: " in machine.said.stderr, (error, at, call)
        machine.judge(status, (error, at, call))


@pytest.mark.parametrize("error", ERRORS)
def test_a_plan_changes_nothing_whatever_fails(machine, error):
    number = str(getattr(errno, error))
    machine.fresh("true")
    before = machine.look()
    for at in machine.calls(number, "plan"):
        status, _, call = machine.disturbed(at, number, "plan")
        early = {127, 139} if at <= machine.loaded(number) else set()
        assert status in DOCUMENTED - {0} | early | {10, 134}, (error, at, call, machine.said.stderr)
        assert machine.look() == before, (error, at, call)


def test_a_home_is_its_owners_before_it_appears(program, tmp_path):
    """chown(1) ends well where it could not go into a directory."""
    machine = Machine(program, tmp_path, USERS)
    machine.fresh("true")
    chown = machine.root / "bin/chown"
    chown.rename(machine.root / "bin/chown.kept")
    shutil.copy("/bin/true", chown)
    r = machine.run()
    assert r.returncode == 1 and "is still 0:0's" in r.stderr, r.stderr
    assert not (machine.root / "home/alice").exists()
    (machine.root / "bin/chown.kept").rename(chown)
    assert machine.run().returncode == 0 and not machine.differences()
