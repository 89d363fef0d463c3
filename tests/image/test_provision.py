"""provision: sections, components and tests of a recipe, carried out on a machine of the test's own."""
import hashlib
import json
import os
import re
import subprocess

import pytest

import disks
import tiny
from machine import Machine

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a layer over this machine's tree")

NASTY = "$(touch /tmp/pwned) `id` '\"\\ ;|& *\n-rf\n${HOME}"


@pytest.fixture
def machine(program, tmp_path):
    return Machine(program, tmp_path)


def recipe(tmp_path, text, **components):
    """A recipe with that text, and with components whose build steps are given by name."""
    for name, steps in components.items():
        document = {"name": name, "schemaVersion": "1.0", "phases": [{"name": "build", "steps": steps}]}
        (tmp_path / f"{name}.yaml").write_text(json.dumps(document))
    if components:
        text += f"components: [{', '.join(f'{name}.yaml' for name in components)}]\n"
    path = tmp_path / "recipe.yaml"
    path.write_text("image: {name: test}\n" + text)
    return path


def bash(*commands, **step):
    return {"name": step.pop("name", "Bash"), "action": "ExecuteBash", "inputs": {"commands": list(commands)}, **step}


def test_sections_and_tests(machine, tmp_path):
    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/sub/file").write_text("copied")
    (tmp_path / "tree/link").symlink_to("sub/file")
    path = recipe(tmp_path, """
copy: [{from: tree, to: /opt/tree}]
files: [{path: /etc/hpc-test, content: "hello\\n"}]
tests:
  - {run: [cat, /opt/tree/link, /etc/hpc-test], expect: {stdout: [copied, hello]}}
  - {run: [no-such-program], expect: {status: 127}}
  - {run: [ls, /none], expect: {status: 2, stderr: No such file}}
""")
    first, again, manifest = machine.run([machine.program, "provision", path], [machine.program, "provision", path],
                                         ["cat", "/usr/lib/hpc-node/image-manifest.json"])
    assert first[0] == 0, first[2]
    assert json.loads(manifest[1])["image"]["name"] == "test" and '"name":"dpkg"' in manifest[1], manifest
    assert "changed  files:/etc/hpc-test" in first[1] and "passed   test cat" in first[1]
    assert again[0] == 0 and "0 changed, 1 held already" in again[1], again


@pytest.mark.parametrize("expect,said", [
    ("{status: 1}", "expected exit status 1, found 0"),
    ("{stdout: bye}", "expected stdout to contain 'bye', found 'hello"),
    ("{stderr: bye}", "expected stderr to contain 'bye'")])
def test_a_test_that_fails(machine, tmp_path, expect, said):
    path = recipe(tmp_path, f"tests:\n  - {{run: [echo, hello], expect: {expect}}}\n")
    (status, _, err), = machine.provision(path)
    assert status == 1 and f"{path}:3:5: test 'echo hello': {said}" in err, err


def test_a_step_that_fails_ends_it(machine, tmp_path):
    path = recipe(tmp_path, "files: [{path: /proc/none/x, content: x}]\ntests: [{run: [touch, /tmp/ran]}]\n")
    (status, out, err), (there, _, _) = machine.provision(path, ["test", "-e", "/tmp/ran"])
    assert status == 1 and "failed   files:/proc/none/x" in out and "/proc/none" in err and there == 1


def test_an_optional_step_that_fails_ends_nothing(machine, tmp_path):
    path = recipe(tmp_path, "files: [{path: /proc/none/x, content: x, optional: true}]\n"
                  "tests: [{run: [touch, /opt/tested]}]\n", one=[bash("touch /opt/component")])
    (status, _, err), (there, _, _) = machine.provision(path, ["ls", "/opt/tested", "/opt/component"])
    assert status == 8 and "/proc/none" in err and there == 0, err


