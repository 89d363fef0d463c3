"""Every example of the README, the man pages and the other documents does what it is there for."""
import json
import os
import re
import shutil
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import manual  # noqa: E402
from manual import SOURCE, Page  # noqa: E402

MARKDOWN = sorted([*SOURCE.glob("*.md"), *SOURCE.glob("docs/*.md")])
PAGES = [Page("hpc-agent.8"), Page("hpc-fleet.8"), Page("hpc-cluster.1"), Page("hpc-imagebuild.8"), Page("hpc-node.5")]


def blocks(text):
    """(language, text) of each fenced block, and of each one that is indented by four, the list's indentation taken off."""
    for language, body in re.findall(r"^```(\w*)\n(.*?)^```$", text, flags=re.M | re.S):
        yield language, body
    text = re.sub(r"^```.*?^```$", "", text, flags=re.M | re.S)
    for body in re.findall(r"(?:^\n)((?: {4}.*\n|\n(?= {4}))+)", text, flags=re.M):
        indent = min(len(line) - len(line.lstrip()) for line in body.splitlines() if line.strip())
        yield "", "\n".join(line[indent:] for line in body.splitlines()) + "\n"


def documents():
    """(where, language, text) of all examples."""
    for path in MARKDOWN:
        for i, (language, body) in enumerate(blocks(path.read_text())):
            yield f"{path.name}-{i}", language, body
    for page in PAGES:
        for i, body in enumerate(page.examples()):
            yield f"{page.path.name}-{i}", "", body


ALL = list(documents())
NODES = [(w, t) for w, _, t in ALL if t.startswith(("#hpc-node", "#cloud-config\n"))]
SPECS = [(w, t) for w, _, t in ALL if re.match(r"version: 1\n", t)]
FLEETS = [(w, t) for w, _, t in ALL if re.match(r"cluster: ", t)]
RECIPES = [(w, t) for w, _, t in ALL if re.match(r"image:", t)]
JSONS = [(w, t) for w, language, t in ALL if language == "json"]


def stand_in(text):
    """What the reader has to fill in."""
    return text.replace("BUCKET", "bucket").replace("CLUSTER", "cluster").replace(
        "PUBLIC-KEY", "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=")


def test_there_are_examples():
    assert len(NODES) >= 4 and SPECS and len(RECIPES) >= 2 and len(JSONS) >= 3
    assert {w.rpartition("-")[0] for w, _ in FLEETS} == {"README.md", "hpc-fleet.8"}


@pytest.mark.parametrize("where,text", NODES, ids=[w for w, _ in NODES])
def test_node_documents(where, text, tmp_path):
    (tmp_path / "node.yaml").write_text(stand_in(text))
    r = manual.run("hpc-agent", "check", tmp_path / "node.yaml")
    assert r.returncode == 0, r.stderr
    (tmp_path / "node.yaml").write_text(re.sub(r"\b(cluster|config): .*", r"\1: [", stand_in(text), count=1))
    assert manual.run("hpc-agent", "check", tmp_path / "node.yaml").returncode == 3, "it is not read"


@pytest.mark.parametrize("where,text", SPECS, ids=[w for w, _ in SPECS])
def test_configurations(where, text, tmp_path):
    (tmp_path / "spec.yaml").write_text(text)
    r = manual.run("hpc-agent", "check", tmp_path / "spec.yaml")
    assert r.returncode == 0, r.stderr


@pytest.mark.parametrize("where,text", RECIPES, ids=[w for w, _ in RECIPES])
def test_recipes(where, text, tmp_path):
    for name in ("common.yaml", "agent.yaml"):
        shutil.copy(SOURCE / "recipes" / name, tmp_path)
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "motd").write_text("hello\n")
    (tmp_path / "components").mkdir()
    (tmp_path / "components" / "mpi.yaml").write_text(
        "schemaVersion: 1.0\nparameters: [{Version: {type: string}}]\n"
        "phases: [{name: build, steps: [{name: A, action: ExecuteBash, inputs: {commands: ['echo {{ Version }}']}}]}]\n")
    (tmp_path / "recipe.yaml").write_text(text)
    r = manual.run("hpc-imagebuild", "check", tmp_path / "recipe.yaml")
    assert r.returncode == 0, r.stderr


