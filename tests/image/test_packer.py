"""packer/: Debian's Packer takes the templates, and builds by them without a network."""
import os
import shutil
import subprocess

import pytest

from machine import Machine

pytestmark = pytest.mark.skipif(not shutil.which("packer", path="/usr/bin"), reason="needs Debian's packer")
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CHECKPOINT_DISABLE": "1", "PACKER_LOG": "0"}


@pytest.fixture
def templates(source, tmp_path):
    """What Packer 1.6 reads: all but the block that only newer ones know."""
    folder = tmp_path / "packer"
    folder.mkdir()
    for name in ("hpc-node.pkr.hcl", "local.pkr.hcl"):
        shutil.copy(f"{source}/packer/{name}", folder)
    (folder / "hpc-agent.deb").touch()
    shutil.copytree(f"{source}/recipes", folder / "recipes")
    return folder


def packer(folder, *args):
    return subprocess.run(["/usr/bin/packer", *args], cwd=folder, env={**ENV, "HOME": str(folder)}, capture_output=True,
                          text=True, timeout=300, stdin=subprocess.DEVNULL)


def test_valid(templates):
    r = packer(templates, "validate", ".")
    assert r.returncode == 0, r.stdout + r.stderr
    template = templates / "hpc-node.pkr.hcl"
    template.write_text(template.read_text().replace("shutdown_behavior", "shutdown_behaviour"))
    r = packer(templates, "validate", ".")
    assert r.returncode != 0 and "shutdown_behaviour" in r.stdout + r.stderr


def test_newer_block_stands_alone(source):
    texts = {name: open(f"{source}/packer/{name}", encoding="utf-8").read() for name in os.listdir(source + "/packer")}
    assert [name for name, text in texts.items() if "required_plugins {" in text] == ["plugins.pkr.hcl"]


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a layer over this machine's tree")
def test_builds_into_a_tree(templates, program, tmp_path):
    machine = Machine(program, tmp_path)
    (templates / "recipes/packed.yaml").write_text(
        "image: {name: packed}\nfiles: [{path: /etc/packed, content: by packer}]\n"
        "tests: [{run: [cat, /etc/packed], expect: {stdout: by packer}}]\n")
    variables = [f"-var={k}={v}" for k, v in (("root", "/opt/tree"), ("imagebuild", program), ("recipe", "packed"),
                                          ("clean", ""))]     # all of this machine is that tree
    build, text = machine.run(
        ["bash", "-ec", "mkdir -p /opt/tree; mount --bind / /opt/tree; cd \"$0\"; CHECKPOINT_DISABLE=1 HOME=$0 exec packer build "
         "-only=null.tree \"$@\" .", templates, *variables],
        ["cat", "/etc/packed"])
    assert build[0] == 0 and "passed   test cat /etc/packed" in build[1], build
    assert text[1] == "by packer"
