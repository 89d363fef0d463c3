"""The man pages as text, and the programs as they describe themselves."""
import json
import os
import re
import subprocess
from pathlib import Path

SOURCE = Path(os.environ.get("HPC_SOURCE") or Path(__file__).resolve().parents[2])
PROGRAMS = {"hpc-agent": os.environ.get("HPC_AGENT", "hpc-agent"), "hpc-fleet": os.environ.get("HPC_FLEET", "hpc-fleet"),
            "hpc-cluster": os.environ.get("HPC_CLUSTER", "hpc-cluster"), "hpc-imagebuild": os.environ.get("HPC_IMAGEBUILD", "hpc-imagebuild")}


def plain(roff):
    """Roff to lines of text: macros of fonts joined as they are set, `.TP`, `.SH`, `.SS` and the like kept."""
    lines = []
    for line in roff.splitlines():
        m = re.match(r"\.(B|I|R|BR|RB|BI|IB|IR|RI)\s+(.*)", line)
        if m:
            words = re.findall(r'"((?:[^"]|"")*)"|(\S+)', m.group(2))
            words = [a or b for a, b in words]
            line = (" " if len(m.group(1)) == 1 else "").join(words)
        line = re.sub(r"\\f.|\\&", "", line)
        lines.append(line.replace(r"\-", "-").replace(r"\(aq", "'").replace(r"\e", "\\"))
    return "\n".join(lines)


class Page:
    def __init__(self, name):
        self.path = SOURCE / "docs" / "man" / name
        self.text = plain(self.path.read_text())
        parts = re.split(r"^\.SH (.*)$", self.text, flags=re.M)
        self.sections = {title.strip('"'): body for title, body in zip(parts[1::2], parts[2::2])}

    def tagged(self, section):
        """The tags of .TP paragraphs of a section."""
        return re.findall(r"^\.TP\n(.*)$", self.sections[section], flags=re.M)

    def examples(self):
        """Texts between .nf and .fi."""
        return re.findall(r"^\.nf\n(?:\.RS\n)?(.*?)(?:\.RE\n)?\.fi$", self.text, flags=re.M | re.S)


def run(program, *args, **kw):
    r = subprocess.run([PROGRAMS[program], *args], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60,
                       env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/nonexistent"}, **kw)
    assert r.returncode >= 0 and "Sanitizer" not in r.stderr, r.stderr
    return r


def verbs(program):
    return re.findall(r"^  ([a-z]+)\b", run(program, "--help").stdout, flags=re.M)


def options(program, verb):
    return set(re.findall(r"^ {2,6}(?:-\w, )?(--[a-z][a-z0-9-]*)", run(program, verb, "--help").stdout, flags=re.M))


def sources(*patterns):
    for pattern in patterns or ("lib/*/*.[ch]", "agent/*.[ch]", "fleet/*/*.[ch]", "cluster/*/*.[ch]", "imagebuilder/*/*.[ch]"):
        for path in sorted(SOURCE.glob(pattern)):
            yield path, path.read_text()


def explained(*what):
    """{key: help} as explain prints a table of fields."""
    text = run("hpc-agent", "explain", *what).stdout
    return dict(re.findall(r"^  ([a-z][a-z0-9-]*) {2,}\S.*\n {20,}(\S.*)$", text, flags=re.M))


def listed():
    """What `explain` without an operand lists: (sections, reasons)."""
    text = run("hpc-agent", "explain").stdout
    head, rest = text.split("The node document", 1)
    words = re.compile(r"^  ([a-z][a-z0-9-]*) {2,}\S", flags=re.M)
    return words.findall(head), words.findall(rest.split("Reasons in", 1)[1])


def schema():
    return json.loads(run("hpc-imagebuild", "schema").stdout)
