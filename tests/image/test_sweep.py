"""`build` while everything goes wrong: killed at a system call, or a call fails. No output is half, no false OK, and the next build
with the same store makes the same image. A fixed choice of the calls; two hundred of each kind with HPC_TEST_FULL."""
import errno
import hashlib
import os
import shutil
import subprocess

import pytest

import accidents
import tiny
from test_build import mounts, processes_about

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")

SAMPLE = 200 if accidents.FULL else 2  # of each accident
DOCUMENTED = {0, 1, 3, 4, 5, 6, 7}
RECIPE = """\
image: {name: swept, from: tree}
files: [{path: /etc/app/a.conf, content: "a\\n", mode: "0640"}]
scripts: [{id: last, content: "#!/bin/sh\\necho 1 >/made\\n"}]
tests: [{run: [cat, /made], expect: {stdout: "1\\n"}}]
"""


class Build:
    """A build with a store of its own, made anew for each accident, and what comes out when all goes well."""

    def __init__(self, program, base):
        self.program, self.base = program, base
        self.store, self.out = base / "store", base / "out"
        tiny.make(base / "tree")
        (base / "recipe.yaml").write_text(RECIPE)
        assert self.run() == 0, self.said.stderr
        self.right = self.made()
        assert set(self.right) == {"swept-1.0.0.tar", "swept-1.0.0.spdx.json"}

    def run(self, *how):
        self.said = subprocess.run([*how, self.program, "build", self.base / "recipe.yaml", "--store", self.store, "-o", self.out,
                                    "--format", "tar"], env={"PATH": os.environ["PATH"], "ASAN_OPTIONS": "detect_leaks=0"},
                                   stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=300)
        return self.said.returncode

    def disturbed(self, at, accident):
        for folder in (self.store, self.out):
            shutil.rmtree(folder, ignore_errors=True)
        report = self.base / "report"
        status = self.run(*accidents.prefix(report, at, accident))
        return accidents.judged(status, self.said.stderr), *accidents.told(report)

    def calls(self, accident):
        status, total, _ = self.disturbed(0, accident)
        assert status == 0, self.said.stderr
        first = accidents.loaded(self.program, self.base / "report", accident) + 1
        return accidents.sample(range(first, total + 1), SAMPLE, accident)

    def made(self):
        """The outputs that somebody might take, by their names."""
        if not self.out.exists():
            return {}
        return {p.name: hashlib.sha256(p.read_bytes()).hexdigest() for p in self.out.iterdir() if not p.name.startswith(".")}

    def judge(self, status, where):
        made = self.made()
        assert all(self.right[name] == digest for name, digest in made.items()), (where, "half an output")
        assert status != 0 or made == self.right, (where, "a false OK")
        assert self.run() == 0, (where, self.said.stderr)
        assert self.made() == self.right, (where, "another image")
        assert os.listdir(self.store / "work") == [], where
        assert not [m for m in mounts() if m.startswith(str(self.base))], where
        assert not processes_about(str(self.store)), where


@pytest.fixture(scope="module")
def build(program, tmp_path_factory):
    return Build(program, tmp_path_factory.mktemp("sweep"))


@pytest.mark.parametrize("who", accidents.KILLS)
def test_killed(build, who):
    for at in build.calls(who):
        status, _, call = build.disturbed(at, who)
        assert status in DOCUMENTED | {137}, (at, call, build.said.stderr)
        build.judge(status, (who, at, call))


@pytest.mark.parametrize("error", accidents.ERRORS)
def test_failing_calls(build, error):
    number = str(getattr(errno, error))
    for at in build.calls(number):
        status, _, call = build.disturbed(at, number)
        # An abort is out of memory, or the sanitizer's in its own calls.
        assert status in DOCUMENTED or (error == "ENOMEM" and status == 134), (at, call, build.said.stderr)
        if status in DOCUMENTED - {0}:
            assert "hpc-imagebuild: " in build.said.stderr, (at, call)
        build.judge(status, (error, at, call))
