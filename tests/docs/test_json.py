"""Each object of JSON that hpc-imagebuild prints has the schema number that its page promises."""
import json
import os
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import manual  # noqa: E402

RECIPE = """\
image: {name: x, from: base}
files: [{path: /etc/one, content: one}]
packages: [netbase]
"""
FOREIGN = """\
Build:
  ParentImage: ami-0123456789abcdef0
  InstanceType: t3.micro
  UpdateOsPackages: {Enabled: true}
  Components: [{Type: script, Value: "file:///srv/script.sh"}]
"""


@pytest.fixture
def folder(tmp_path):
    for tree in ("base", "other"):
        (tmp_path / tree / "etc").mkdir(parents=True)
        (tmp_path / tree / "etc/name").write_text(tree)
    (tmp_path / "recipe.yaml").write_text(RECIPE)
    (tmp_path / "foreign.yaml").write_text(FOREIGN)
    (tmp_path / "script.sh").write_text("#!/bin/sh\n")
    return tmp_path


def objects(text):
    """Those of an array, or one a line."""
    found = [json.loads(line) for line in text.splitlines()]
    return [x for one in found for x in (one if isinstance(one, list) else [one])]


@pytest.mark.parametrize("args, least", [
    (["plan", "recipe.yaml"], 3), (["plan", "foreign.yaml"], 2), (["cache", "prune"], 1), (["verify", "base"], 4),
    (["check", "recipe.yaml", "foreign.yaml", "none.yaml"], 4), (["lock", "recipe.yaml"], 1), (["test", "base"], 2),
    (["diff", "base", "other"], 1)], ids=lambda v: " ".join(v) if isinstance(v, list) else "")
def test_schema(folder, args, least):
    store = [] if args[0] in ("check", "test") else ["--store", folder / "store"]
    r = manual.run("hpc-imagebuild", *args, *store, "--json", cwd=folder)
    told = objects(r.stdout)
    assert len(told) >= least, r.stderr
    assert {x.get("schema") for x in told} == {1}
