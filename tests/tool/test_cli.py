"""The command line: help and man page come from one table; exit codes; where output goes."""
import glob
import json
import os
import re
import socket
import subprocess
import time

import pytest

VERBS = ["bootstrap", "plan", "status", "check", "render", "facts", "fetch", "explain", "version"]


@pytest.fixture(scope="module")
def help_of(program):
    def get(*verb):
        r = subprocess.run([program, *verb, "--help"], capture_output=True, text=True, timeout=60)
        assert r.returncode == 0 and r.stderr == "", r.stderr
        return r.stdout
    return get


def options(text):
    return set(re.findall(r"(?<![\w-])(--[a-z][a-z0-9-]+)", text)) - {"--help"}


def test_help_lists_every_verb(help_of):
    text = help_of()
    assert max(map(len, text.splitlines())) <= 100
    for verb in VERBS:
        assert re.search(rf"^\s+{verb}\b\s+\S+", text, re.M), verb
        mine = help_of(verb)
        assert verb in mine.splitlines()[0] and max(map(len, mine.splitlines())) <= 100


def test_documented_options_are_there(help_of):
    wanted = {"bootstrap": {"--role", "--config", "--node", "--head", "--root", "--json", "--dry-run"},
              "status": {"--wait", "--json"}, "fetch": {"--sha256"}, "facts": {"--json"}}
    for verb, want in wanted.items():
        assert want <= options(help_of(verb)), verb
    assert re.search(r"-o\b", help_of("fetch"))


def page(source):
    found = glob.glob(source + "/docs/man/hpc-agent.8*") + glob.glob(source + "/docs/man/hpc-agent.1*")
    assert found, "no man page"
    with open(found[0], encoding="utf-8") as f:
        return f.read().replace(r"\-", "-"), found[0]


def test_man_page_says_what_help_says(help_of, source):
    text, path = page(source)
    for verb in VERBS:
        assert re.search(rf"\b{verb}\b", text), verb
        for opt in options(help_of(verb)):
            assert opt in text, f"{verb} {opt} is not in the man page"
    known = set().union(*(options(help_of(v)) for v in VERBS)) | {"--help"}
    for opt in re.findall(r"^\.(?:BR?|IR?|Fl|It|TP).*?(--[a-z][a-z0-9-]+)", text, re.M):
        assert opt in known, f"the man page invents {opt}"
    for code in (0, 1, 2, 3, 4, 5, 6, 7, 8, 10, 70):
        assert re.search(rf"^(\.\w+ )?\"?\\?f?B?{code}\b", text, re.M), f"exit code {code}"
    if path.endswith((".8", ".1")):
        r = subprocess.run(["man", "--warnings", "-E", "UTF-8", "-l", "-Tutf8", "-Z", path],
                           capture_output=True, text=True)
        assert r.returncode == 127 or r.stderr == "", r.stderr


@pytest.mark.parametrize("args", [
    [], ["frobnicate"], ["--frobnicate"], ["check"], ["fetch"], ["fetch", "a", "b"], ["check", "a", "b"],
    ["fetch", "file:/etc/hostname", "--sha256"], ["fetch", "file:/etc/hostname", "--nope"],
    ["facts", "extra"], ["version", "extra"], ["bootstrap", "extra"],
    ["explain", "no-such-thing"], ["status", "extra"], ["plan", "extra"],
    ["facts", "--deadline", "soon"], ["facts", "--deadline", "0"], ["status", "--sha256", "x"]])
def test_usage(agent, args):
    r = agent(*args)
    assert r.code == 2 and r.out == "" and r.err.startswith("hpc-agent") or args == [], r
    assert r.code == 2 and "\n" in r.err


def test_values_are_checked_before_anything_is_asked(agent, tmp_path):
    for option, value in (("--role", "worker"), ("--node", "a/b"), ("--config", "gopher://x"),
                          ("--munge-key", "s3://")):
        r = agent("plan", "--root", tmp_path, option, value, guard=20)
        assert r.code in (2, 3) and option[2:] in r.err and value in r.err, r.err


def test_usage_suggests(agent):
    assert "bootstrap" in agent("bootsrap").err
    assert "fetch" in agent("fetchh").err


