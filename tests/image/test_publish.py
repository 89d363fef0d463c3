"""A raw disk becomes an AMI: against an account that is as strict as AWS, on good days and bad ones."""
import base64
import hashlib
import json
import os
import random
import signal
import subprocess
import time

import pytest

from fakes.ebs import BLOCK, Account
from fakes.faults import Fault
from fakes.proc import wait_until
from fakes.sigcheck import Key

KEY = Key("AKIAEXAMPLEEXAMPLE00", "wJalrXUtnFEMIK7MDENGbPxRfiCYEXAMPLEKEY00", "a-session-token")
REGION = "eu-west-1"
LATER = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 700 * 86400))
BEYOND = time.strftime("%Y-%m-%dT00:00:00Z", time.gmtime(time.time() + 3660 * 86400))
KMS = "arn:aws:kms:eu-west-1:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
GUARD = 120


def disk(path, blocks, size=64):
    """A sparse disk of `size` blocks; `blocks`: index -> what it is filled with."""
    with open(path, "wb") as f:
        f.truncate(size * BLOCK)
        for i, text in blocks.items():
            f.seek(i * BLOCK)
            f.write((text * (BLOCK // len(text) + 1))[:BLOCK])
    return path


def content(path):
    out = {}
    with open(path, "rb") as f:
        for i, block in enumerate(iter(lambda: f.read(BLOCK), b"")):
            block += bytes(BLOCK - len(block))
            if any(block):
                out[i] = hashlib.sha256(block).digest()
    return out


BLOCKS = {i: b"block %d " % i for i in (0, 1, 5, 17, 18, 40, 63)}


@pytest.fixture
def account():
    with Account([KEY]) as a:
        yield a


@pytest.fixture
def env(account):
    return {"AWS_ENDPOINT_URL": account.url, "AWS_REGION": REGION, "AWS_ACCESS_KEY_ID": KEY.access_key,
            "AWS_SECRET_ACCESS_KEY": KEY.secret, "AWS_SESSION_TOKEN": KEY.token}


@pytest.fixture
def aws(tool, env, tmp_path):
    def run(verb, *args, **more):
        if verb in ("publish", "resume", "gc"):
            args += ("--state", tmp_path / "state")
        r = tool(verb, *args, guard=GUARD, **{**env, **more})
        for secret in (KEY.secret, KEY.token):
            assert secret not in r.err + r.out
        return r
    return run


@pytest.fixture
def raw(tmp_path):
    return disk(tmp_path / "disk.raw", BLOCKS)


def published(account, r):
    assert r.code == 0, r.err
    image = account.images[r.out.strip()]
    return image, account.snapshots[image.snapshot]


def test_publishes_with_every_trap_closed(account, aws, raw):
    image, snapshot = published(account, aws("publish", raw, "--name", "compute (1.0)", "--tag", "team=a b&c=d",
                                             "--description", "for <all>"))
    assert account.content(snapshot.id) == content(raw)
    assert (image.arch, image.virtualization, image.boot) == ("x86_64", "hvm", "uefi-preferred")
    assert (image.ena, image.imds, image.root, image.state) == (True, "v2.0", "/dev/xvda", "available")
    assert image.device["Ebs.VolumeType"] == "gp3" and image.device["Ebs.VolumeSize"] == "1"
    assert image.device["Ebs.DeleteOnTermination"] == "true"
    assert image.tags["team"] == "a b&c=d" and image.description == "for <all>"
    assert image.tags["hpc-imagebuild:run"] == snapshot.tags["hpc-imagebuild:run"]
    assert snapshot.timeout == 30 and "hpc-imagebuild:expires" in snapshot.tags
    assert len([r for r in account.log if "/blocks/" in r.path]) == len(BLOCKS)


def test_the_same_content_is_found(account, aws, raw, tmp_path):
    first = aws("publish", raw, "--name", "one")
    published(account, first)
    account.reset()
    again = aws("publish", raw, "--name", "two")
    assert again.code == 0 and again.out == first.out and "already" in again.err
    assert len(account.log) == 1
    # The same content in a longer file is the same content; of another architecture it isn't.
    longer = disk(tmp_path / "longer.raw", BLOCKS, 70)
    assert aws("publish", longer, "--name", "three").out == first.out
    arm = aws("publish", raw, "--name", "four", "--arch", "arm64")
    assert published(account, arm)[0].boot == "uefi" and arm.out != first.out


def test_a_parent_leaves_only_what_changed(account, aws, raw, tmp_path):
    parent, _ = published(account, aws("publish", raw, "--name", "parent"))
    account.reset()
    changed = {**BLOCKS, 5: b"other", 20: b"new"}
    del changed[18]  # became zero: it must be sent, or the parent's would show
    child = disk(tmp_path / "child.raw", changed)
    _, snapshot = published(account, aws("publish", child, "--name", "child", "--parent", parent.id))
    assert sorted(snapshot.blocks) == [5, 18, 20]
    assert account.content(snapshot.id) == content(child)
    # A smaller disk upon a larger one: what lies beyond its end is zeros.
    small = disk(tmp_path / "small.raw", {0: b"small"}, 2)
    _, s = published(account, aws("publish", small, "--name", "small", "--parent", snapshot.id))
    assert account.content(s.id) == content(small)


def test_a_parent_that_is_not_known(account, aws, raw):
    r = aws("publish", raw, "--name", "child", "--parent", "snap-0123456789abcdef0")
    assert r.code == 2 and "--state" in r.err and not account.snapshots


def test_what_follows(account, aws, raw):
    r = aws("publish", raw, "--name", "all", "--share", "111122223333", "--copy", "us-east-1", "--alias",
            "/images/compute", "--deprecate", LATER)
    image, snapshot = published(account, r)
    assert image.shared == snapshot.shared == {"111122223333"}
    assert image.deprecated == LATER
    assert account.parameters == {(REGION, "/images/compute"): image.id}
    copies = [i for i in account.images.values() if i.region == "us-east-1"]
    assert len(copies) == 1 and copies[0].tags == image.tags


def test_what_follows_an_image_that_is_found(account, aws, raw, tmp_path):
    """An alias that was moved on comes back, and the same copy is asked for once."""
    image, snapshot = published(account, aws("publish", raw, "--name", "one"))
    account.parameters[REGION, "/images/compute"] = "ami-0123456789abcdef0"
    follows = ("--share", "111122223333", "--copy", "us-east-1", "--alias", "/images/compute",
               "--deprecate", LATER)
    for _ in range(2):
        r = aws("publish", raw, "--name", "two", *follows)
        assert r.code == 0 and r.out.strip() == image.id and "already" in r.err, r.err
        assert image.shared == snapshot.shared == {"111122223333"} and image.deprecated == LATER
        assert account.parameters == {(REGION, "/images/compute"): image.id}
        assert len([i for i in account.images.values() if i.region == "us-east-1"]) == 1
    assert len(account.snapshots) == 1 and "published" in (sorted((tmp_path / "state/runs").iterdir())[-1]).read_text()
    assert aws("gc").code == 0 and image.id in account.images


def test_verbs_for_an_image(account, aws, raw):
    image, snapshot = published(account, aws("publish", raw, "--name", "all"))
    r = aws("copy", image.id, "us-east-1")
    assert r.code == 0 and account.images[r.out.strip()].region == "us-east-1"
    assert aws("copy", image.id, "us-east-1").out == r.out
    assert aws("share", image.id, "111122223333", "444455556666").code == 0
    assert image.shared == snapshot.shared == {"111122223333", "444455556666"}
    assert aws("share", image.id, "all").code == 2
    assert aws("deprecate", image.id, LATER).code == 0 and image.deprecated
    assert aws("alias", image.id, "/a/b").code == 0 and account.parameters[REGION, "/a/b"] == image.id
    assert aws("alias", image.id, "aws/b").code == 2
    r = aws("deregister", image.id)
    assert r.code == 0 and "success" in r.out and not account.snapshots
    assert aws("deregister", image.id).code == 4


@pytest.mark.parametrize("head, name", [(b"conectix", "VHD"), (b"QFI\xfb\0\0\0\3", "qcow2"),
                                        (b"KDMV", "VMDK"), (b"\x1f\x8b\x08", "gzip")])
def test_other_formats_are_refused(account, aws, tmp_path, head, name):
    path = tmp_path / "disk"
    path.write_bytes(head + bytes(BLOCK))
    r = aws("publish", path, "--name", "disk")
    assert r.code == 3 and name in r.err and not account.log


def test_a_fixed_vhd_is_refused_by_its_footer(account, aws, tmp_path):
    path = tmp_path / "disk"
    path.write_bytes(b"\x01" * BLOCK + b"conectix" + bytes(504))
    assert aws("publish", path, "--name", "disk").code == 3 and not account.log


@pytest.mark.parametrize("args", [
    ("--name", "ab"), ("--name", "a" * 129), ("--name", "compute:1"), (), ("--name", "abc", "--share", "12"),
    ("--name", "abc", "--tag", "=v"), ("--name", "abc", "--tag", "aws:x=v"),
    ("--name", "abc", "--deprecate", "soon"), ("--name", "abc", "--deprecate", "2027-02-30T00:00:00Z"),
    ("--name", "abc", "--deprecate", "2020-01-01T00:00:00Z"), ("--name", "abc", "--deprecate", BEYOND),
    ("--name", "abc", "--description", "d" * 256), ("--name", "abc", "--description", "für alle"),
    ("--name", "abc", "--share", "111122223333", "--encrypt"), ("--name", "abc", "--copy", "eu_west"),
    ("--name", "abc", "--copy", "eu-west-1"), ("--name", "abc", "--copy", "us-east-1", "--copy", "us-east-1"),
    ("--name", "abc", "--copy", "cn-north-1"), ("--name", "abc", "--tag", "AWS:x=v"), ("--name", "abc", "--tag", "k=" + "v" * 256),
    ("--name", "abc", "--alias", "a b"),
    ("--name", "abc", "--arch", "arm64", "--boot", "legacy-bios"),
    ("--name", "abc", "--parent", "x"), ("--name", "abc", "--connections", "101"),
    ("--name", "abc", "--parent", "snap-1", "--encrypt")])
def test_bad_input_changes_nothing(account, aws, raw, args):
    r = aws("publish", raw, *args)
    assert r.code == 2 and "expected" in r.err and not account.changes


def test_throttles_stalls_and_faults(account, aws, raw):
    throttle = {"status": 400, "headers": {"x-amzn-ErrorType": "RequestThrottledException"},
                "body": '{"Message":"slow down","Reason":"RESOURCE_LEVEL_THROTTLE"}'}
    account.fault(Fault("status", "*/blocks/1", times=2, **throttle),
                  Fault("status", "*/blocks/5", status=500, headers={"x-amzn-ErrorType": "InternalServerException"}),
                  Fault("reset", "*/blocks/17"), Fault("close", "*/blocks/18"),
                  Fault("garbage", "*/blocks/40"), Fault("hang", "*/blocks/63", seconds=60),
                  Fault("status", "/snapshots", **throttle))
    _, snapshot = published(account, aws("publish", raw, "--name", "bad day"))
    assert account.content(snapshot.id) == content(raw)


def test_a_snapshot_that_appears_late(account, aws, raw):
    account.settle = 3
    _, snapshot = published(account, aws("publish", raw, "--name", "late"))
    assert account.content(snapshot.id) == content(raw)


@pytest.mark.parametrize("code, status, reason", [
    ("AccessDeniedException", 403, "aws-denied"), ("ServiceQuotaExceededException", 402, "aws-quota"),
    ("ValidationException", 400, "ValidationException")])
def test_refusals_are_not_tried_again(account, aws, raw, code, status, reason):
    account.fault(Fault("status", "*/blocks/*", times=0, status=status, headers={"x-amzn-ErrorType": code},
                        body='{"Message":"the service\'s words"}'))
    r = aws("publish", raw, "--name", "refused", "--connections", "2")
    assert r.code == 4 and "the service's words" in r.err and reason in r.err and "resume" in r.err
    assert len([q for q in account.log if "/blocks/" in q.path]) <= 2


def test_a_name_that_is_taken(account, aws, raw, tmp_path):
    """Told before a block is sent: nothing is left to collect."""
    published(account, aws("publish", raw, "--name", "taken"))
    before = len(account.changes)
    r = aws("publish", disk(tmp_path / "b.raw", {3: b"x"}), "--name", "taken")
    assert r.code == 4 and "--name 'taken': 'ami-" in r.err and len(account.changes) == before, r.err
    assert len(account.snapshots) == len(account.images) == 1 and aws("gc").out == ""


@pytest.mark.parametrize("refused, wrong, right", [
    ({"ModifyImageAttribute": "999999999999"}, ("--share", "999999999999"), ("--share", "111122223333")),
    ({"ModifyImageAttribute": "999999999999"}, ("--share", "999999999999"), ("--share", "")),
    ({"CopyImage": "ap-east-1"}, ("--copy", "ap-east-1"), ("--copy", "eu-central-1")),
    ({"EnableImageDeprecation": LATER}, ("--deprecate", LATER), ("--deprecate", ""))])
def test_what_follows_and_was_refused_is_asked_for_otherwise(account, aws, raw, tmp_path, refused, wrong, right):
    account.refused = refused
    r = aws("publish", raw, "--name", "follows", *wrong)
    assert r.code == 4 and "resume" in r.err and len(account.images) == 1, r.err
    run, = runs(tmp_path)
    assert aws("resume", run).code == 4 and not ended(tmp_path, run)
    image, _ = published(account, aws("resume", run, *right))
    assert image.shared == ({right[1]} if right == ("--share", "111122223333") else set()) and not image.deprecated
    assert len(account.snapshots) == 1 and ended(tmp_path, run)
    assert {i.region for i in account.images.values()} == {REGION, *(["eu-central-1"] if "eu-central-1" in right else [])}


def test_resume_checks_what_it_is_given(account, aws, raw, tmp_path):
    account.refused = {"EnableImageDeprecation": "*"}
    assert aws("publish", raw, "--name", "follows", "--deprecate", LATER).code == 4
    run, = runs(tmp_path)
    before = len(account.changes)
    r = aws("resume", run, "--deprecate", "2020-01-01T00:00:00Z")
    assert r.code == 2 and "--deprecate" in r.err and len(account.changes) == before


def test_the_answers_that_were_lost(account, aws, raw):
    """Started, completed and registered without our hearing of it: asked again, the same comes back."""
    for match in ("/snapshots", "/snapshots/completion/*"):
        account.fault(Fault("truncate", match, "POST", at=0))
    account.fault(Fault("reset", "/", "POST", skip=2, at=0))
    _, snapshot = published(account, aws("publish", raw, "--name", "lost"))
    assert account.content(snapshot.id) == content(raw)
    assert len(account.snapshots) == len(account.images) == 1


def test_an_image_that_fails(account, aws, raw, tmp_path):
    account.image_after = 10 ** 6
    p = start(aws, raw, tmp_path)
    wait_until(lambda: account.images)
    next(iter(account.images.values())).__dict__.update(state="failed", reason="no kernel")
    assert p.wait(GUARD) == 4
    r = aws("gc")
    assert r.code == 0 and not account.images and not account.snapshots


def start(aws, raw, tmp_path, *args):
    """`publish` in the background."""
    tool, env = aws.__closure__, None
    cells = dict(zip(aws.__code__.co_freevars, (c.cell_contents for c in tool)))
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": str(tmp_path), **cells["env"]}
    return subprocess.Popen([cells["tool"].path, "publish", raw, "--name", "killed", "--connections", "2",
                             "--state", tmp_path / "state", *args], env=env, stdin=subprocess.DEVNULL,
                            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def runs(tmp_path):
    return [f[:-6] for f in os.listdir(tmp_path / "state" / "runs") if f.endswith(".jsonl")]


def ended(tmp_path, run):
    lines = (tmp_path / "state" / "runs" / f"{run}.jsonl").read_text().splitlines()
    return any(json.loads(x)["event"] == "end" for x in lines if x.endswith("}"))


KILLS = [(method, match, when, n) for method, match, n in [
    ("POST", "/snapshots", 1), ("PUT", "/snapshots/*/blocks/*", 1), ("PUT", "/snapshots/*/blocks/*", 5),
    ("POST", "/snapshots/completion/*", 1), ("POST", "/", 2), ("POST", "/", 3), ("POST", "/", 5)]
    for when in ("before", "after")]


@pytest.mark.parametrize("method, match, when, n", KILLS)
def test_killed_at_a_call(account, aws, raw, tmp_path, method, match, when, n):
    """kill -9 before or after the service has carried out the n-th such request."""
    proc = []

    def kill():
        wait_until(lambda: proc)
        proc[0].send_signal(signal.SIGKILL)
    account.fault(Fault("close" if when == "before" else "truncate", match, method, skip=n - 1, at=0,
                        then=kill))
    proc.append(start(aws, raw, tmp_path))
    assert proc[0].wait(GUARD) == -signal.SIGKILL
    survive(account, aws, raw, tmp_path)


def survive(account, aws, raw, tmp_path, resume=True):
    """Whatever is left in the account is named by gc; resume finishes; gc then has nothing to remove."""
    unfinished = [r for r in (runs(tmp_path) if (tmp_path / "state" / "runs").exists() else [])
                  if not ended(tmp_path, r)]
    named = aws("gc", "--dry-run").out
    for s in account.snapshots.values():
        image = next((i for i in account.images.values() if i.snapshot == s.id), None)
        assert s.id in named or (image and image.id in named) or not unfinished
    if not unfinished:
        return
    before = len([x for x in account.log if "/blocks/" in x.path])
    there = {i for s in account.snapshots.values() for i in s.blocks}
    r = aws("resume", unfinished[0])
    if r.code == 3 and "before it began" in r.err:
        assert not account.changes
        assert aws("gc").code == 0
        return
    _, snapshot = published(account, r)
    assert account.content(snapshot.id) == content(raw)
    assert len(account.snapshots) == len(account.images) == 1
    sent = len([x for x in account.log if "/blocks/" in x.path]) - before
    assert sent <= len(BLOCKS) - len(there) + 2, "sent what was there"
    assert aws("gc").out == "" and aws("resume", unfinished[0]).code == 3


SEED = int(os.environ.get("HPC_SEED") or random.randrange(1 << 32))


@pytest.mark.parametrize("n", range(6))
def test_killed_at_any_time(account, aws, raw, tmp_path, n):
    print(f"HPC_SEED={SEED}")
    account.fault(Fault("delay", "*", times=0, seconds=0.02))
    p = start(aws, raw, tmp_path)
    time.sleep(random.Random(SEED + n).uniform(0, 1.2))
    p.send_signal(signal.SIGKILL)
    p.wait(GUARD)
    account.reset()
    survive(account, aws, raw, tmp_path)


def test_gc_after_a_kill_leaves_nothing(account, aws, raw, tmp_path):
    proc = []

    def kill():
        wait_until(lambda: proc)
        proc[0].send_signal(signal.SIGKILL)
    account.fault(Fault("truncate", "*/blocks/*", skip=3, at=0, then=kill))
    proc.append(start(aws, raw, tmp_path))
    proc[0].wait(GUARD)
    assert account.snapshots
    assert aws("gc").code == 0 and not account.snapshots
    run, = runs(tmp_path)
    assert aws("resume", run).code == 3
    assert os.listdir(tmp_path / "state" / "runs") == [f"{run}.jsonl"]


def test_gc_leaves_other_machines_runs_alone(account, aws, raw, tmp_path):
    proc = []

    def kill():
        wait_until(lambda: proc)
        proc[0].send_signal(signal.SIGKILL)
    account.fault(Fault("truncate", "*/blocks/*", at=0, then=kill))
    proc.append(start(aws, raw, tmp_path))
    proc[0].wait(GUARD)
    os.rename(tmp_path / "state", tmp_path / "elsewhere")
    snapshot, = account.snapshots.values()
    r = aws("gc")
    assert r.code == 0 and "kept" in r.out and account.snapshots
    snapshot.tags["hpc-imagebuild:expires"] = "2020-01-01T00:00:00Z"
    assert aws("gc").code == 0 and not account.snapshots


def test_one_at_a_time(account, aws, raw, tmp_path):
    account.fault(Fault("hang", "*/blocks/*", times=0, seconds=60))
    p = start(aws, raw, tmp_path)
    wait_until(lambda: account.snapshots)
    run, = runs(tmp_path)
    r = aws("resume", run)
    assert r.code == 6 and "another process" in r.err
    r = aws("gc")
    assert "at work" in r.out and account.snapshots
    p.kill()
    p.wait(GUARD)


def test_resume_wants_the_same_disk(account, aws, raw, tmp_path):
    account.fault(Fault("status", "*/completion/*", times=0, status=402,
                        headers={"x-amzn-ErrorType": "ServiceQuotaExceededException"}))
    assert aws("publish", raw, "--name", "x y z").code == 4
    account.reset()
    disk(raw, {0: b"another"})
    run, = runs(tmp_path)
    r = aws("resume", run)
    assert r.code == 5 and "gc" in r.err


def test_encryption(account, aws, raw, tmp_path):
    _, s = published(account, aws("publish", raw, "--name", "secret", "--kms-key", KMS, "--share", "111122223333"))
    assert s.encrypted and s.request["KmsKeyArn"] == KMS and s.shared == {"111122223333"}


def test_keys_of_secure_boot_and_a_tpm(account, aws, raw, tmp_path):
    """As EC2 takes them, with the boot mode that they need; and an image without them is another one."""
    data = base64.b64encode(b"AMZNUEFI" + bytes(range(256)) * 187 + bytes(120)).decode()
    assert 63900 < len(data) <= 64000
    (tmp_path / "vars").write_text(data + "\n")
    plain, _ = published(account, aws("publish", raw, "--name", "plain"))
    image, _ = published(account, aws("publish", raw, "--name", "secure", "--uefi-data", tmp_path / "vars", "--tpm"))
    assert image.id != plain.id
    assert (image.boot, image.tpm, image.uefi_data) == ("uefi", "v2.0", data) and (plain.tpm, plain.uefi_data) == ("", "")
    same = aws("publish", raw, "--name", "again", "--uefi-data", tmp_path / "vars", "--tpm")
    assert same.out.strip() == image.id
    other, _ = published(account, aws("publish", raw, "--name", "tpm", "--tpm"))
    assert other.id not in (image.id, plain.id) and other.tpm == "v2.0" and not other.uefi_data


def test_a_resumed_run_has_its_keys(account, aws, raw, tmp_path):
    (tmp_path / "vars").write_text(base64.b64encode(b"AMZNUEFI" + bytes(100)).decode())
    account.fault(Fault("status", "/snapshots", status=403, headers={"x-amzn-ErrorType": "AccessDeniedException"}, body="{}"))
    r = aws("publish", raw, "--name", "secure", "--uefi-data", tmp_path / "vars", "--tpm")
    assert r.code == 4, r.err
    (tmp_path / "vars").unlink()
    run, = runs(tmp_path)
    image, _ = published(account, aws("resume", run))
    assert image.boot == "uefi" and image.tpm == "v2.0" and image.uefi_data.startswith("QU1aTlVFRkk")


@pytest.mark.parametrize("vars, args, code, text", [
    (b"QU1aTlVFRkkA", ("--boot", "uefi-preferred"), 2, "expected uefi, without which --uefi-data"),
    (b"AMZNUEFI plain", (), 3, "expected EC2's store of UEFI variables"),
    (b"QU1aTlVFRkkA" * 5334, (), 3, "64000 characters"), (b"", (), 3, "expected EC2's store"), (b"a b", (), 3, "expected EC2's store")],
    ids=["boot", "plain", "long", "empty", "odd"])
def test_keys_that_ec2_would_not_take(account, aws, raw, tmp_path, vars, args, code, text):
    (tmp_path / "vars").write_bytes(vars)
    r = aws("publish", raw, "--name", "abc", "--uefi-data", tmp_path / "vars", *args)
    assert r.code == code and text in r.err and not account.changes, r.err


def test_an_account_that_encrypts_everything(account, aws, raw):
    account.encrypt_by_default = True
    r = aws("publish", raw, "--name", "shared", "--share", "111122223333")
    assert r.code == 2 and "--kms-key" in r.err and not account.changes, r.err
    image, s = published(account, aws("publish", raw, "--name", "kept"))
    assert s.encrypted and not image.shared


def test_an_image_that_appears_late(account, aws, raw):
    account.image_settle = 3
    published(account, aws("publish", raw, "--name", "late"))
    # Registered without our hearing of it, and not seen yet: its name alone is taken.
    account.images.clear()
    account.snapshots.clear()
    account.fault(Fault("reset", "/", "POST", skip=2, at=0))
    published(account, aws("publish", raw, "--name", "late"))
    assert len(account.images) == 1


@pytest.mark.parametrize("how, reason", [
    (lambda a: setattr(a, "keys", [Key(KEY.access_key, "other", KEY.token)]), "credentials-rejected"),
    (lambda a: setattr(a, "keys", [Key(KEY.access_key, KEY.secret, KEY.token, expires=1)]), "credentials-rejected")],
    ids=["wrong", "expired"])
def test_credentials_that_ec2_refuses(account, aws, raw, how, reason):
    how(account)
    r = aws("publish", raw, "--name", "nobody")
    assert r.code == 4 and reason in r.err and "clock" not in r.err and len(account.log) == 1, r.err


@pytest.mark.parametrize("skew", [1200, -1200])
def test_a_clock_that_is_wrong(account, aws, raw, skew):
    account.skew = skew
    r = aws("publish", raw, "--name", "skewed")
    published(account, r)
    assert "clock" in r.err


def test_verbs_check_before_they_call(account, aws, raw):
    for args in (("deprecate", "ami-1", "2020-01-01T00:00:00Z"), ("deprecate", "ami-1", BEYOND),
                 ("copy", "ami-1", "eu_west"), ("copy", "ami-1", "us-east-1", "--name", "a:b")):
        r = aws(*args)
        assert r.code == 2 and "expected" in r.err and not account.log, r.err


def test_profiles(account, tool, raw, tmp_path):
    aws_dir = tmp_path / ".aws"
    aws_dir.mkdir()
    (aws_dir / "credentials").write_text(
        f"# keys\n[default]\naws_access_key_id = nobody\naws_secret_access_key = x\n\n[bake]\n"
        f"aws_access_key_id={KEY.access_key}\naws_secret_access_key = {KEY.secret}\n"
        f"aws_session_token = {KEY.token}\n")
    (aws_dir / "config").write_text("[profile bake]\nregion = eu-west-1\ns3 =\n  max = 1\n"
                                    "[profile sso]\nsso_session = x\nregion = eu-west-1\n")
    env = {"AWS_ENDPOINT_URL": account.url}
    args = ("publish", raw, "--name", "by profile", "--state", tmp_path / "state")
    published(account, tool(*args, AWS_PROFILE="bake", **env))
    assert tool(*args, AWS_PROFILE="none", **env).code == 3
    r = tool(*args, AWS_PROFILE="sso", **env)
    assert r.code == 3 and "sso_session" in r.err  # the file has no such session
    (aws_dir / "config").write_text("[profile bake]\nnonsense\n")
    r = tool(*args, AWS_PROFILE="bake", **env)
    assert r.code == 3 and "config:2:1:" in r.err


def test_sources_of_credentials(account, tool, raw, tmp_path):
    """What AWS's own tools would sign by is refused by name; none at all is told within seconds, with what was
    looked at."""
    env = {"AWS_ENDPOINT_URL": account.url, "AWS_REGION": REGION}
    args = ("publish", raw, "--name", "nobody", "--state", tmp_path / "state")
    for name in ("AWS_WEB_IDENTITY_TOKEN_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI"):
        r = tool(*args, **env, **{name: "http://192.0.2.1:9/x"})
        assert r.code == 3 and name in r.err, r.err
    start = time.monotonic()
    r = tool(*args, **env)
    assert r.code == 4 and "no-credentials" in r.err and "AWS_ACCESS_KEY_ID isn't set" in r.err, r.err
    assert "profile 'default'" in r.err and "metadata service" in r.err, r.err
    assert time.monotonic() - start < 15
    for true in ("true", "TRUE", "tRuE", "1", "Yes"):
        r = tool(*args, **env, AWS_EC2_METADATA_DISABLED=true)
        assert r.code == 3 and "AWS_EC2_METADATA_DISABLED" in r.err, (true, r.err)
    assert not account.log


def test_pages(account, aws, raw, tmp_path):
    account.PAGE = 1
    for i in range(3):
        assert aws("publish", disk(tmp_path / "d.raw", {i: b"x"}), "--name", f"image {i}").code == 0
    r = aws("gc")
    assert r.code == 0 and len(account.images) == 3
