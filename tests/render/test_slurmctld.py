"""A real slurmctld takes what `render` writes for its release, and has understood it: each case of cases/ that is no fault is
started, and what it says of itself compared with what was asked for.  Needs root.

SLURM_SUITE names a release of Debian in the bed's cache whose Slurm it is; without it this machine's."""
import os
import re
import subprocess
from pathlib import Path

import pytest

from cases import CASES, HERE, Rendered
from large import large

from bed import rootfs, suites

NAMESPACE = HERE / "slurm_ns.sh"
SOURCE = Path(os.environ["HPC_SOURCE"])
SUITE = suites.SUITES.get(os.environ.get("SLURM_SUITE"))
RELEASE = ("--slurm", SUITE.slurm) if SUITE else ()
ENVIRONMENT = dict(os.environ, SLURM_TREE=str(rootfs.tree(SUITE.name))) if SUITE else None
# What slurmctld says at a first start, and of what this machine lacks beside Slurm or its package is shipped with.
USUAL = re.compile(r"MailProg|pmix|plugstack.conf|Could not open \w+ state file|NOTE: Trying backup (partition )?state save file|Configured MailProg|switches lack access to \d+ nodes: $")  # free numbers of MaxNodeCount
ASK = """
slurmctld -D -s >/run/ctld 2>&1 &
ctld=$!
for ((i = 0; i < 1000; i++)); do
	scontrol ping 2>/dev/null | grep -q UP && break
	kill -0 $ctld 2>/dev/null || { tail -n 5 /run/ctld /var/log/slurm/slurmctld.log; exit 1; }
	sleep 0.1
done
scontrol show config
echo "== nodes"
scontrol show nodes -o
echo "== partitions"
scontrol show partitions -o
echo "== errors"
grep -E 'error:|fatal:' /var/log/slurm/slurmctld.log
kill $ctld
wait || :
"""


def good(case):
    text = case.with_suffix(".expected").read_text()
    wanted = re.match(r"# --slurm (\S+)", case.read_text())
    return not text.startswith("exit status") and (not wanted or wanted[1] in RELEASE)


def ask(directory, command, guard=120):
    run = subprocess.run([NAMESPACE, directory, "bash", "-c", command], capture_output=True, text=True, timeout=guard,
                         env=ENVIRONMENT)
    assert run.returncode == 0, run.stdout + run.stderr
    return run.stdout


def settings(text):
    """slurm.conf's lines of one setting."""
    return dict(line.split("=", 1) for line in text.splitlines()
                if line and not re.match(r"#|(NodeName|NodeSet|PartitionName|Include)\b", line))


def lines(text, key):
    return [dict(word.split("=", 1) for word in line.split()) for line in text.splitlines() if line.startswith(key + "=")]


def numbers(spread):
    """a-[1-3],b-[1-1] -> {a-1, a-2, a-3, b-1}"""
    names = set()
    for name, first, last in re.findall(r"([^,\[\]]+)\[(\d+)-(\d+)\]", spread):
        names |= {f"{name}{i}" for i in range(int(first), int(last) + 1)}
    return names


def compare_config(wanted, said):
    have = {key.strip().lower().removesuffix("[0]"): value.strip() for key, value in
            (line.split("=", 1) for line in said.splitlines() if " = " in line)}
    if have.get("mpidefault") == "(null)":      # as later releases print it
        have["mpidefault"] = "none"
    for key, value in wanted.items():
        got = re.sub(r" (sec|min|nodes/min)$|\(\d+\)$", "", have[key.lower()]) if key != "SlurmctldHost" else have["slurmctldhost"]
        if key == "SuspendExcNodes":
            assert numbers(got) == numbers(value)
        elif key == "TaskPlugin":       # later releases have an order of their own
            assert sorted(got.split(",")) == sorted(value.split(","))
        else:
            assert got.lower() == value.lower(), key


def compare_nodes(wanted, said):
    have = {node["NodeName"]: node for node in lines(said, "NodeName")}
    for line in wanted:
        for name in numbers(line["NodeName"]):
            node = have.pop(name)
            assert (node["CPUTot"], node["RealMemory"], node["Weight"]) == (line["CPUs"], line["RealMemory"], line.get("Weight", "1"))
            if "Feature" in line:
                assert node["AvailableFeatures"] == line["Feature"]
                assert "CLOUD" in node["State"]
            assert node["Gres"] == line.get("Gres", "(null)")
            for key in ("Sockets", "CoresPerSocket", "ThreadsPerCore"):
                assert key not in line or node[key] == line[key]
    assert not have


def compare_partitions(text, said):
    have = {part["PartitionName"]: part for part in lines(said, "PartitionName")}
    sets = {line["NodeSet"]: line.get("Nodes", "") for line in lines(text, "NodeSet")}
    for line in lines(text, "PartitionName"):
        part = have.pop(line["PartitionName"])
        assert part["State"] == "UP" and part["Default"] == line.get("Default", "NO")
        assert part["OverSubscribe"] == line.get("OverSubscribe", "NO")
        assert part["MaxTime"] == {"INFINITE": "UNLIMITED", "1:00:00": "01:00:00"}.get(line.get("MaxTime"), "UNLIMITED")
        nodes = sets.get(line.get("Nodes"), line.get("Nodes", ""))
        assert int(part["TotalNodes"]) == len(numbers(nodes))
    assert not have