def test_values_arrive_literally(machine, tmp_path):
    path = recipe(tmp_path, "files: [{path: '/etc/$$(touch pwned)', content: %s}]\n" % json.dumps(NASTY.replace("$", "$$"))
                  + "tests: [{run: [printf, '%%s', %s], expect: {stdout: %s}}]\n" % (2 * (json.dumps(NASTY.replace("$", "$$")),)),
                  nasty=[{"name": "Literal", "action": "CreateFile", "loop": {"forEach": [NASTY, "-n"]},
                          "inputs": [{"path": "/opt/nasty-{{ loop.index }}", "content": "{{ loop.value }}"}]},
                         {"name": "Binary", "action": "ExecuteBinary",
                          "inputs": {"path": "/usr/bin/printf", "arguments": ["%s", NASTY]}},
                         {"name": "Kept", "action": "CreateFile",
                          "inputs": [{"path": "/opt/-dash", "content": "{{ build.Binary.outputs.stdout }}"}]},
                         {"name": "Copy", "action": "CopyFile",
                          "inputs": [{"source": "/opt/-dash", "destination": "/opt/$(touch pwned)"}]}])
    results = machine.provision(path, ["cat", "/etc/$(touch pwned)"], ["cat", "/opt/nasty-0"], ["cat", "/opt/nasty-1"],
                                ["cat", "/opt/$(touch pwned)"], ["test", "-e", "/tmp/pwned"])
    assert results[0][0] == 0, results[0]
    assert [r[1] for r in results[1:5]] == [NASTY, NASTY, "-n", NASTY]
    assert results[5][0] == 1, "something was run by a shell"


def test_every_action(machine, tmp_path):
    steps = [
        {"name": "Folder", "action": "CreateFolder", "inputs": [{"path": "/opt/a", "permissions": "0750"}]},
        {"name": "File", "action": "CreateFile", "inputs": [{"path": "/opt/a/f", "content": "x", "permissions": "0600"}]},
        {"name": "Link", "action": "CreateSymlink", "inputs": [{"path": "/opt/a/l", "target": "f"}]},
        {"name": "Mode", "action": "SetFilePermissions", "inputs": [{"path": "/opt/a/f", "permissions": "0640"}]},
        {"name": "Owner", "action": "SetFileOwner", "inputs": [{"path": "/opt/a/f", "owner": "daemon", "group": "daemon"}]},
        {"name": "Copy", "action": "CopyFile", "inputs": [{"source": "/opt/a/f", "destination": "/opt/a/g"}]},
        {"name": "Folders", "action": "CopyFolder", "inputs": [{"source": "/opt/a", "destination": "/opt/b"}]},
        {"name": "Move", "action": "MoveFile", "inputs": [{"source": "/opt/b/g", "destination": "/opt/h"}]},
        {"name": "Delete", "action": "DeleteFile", "inputs": [{"path": "/opt/a/g"}]},
        {"name": "DeleteAll", "action": "DeleteFolder", "inputs": [{"path": "/opt/b", "force": True}]},
        bash("cat <&0; echo out; echo err >&2", name="Bash"),
        {"name": "Count", "action": "ExecuteBash", "loop": {"name": "n", "for": {"start": 1, "end": 5, "updateBy": 2}},
         "inputs": {"commands": ["echo {{ n.value }} >>/opt/count"]}},
        {"name": "Assert", "action": "Assert", "inputs": {"and": [
            {"stringEquals": "out", "value": "{{ build.Bash.outputs.stdout }}"},
            {"patternMatches": "^/opt/a/.$", "value": "{{ build.Mode.inputs[0].path }}"},
            {"numberGreaterThan": "9", "value": "10"}, {"not": {"fileExists": "/opt/a/g"}},
            {"or": [{"folderExists": "/none"}, {"folderExists": "/opt/a"}]}]}},
    ]
    path = recipe(tmp_path, "", all=steps)
    results = machine.provision(path, ["stat", "-c", "%a %U %N", "/opt/a", "/opt/a/f", "/opt/a/l", "/opt/h"],
                                ["ls", "/opt/a", "/opt/b"], ["cat", "/opt/count"])
    assert results[0][0] == 0, results[0]
    assert results[1][1].splitlines() == ["750 root '/opt/a'", "640 daemon '/opt/a/f'", "777 root '/opt/a/l' -> 'f'",
                                          "640 daemon '/opt/h'"]
    assert "g" not in results[2][1] and "/opt/b" in results[2][2]
    assert results[3][1].split() == ["1", "3", "5"]


