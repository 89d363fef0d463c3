"""What the programs have and what the man pages say of it, both ways."""
import os
import re
import subprocess
import sys

import pytest

sys.path.insert(0, os.path.dirname(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
import manual  # noqa: E402
from fakes.imds import Imds, credentials, instance  # noqa: E402
from manual import SOURCE, Page  # noqa: E402

AGENT, FLEET, CLUSTER, BUILDER, DOCUMENTS = Page("hpc-agent.8"), Page("hpc-fleet.8"), Page("hpc-cluster.1"), Page("hpc-imagebuild.8"), Page("hpc-node.5")
PAGES = {"hpc-agent": AGENT, "hpc-fleet": FLEET, "hpc-cluster": CLUSTER, "hpc-imagebuild": BUILDER}


@pytest.mark.parametrize("program", PAGES)
def test_verbs(program):
    have = manual.verbs(program)
    assert len(have) >= 2
    synopsis = re.findall(rf"^{program} ([a-z]+)", PAGES[program].sections["SYNOPSIS"], flags=re.M)
    assert sorted(synopsis) == sorted(have)
    told = {tag.split()[0] for tag in PAGES[program].tagged("VERBS")}
    assert told == set(have)


@pytest.mark.parametrize("program", PAGES)
def test_options(program):
    have = set().union(*(manual.options(program, v) for v in manual.verbs(program)))
    told = set(re.findall(r"--[a-z][a-z0-9-]*", "\n".join(PAGES[program].tagged("OPTIONS"))))
    assert len(have) > 5
    assert have - told == set(), "options that the page lacks"
    assert told - have == set(), "options that only the page has"


def exit_statuses(page):
    body = page.sections["EXIT STATUS"]
    return {int(n) for n in re.findall(r"^(\d+)(?:\t|$)", body, flags=re.M)}


def test_exit_statuses():
    readme = {int(n) for n in re.findall(r"^\| (\d+) \|", (SOURCE / "README.md").read_text(), flags=re.M)}
    assert exit_statuses(AGENT) == readme == {0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 70}
    assert exit_statuses(BUILDER) == readme | {194}
    assert exit_statuses(CLUSTER) == {0, 1, 2, 3, 4, 6, 7, 10, 70}
    assert exit_statuses(FLEET) == readme - {4, 8, 10}


def test_environment():
    read = {"hpc-agent": set(), "hpc-fleet": set(), "hpc-cluster": set(), "hpc-imagebuild": set()}
    rows = (SOURCE / "lib" / "program" / "environment.c").read_text()
    for name, who in re.findall(r'\{"([A-Z][A-Z0-9_]+)", ?(\w+)?', rows):
        read["hpc-cluster"].add(name)
        if who != "STACKS":
            read["hpc-imagebuild"].add(name)
        if who not in ("WORKSTATION", "STACKS"):
            read["hpc-fleet"].add(name)
        if who not in ("WORKSTATION", "STACKS", "INSTANCES"):
            read["hpc-agent"].add(name)
    for path, text in manual.sources("imagebuilder/*/*.c"):
        read["hpc-imagebuild"] |= set(re.findall(r'getenv\("(\w+)"\)', text))
    for path, text in manual.sources("agent/*.c", "fleet/*/*.c", "cluster/*/*.c", "lib/*/*.c"):
        names = set(re.findall(r'getenv\("(\w+)"\)', text)) - {"JOURNAL_STREAM"}  # systemd's word on where stderr goes
        assert not names or path.name == "environment.c", f"{path} reads {names}"
    assert len(read["hpc-agent"]) > 6
    for program, page in PAGES.items():
        told = set(re.findall(r"\b(?:AWS_[A-Z0-9_]+|TERM|HOME)\b", page.sections["ENVIRONMENT"]))
        assert read[program] - {"HOME"} - told == set(), f"{program} reads what its page lacks"
        assert told - read[program] == set(), f"{program}'s page has what it doesn't read"


def test_keys_of_the_fleets_file():
    text = (SOURCE / "fleet/launch/site.c").read_text()
    have = re.findall(r'^ +\{"([a-z-]+)", FIELD_', text, flags=re.M)
    assert len(have) > 8 and sorted(have) == sorted(FLEET.tagged("THE FLEET'S FILE"))


def test_reasons():
    _, have = manual.listed()
    told = re.findall(r"^([a-z][a-z0-9-]+)\tT\{$", AGENT.sections["REASONS"], flags=re.M)
    assert len(have) > 60 and told == have
    names = {n for d in SOURCE.glob("docs/*.md") for n in re.findall(r"HPC_REASON=([a-z0-9-]+)", d.read_text())}
    assert names <= set(have)


def subsections():
    parts = re.split(r"^\.SS (.*)$", DOCUMENTS.sections["SECTIONS"], flags=re.M)
    return dict(zip(parts[1::2], parts[2::2]))


def test_sections():
    have, _ = manual.listed()
    assert list(subsections()) == have


@pytest.mark.parametrize("section", subsections())
def test_keys_of(section):
    have = list(manual.explained(section))
    if have == [section]:  # one value, or a map of names of the user's own
        return
    assert have and re.findall(r"^\.TP\n([a-z0-9-]+)$", subsections()[section], flags=re.M) == have


def test_policy_keys_of_steps():
    shared = {"id", "after", "timeout", "retries", "optional"}
    assert shared <= set(re.findall(r"\b[a-z]+\b", DOCUMENTS.sections["CLUSTER CONFIGURATION: OWN SECTIONS"]))
    text = manual.run("hpc-agent", "explain", "files").stdout
    assert set(re.findall(r"\b[a-z]+\b", text.split("Every step also takes")[1])) - {"and"} == shared


def test_node_document():
    tags = [t.split()[0] for t in DOCUMENTS.tagged("NODE DOCUMENT")]
    assert sorted(tags) == sorted(manual.explained("node"))


def test_facts():
    """Of an instance that has all, with a node document that says all."""
    user_data = ("#hpc-node\ncluster: c\nrole: head\nnode: q-st-r-1\nhead: 192.0.2.1\n"
                 "config: s3://bucket/key\n")
    with Imds(instance(tags={"team": "x"}, creds=credentials(), user_data=user_data.encode())) as imds:
        r = subprocess.run([manual.PROGRAMS["hpc-agent"], "facts"], capture_output=True, text=True,
                           timeout=60, env={"PATH": "/usr/bin:/bin", "AWS_EC2_METADATA_SERVICE_ENDPOINT": imds.url})
    assert r.returncode == 0, r.stderr
    have = set(re.findall(r"^([\w.-]+)=", r.stdout, flags=re.M)) - {"tag.team"}
    told = set(re.findall(r"[a-z0-9-]+", " ".join(t for t in DOCUMENTS.tagged("FACTS") if not t.startswith("tag."))))
    slurm = os.path.exists("/usr/sbin/slurmd") or os.path.exists("/opt/slurm/sbin/slurmd")
    ctld = os.path.exists("/usr/sbin/slurmctld")
    assert have == told - (set() if slurm else {"slurm-prefix"}) - (set() if ctld else {"slurm-version"})


# Paths in the code that are no business of a manual: what the system has, and is only read or called.
SYSTEM = re.compile(r"/etc/(?:passwd|group|shadow|gshadow|subuid|subgid|skel|init\.d|os-release|debian_version|fstab|machine-id|ssl|pki|ssh|resolv\.conf|apt/sources|dnf$)"
                    r"|/run/(?:resolvconf|systemd|dbus|lock|udev|credentials)|/usr/lib/(?:systemd|os-release|grub|modules|dbus|tmpfiles|apt)"
                    r"|/var/lib/(?:dpkg|rpm|apt|dnf|systemd)|/usr/lib/sysimage")
# What an image must not have is told by verify; the list is the program's.
TABLES = {"hygiene_rules.c", "hygiene_known.c", "volatile.c", "hygiene.c"}


def test_files():
    pages = "\n".join(p.text for p in (*PAGES.values(), DOCUMENTS))
    named = set(re.findall(r"/(?:etc|run|var|usr/lib)/[\w./-]*\w", pages))
    missing = {}
    for path, text in manual.sources():
        if path.name in TABLES:
            continue
        text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
        for literal in re.findall(r'"(/(?:etc|run|var|usr/lib)/[\w./-]*\w)', text):
            known = any(literal == n or n.startswith(literal + "/") or literal.startswith(n + "/") for n in named)
            if not known and not SYSTEM.match(literal):
                missing.setdefault(literal, path.name)
    assert missing == {}, "files that no page names"


def test_files_of_the_pages():
    code = "\n".join(text for _, text in manual.sources())
    code = re.sub(r'"\s*(?:[A-Z_]+\s*)?"', "", code)
    units = "\n".join(p.read_text() for p in SOURCE.glob("units/*") if p.is_file())
    unknown = []
    for page in (*PAGES.values(), DOCUMENTS):
        for path in set(re.findall(r"(?<![\w/])/(?:etc|run|var|usr/lib)/[\w./-]*\w", page.sections.get("FILES", ""))):
            last = path.rsplit("/", 1)[1]
            if last not in code and path not in units:
                unknown.append(path)
    assert not unknown, "files that only the pages know"


def keys(node, prefix=""):
    """Dotted keys of a JSON Schema, down to the maps in lists; those that refer to others are told there."""
    for key, below in node.get("properties", {}).items():
        if "$ref" in below:
            continue
        yield prefix + key
        for inner in [below, below.get("items", {}), *below.get("anyOf", [])]:
            if isinstance(inner, dict):
                yield from keys(inner, f"{prefix}{key}.")
                if isinstance(inner.get("items"), dict):
                    yield from keys(inner["items"], f"{prefix}{key}.")


def test_keys_of_recipes():
    own, _ = manual.listed()
    have = {k for k in keys(manual.schema()) if k.split(".")[0] not in own}
    assert "image.disk.size" in have and "tests.expect.status" in have
    told = set(re.findall(r"^([a-z]+(?:\.[a-z-]+)*)$", "\n".join(BUILDER.tagged("RECIPES")), flags=re.M))
    assert have - told == set(), "keys that the page lacks"
    assert told - have == set(), "keys that only the page has"


@pytest.mark.parametrize("path", sorted(SOURCE.glob("docs/man/*.[158]")), ids=lambda p: p.name)
def test_pages_are_sound(path):
    """groff has nothing to say about them, and no line is left out by a stray dot or quote."""
    r = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path], capture_output=True, text=True,
                       env={"PATH": "/usr/bin:/bin", "MANROFFSEQ": "t", "LC_ALL": "C.UTF-8"})
    assert r.returncode == 0 and not r.stderr, r.stderr