def test_version(agent, source):
    r = agent("version")
    with open(source + "/CMakeLists.txt", encoding="utf-8") as f:
        number = re.search(r"VERSION (\d+\.\d+\.\d+)", f.read())[1]
    assert r.code == 0 and number in r.out and r.err == ""
    assert agent("--version").out == r.out


def test_explain(agent, source):
    r = agent("explain")
    assert r.code == 0
    with open(source + "/lib/base/reason.h", encoding="utf-8") as f:
        reasons = [r.lower().replace("_", "-") for r in re.findall(r"\bX\(([A-Z][A-Z0-9_]+)\b", f.read())]
    assert len(reasons) > 50
    for reason in set(reasons) - {"none"}:
        one = agent("explain", reason)
        assert one.code == 0 and len(one.out.split()) >= 6, reason
    for kind in ("mounts", "munge", "slurm", "packages", "files", "users", "hostname", "sysctl",
                 "limits", "units", "script"):
        one = agent("explain", kind)
        if one.code != 0:
            one = agent("explain", kind + "s")
        assert one.code == 0 and kind[:5] in one.out, kind


def test_full_disk_on_stdout(agent):
    for args in (["version"], ["--help"], ["explain"]):
        with open("/dev/full", "wb") as full:
            assert agent(*args, stdout=full).code == 1, args


def test_status_before_any_run(agent, tmp_path):
    r = agent("status", "--root", tmp_path)
    if r.code == 2:
        r = agent("status")
    assert r.code in (1, 4) or os.path.exists("/run/hpc-node/status.json"), r
    assert r.err or r.out


def test_unreachable_is_exit_4(agent):
    assert agent("fetch", "https://127.0.0.1:9/x", "--deadline", "1s").code == 4
    assert agent("facts", "--deadline", "1s").code == 4


def test_json_is_json(agent, tmp_path):
    """Of each verb that has --json: one document, which says what the verb is about."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    root.chmod(0o755)
    (tmp_path / "c.yaml").write_text("hostname: n1\n")
    spec = ["--root", root, "--config", tmp_path / "c.yaml", "--node", "n1", "--json"]

    def told(code, *args):
        out = agent(*args, AWS_EC2_METADATA_DISABLED="true")
        assert out.code == code, out.err
        return json.loads(out.out)

    assert told(0, "facts", "--json")["role"] == {"value": "compute", "source": "node document"}
    for args, phase, state, code in ((["plan"], "pending", "pending", 10),
                                     (["bootstrap", "--dry-run"], "pending", "pending", 10),
                                     (["bootstrap"], "ready", "changed", 0)):
        doc = told(code, *args, *spec)
        assert (doc["schema"], doc["phase"], doc["exit_status"]) == (1, phase, code)
        assert {"id": "hostname", "state": state}.items() <= doc["steps"][0].items()
    assert told(0, "status", "--root", root, "--json") == doc


def test_plan_and_dry_run_say_the_same(agent, tmp_path):
    """What would change, in words and in JSON, and the same exit status."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    root.chmod(0o755)
    (tmp_path / "c.yaml").write_text("files: [{path: /etc/motd, content: hello}]\nmounts:\n"
                                     "- {path: /scratch, source: 'server:/export', type: nfs4, options: ro}\n")
    spec = ["--root", root, "--config", "c.yaml"]  # a path from here is as good as a whole one
    plan, dry = (agent(*verb, *spec, AWS_EC2_METADATA_DISABLED="true") for verb in (["plan"], ["bootstrap", "--dry-run"]))
    times = re.compile(r" +\d+ ms")
    assert plan.code == dry.code == 10, plan.err + dry.err
    assert times.sub("", plan.out) == times.sub("", dry.out)
    assert "mount server:/export /scratch nfs4 ro,hard,_netdev" in plan.out.replace("hard,_netdev,ro", "ro,hard,_netdev")
    assert "write /etc/motd" in plan.out
    doc = json.loads(agent("plan", *spec, "--json", AWS_EC2_METADATA_DISABLED="true").out)
    changes = [c for step in doc["steps"] for c in step["changes"]]
    assert any(c.startswith("mount server:/export /scratch nfs4 ") for c in changes)


