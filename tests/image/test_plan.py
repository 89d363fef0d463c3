"""plan: which steps a build would find, and why not the others. What it says is held against what the build then does."""
import json
import os
import re
import subprocess

import pytest

import tiny
from test_build import Builder

RECIPE = """\
image: {{name: plan, from: tree}}
copy: [{{from: given, to: /opt/given}}]
files:
  - {{path: /etc/one, content: {one}}}
  - {{path: /etc/two, content: two, mode: {mode}}}
sysctl: {{kernel.panic: {panic}}}
components: [{{file: tool.yaml, parameters: {{Word: {word}}}}}]
tests: [{{name: cat, run: [cat, /etc/two], expect: {{stdout: {test}}}}}]
"""
TOOL = """\
name: tool
schemaVersion: 1.0
parameters: [{Word: {type: string, default: none}}]
phases: [{name: build, steps: [{name: say, action: ExecuteBinary, inputs: {path: /bin/sh, arguments: [-c, ": {{ Word }}"]}}]}]
"""
DOES = {"cached": "cached", "build": "built"}
FIRST = {"one": "1", "mode": "0644", "panic": "5", "word": "a", "test": "two"}


class Plan(Builder):
    def text(self, **changes):
        return RECIPE.format(**{**FIRST, **changes})

    def plan(self, text, *more):
        r = self.tool("plan", self.recipe(text), "--store", self.store, "--json", *more)
        assert r.code == 0, r.err
        return json.loads(r.out)

    def told(self, text, *more):
        """{step: its reasons}, none for a cached one; and the build does as it was told."""
        plan = self.plan(text, *more)
        if os.geteuid() == 0:
            built = self.states(text, *more)
            assert {s["id"]: DOES[s["state"]] for s in plan} == built
        assert all(s["state"] == "build" or not s["reasons"] for s in plan)
        return {s["id"]: s["reasons"] for s in plan}


@pytest.fixture
def plan(program, tmp_path):
    tiny.make(tmp_path / "tree")
    (tmp_path / "given/below").mkdir(parents=True)
    (tmp_path / "given/below/file").write_text("given\n")
    (tmp_path / "tool.yaml").write_text(TOOL)
    return Plan(program, tmp_path)


needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")
STEPS = ["base", "copy", "sysctl", "files:/etc/one", "files:/etc/two", "component tool", "clean", "tests"]


def short(told):
    return {name.split(" /")[0]: reasons for name, reasons in told.items()}


@needs_root
def test_each_input_is_named(plan):
    told = short(plan.told(plan.text()))
    assert list(told) == STEPS and set(map(tuple, told.values())) == {("never built",)}
    assert set(map(tuple, plan.told(plan.text()).values())) == {()}
    recipe = plan.folder / "recipe.yaml"
    for change, step, reason in [
            ({"one": "other"}, "files:/etc/one", f"'content' changed ({recipe}:4:31)"),
            ({"mode": "0600"}, "files:/etc/two", f"'mode' changed ({recipe}:5:42)"),
            ({"panic": "6"}, "sysctl", f"'kernel.panic' changed ({recipe}:6:24)"),
            ({"word": "b"}, "component tool", "parameter 'Word' changed"),
            ({"test": "tw"}, "tests", f"element 1 changed ({recipe}:8:9)")]:
        told = short(plan.told(plan.text(**change)))
        assert told[step] == [reason], told
        at = STEPS.index(step)
        assert all(told[s] == [] for s in STEPS[:at]), told
        assert all(told[s] == [f"below it {step} is not as it was"] for s in STEPS[at + 1:]), told
        told = plan.told(plan.text())  # back again: all of it is still there
        assert set(map(tuple, told.values())) == {()}


@needs_root
def test_files_taken_in_are_named(plan):
    plan.told(plan.text())
    file = plan.folder / "given/below/file"
    file.write_text("changed\n")
    assert plan.told(plan.text())["copy"] == [f"file {file} changed"]
    file.chmod(0o755)
    assert plan.told(plan.text())["copy"] == [f"file {file} changed"]
    (plan.folder / "given/new").write_text("")
    assert plan.told(plan.text())["copy"] == [f"file {plan.folder}/given/new is new"]
    file.unlink()
    assert plan.told(plan.text())["copy"] == [f"file {file} is gone"]
    tool = plan.folder / "tool.yaml"
    tool.write_text(TOOL.replace("say", "said"))
    assert plan.told(plan.text())["component tool"] == [f"file {tool} changed"]
    (plan.folder / "tree/etc/more").write_text("")
    assert plan.told(plan.text())[f"base {plan.folder}/tree"] == [f"directory {plan.folder}/tree changed"]