def test_failures(machine, tmp_path):
    path = recipe(tmp_path, "", fails=[
        bash("exit 3", name="Ignored", onFailure="Ignore"),
        bash("echo x >>/opt/tries; exit 1", name="Tries", maxAttempts=3, onFailure="Continue"),
        bash("echo after >/opt/after", name="After"),
        bash("sleep 60", name="Slow", timeoutSeconds=1, onFailure="Continue"),
        bash("echo the reason >&2; exit 7", name="Last"),
        bash("touch /opt/never", name="Never")])
    results = machine.provision(path, ["cat", "/opt/tries"], ["cat", "/opt/after"], ["test", "-e", "/opt/never"])
    status, _, err = results[0]
    assert status == 1 and "step 'build.Last'" in err and "exit status 7: the reason" in err
    assert results[1][1] == "x\nx\nx\n" and results[2][1] == "after\n" and results[3][0] == 1


@pytest.mark.parametrize("overwrite, status, mode", [({}, 0, "700\n"), ({"overwrite": True}, 0, "700\n"), ({"overwrite": False}, 1, "755\n")])
def test_a_folder_that_is_there(machine, tmp_path, overwrite, status, mode):
    step = {"name": "Folder", "action": "CreateFolder", "inputs": [{"path": "/opt/a", "permissions": "0700", **overwrite}]}
    path = recipe(tmp_path, "", folder=[bash("mkdir -m 755 /opt/a; touch /opt/a/kept"), step])
    done, there, kept = machine.provision(path, ["stat", "-c", "%a", "/opt/a"], ["ls", "/opt/a"])
    assert done[0] == status and (status == 0 or "'/opt/a' is there already, and 'overwrite' is false" in done[2]), done[2]
    assert there[1] == mode and kept[1] == "kept\n"


def test_a_failure_that_continues_still_fails(machine, tmp_path):
    path = recipe(tmp_path, "", fails=[bash("exit 1", name="First", onFailure="Continue"), bash("touch /opt/after", name="B")])
    (status, _, err), (after, _, _) = machine.provision(path, ["test", "-e", "/opt/after"])
    assert status == 1 and "step 'build.First'" in err and after == 0


def test_conditions(machine, tmp_path):
    no = {"stringEquals": "a", "value": "b"}
    path = recipe(tmp_path, "", conditions=[
        bash("touch /opt/skipped", name="Skipped", **{"if": no}),
        bash("touch /opt/else", name="Else", **{"if": {**no, "then": "Skip", "else": "Execute"}}),
        bash("touch /opt/aborted", name="Aborted", **{"if": {**no, "else": "Abort"}}),
        bash("touch /opt/never", name="Never")])
    results = machine.provision(path, ["ls", "/opt"])
    assert results[0][0] == 1 and "step 'build.Aborted'" in results[0][2]
    assert "else" in results[1][1] and not {"skipped", "aborted", "never"} & set(results[1][1].split())


def test_restart(machine, tmp_path):
    path = recipe(tmp_path, "", restarts=[
        bash("echo once >>/opt/log; echo value", name="Before"),
        {"name": "Reboot", "action": "Reboot"},
        bash("[ -e /opt/twice ] && exit 0; touch /opt/twice; echo asks >>/opt/log; exit 194", name="Asks"),
        bash("echo '{{ build.Before.outputs.stdout }}' >>/opt/log", name="After")])
    run = [machine.program, "provision", path]
    a, b, c, log, state = machine.run(run, run, run, ["cat", "/opt/log"], ["ls", "/var/lib/hpc-node"])
    assert (a[0], b[0], c[0]) == (194, 194, 0), (a, b, c)
    assert log[1].split() == ["once", "asks", "value"] and "provision.json" not in state[1]


