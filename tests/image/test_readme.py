"""README's Images section, from an empty directory and with the builder installed where it never is otherwise."""
import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from program import Tool


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    prefix = tmp_path_factory.mktemp("opt") / "hpc"
    subprocess.run(["cmake", "--install", os.environ["HPC_BUILD"], "--prefix", prefix], check=True, capture_output=True)
    return prefix


@pytest.fixture
def recipe(source, tmp_path):
    section = Path(source, "README.md").read_text().split("## Images")[1]
    path = tmp_path / "compute.yaml"
    path.write_text(re.search(r"```yaml\n(.*?)```", section, re.S).group(1))
    return path


def test_the_recipe_finds_what_is_installed(installed, recipe, tmp_path):
    r = Tool(installed / "sbin/hpc-imagebuild", tmp_path)("check", recipe.name)
    assert r.code == 0 and "compute.yaml: ok: image compute 1.0.0" in r.out, r.err
    recipe.write_text("image: {name: x, from: head.yaml}\ninclude: [none.yaml]\n")
    r = Tool(installed / "sbin/hpc-imagebuild", tmp_path)("check", recipe.name)
    assert r.code == 3 and f"compute.yaml:2:11: " in r.err and f"nor is it in '{installed}/share/hpc-node/recipes'" in r.err
    recipe.write_text("image: {name: x, from: head.yaml}\n")
    assert Tool(installed / "sbin/hpc-imagebuild", tmp_path)("check", recipe.name).code == 0


def test_the_agents_place_in_an_image_is_usr(installed):
    unit = (installed / "share/hpc-node/image/hpc-agent.service").read_text()
    assert "ExecStart=/usr/sbin/hpc-agent bootstrap" in unit
    assert f"ExecStart={installed}/sbin/hpc-agent bootstrap" in (installed / "lib/systemd/system/hpc-agent.service").read_text()
    for path in (installed / "share/hpc-node/recipes").glob("*.yaml"):
        for row in yaml.safe_load(path.read_text()).get("copy", []):
            assert row["to"].startswith("/usr/"), (path, row)
            here = row["from"].replace("${stage}", "").replace("${prefix}", str(installed))
            assert os.path.exists(here), here


@pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")
def test_a_disk_without_a_kernel_is_refused_before_any_work(program, tmp_path):
    path = tmp_path / "bare.yaml"
    path.write_text("image: {name: bare, from: debian:bookworm}\npackages: [systemd-sysv]\n")
    r = Tool(program, tmp_path)("build", path, "--store", tmp_path / "store", "-o", tmp_path / "out")
    assert r.code == 3 and "bare.yaml:2:11: no package of this image brings the kernel" in r.err, r.err
    assert sorted(p.name for p in tmp_path.iterdir()) == ["bare.yaml"]
