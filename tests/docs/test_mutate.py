"""`dev mutate`: the list of what nobody can notice says what it means, and which lines are no mutants."""
import importlib.machinery
import importlib.util
import os
import sys
from pathlib import Path

import pytest

SOURCE = Path(os.environ.get("HPC_SOURCE") or Path(__file__).resolve().parents[2])


@pytest.fixture(scope="module")
def mutate():
    sys.path.insert(0, str(SOURCE / "tests" / "mutate"))
    loader = importlib.machinery.SourceFileLoader("mutate", str(SOURCE / "tests" / "mutate" / "mutate"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("mutate", loader))
    loader.exec_module(module)
    return module


def rows_of(mutate, tmp_path, text):
    (tmp_path / "equivalent.txt").write_text(text)
    return mutate.Equivalents(tmp_path / "equivalent.txt")


GOOD = "# a comment\nfile: lib/a.c\nline: if (a)\nwhat: if negated\nwhy:  because: so\n"


def test_a_stanza_is_found_by_its_file_line_and_change(mutate, tmp_path):
    listed = rows_of(mutate, tmp_path, GOOD + "\n\nfile: lib/a.c\nline: b();\nwhy:  no\n")

    def mutant(path, old, what):
        return mutate.mutants.Mutant(path, 1, what, "condition", f"\t{old}", "")
    assert listed.holds(mutant("lib/a.c", "if (a)", "if negated"))
    assert not listed.holds(mutant("lib/a.c", "if (a)", "removed"))
    assert not listed.holds(mutant("lib/b.c", "if (a)", "if negated"))
    assert listed.holds(mutant("lib/a.c", "b();", "removed")) and listed.holds(mutant("lib/a.c", "b();", "0 to 1"))


@pytest.mark.parametrize("text", [
    GOOD + "file: lib/b.c\nline: if (b)\nwhy:  the first would be lost\n",
    GOOD + "why:  two of them\n", GOOD + "more\n", GOOD + "who: nobody\n", GOOD.replace("why", "what"),
    "file: lib/a.c\nline: if (a)\n", "file:\nline: if (a)\nwhy: x\n", "line: if (a)\nwhy: x\n"], ids=repr)
def test_what_is_no_stanza_is_refused(mutate, tmp_path, text):
    with pytest.raises(SystemExit, match="not a stanza of one file, line, what and why each"):
        rows_of(mutate, tmp_path, text)


def test_each_line_that_is_listed_is_there(mutate):
    assert not list(mutate.Equivalents(SOURCE / "tests" / "mutate" / "equivalent.txt").stale())


def whats(mutate, text):
    return [m.what for m in mutate.mutants.of_file("x.c", text)]


def test_a_millisecond_more_of_many_is_no_mutant(mutate):
    assert whats(mutate, "#define WAIT_MS 5000 /* long */\n") == []
    assert whats(mutate, "#define WAIT_MS (60 * 1000)\n") == []
    assert whats(mutate, "#define TRIES_MS 3\n") == ["3 to 4"]
    assert whats(mutate, "#define WAIT_MAX 5000\n") == ["5000 to 5001"]
    assert whats(mutate, "static const struct s a = {.timeout_ms = 5000, .width = 50};\n") == ["50 to 51"]


@pytest.mark.parametrize("line, constants", [
    ("scope_fd int dir = -1;", []), ("int fd = -1;", []), ("int n = -1;", ["1 to 2"]), ("if (fd < 0)", []), ("bool has = w->pidfd >= 0;", []),
    ("fd = file_open(dir, name, O_PATH, 0);", []), ("fd = file_open(dir, name, O_CREAT, 0);", ["0 to 1"]),
    ("if (fd >= 0 && r < 0)", ["0 to 1"]), ("a = (struct s){.in = -1, .n = 1};", ["1 to 2"]),
    ("a = (struct layer){.lock = -1, .log = -1};", []), ("scope_fd int dir = f(); if (dir < 0)", []), ("if (dir < 0)", ["0 to 1"]),
    ("if (l->lock >= 0)", [])])
def test_any_negative_number_is_no_descriptor_and_a_mode_is_of_what_is_created(mutate, line, constants):
    assert [w for w in whats(mutate, f"int f(void)\n{{\n\t{line}\n}}\n") if w[0].isdigit()] == constants


@pytest.mark.parametrize("line, swaps", [
    ("scope_fd int dir = f(); r = dir < 0 ? dir : 3;", []), ("r = dir < 0 ? dir : 3;", ["'<' to '<='"]),
    ("r = open(path, O_RDONLY | O_CLOEXEC);", []), ("r = open(path, O_PATH | O_NOFOLLOW);", ["'|' to '&'"]),
    ("w = (struct tree_walk){.changing = true};", []), ("w = (struct tree_walk){.one_fs = true};", ["'true' to 'false'"])])
def test_how_a_file_is_looked_at_is_no_mutant(mutate, line, swaps):
    assert [w for w in whats(mutate, f"int f(void)\n{{\n\t{line}\n}}\n") if w[0] == "'"] == swaps


def entry(name, argv, labels, **env):
    return {"name": name, "command": argv, "properties": [{"name": "LABELS", "value": labels},
                                                           {"name": "ENVIRONMENT", "value": [f"{k}={v}" for k, v in env.items()]}]}


def test_quick_tests_and_the_suites_of_whole_runs_judge(mutate):
    unit = mutate.test_of(entry("unit.base.str", ["/b/tests/unit/unit_base_str"], ["unit"]), "/b")
    assert (unit["floor"], unit["module"], unit["program"]) == ("base", "str", "/b/tests/unit/unit_base_str")
    pytest = ["/usr/bin/python3", "-m", "pytest"]
    suite = mutate.test_of(entry("fleet_serve", [*pytest, "/s/tests/fleet/test_serve.py"], ["tool"], HPC_FLEET="/b/hpc-fleet"), "/b")
    assert (suite["floor"], suite["program"]) == ("serve", "/b/hpc-fleet") and "-x" in suite["argv"]
    assert suite["slowest"] > unit["slowest"] and suite["part"] == "fleet/"
    golden = mutate.test_of(entry("golden.template", [*pytest, "/s/tests/cluster/test_template.py", "-k", "not cfn_lint"], ["golden"],
                                  HPC_CLUSTER="/b/hpc-cluster"), "/b")
    assert (golden["floor"], golden["program"]) == ("", "/b/hpc-cluster")
    for name, where in (("tool_cli", "/s/tests/tool/test_cli.py"), ("docs.paths", "/s/tests/docs/test_paths.py")):
        assert mutate.test_of(entry(name, [*pytest, where], ["tool"]), "/b") is None


def test_a_floor_without_tests_of_its_own_is_judged_by_those_above(mutate):
    floors = {"unit.verb.line": {"verb", "command"}, "unit.base.str": {"base"}, "golden.x": {"base", "agent"}}

    class Tree:
        tests = [{"name": n, "floor": n.split(".")[1] if n.startswith("unit") else ""} for n in floors]

        @staticmethod
        def libraries(test):
            return floors[test["name"]]

    def names(own):
        return [t["name"] for t in mutate.near(Tree, own | {""})]
    assert names({"command"}) == ["unit.verb.line", "golden.x"]
    assert names({"base"}) == ["unit.base.str", "golden.x"]