@pytest.mark.parametrize("where,text", FLEETS, ids=[w for w, _ in FLEETS])
def test_fleets_files(where, text, tmp_path):
    """One that is right is read, and then the service lacks its directory."""
    file, state = tmp_path / "fleet.yaml", tmp_path / "missing" / "dir"

    def serve(content):
        file.write_text(content)
        return manual.run("hpc-fleet", "serve", "--config", file, "--state", state)
    r = serve(text)
    assert r.returncode == 1 and f"making '{state}/spool'" in r.stderr, r.stderr
    assert "  image: " in text
    r = serve(text.replace("  image: ", "  picture: "))
    assert r.returncode == 3 and "picture" in r.stderr and "image" in r.stderr, r.stderr


@pytest.mark.parametrize("where,text", JSONS, ids=[w for w, _ in JSONS])
def test_policies(where, text):
    policy = json.loads(text)
    assert policy["Version"] == "2012-10-17"
    for statement in policy["Statement"]:
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        assert statement["Effect"] == "Allow" and all(re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", a) for a in actions)


# ---- command lines ----

COMMAND = re.compile(r"^(?:\$ |sudo )*(hpc-agent|hpc-fleet|hpc-cluster|hpc-imagebuild) ([a-z]+)\b(.*)$", flags=re.M)


def commands():
    for path in MARKDOWN:
        text = path.read_text()
        inline = [c for c in re.findall(r"`([^`\n]+)`", text)]
        for body in inline + [b for _, b in blocks(text)]:
            for program, verb, rest in COMMAND.findall(body):
                yield path.name, program, verb, rest.split("   #")[0].split(" # ")[0]
    for page in PAGES:
        for body in page.examples():
            for program, verb, rest in COMMAND.findall(body):
                yield page.path.name, program, verb, rest


COMMANDS = sorted(set(commands()))


@pytest.mark.parametrize("where,program,verb,rest", COMMANDS, ids=[" ".join(c) for c in COMMANDS])
def test_command_lines(where, program, verb, rest):
    assert verb in manual.verbs(program), f"{where}: {program} has no verb {verb}"
    have = manual.options(program, verb)
    short = set(re.findall(r"^  (-\w), --", manual.run(program, verb, "--help").stdout, flags=re.M))
    for word in rest.replace("[", " ").replace("]", " ").split():
        if word == "--":
            break
        if word.startswith("--"):
            assert word.split("=")[0] in have, f"{where}: {program} {verb} has no {word}"
        elif re.fullmatch(r"-\w", word):
            assert word in short, f"{where}: {program} {verb} has no {word}"


def test_reasons_in_the_documents_are_known():
    _, reasons = manual.listed()
    families = {r.split("-")[0] for r in reasons}
    text = (SOURCE / "docs" / "TROUBLESHOOTING.md").read_text()
    named = {n for n in re.findall(r"`([a-z0-9]+(?:-[a-z0-9]+)+)`", text) if n.split("-")[0] in families}
    assert len(named) > 10 and named <= set(reasons), named - set(reasons)


# ---- signing ----

def test_signing(tmp_path):
    """The commands of SIGNING.md make what hpc-agent accepts, and only that."""
    lines = [c for _, b in blocks((SOURCE / "docs" / "SIGNING.md").read_text()) for c in b.splitlines() if c.startswith("openssl")]
    assert len(lines) == 3
    config = tmp_path / "cluster-config.yaml"
    config.write_text("version: 1\nsysctl: {vm.swappiness: 1}\n")
    (tmp_path / "root").mkdir()
    key = ""
    for line in lines:
        r = subprocess.run(["sh", "-c", line], cwd=tmp_path, capture_output=True, text=True)
        assert r.returncode == 0, r.stderr
        key = r.stdout.strip() or key
    assert len(key) == 44 and (tmp_path / "cluster-config.yaml.sig").stat().st_size == 64

    def plan():
        etc = tmp_path / "root" / "etc" / "hpc-node"
        etc.mkdir(parents=True, exist_ok=True)
        (etc / "node.yaml").write_text(f"version: 1\nconfig: file:{config}\nconfig-key: {key}\n")
        return subprocess.run([manual.PROGRAMS["hpc-agent"], "plan", "--root", tmp_path / "root"], capture_output=True, text=True,
                              timeout=60, env={"PATH": "/usr/sbin:/usr/bin", "AWS_EC2_METADATA_DISABLED": "true"})
    r = plan()
    assert r.returncode == 10 and "sysctl" in r.stdout, r.stderr
    config.write_text("version: 1\nsysctl: {vm.swappiness: 2}\n")
    r = plan()
    assert r.returncode == 5 and "not signed" in r.stderr, r.stderr
