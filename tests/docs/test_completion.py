"""What bash completes is what --help lists, both ways."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
import manual  # noqa: E402

ASK = """\
source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
ask=$(complete -p "$1" | sed 's/.*-F \\([^ ]*\\).*/\\1/')
"$ask" "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD-1]}"
printf '%s\\n' "${COMPREPLY[@]}"
"""
CHOICES = {"--role": {"compute", "head", "login"}, "--arch": {"x86_64", "arm64"}, "--firmware": {"uefi", "bios", "uefi+secure"},
           "--boot": {"uefi-preferred", "uefi", "legacy-bios"}, "--by": {"user", "account", "job", "queue"}, "--format": {"dir", "tar", "raw", "qcow2", "ami"}}
DIRECTORIES = {"hpc-agent": {"--root"}, "hpc-fleet": {"--state"}, "hpc-cluster": set(), "hpc-imagebuild": {"--root", "--store", "--state", "--output"}}
FILES = {"hpc-agent": {"--config", "--munge-key", "--node-document", "--output"}, "hpc-fleet": {"--config"}, "hpc-cluster": {"--identity"}, "hpc-imagebuild": {"--recipe", "--uefi-data"}}
OF_FILES = {"hpc-agent": {"check", "fetch", "render"}, "hpc-fleet": {"replay"}, "hpc-cluster": {"template", "configure", "doctor"}, "hpc-imagebuild": {
    "check", "plan", "provision", "publish", "build", "lock", "test", "verify", "diff", "shell"}}
WORDS = {"cache": {"list", "prune"}, "fleet": {"start", "stop", "status"}}
VERBS = [(program, verb) for program in manual.PROGRAMS for verb in manual.verbs(program)]


@pytest.fixture
def complete(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "work/a folder").mkdir(parents=True)
    (tmp_path / "work/a file").touch()
    for name, path in manual.PROGRAMS.items():
        os.symlink(path, tmp_path / "bin" / name)

    def ask(program, *words):
        r = subprocess.run(["bash", "-c", ASK, "bash", manual.SOURCE / "docs/completion" / program, program, *words],
                           capture_output=True, text=True, timeout=60, cwd=tmp_path / "work", env={"PATH": f"{tmp_path}/bin:/usr/bin:/bin", "ASAN_OPTIONS": "detect_leaks=0"})
        assert r.returncode == 0 and not r.stderr, r.stderr
        return set(r.stdout.splitlines()) - {""}
    return ask


def rows(program, verb):
    """[(letter or None, option, argument or None, choices)] as --help lists them."""
    for line in manual.run(program, verb, "--help").stdout.splitlines():
        m = re.match(r"  (?:(-\w),|   ) (--[a-z0-9-]+)(?: ([A-Z=]+))?(?: |$)", line)
        if m:
            told = re.search(r"; (?:one|some) of: (.*)", line)
            yield (*m.groups(), set(told[1].split(", ")) if told else set())


@pytest.mark.parametrize("program", manual.PROGRAMS)
def test_verbs(complete, program):
    have = manual.verbs(program)
    assert complete(program, "") == set(have)
    assert complete(program, have[0][:3]) == {v for v in have if v.startswith(have[0][:3])}


@pytest.mark.parametrize("program, verb", VERBS)
def test_options(complete, program, verb):
    have = manual.options(program, verb)
    assert "--help" in have and complete(program, verb, "-") == have
    assert complete(program, verb, "--ver") == {"--verbose"}


@pytest.mark.parametrize("program, verb", VERBS)
def test_values(complete, program, verb):
    for letter, option, argument, told in rows(program, verb):
        assert told == CHOICES.get(option, set()), option
        if not argument:
            continue
        want = told
        if option in DIRECTORIES[program]:
            want = {"a folder"}
        elif option in FILES[program]:
            want = {"a folder", "a file"}
        assert complete(program, verb, option, "") == want, option


@pytest.mark.parametrize("program, verb, option, letter, value", [
    ("hpc-agent", "plan", "--role", "-r", "compute"), ("hpc-imagebuild", "build", "--output", "-o", "a folder")])
def test_each_way_to_write_an_option(complete, program, verb, option, letter, value):
    for words in ([option, ""], [option, "="], [option, "=", ""], [option, "=", value[:3]], [letter, ""]):
        assert value in complete(program, verb, *words), words
    assert not complete(program, verb, option, "=", "zzz")


def test_a_list_goes_on_after_a_comma(complete):
    assert complete("hpc-imagebuild", "build", "--format", "dir,q") == {"dir,qcow2"}
    assert complete("hpc-imagebuild", "build", "--format", "=", "tar,") == {f"tar,{f}" for f in CHOICES["--format"]}


@pytest.mark.parametrize("program, verb", VERBS)
def test_operands(complete, program, verb):
    want = {"a folder", "a file"} if verb in OF_FILES[program] else WORDS.get(verb, set())
    if verb == "explain":
        sections, reasons = manual.listed()
        want = {*sections, *reasons, "node", "facts"}
        assert want <= complete(program, verb, "")
        return
    assert complete(program, verb, "") == want
    assert complete(program, verb, "--verbose", "") == want


@pytest.mark.parametrize("program, verb", VERBS)
def test_choices_are_those_that_are_taken(program, verb, tmp_path):
    """A wrong value is refused with the words that --help lists."""
    (tmp_path / "base").mkdir()
    (tmp_path / "recipe.yaml").write_text("image: {name: x, from: base}\n")
    for _, option, _, told in rows(program, verb):
        if told:
            r = manual.run(program, verb, "recipe.yaml", option, "nonsense", *(["-o", "out"] if verb == "build" else []), cwd=tmp_path)
            listed = re.search(r"(?:one|some) of ([\w, +-]+?)(?:, with commas between)?(?: \(|$)", r.stderr, flags=re.M)
            assert r.returncode == 2 and listed and set(listed[1].split(", ")) == told, r.stderr