@needs_root
def test_steps_that_come_and_go(plan):
    plan.told(plan.text())
    more = plan.text().replace("sysctl:", "  - {path: /etc/zzz, content: z}\nsysctl:")
    told = plan.told(more)
    assert told["files:/etc/zzz"] == ["not in the last build"]
    assert told["clean"] == ["below it files:/etc/zzz is not as it was"]
    less = more.replace("  - {path: /etc/one, content: 1}\n", "")
    told = plan.told(less)
    assert told["files:/etc/two"] == ["below it files:/etc/one is gone"]
    assert plan.told(less, "--set", "unused=x")["clean"] == []
    later = less.replace("path: /etc/two", "after: ['files:/etc/zzz'], path: /etc/two")
    assert plan.told(later)["files:/etc/zzz"] == ["it was last built over other layers"]


@needs_root
def test_steps_of_the_same_name(plan):
    """A recipe and the one it is from both have a file and tests."""
    below = "image: {name: below, from: tree}\nfiles: [{path: /etc/same, content: %s}]\ntests: [{run: [cat, /etc/same]}]\n"
    top = "image: {name: top, from: below.yaml}\nfiles: [{path: /etc/same, content: %s}]\ntests: [{run: [cat, /etc/same]}]\n"

    def told():
        steps = plan.plan(top % "b")
        r = plan(top % "b", "--json")
        events = [e for e in map(json.loads, r.out.splitlines()) if e["event"] == "step" and e["state"] != "running"]
        assert [(e["step"], e["state"]) for e in events] == [(s["id"], DOES[s["state"]]) for s in steps]
        return [s["reasons"] for s in steps]

    (plan.folder / "below.yaml").write_text(below % "a")
    assert told() == [["never built"]] * 6
    assert told() == [[]] * 6
    (plan.folder / "below.yaml").write_text(below % "changed")
    changed = [f"'content' changed ({plan.folder}/below.yaml:2:36)"]
    assert told() == [[], changed] + [["below it files:/etc/same is not as it was"]] * 4


@needs_root
def test_what_was_pruned_is_told_as_such(plan):
    plan.told(plan.text())
    r = plan.tool("cache", "prune", "--store", plan.store, "--keep", "1")
    assert r.code == 0, r.err
    assert set(map(tuple, plan.told(plan.text()).values())) == {("removed from the store",)}
    assert len(os.listdir(plan.store / "recipes")) == 1
    (plan.folder / "recipe.yaml").unlink()
    assert plan.tool("cache", "prune", "--store", plan.store).code == 0
    assert os.listdir(plan.store / "recipes") == []


@needs_root
def test_a_failed_build_leaves_what_is_known_of_the_rest(plan):
    plan.told(plan.text())
    failing = plan.text(one="changed", word="'; exit 3'")
    assert plan(failing).code == 1
    told = plan.told(plan.text(one="changed", word="c"))
    assert told["files:/etc/one"] == []
    assert told["component tool"] == ["parameter 'Word' changed", "it was last built over other layers"]


@needs_root
def test_without_root_it_tells_what_it_may_see(plan):
    """At a place that others reach, which the test's folder isn't."""
    plan.recipe(plan.text())
    (plan.folder / "other.yaml").write_text(plan.text(word="z"))
    script = """set -e
        mount --bind "$2" /mnt
        chmod 0755 /mnt
        cp "$1" /mnt/program
        /mnt/program build /mnt/recipe.yaml --store /mnt/store >&2
        exec setpriv --reuid=65534 --regid=65534 --clear-groups /mnt/program plan /mnt/other.yaml --store /mnt/store --json"""
    p = subprocess.run(["unshare", "--mount", "sh", "-c", script, "sh", plan.program, plan.folder],
                       capture_output=True, text=True, timeout=120, check=False)
    assert p.returncode == 0, p.stderr
    told = {s["id"]: (s["state"], s["reasons"]) for s in json.loads(p.stdout)}
    assert list(told) == ["base /mnt/tree", *STEPS[1:]]
    assert told["copy"] == ("cached", [])
    assert told["component tool"] == ("build", ["not in the store; why is root's to see"])


@needs_root
@pytest.mark.parametrize("base", ["tree", "tree.tar"])
def test_from_wherever_it_is_called(plan, base):
    subprocess.run(["tar", "-C", plan.folder / "tree", "-cf", plan.folder / "tree.tar", "."], check=True)
    plan.recipe(f"image: {{name: x, from: {base}}}\n")
    r = plan.tool("build", "recipe.yaml", "--store", "store")
    assert r.code == 0 and "2 built, 0 cached" in r.out, r.err
    r = plan.tool("build", plan.folder / "recipe.yaml", "--store", "store")
    assert r.code == 0 and "0 built, 2 cached" in r.out, r.err