def test_a_node_file_that_cannot_be_looked_at_is_not_absent(agent, tmp_path):
    """It may be what pins the configuration's bytes: without it nothing is done."""
    (tmp_path / "root/etc").mkdir(parents=True)
    (tmp_path / "root/etc/hpc-node").symlink_to("hpc-node")
    (tmp_path / "c.yaml").write_text("files: [{path: /etc/motd, content: x}]\n")
    r = agent("bootstrap", "--root", tmp_path / "root", "--config", "c.yaml", AWS_EC2_METADATA_DISABLED="true")
    assert r.code == 1 and "looking for '/etc/hpc-node/node.yaml'" in r.err, r.err
    assert not (tmp_path / "root/etc/motd").exists()


def test_plan_tells_how_a_file_would_differ(agent, tmp_path):
    """As diff -u does, in words and in JSON, and never of a file that not everybody may read."""
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    root.chmod(0o755)
    files = {"motd": ("one\ntwo\nthree\n", 0o644), "closed": ("old hush\n", 0o600), "closing": ("old hush\n", 0o644),
             "mode": ("same\n", 0o755), "long": ("".join(f"{n}\n" for n in range(200)), 0o644), "bytes": ("\0", 0o644), "own/inside": ("old hush\n", 0o644)}
    (root / "etc/own").mkdir(mode=0o700)
    for name, (text, mode) in files.items():
        (root / "etc" / name).write_text(text)
        (root / "etc" / name).chmod(mode)
    (tmp_path / "c.yaml").write_text(json.dumps({"files": [
        {"path": "/etc/motd", "content": "one\n2\nthree"}, {"path": "/etc/new", "content": "new hush\n"},
        {"path": "/etc/closed", "content": "new hush\n"}, {"path": "/etc/closing", "content": "new hush\n", "mode": "0640"},
        {"path": "/etc/mode", "content": "same\n"}, {"path": "/etc/long", "content": "x\n"}, {"path": "/etc/bytes", "content": "x\n"},
        {"path": "/etc/own/inside", "content": "new hush\n"}]}))
    spec = ["--root", root, "--config", "c.yaml"]
    r = agent("plan", *spec, AWS_EC2_METADATA_DISABLED="true")
    assert r.code == 10, r.err
    shown = "\n".join(line[6:] for line in r.out.splitlines() if line.startswith("      "))
    assert "@@ -1,3 +1,3 @@\n one\n-two\n-three\n+2\n+three\n\\ No newline at end of file\n" in shown, r.out
    assert shown.count("not everybody may read it") == 3 and "hush" not in r.out, r.out
    assert "the content stays; mode or owner change" in shown and "not a text" in shown and "and 138 more lines" in shown, r.out
    doc = json.loads(agent("plan", *spec, "--json", AWS_EC2_METADATA_DISABLED="true").out)
    motd = next(step for step in doc["steps"] if step["id"] == "files:/etc/motd")
    assert motd["changes_total"] == 1 and motd["details"][2] == {"change": 0, "line": "-two"}
    assert "hush" not in json.dumps(doc)


def test_a_failure_is_told_once(agent, tmp_path):
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "etc" / "motd").mkdir()
    (tmp_path / "c.yaml").write_text("files: [{path: /etc/motd, content: hello}]\n")
    r = agent("bootstrap", "--root", root, "--config", tmp_path / "c.yaml", AWS_EC2_METADATA_DISABLED="true")
    assert r.code == 1, r.err
    text = re.search(r"files:/etc/motd: failed: (.*)", r.err)[1]
    assert (r.out + r.err).count(text) == 1, r.out + r.err
    assert "files:/etc/motd (host-file)" in r.err


