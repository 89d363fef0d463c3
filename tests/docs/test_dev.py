"""`dev` takes the words it says it takes, and no other."""
import os
import subprocess
from pathlib import Path

import pytest

SOURCE = Path(os.environ.get("HPC_SOURCE") or Path(__file__).resolve().parents[2])


def dev(*words, **env):
    return subprocess.run([SOURCE / "dev", *words], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", **env}, timeout=30)


@pytest.mark.parametrize("words", [
    [], ["nonsense"], ["demo", "--wander"], ["demo", "--walk", "x"], ["test", "foo"], ["test", ""], ["test", "unit", "more"], ["test", "--full", "x"],
    ["package", "x"], ["setup", "x"], ["build", "x"], ["bench", "x"], ["bench", ""], ["bench", "fleet", "x"], ["fuzz", "soon"], ["fuzz", "1", "2"]], ids=" ".join)
def test_unknown_words_are_refused(words):
    r = dev(*words)
    assert r.returncode == 2 and r.stderr.startswith("usage:") and not r.stdout


@pytest.fixture
def machine(tmp_path):
    """A PATH on which no package is installed, and apt answers as `apt` says."""
    def make(apt):
        for name, text in {"dpkg-query": "exit 1", "id": "echo 0", "apt-get": apt}.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{text}\n")
            (tmp_path / name).chmod(0o755)
        return f"{tmp_path}:/usr/sbin:/usr/bin:/sbin:/bin"
    return make


@pytest.mark.parametrize("verb", [["setup"], ["build"], ["test", "unit"], ["package"]], ids=" ".join)
def test_what_apt_refuses_ends_it(machine, verb):
    r = dev(*verb, PATH=machine("exit 100"))
    assert r.returncode == 1 and "dev: apt-get update fails" in r.stderr