def test_nothing_is_made_and_nothing_needed(plan):
    told = plan.plan(plan.text())
    assert not plan.store.exists()
    assert [s["reasons"] for s in told] == [["never built"]] * len(STEPS)
    assert [s["type"] for s in told] == ["base", "copy", "step", "step", "step", "component", "clean", "tests"]
    assert told[2]["kind"] == "sysctl" and told[3]["provides"] == ["path:/etc/one"]
    r = plan.tool("plan", plan.recipe(plan.text()), "--store", plan.store)
    assert re.search(r"^  3 build   sysctl +never built$", r.out, re.M), r.out
    assert r.out.endswith("\n0 cached, 8 to build\n")


@pytest.mark.parametrize("text, refused, states", [
    ("image: {name: x}\nfiles: [{path: /etc/x, content: x}]\n", "'from' is missing", ["unknown", "unknown"]),
    ("image: {name: x, from: tree}\ncopy: [{from: none, to: /x}]\n", "recipe.yaml:2:8: reading", ["build", "unknown", "unknown"]),
])
def test_what_cannot_be_built_is_told_with_its_steps(plan, text, refused, states):
    r = plan.tool("plan", plan.recipe(text), "--store", plan.store, "--json")
    assert r.code == 0
    assert [s["state"] for s in json.loads(r.out)] == states
    assert "'build' refuses this: " in r.err and refused in r.err


WHEN = """\
image: {name: plan, from: tree, distribution: %s}
files: [{path: /etc/one, content: one}]
when:
- match: {distribution: debian, arch: [arm64, x86_64]}
  files: [{path: /etc/two, content: two}]
- match: {distribution: debian:trixie}
  sysctl: {kernel.panic: 5}
  tests: [{run: [cat, /etc/two]}]
"""
PLAIN = """\
image: {name: plan, from: tree}
files: [{path: /etc/one, content: one}, {path: /etc/two, content: two}]
"""


def test_parts_for_other_images_are_told(plan):
    told = plan.plan(WHEN % "debian:bookworm")
    assert [s["id"].split()[0] for s in told][:4] == ["base", "files:/etc/one", "files:/etc/two", "clean"]
    recipe = plan.folder / "recipe.yaml"
    left = told[-1]
    assert left == {"schema": 1, "id": f"{recipe}:6:3: sysctl, tests", "type": "when", "recipe": str(recipe), "key": "",
                    "state": "left-out", "reasons": ["it is for debian:trixie, and the image is debian:bookworm"]}
    text = plan.tool("plan", recipe, "--store", plan.store).out
    assert f"left out  {recipe}:6:3: sysctl, tests: it is for debian:trixie, and the image is debian:bookworm\n" in text
    told = plan.plan(WHEN % "debian:trixie")
    assert "left-out" not in {s["state"] for s in told} and {"sysctl", "tests"} <= {s["id"] for s in told}


def test_keys_follow_from_what_is_left(plan):
    """A part that counts gives the layers of its content; one that doesn't gives none."""
    plain = {s["id"]: s["key"] for s in plan.plan(PLAIN)}
    bookworm = {s["id"]: s["key"] for s in plan.plan(WHEN % "debian:bookworm") if s["type"] != "when"}
    trixie = {s["id"]: s["key"] for s in plan.plan(WHEN % "debian:trixie")}
    fedora = {s["id"]: s["key"] for s in plan.plan(WHEN % "fedora:41") if s["type"] != "when"}
    assert bookworm == plain
    assert trixie["clean"] != plain["clean"] and "files:/etc/two" in trixie
    assert "files:/etc/two" not in fedora and fedora["clean"] not in {plain["clean"], trixie["clean"]}


ENTRIES = """\
image: {name: plan, from: tree, distribution: %s}
files: [{path: /etc/one, content: one}, {path: /etc/two, content: two, match: {distribution: debian, arch: x86_64}}]
"""


def test_an_entry_that_counts_is_as_one_without_a_condition(plan):
    plain = {s["id"]: s["key"] for s in plan.plan(PLAIN)}
    assert {s["id"]: s["key"] for s in plan.plan(ENTRIES % "debian:bookworm")} == plain
    told = plan.plan(ENTRIES % "fedora:41")
    assert [s["id"].split()[0] for s in told][:3] == ["base", "files:/etc/one", "clean"]
    assert told[-1]["id"] == f"{plan.folder / 'recipe.yaml'}:2:41: files: /etc/two" and told[-1]["state"] == "left-out"


@needs_root
def test_only_parts_for_the_image_are_built(plan):
    states = plan.states(WHEN % "debian:bookworm")
    assert "files:/etc/two" in states and "sysctl" not in states
    states = plan.states(WHEN % "debian:trixie")
    assert states["files:/etc/two"] == "built"
    assert states["sysctl"] == "built" and states["tests"] == "built"
