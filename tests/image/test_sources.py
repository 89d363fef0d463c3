"""A release that this machine's apt knows nothing of, from sources that the recipe has. It needs Debian's archive."""
import hashlib
import os
import re
import subprocess
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")

RECIPE = """\
image:
  name: small
  from: debian:trixie
  sources:
    - {source}
packages: [netbase]
tests:
  - {{name: its release, run: [cat, /etc/os-release], expect: {{stdout: VERSION_CODENAME=trixie}}}}
  - {{name: its sources, run: [cat, /etc/apt/sources.list], expect: {{stdout: "{source}"}}}}
"""


def archive():
    """The one that this machine's own release is from, wherever that is."""
    lines = subprocess.run(["apt-get", "indextargets", "--format", "$(REPO_URI) $(SUITE) $(COMPONENT)", "Created-By: Packages"],
                           capture_output=True, text=True, check=True).stdout
    return re.search(r"^(\S+?)/* (?:old)*stable main$", lines, re.M)[1]


def apt_of_this_machine():
    digest = hashlib.sha256()
    for path in sorted(Path("/etc/apt").rglob("*")):
        digest.update(f"{path} {path.stat().st_mtime_ns}\n".encode())
    return digest.hexdigest()


def test_a_release_from_the_recipes_own_sources(tool, tmp_path):
    source = f"deb [check-valid-until=no] {archive()} trixie main"
    (tmp_path / "small.yaml").write_text(RECIPE.format(source=source))
    before = apt_of_this_machine()
    build = ["build", tmp_path / "small.yaml", "--store", tmp_path / "store", "--format", "dir", "-o", tmp_path / "out"]
    run = tool(*build, guard=500)
    assert run.code == 0, run.out + run.err
    tree = tmp_path / "out/small-1.0.0"
    assert (tree / "etc/apt/sources.list").read_text() == source + "\n"
    assert "Package: netbase\nStatus: install ok installed" in (tree / "var/lib/dpkg/status").read_text()
    assert apt_of_this_machine() == before
    # What it is made from decides the base; nothing else of this machine's apt does.
    assert "0 built" in tool(*build, guard=500).out
    (tmp_path / "small.yaml").write_text(RECIPE.format(source=source + " contrib"))
    told = tool("plan", tmp_path / "small.yaml", "--store", tmp_path / "store")
    assert told.code == 0 and f"source {source} contrib is new" in told.out, told.out + told.err