def test_restarts_of_a_recipe_and_of_the_one_below(machine, tmp_path):
    """Each is asked for once: a restart of the upper one doesn't have the lower one ask again."""
    reboot = {"name": "Restart", "action": "Reboot", "inputs": {}}
    recipe(tmp_path, "", one=[bash("echo lower >>/opt/log"), reboot]).rename(tmp_path / "lower.yaml")
    path = recipe(tmp_path, "", two=[bash("echo upper >>/opt/log"), reboot])
    path.write_text(path.read_text().replace("{name: test}", "{name: test, from: lower.yaml}"))
    run = [machine.program, "provision", path]
    *runs, log = machine.run(run, run, run, ["cat", "/opt/log"])
    assert [r[0] for r in runs] == [194, 194, 0], runs
    assert log[1].split() == ["lower", "upper"]


def test_no_restart_of_what_does_not_run(machine, tmp_path):
    path = recipe(tmp_path, "", restarts=[{"name": "Now", "action": "Reboot"}])
    tree = tmp_path / "tree"
    tree.mkdir()
    (status, _, err), = machine.run([machine.program, "provision", path, "--root", tree])
    assert status == 1 and "'Reboot' needs a running machine" in err


def test_parent_first(machine, tmp_path):
    (tmp_path / "base.yaml").write_text("image: {name: base}\nfiles: [{path: /etc/order, content: base}]\n")
    path = tmp_path / "top.yaml"
    path.write_text("image: {name: top, from: base.yaml}\nfiles: [{path: /etc/order, content: top}]\n")
    (status, out, _), (_, text, _) = machine.provision(path, ["cat", "/etc/order"])
    assert status == 0 and text == "top" and out.count("/etc/order") == 2


def test_pcluster_image(machine, tmp_path):
    script = tmp_path / "component.sh"
    script.write_text("#!/bin/sh\necho component >>/opt/ran\n")
    path = tmp_path / "image.yaml"
    body = f"""Region: eu-west-1
Build:
  InstanceType: c5.large
  ParentImage: ami-0123456789abcdef0
  UpdateOsPackages: {{Enabled: false}}
  Components:
    - {{Type: script, Value: "file:{script}"}}
"""
    path.write_text(body)
    (status, _, err), (_, ran, _) = machine.provision(path, ["cat", "/opt/ran"])
    assert status == 0 and ran == "component\n", err
    lacks = ("  Installation: {LustreClient: {Enabled: true}}\n", "'LustreClient' is left out: it is not installed from here")
    for wrong, said in (("    - {Type: arn, Value: 'arn:aws:imagebuilder:x'}\n", "a component in AWS's keeping"),
                        ("  Componets: []\n", "unknown key 'Componets', did you mean 'Components'?"), lacks):
        path.write_text(body + wrong)
        (status, _, err), (_, ran, _) = machine.provision(path, ["cat", "/opt/ran"])
        assert status == 3 and f"{path}:" in err and said in err and ran == "", err
    (status, _, err), (_, ran, _) = machine.provision(path, ["cat", "/opt/ran"], args=["--incomplete"])
    assert status == 0 and ran == "component\n" and lacks[1] in err, err


def test_json(machine, tmp_path):
    path = recipe(tmp_path, "files: [{path: /etc/j, content: j}]\n", one=[bash("true")])
    (status, out, _), = machine.provision(path, args=["--json"])
    lines = [json.loads(line) for line in out.splitlines()]
    assert status == 0 and lines[0]["state"] == "changed" and lines[0]["step"] == "files:/etc/j"
    assert lines[1]["step"].endswith("build.Bash")
    assert {line["schema"] for line in lines} == {1}


def test_busy(machine, tmp_path):
    path = recipe(tmp_path, "", slow=[bash("sleep 3")])
    inside = "%s provision %s & sleep 1; %s provision %s; s=$?; wait; exit $s" % (2 * (machine.program, path))
    (status, _, err), = machine.run(["bash", "-c", inside])
    assert status == 6 and "another run" in err


