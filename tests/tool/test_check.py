"""`hpc-agent check FILE`: what is right passes, what is wrong is shown with its place."""
import os
import re
import resource
import subprocess

import pytest

SEED = """\
Region: eu-west-1
Image:
  Os: alinux2
HeadNode:
  InstanceType: t3.micro
  Networking:
    SubnetId: subnet-12121212
  Ssh:
    KeyName: hpc-cluster
  Imds:
    Secured: false
Scheduling:
  Scheduler: slurm
  SlurmQueues:
  - Name: queue1
    ComputeResources:
    - Name: t3micro
      Instances:
      - InstanceType: t3.micro
      MinCount: 0
      MaxCount: 10
    Networking:
      SubnetIds:
      - subnet-12121212
"""
NODE = """\
#hpc-node
version: 1
cluster: test-cluster
role: compute
config: s3://bucket/test-cluster/cluster-config.yaml
node: queue1-dy-t3micro-1
head: 172.31.5.10
munge-key: s3://bucket/test-cluster/munge.key
deadline: 300s
on-failure: hold
"""
PLACE = re.compile(r"^hpc-agent: (.*?):(\d+):(\d+): \S", re.M)
PEAK_MIB = 64


def check(agent, tmp_path, data, name="c.yaml", strict=False, **kw):
    path = tmp_path / name
    path.write_bytes(data if isinstance(data, bytes) else data.encode())
    return agent("check", path, *["--strict"] * strict, **kw)


def refused(r, name="c.yaml", line=None, says=()):
    """Exit 3 and one short message that begins with the place."""
    assert r.code == 3, (r.code, r.err)
    m = PLACE.search(r.err)
    assert m and m[1].endswith(name), r.err
    assert line is None or int(m[2]) == line, r.err
    assert int(m[2]) >= 1 and int(m[3]) >= 1 and len(r.err) < 2000, r.err
    for text in [says] if isinstance(says, str) else says:
        assert text in r.err, r.err
    assert all(c.isprintable() or c == "\n" for c in r.err), repr(r.err)


@pytest.mark.parametrize("text", [SEED, NODE, SEED.replace("\n", "\r\n"), "\ufeff" + SEED, "---\n" + SEED,
                                  SEED + "...\n", "# a comment\n" + SEED],
                         ids=["cluster", "node", "crlf", "bom", "document-start", "document-end", "comment"])
def test_accepted(agent, tmp_path, text):
    r = check(agent, tmp_path, text)
    assert r.code == 0, r.err


def line_of(text, needle):
    return text[:text.index(needle)].count("\n") + 1


def test_unknown_key_names_the_nearest(agent, tmp_path):
    bad = SEED.replace("  SlurmQueues:", "  SlurmQueue:")
    refused(check(agent, tmp_path, bad, strict=True), line=line_of(bad, "SlurmQueue:"), says=["SlurmQueue", "SlurmQueues"])
    bad = NODE.replace("munge-key", "munge_key")
    refused(check(agent, tmp_path, bad), line=line_of(bad, "munge_key"), says=["munge_key", "munge-key"])
    bad = SEED + "Zzzzzz: 1\n"
    refused(check(agent, tmp_path, bad, strict=True), line=line_of(bad, "Zzzzzz"), says="Zzzzzz")


def test_a_key_of_a_newer_parallelcluster_is_a_note(agent, tmp_path):
    r = check(agent, tmp_path, SEED + "Zzzzzz: 1\n")
    assert r.code == 0 and re.search(r"^note: .*c\.yaml:25:1: unknown key 'Zzzzzz' is ignored$", r.out, re.M), r
    root = tmp_path / "root"
    (root / "etc").mkdir(parents=True)
    (root / "usr/sbin").mkdir(parents=True)
    (root / "usr/sbin/slurmd").touch()
    (tmp_path / "munge.key").write_bytes(os.urandom(128))
    r = agent("plan", "--root", root, "-c", tmp_path / "c.yaml", "--node", "queue1-dy-t3micro-1", "--head", "10.0.0.1",
              AWS_EC2_METADATA_DISABLED="true")
    assert "unknown key 'Zzzzzz' is ignored" in r.out, r


def test_all_faults_at_once(agent, tmp_path):
    bad = SEED.replace("t3.micro\n  Networking", "[]\n  Networking").replace("MaxCount: 10", "MaxCount: many") + \
        "SharedStorage: [{MountDir: /etc, Name: a, StorageType: Ebs}]\n"
    r = check(agent, tmp_path, bad)
    assert r.code == 3 and len(PLACE.findall(r.err)) == 3, r.err
    r = check(agent, tmp_path, "sysctl: {a b: 1}\nfiles: [{path: x}, {path: /y, mode: 9}]\n")
    assert r.code == 3 and len(PLACE.findall(r.err)) >= 3, r.err


