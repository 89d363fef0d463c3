"""The command line: help and man page come from one table; exit codes."""
import re
import subprocess

import pytest


def verbs(tool):
    r = tool("--help")
    assert r.code == 0 and r.err == "" and max(map(len, r.out.splitlines())) <= 100
    return re.findall(r"^  ([a-z]+) ", r.out, re.M)


def options(tool, verb):
    r = tool(verb, "--help")
    assert r.code == 0 and r.err == "" and verb in r.out.splitlines()[0]
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]+)", r.out))


def test_man_page_says_what_help_says(tool, source):
    path = source + "/docs/man/hpc-imagebuild.8"
    with open(path, encoding="utf-8") as f:
        text = f.read().replace(r"\-", "-")
    known = {"--help"}
    for verb in verbs(tool):
        assert re.search(rf"^\.B {verb}\b", text, re.M) and f".B hpc-imagebuild {verb}" in text, verb
        known |= options(tool, verb)
    for option in known:
        assert option in text, option
    for option in re.findall(r"^\.B[RI]* .*?(--[a-z][a-z0-9-]+)", text, re.M):
        assert option in known, f"the man page invents {option}"
    r = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path], capture_output=True, text=True)
    assert r.returncode == 127 or r.stderr == "", r.stderr


@pytest.mark.parametrize("args,said", [
    ([], "verb is missing"), (["chekc"], "did you mean 'check'"), (["check"], "takes FILE"), (["plan", "a", "b"], "takes RECIPE"),
    (["plan", "--nope", "a"], "unknown option"), (["check", "--deadline", "9s", "a"], "does not take"), (["plan", "--set"], "value is missing"),
    (["provision", "--deadline", "soon", "a"], "not a duration"), (["version", "x"], "no operands")])
def test_usage(tool, args, said):
    r = tool(*args)
    assert r.code == 2 and r.out == "" and said in r.err


def test_version(tool, source):
    with open(source + "/CMakeLists.txt", encoding="utf-8") as f:
        number = re.search(r"VERSION (\d+\.\d+\.\d+)", f.read())[1]
    assert tool("version").out == f"hpc-imagebuild {number}\n"