def test_downloads(program, tmp_path):
    """From an S3 that holds the signature against the key, as AWS does."""
    from fakes.aws import Aws
    from fakes.sigcheck import Key
    key = Key("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "token")
    body = os.urandom(700000)
    with Aws(keys=[key]) as aws:
        aws.bucket("tools").put("a b.bin", body)
        machine = Machine(program, tmp_path, AWS_ENDPOINT_URL_S3=aws.url, AWS_REGION="eu-west-1",
                          AWS_ACCESS_KEY_ID=key.access_key, AWS_SECRET_ACCESS_KEY=key.secret, AWS_SESSION_TOKEN=key.token)
        get = {"name": "Get", "action": "S3Download", "inputs": [{"source": "s3://tools/a b.bin", "destination": "/opt/tool"}]}
        keep = {**get, "name": "Keep", "inputs": [{**get["inputs"][0], "overwrite": False}]}
        results = machine.provision(recipe(tmp_path, "", fetch=[get, keep]), ["cp", "/opt/tool", tmp_path / "got"])
        assert results[0][0] == 1 and "'overwrite' is false" in results[0][2] and "build.Keep" in results[0][2]
        assert (tmp_path / "got").read_bytes() == body
        none = {**get, "inputs": [{"source": "s3://tools/none", "destination": "/opt/none"}]}
        (status, _, err), (there, _, _) = machine.provision(recipe(tmp_path, "", fetch=[none]), ["test", "-e", "/opt/none"])
        assert status == 4 and there == 1 and "s3://tools/none" in err and key.secret not in err


@pytest.fixture
def transfers(program, tmp_path):
    """A machine with an S3 that holds the signature against the key."""
    from fakes.aws import Aws
    from fakes.sigcheck import Key
    key = Key("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "token")
    with Aws(keys=[key]) as aws:
        yield aws, Machine(program, tmp_path, AWS_ENDPOINT_URL_S3=aws.url, AWS_REGION="eu-west-1",
                           AWS_ACCESS_KEY_ID=key.access_key, AWS_SECRET_ACCESS_KEY=key.secret, AWS_SESSION_TOKEN=key.token)


def test_all_below_a_prefix(transfers, tmp_path):
    aws, machine = transfers
    bucket = aws.bucket("tools")
    for name, body in {"d/": b"", "d/one": b"1", "d/sub/a & b": b"2", "dd": b"3"}.items():
        bucket.put(name, body)
    get = {"name": "Get", "action": "S3Download", "inputs": [{"source": "s3://tools/d/*", "destination": "/opt/all/"}]}
    path = recipe(tmp_path, "", fetch=[get])
    results = machine.provision(path, ["sh", "-c", "cd /opt/all && find . -type f | LC_ALL=C sort && cat one 'sub/a & b'"])
    assert results[0][0] == 0 and results[1][1] == "./one\n./sub/a & b\n12", results
    bucket.may_list = False
    status, _, err = machine.provision(path)[0]
    assert status == 4 and "s3:ListBucket" in err, err


def test_uploads(transfers, tmp_path):
    """What arrives is what was there, under the keys that AWSTOE gives; the fake checks signature and owner."""
    aws, machine = transfers
    bucket = aws.bucket("out")
    up = lambda source, destination, **more: {"source": source, "destination": f"s3://out/{destination}", **more}
    steps = [bash("mkdir -p /opt/r/sub/deep; cd /opt/r; printf A >a.log; printf B >b.log; printf C >'sub/c & d'; printf D >sub/deep/d;"
                  " ln -s a.log link; : >empty"),
             {"name": "Up", "action": "S3Upload", "inputs": [
                 up("/opt/r/a.log", "one", expectedBucketOwner="123456789012"), up("/opt/r/a.log", "into/"),
                 up("/opt/r/*.log", "logs"), up("/opt/r", "tree/", recurse=True), up("/opt/r/*", "all/", recurse=True)]}]
    (status, _, err), = machine.provision(recipe(tmp_path, "", up=steps))
    assert status == 0, err
    tree = {"a.log": b"A", "b.log": b"B", "empty": b"", "sub/c & d": b"C", "sub/deep/d": b"D"}
    want = {"one": b"A", "into/a.log": b"A", "logs/a.log": b"A", "logs/b.log": b"B",
            **{f"tree/{k}": v for k, v in tree.items()}, **{f"all/{k}": v for k, v in tree.items()}}
    assert {k.decode(): v[-1].body for k, v in bucket.objects.items()} == want


@pytest.mark.parametrize("inputs, status, said", [
    ({"source": "/opt/r", "destination": "s3://out/x"}, 1, "'recurse' is false"),
    ({"source": "/opt/none", "destination": "s3://out/x"}, 1, "/opt/none"),
    ({"source": "/etc/passwd", "destination": "s3://out/x", "expectedBucketOwner": "210987654321"}, 4, "AccessDenied"),
    ({"source": "/etc/passwd", "destination": "s3://none/x"}, 4, "NoSuchBucket")])
def test_uploads_that_fail(transfers, tmp_path, inputs, status, said):
    aws, machine = transfers
    bucket = aws.bucket("out")
    steps = [bash("mkdir -p /opt/r"), {"name": "Up", "action": "S3Upload", "inputs": [inputs]}]
    (got, _, err), = machine.provision(recipe(tmp_path, "", up=steps))
    assert got == status and said in err and "build.Up" in err and not bucket.objects, err


def test_downloads_that_are_weak(program, tmp_path):
    """Taken as AWSTOE's documentation has it, with a word; a file that isn't the one meant is refused all the same."""
    from fakes.httpd import Response, Server
    machine = Machine(program, tmp_path)
    body = b"hello"
    answer = lambda request: Response(302, b"", [("Location", "/file")]) if request.path == "/moved" else Response(200, body)
    with Server(answer) as site:
        get = lambda **more: {"name": "Get", "action": "WebDownload", "inputs": [
            {"source": f"{site.url}/moved", "destination": "/opt/f", **more}]}
        sums = {n: hashlib.new(n, body).hexdigest() for n in ("md5", "sha1", "sha256", "sha512")}
        for more, warned in ({}, True), ({"checksum": sums["md5"], "algorithm": "MD5"}, True), \
                ({"checksum": sums["sha256"], "algorithm": "SHA256"}, False), ({"checksum": sums["sha512"], "algorithm": "sha512"}, False):
            (status, _, err), (_, got, _) = machine.provision(recipe(tmp_path, "", web=[get(**more)]), ["cat", "/opt/f"])
            assert status == 0 and got == "hello" and ("by http" in err) == warned, err
        wrong = recipe(tmp_path, "", web=[get(checksum="0" * 40, algorithm="SHA1")])
        (status, _, err), (there, _, _) = machine.provision(wrong, ["test", "-e", "/opt/f"])
        assert status == 5 and there == 1 and sums["sha1"] in err


def test_downloads_by_profile(program, tmp_path):
    from fakes.aws import Aws
    from fakes.sigcheck import Key
    key = Key("ASIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "token")
    shared = tmp_path / "credentials"
    shared.write_text(f"[bake]\naws_access_key_id = {key.access_key}\naws_secret_access_key = {key.secret}\n"
                      f"aws_session_token = {key.token}\n")
    with Aws(keys=[key]) as aws:
        aws.bucket("tools").put("tool", b"content")
        machine = Machine(program, tmp_path, AWS_ENDPOINT_URL_S3=aws.url, AWS_REGION="eu-west-1", AWS_PROFILE="bake",
                          AWS_SHARED_CREDENTIALS_FILE=str(shared))
        get = {"name": "Get", "action": "S3Download", "inputs": [{"source": "s3://tools/tool", "destination": "/opt/tool"}]}
        results = machine.provision(recipe(tmp_path, "", fetch=[get]), ["cat", "/opt/tool"])
        assert results[0][0] == 0 and results[1][1] == "content", results


ROLE = "arn:aws:iam::123456789012:role/builds/bake"
OUTER = "arn:aws:iam::123456789012:role/outer"


@pytest.fixture
def roles(program, tmp_path):
    """S3 of which only roles may read, the service that lends them, and a machine of whom these variables are."""
    from fakes.aws import Aws
    from fakes.sigcheck import Key
    from fakes.sts import Sts
    lent = []
    with Aws(keys=[]) as aws, Sts([Key("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI", "")], lent) as sts:
        aws.keys = lent
        aws.bucket("tools").put("tool", b"content")

        def fetch(shared, **env):
            work = tmp_path / f"machine{len(list(tmp_path.iterdir()))}"
            work.mkdir()
            m = Machine(program, work, AWS_ENDPOINT_URL_S3=aws.url, AWS_ENDPOINT_URL_STS=sts.url, AWS_REGION="eu-west-1",
                        AWS_SHARED_CREDENTIALS_FILE="/none", AWS_CONFIG_FILE=str(work / "config"),
                        **{k: v.format(work=work) for k, v in env.items()})
            (work / "config").write_text(shared)
            (work / "token").write_text("identity\n")
            get = {"name": "Get", "action": "S3Download", "inputs": [{"source": "s3://tools/tool", "destination": "/opt/tool"}]}
            return m.provision(recipe(work, "", fetch=[get]))[0]
        yield sts, fetch


PERSON = "[profile base]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = wJalrXUtnFEMI\n"


def test_a_role_is_assumed(roles):
    sts, fetch = roles
    sts.role(ROLE, trusts=["AKIAIOSFODNN7EXAMPLE"], external_id="a & b")
    status, _, err = fetch(PERSON + f"[profile bake]\nrole_arn = {ROLE}\nsource_profile = base\nexternal_id = a & b\n"
                           "role_session_name = someone@example.com\nduration_seconds = 900\n", AWS_PROFILE="bake")
    assert status == 0, err
    (action, ask, _), = sts.issued
    assert action == "AssumeRole" and ask["RoleSessionName"] == "someone@example.com" and ask["DurationSeconds"] == "900"


def test_a_role_assumes_a_role(roles):
    sts, fetch = roles
    sts.role(OUTER, trusts=["AKIAIOSFODNN7EXAMPLE"])
    sts.role(ROLE, trusts=[OUTER])
    chain = PERSON + f"[profile outer]\nrole_arn = {OUTER}\nsource_profile = base\n" \
                     f"[profile bake]\nrole_arn = {ROLE}\nsource_profile = outer\n"
    status, _, err = fetch(chain, AWS_PROFILE="bake")
    assert status == 0, err
    assert [ask["RoleArn"] for _, ask, _ in sts.issued] == [OUTER, ROLE]


def test_a_web_identity_has_a_role(roles):
    sts, fetch = roles
    sts.role(ROLE, tokens=["identity"])
    status, _, err = fetch("[profile bake]\nweb_identity_token_file = token\n"
                           f"role_arn = {ROLE}\n".replace("= token", "= /none"), AWS_PROFILE="bake")
    assert status == 1 and "the web identity's token" in err and "/none" in err, err
    status, _, err = fetch("", AWS_WEB_IDENTITY_TOKEN_FILE="{work}/token", AWS_ROLE_ARN=ROLE, AWS_ROLE_SESSION_NAME="pod-1")
    assert status == 0, err
    (action, ask, _), = sts.issued
    assert action == "AssumeRoleWithWebIdentity" and ask["RoleSessionName"] == "pod-1"


@pytest.mark.parametrize("shared, env, said", [
    (PERSON + f"[profile bake]\nrole_arn = {OUTER}\nsource_profile = base\n", {"AWS_PROFILE": "bake"}, "AccessDenied"),
    ("", {"AWS_WEB_IDENTITY_TOKEN_FILE": "{work}/fetch.yaml", "AWS_ROLE_ARN": ROLE}, "InvalidIdentityToken")])
def test_a_role_that_may_not_be_had(roles, shared, env, said):
    sts, fetch = roles
    sts.role(ROLE, tokens=["identity"])
    status, _, err = fetch(shared, **env)
    assert status == 4 and f"assuming '{OUTER if shared else ROLE}'" in err and said in err and "wJalrXUtnFEMI" not in err, err


# ---- cleaning ----

PLANTED = {"etc/ssh/ssh_host_rsa_key": "key", "root/.bash_history": "typed", "root/.ssh/authorized_keys": "me", "tmp/left": "x",
           "var/log/x.log": "x", "etc/machine-id": "0123456789abcdef0123456789abcdef\n", "var/lib/hpc-node/i-0/s": "x"}


@pytest.fixture
def little(tmp_path):
    """A whole machine, small enough to be looked through."""
    tree = tmp_path / "little"
    for name in ("lib", "lib64"):
        (tree / "usr" / name).mkdir(parents=True)
        (tree / name).symlink_to(f"usr/{name}")
    tiny.make(tree)
    for name in ("opt/other", "proc", "dev", "var/log"):
        (tree / name).mkdir(parents=True)
    for name, text in PLANTED.items():
        (tree / name).parent.mkdir(parents=True, exist_ok=True)
        (tree / name).write_text(text)
    return tree


def as_itself(program, tree, *args):
    """`tree` as the running machine, with a file system of another kind mounted in it."""
    tiny.copy(program, tree)
    for library in re.findall(r"(/\S+) \(", subprocess.run(["ldd", program], capture_output=True, text=True, check=True).stdout):
        tiny.copy(library, tree)
    script = ("mount --rbind /proc $0/proc && mount -t tmpfs other $0/opt/other && mkdir -p $0/opt/other/etc && "
              "echo AKIA''Q7ZX2M4K9P3R5T6W >$0/opt/other/key && exec chroot $0 \"$@\"; ")
    return subprocess.run(["unshare", "-m", "sh", "-c", script, tree, program, *map(str, args)], capture_output=True, text=True,
                          timeout=120, check=False, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ASAN_OPTIONS": "detect_leaks=0"})


@pytest.mark.parametrize("running", [True, False])
def test_what_no_image_may_have_is_removed(program, little, running):
    """Of a running machine as of a tree; but what is mounted in it is no part of it."""
    (little / "recipe.yaml").write_text("image: {name: x}\nfiles: [{path: /etc/motd, content: hi}]\n")
    if running:
        r = as_itself(program, little, "provision", "/recipe.yaml", "--clean")
    else:
        r = disks.run(program, "provision", little / "recipe.yaml", "--root", little, "--clean")
    assert r.returncode == 0, r.stderr
    assert (little / "etc/motd").read_text() == "hi" and (little / "usr/lib/hpc-node/image-manifest.json").exists()
    assert (little / "etc/machine-id").read_text() == ""
    assert [name for name in PLANTED if (little / name).exists()] == ["etc/machine-id"]


def test_what_a_person_has_to_look_at_fails_the_cleaning(program, little):
    (little / "recipe.yaml").write_text("image: {name: x}\nfiles: [{path: /root/.ssh/authorized_keys, content: mine}]\n")
    (little / "opt/key").write_text("AKIA" + "Q7ZX2M4K9P3R5T6W\n")
    r = as_itself(program, little, "provision", "/recipe.yaml", "--clean")
    assert r.returncode == 3 and "aws-keys: '/opt/key' at byte 0: an AWS access key;" in r.stderr, r.stderr
    assert not (little / "tmp/left").exists()
    assert (little / "root/.ssh/authorized_keys").read_text() == "mine", "the recipe says so"


def test_nothing_is_cleaned_where_it_failed(program, little):
    (little / "recipe.yaml").write_text("image: {name: x}\ntests: [{run: [cat, /nowhere]}]\n")
    r = disks.run(program, "provision", little / "recipe.yaml", "--root", little, "--clean")
    assert r.returncode == 1 and all((little / name).exists() for name in PLANTED), r.stderr