MANAGED = SEED + """\
SharedStorage:
- {MountDir: /e, Name: efs, StorageType: Efs}
- {MountDir: /l, Name: lustre, StorageType: FsxLustre, FsxLustreSettings: {StorageCapacity: 1200}}
- {MountDir: /z, Name: zfs, StorageType: FsxOpenZfs, FsxOpenZfsSettings: {VolumeId: fsvol-0123456789abcdef0}}
"""


def test_what_only_the_node_knows_is_a_note(agent, tmp_path):
    r = check(agent, tmp_path, MANAGED)
    assert r.code == 0, r.err
    for name in ("efs", "lustre", "zfs"):
        assert re.search(rf"^note: .*the node document needs 'storage: {{{name}: ", r.out, re.M), r.out
    (tmp_path / "node.yaml").write_text(NODE + "storage: {efs: fs-0123456789abcdef0, lustre: 'fs-1@tcp:/x', zfs: 'h:/v'}\n")
    r = agent("check", tmp_path / "c.yaml", "--node-document", tmp_path / "node.yaml")
    assert r.code == 0 and "note" not in r.out, r
    (tmp_path / "node.yaml").write_text(NODE.replace("compute", "worker"))
    r = agent("check", tmp_path / "c.yaml", "--node-document", tmp_path / "node.yaml")
    refused(r, name="node.yaml", line=4)


def test_facts_are_those_of_a_node(agent, tmp_path):
    for fact, code in (("region", 0), ("local-ipv4", 0), ("head", 0), ("tag.team", 0), ("tag.a-b.c", 0),
                       ("iam-role", 3), ("tag.Name", 3), ("hostname", 3)):
        r = check(agent, tmp_path, "files: [{path: /x, content: '${%s}'}]\n" % fact)
        assert r.code == code, (fact, r.err)


def test_each_queue_is_looked_at(agent, tmp_path):
    bad = SEED + "  - {Name: other, Networking: {SubnetIds: [subnet-1]}, CustomActions: {OnNodeStart: {Script: 'ftp://h/x'}}}\n"
    refused(check(agent, tmp_path, bad), line=25, says="ftp://h/x")


@pytest.mark.parametrize("old,new", [
    ("  SlurmQueues:\n  - Name: queue1", "  SlurmQueues: queue1\n  X:\n  - Name: queue1"),
    ("Scheduling:\n  Scheduler: slurm", "Scheduling:\n  Scheduler: [slurm]"),
    ("    Secured: false", "    Secured: maybe"), ("      MaxCount: 10", "      MaxCount: many"),
    ("      MaxCount: 10", "      MaxCount: 99999999999999999999"),
    ("Region: eu-west-1", "Region: {a: b}"), ("Image:\n  Os: alinux2", "Image: alinux2")])
def test_wrong_type(agent, tmp_path, old, new):
    assert old in SEED
    bad = SEED.replace(old, new)
    refused(check(agent, tmp_path, bad), says="expected")


@pytest.mark.parametrize("old,new", [
    ("role: compute", "role: worker"), ("deadline: 300s", "deadline: 300 parsecs"),
    ("deadline: 300s", "deadline: -1s"), ("on-failure: hold", "on-failure: explode"),
    ("version: 1", "version: 2"), ("version: 1", "version: one"),
    ("node: queue1-dy-t3micro-1", "node: [a]"), ("config: s3://", "config: gopher://"),
    ("munge-key: s3://bucket/test-cluster/munge.key", "munge-key: s3://bucket"),
    ("cluster: test-cluster", "cluster: 'a/b\x07'"),
    ("deadline: 300s", "config-sha256: abc")])
def test_node_document_values(agent, tmp_path, old, new):
    bad = NODE.replace(old, new)
    refused(check(agent, tmp_path, bad), line=line_of(bad, new.partition(":")[0] + ":"))


def test_duplicate_key(agent, tmp_path):
    bad = SEED + "Region: eu-west-2\n"
    refused(check(agent, tmp_path, bad), line=len(SEED.splitlines()) + 1, says=["Region"])
    refused(check(agent, tmp_path, NODE + "role: head\n"), line=len(NODE.splitlines()) + 1)


BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 9)}]\n" for i in range(20))
NESTED = {"flow": "Region: " + "[" * 80000, "maps": "Region: " + "{a: " * 80000,
          "block": "Region:\n  " + "- " * 80000 + "x\n", "closed": "[" * 80000 + "]" * 80000}


@pytest.mark.parametrize("text,says", [
    (BOMB, ""), ("Region: &x eu-west-1\n", "anchor"), ("Region: *x\n", "alias"),
    ("Region: !!python/object:os.system x\n", "tag"), ("Region: !foo x\n", "tag"),
    ("a: &a\n  b: *a\n", ""), ("Region:\n  <<: {a: b}\n", ""), (SEED + "---\n" + SEED, "document"),
    ("", ""), ("\n\n# only a comment\n", ""), ("- a\n- b\n", ""), ("just text\n", ""), ("Region: [\n", ""),
    ("Region: 'unterminated\n", ""), ("\tRegion: x\n", ""), ("Region: x\n bad: y\n", ""), ("%YAML 9.9\n---\nx: y\n", ""),
    ("{" * 200 + "}" * 200, ""), ("? [a, b]\n: c\n", ""), ("Region: " + "x" * 300000 + "\n", ""),
    ("k" * 100000 + ": x\n", "")], ids=lambda v: repr(v)[:24])