@pytest.mark.parametrize("case", filter(good, CASES), ids=lambda path: path.stem)
def test_case(case, tmp_path):
    got = Rendered(case, tmp_path, RELEASE)
    path = got.out / "etc/slurm/slurm.conf"
    # Without a database slurmctld doesn't start at all, and no database is here: its lines are compared by test_render.
    text = "".join(line for line in path.read_text().splitlines(keepends=True)
                   if not line.startswith(("AccountingStorage", "JobAcctGather")))
    path.write_text(text)
    wanted = settings(text)
    if "Include" in text:
        (path.parent / "slurm_custom.conf").write_text("MaxArraySize=123\n")
        wanted["MaxArraySize"] = "123"
    said = re.split(r"^== \w+\n", ask(got.out, ASK), flags=re.M)
    compare_config(wanted, said[0])
    compare_nodes(lines(text, "NodeName"), said[1])
    compare_partitions(text, said[2])
    assert [line for line in said[3].splitlines() if not USUAL.search(line)] == []


def test_many_queues(tmp_path):
    """Two thousand compute resources: also their names in one line, of nodes that are never to be suspended."""
    case = tmp_path / "large.yaml"
    case.write_text(large(200, 10, 2, ("c5.xlarge", "c6g.xlarge", "m5.large")))
    got = Rendered(case, tmp_path / "case", RELEASE)
    assert got.run.code == 0, got.run.err
    text = got.files["etc/slurm/slurm.conf"]
    said = re.split(r"^== \w+\n", ask(got.out, ASK, 240), flags=re.M)
    compare_config(settings(text), said[0])
    compare_nodes(lines(text, "NodeName"), said[1])
    assert len(lines(said[1], "NodeName")) == 4000
    compare_partitions(text, said[2])


def known_keys():
    """slurmkey.c's tables: level -> {key: (since, until)}; 0: always."""
    text = (SOURCE / "lib/model/slurmkey.c").read_text()
    for level in ("globals", "partitions", "nodes"):
        table = re.search(rf"slurmkey {level}\[\] = {{(.*?)^}};", text, re.M | re.S)[1]
        keys = {name: (0, 0) for name in re.findall(r'K\("(\w+)"\)', table)}
        keys |= {name: (int(since), int(until)) for name, since, until in re.findall(r'\{"(\w+)", (\d+), (\d+)\}', table)}
        yield level, keys


def test_the_tables_are_this_slurms(tmp_path):
    """What the tables say that this release has it takes for a key, and nothing else."""
    (tmp_path / "etc/slurm").mkdir(parents=True)
    release = re.search(r"(\d\d)\.(\d\d)", ask(tmp_path, "slurmctld -V"))
    release = int(release[1] + release[2])
    line = {"globals": "{}=1\n", "partitions": "PartitionName=p Nodes=ALL {}=1\n", "nodes": "NodeName=n[1-2] {}=1\n"}
    whole = {"NodeName", "NodeSet", "PartitionName", "DownNodes", "SlurmctldHost", "ClusterName"}
    wanted, n = {}, 0
    for level, keys in known_keys():
        for key, (since, until) in {**keys, "NoSuchKey": (9999, 0)}.items():
            if key in whole:
                continue
            (tmp_path / f"etc/slurm/{level}.{key}").write_text("ClusterName=c\nSlurmctldHost=head(10.0.0.10)\n"
                                                               "NodeName=x\n" + line[level].format(key))
            wanted[f"{level}.{key}"] = since <= release <= (until or release)
            n += 1
    said = ask(tmp_path, "cd /etc/slurm; for f in *; do echo \"== $f\"; SLURM_CONF=$PWD/$f timeout 5 scontrol ping 2>&1 |"
                         " grep -o 'unrecognized key: .*' || :; done", 300)
    taken = {name: "unrecognized" not in rest for name, rest in re.findall(r"^== (\S+)\n((?:(?!== ).*\n)*)", said, re.M)}
    assert n > 280 and taken == wanted


def test_it_would_fail(tmp_path):
    """A setting that is not what was asked for, and an error that isn't usual, are seen."""
    with pytest.raises(AssertionError):
        compare_config({"SuspendTime": "601"}, "SuspendTime = 600 sec\nSlurmctldHost[0] = head\n")
    case = HERE / "cases/walk.yaml"
    got = Rendered(case, tmp_path, RELEASE)
    path = got.out / "etc/slurm/slurm.conf"
    path.write_text(path.read_text() + "NoSuchKey=5\n")
    run = subprocess.run([NAMESPACE, got.out, "bash", "-c", ASK], capture_output=True, text=True, timeout=60, env=ENVIRONMENT)
    assert run.returncode == 1 and "unrecognized key: NoSuchKey" in run.stdout + run.stderr
