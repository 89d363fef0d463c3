"""packer/: Debian's Packer takes the templates, and builds by them without a network."""
import os
import re
import shutil
import subprocess

import pytest

from machine import Machine

pytestmark = pytest.mark.skipif(not shutil.which("packer", path="/usr/bin"), reason="needs Debian's packer")
ENV = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "CHECKPOINT_DISABLE": "1", "PACKER_LOG": "0"}


@pytest.fixture(scope="module")
def packages(tmp_path_factory):
    """What `./dev package` makes: {name: path}."""
    folder = tmp_path_factory.mktemp("packages")
    subprocess.run(["cpack", "-G", "DEB", "--config", os.environ["HPC_BUILD"] + "/CPackConfig.cmake", "-B", folder],
                   cwd=os.environ["HPC_BUILD"], check=True, capture_output=True, timeout=300)
    return {path.name.split("_")[0]: path for path in folder.glob("*.deb")}


def sent(text):
    """The packages that a template sends unless told otherwise, by their names."""
    files, = re.findall(r'variable "packages" \{.*?default = \[(.*?)\]', text, re.S)
    return re.findall(r'"([^"]*)\.deb"', files)


@pytest.fixture
def templates(source, packages, tmp_path):
    """What Packer 1.6 reads: all but the block that only newer ones know."""
    folder = tmp_path / "packer"
    folder.mkdir()
    for name in ("hpc-node.pkr.hcl", "local.pkr.hcl"):
        shutil.copy(f"{source}/packer/{name}", folder)
    for name in sent((folder / "hpc-node.pkr.hcl").read_text()):
        shutil.copy(packages[name], folder / f"{name}.deb")
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


def inline(text, word):
    """The commands of the template's one shell provisioner that has the word."""
    lists = [re.findall(r'"((?:[^"\\]|\\.)*)"', found) for found in re.findall(r"inline\s*=\s*\[(.*?)\]\n", text, re.S)]
    found, = [commands for commands in lists if any(word in c for c in commands)]
    return found


@pytest.mark.skipif(os.geteuid() != 0, reason="mounts a layer over this machine's tree")
@pytest.mark.parametrize("name", ["hpc-node.pkr.hcl", "local.pkr.hcl"])
def test_what_is_sent_is_what_is_installed(templates, packages, program, tmp_path, name):
    """The uploads and the commands of a template, carried out on a machine without a network."""
    text = (templates / name).read_text()
    assert "sources     = var.packages" in text
    install = [c for c in inline(text, "apt-get") if "apt-get" in c and "update" not in c]
    sudo = tmp_path / "sudo"
    sudo.write_text('#!/bin/sh\nexec "$@"\n')
    sudo.chmod(0o755)
    made, agent, builder, fleet, recipe = Machine(program, tmp_path).run(
        ["bash", "-ec", f"PATH={tmp_path}:$PATH; {' '.join(inline(text, 'mkdir'))}; cp {templates}/*.deb /tmp/hpc-packages/; "
         + "; ".join(install)],
        ["/usr/sbin/hpc-agent", "version"], ["/usr/sbin/hpc-imagebuild", "version"],
        ["test", "-e", "/usr/sbin/hpc-fleet"], ["/usr/sbin/hpc-imagebuild", "check", templates / "recipes/compute.yaml"])
    assert made[0] == 0, made
    assert (agent[0], builder[0], recipe[0]) == (0, 0, 0), (agent, builder, recipe)
    assert fleet[0] == 1, "a compute node launches nothing"
    assert agent[1].startswith("hpc-agent ") and builder[1].startswith("hpc-imagebuild ")


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