def test_yaml_that_is_refused(agent, tmp_path, text, says):
    refused(check(agent, tmp_path, text), says=says)


@pytest.mark.parametrize("kind", NESTED)
def test_nesting(agent, tmp_path, kind):
    refused(check(agent, tmp_path, NESTED[kind]))


def test_ten_mebibytes(agent, tmp_path):
    for text in (b"# " + b"x" * (10 << 20) + b"\n", b"Region: x\n" * (1 << 20), b"\n" * (10 << 20)):
        refused(check(agent, tmp_path, text))


@pytest.mark.parametrize("raw", [b"Region: a\x00b\n", b"\x00", b"Region: \xff\xfe\n", b"Region: \xc0\xaf\n",
                                 b"Region: \xed\xa0\x80\n", b"Region: \xf5\x80\x80\x80\n", b"Region: caf\xe9\n",
                                 "Region: x\n".encode("utf-16"), b"Region: a\x1bb\n", b"Region: \xe2\x82"],
                         ids=lambda v: repr(v)[:30])
def test_bytes_that_are_not_text(agent, tmp_path, raw):
    refused(check(agent, tmp_path, raw))


def test_place_is_exact(agent, tmp_path):
    bad = SEED.replace("    Secured: false", "    Secured: maybe")
    r = check(agent, tmp_path, bad)
    assert re.search(r"c\.yaml:11:14: ", r.err), r.err
    r = check(agent, tmp_path, b"Region: eu-west-1\nImage:\n  Os: \xff\n")
    assert re.search(r"c\.yaml:3:7: ", r.err), r.err


def test_strange_names_and_files(agent, tmp_path):
    refused(check(agent, tmp_path, "Region: [\n", name="a b:c.yaml"), name="a b:c.yaml")
    assert agent("check", tmp_path / "absent").code == 3
    assert agent("check", tmp_path).code == 3
    assert agent("check", "/dev/zero", guard=20).code == 3
    os.mkfifo(tmp_path / "fifo")
    assert agent("check", tmp_path / "fifo", guard=20).code == 3
    r = check(agent, tmp_path, SEED, name="-dash.yaml")
    assert r.code == 0, r.err


def test_bombs_cost_little(program, tmp_path):
    """The worst inputs stay within a small address space's worth of memory."""
    if "asan" in subprocess.run(["ldd", program], capture_output=True, text=True).stdout:
        limit = None
    else:
        limit = lambda: resource.setrlimit(resource.RLIMIT_DATA, (PEAK_MIB << 20,) * 2)
    for text in [BOMB, *NESTED.values(), "Region: x\n" * (1 << 20), "[" + "a," * 500000 + "]"]:
        (tmp_path / "c").write_text(text)
        p = subprocess.run([program, "check", tmp_path / "c"], capture_output=True, timeout=60,
                           preexec_fn=limit)
        assert p.returncode == 3, p.stderr[-500:]


def test_what_the_head_would_refuse(agent, tmp_path):
    """Of a ParallelCluster file also what is about the head alone; a type that isn't known here is no fault."""
    refused(check(agent, tmp_path, SEED.replace("Name: t3micro", "Name: 3t", 1)), line=17, says=("Name of a compute resource",))
    refused(check(agent, tmp_path, SEED.replace("Name: queue1", "Name: ''", 1)), line=15, says=("is no node name",))
    unlike = SEED.replace("Name: t3micro", "Name: T3", 1)
    refused(check(agent, tmp_path, unlike, strict=True), line=17, says=("Name of a compute resource",))
    r = check(agent, tmp_path, unlike)
    assert r.code == 0 and "note: " in r.out and ":17:13: Name of a compute resource: 'T3'" in r.out, r
    r = check(agent, tmp_path, SEED.replace("InstanceType: t3.micro\n      MinCount", "InstanceType: zz.new\n      MinCount"))
    assert r.code == 0 and "note: " in r.out and ":19:23: instance type 'zz.new' is not known" in r.out, r
    keys = SEED.replace("  SlurmQueues:", "  SlurmSettings:\n    CustomSlurmSettings:\n    - PrologTimeout: 5\n  SlurmQueues:")
    assert check(agent, tmp_path, keys).code == 0
    (tmp_path / "c.yaml").write_text(keys)
    assert agent("check", "--slurm", "25.05", tmp_path / "c.yaml").code == 0
    r = agent("check", "--slurm", "24.11", tmp_path / "c.yaml")
    assert r.code == 3 and ":16:7: 'PrologTimeout' is a key of Slurm 25.05 and later" in r.err, r