@pytest.fixture
def silent():
    """Takes connections and never answers: its port."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as s:
        yield s.getsockname()[1]


@pytest.mark.parametrize("document, option, seconds", [("1s", None, 1), ("1s", "3s", 3), ("60s", "1s", 1)])
@pytest.mark.parametrize("waits_for", ["metadata", "configuration"])
def test_the_deadline_of_the_document_counts(agent, tmp_path, silent, waits_for, document, option, seconds):
    """For whatever the run waits; an option overrides it."""
    (tmp_path / "etc/hpc-node").mkdir(parents=True)
    (tmp_path / "etc/hpc-node/node.yaml").write_text(f"config: https://127.0.0.1:{silent}/c.yaml\ndeadline: {document}\n")
    metadata = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": f"http://127.0.0.1:{silent}"} if waits_for == "metadata" else {
        "AWS_EC2_METADATA_DISABLED": "true"}
    begun = time.monotonic()
    r = agent("plan", "--root", tmp_path, *(["--deadline", option] if option else []), guard=30, **metadata)
    took = time.monotonic() - begun
    assert r.code == 7, r.err
    assert seconds - 0.1 < took < seconds + 8, r.err  # the default is 300 s


def test_a_wrong_value_of_an_option_is_a_fault_of_usage(agent, tmp_path):
    for args in (["--node", "a/b"], ["--head", "http://h"], ["--head", "10.0.0.1:6817"], ["--config", "gopher://x"]):
        assert agent("plan", "--root", tmp_path, *args, AWS_EC2_METADATA_DISABLED="true").code == 2, args


def test_a_missing_configuration_is_3(agent, tmp_path):
    for verb in ("plan", "bootstrap"):
        r = agent(verb, "--root", tmp_path, "--config", tmp_path / "none.yaml", AWS_EC2_METADATA_DISABLED="true")
        assert r.code == 3 and "none.yaml" in r.err, r.err
    (tmp_path / "c.yaml").write_text("files: [{path: /x, content: '%s'}]\n" % ("a" * 1000000))
    assert agent("check", tmp_path / "c.yaml").code == 0


def test_explain_takes_every_word_it_lists(agent):
    words = re.findall(r"^  ([a-z][a-z0-9-]*) ", agent("explain").out, re.M)
    assert len(words) > 100
    for word in set(words):
        assert agent("explain", word).code == 0, word


def test_fetch_writes_to_what_is_no_regular_file(agent, tmp_path):
    (tmp_path / "in").write_text("content")
    source = f"file:{tmp_path}/in"
    (tmp_path / "target").write_text("old")
    os.symlink("target", tmp_path / "link")
    assert agent("fetch", source, "-o", tmp_path / "link").code == 0
    assert (tmp_path / "link").is_symlink() and (tmp_path / "target").read_text() == "content"
    os.symlink("/dev/full", tmp_path / "full")
    r = agent("fetch", source, "-o", tmp_path / "full")
    assert r.code == 1 and (tmp_path / "full").is_symlink() and "No space" in r.err, r.err
    os.mkfifo(tmp_path / "fifo")
    reader = subprocess.Popen(["cat", tmp_path / "fifo"], stdout=subprocess.PIPE, text=True)
    assert agent("fetch", source, "-o", tmp_path / "fifo").code == 0
    assert reader.communicate(timeout=20)[0] == "content"
    assert agent("fetch", source, "-o", tmp_path / "fifo", "--deadline", "300ms").code == 7  # nobody reads
    assert agent("fetch", source, "-o", tmp_path).code == 1
    r = agent("fetch", source, "-o", "/proc/self/fd/1")  # as /dev/stdout, where that is a pipe
    assert r.code == 0 and r.out == "content", r.err


def test_closed_descriptors(program, tmp_path):
    """Started with no stdin, stdout, stderr it must not write into what it opens next."""
    (tmp_path / "f").write_text("x")
    r = subprocess.run(["bash", "-c", 'exec "$0" fetch "file:$1/f" -o "$1/o" <&- >&- 2>&-', program,
                        tmp_path], timeout=60)
    assert r.returncode == 0
    assert (tmp_path / "o").read_text() == "x"


def test_status_waits_for_the_end_without_polling(program, tmp_path):
    """--wait ends as soon as the status is replaced, from before its directory exists; it looks nowhere meanwhile."""
    run = tmp_path / "run" / "hpc-node"
    (tmp_path / "run").mkdir()
    waiting = subprocess.Popen([program, "status", "--wait", "--root", str(tmp_path), "--deadline", "60s"],
                               stdout=subprocess.PIPE, text=True)
    def wakes():
        with open(f"/proc/{waiting.pid}/status", encoding="ascii") as f:
            return int(re.search(r"^voluntary_ctxt_switches:\s+(\d+)", f.read(), re.M)[1])

    try:
        time.sleep(1)
        before = wakes()
        time.sleep(1)
        assert wakes() == before, "it woke while nothing happened"
        run.mkdir()
        (run / "new").write_text(json.dumps({"phase": "ready", "exit_status": 0, "steps": []}))
        began = time.monotonic()
        (run / "new").rename(run / "status.json")
        assert waiting.wait(10) == 0 and time.monotonic() - began < 1
        assert waiting.stdout.read() == "ready\n"
    finally:
        waiting.kill()
        waiting.wait()


# What runs here has a mount namespace of its own, and a small file system at $1.
SMALL = r"""
set -e
mount -t tmpfs -o size=64k,mode=755 none "$1"
mkdir -p "$1/etc"; printf 'hostname: n1\n' > "$1/c.yaml"
agent() { AWS_EC2_METADATA_DISABLED=true "$0" "$@" --root "$D"; }
D=$1
agent bootstrap --config "$D/c.yaml" --node n1 --json > "$2/first" 2> "$2/err"
"""


def in_small_root(program, tmp_path, script):
    (tmp_path / "root").mkdir()
    r = subprocess.run(["unshare", "-rm", "bash", "-c", SMALL + script, program, tmp_path / "root", tmp_path],
                       capture_output=True, text=True, timeout=60)
    return r, (tmp_path / "err").read_text()


def test_status_of_a_full_file_system(program, tmp_path):
    """The last status makes room for the next one, so that both tell of the same run."""
    r, err = in_small_root(program, tmp_path, r"""
if head -c 1M /dev/zero > "$D/fill" 2>/dev/null; then echo "the file system has room"; exit 1; fi
set +e
agent bootstrap --config "$D/c.yaml" --node n1 --json > "$2/second" 2> "$2/err"; echo $?
agent status --json > "$2/status"; echo $?
""")
    assert r.stdout.split() == ["0", "0"], (r.stdout, r.stderr, err)
    first, second, status = (json.loads((tmp_path / n).read_text()) for n in ("first", "second", "status"))
    assert second["phase"] == "ready" and second["start_ns"] > first["start_ns"]
    assert status == second


def test_no_status_is_no_success(program, tmp_path):
    r, err = in_small_root(program, tmp_path, r"""
mount --bind "$D/c.yaml" "$D/run/hpc-node/status.json"
set +e
agent bootstrap --config "$D/c.yaml" --node n1 > "$2/second" 2> "$2/err"; echo $?
""")
    assert r.stdout.split() == ["1"], (r.stdout, r.stderr, err)
    assert "writing 'status.json': Device or resource busy" in err and "n1 failed" in err, err


def test_lost_output_is_in_the_status(program, tmp_path):
    r, err = in_small_root(program, tmp_path, r"""
set +e
agent bootstrap --config "$D/c.yaml" --node n1 > /dev/full 2> "$2/err"; echo $?
agent status > "$2/status"; echo $?
""")
    assert r.stdout.split() == ["1", "1"], (r.stdout, r.stderr, err)
    assert "standard output" in (tmp_path / "status").read_text() and "No space" in err


def test_a_file_may_not_grow(program, tmp_path):
    """RLIMIT_FSIZE is an error with a message, not a death by SIGXFSZ."""
    (tmp_path / "f").write_text("x" * 100_000)
    r = subprocess.run(["bash", "-c", 'ulimit -f 8; exec "$0" fetch "file:$1/f" -o "$1/o"', program, tmp_path],
                       capture_output=True, text=True, timeout=60)
    assert r.returncode == 1 and "File too large" in r.stderr, (r.returncode, r.stderr)
    assert not (tmp_path / "o").exists()


def test_a_link_is_what_its_name_says(program, tmp_path):
    link = tmp_path / "slurm-prolog-wait"
    link.symlink_to(program)
    alone = subprocess.run([link], env={}, capture_output=True, text=True, timeout=60)
    assert (alone.returncode, alone.stdout) == (2, "") and "SLURM_JOB_NODELIST is not set" in alone.stderr
    other = tmp_path / "slurm-prolog"
    other.symlink_to(program)
    assert "hpc-agent" in subprocess.run([other, "version"], env={}, capture_output=True, text=True, timeout=60).stdout
