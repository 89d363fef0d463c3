"""What a recipe's scripts, components and tests can't do to the machine that builds, and don't learn of it."""
import ctypes
import os
import re
import socket
import stat
import subprocess
import time

import pytest

import tiny
from test_build import Builder

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="mounts need root")

SECRET = "wJalrXUtnFEMI-of-this-test"
HEADER = """\
image: {{name: jail, from: tree}}
copy: [{{from: {probe}, to: /bin/escape_probe, mode: 0755}}]
"""
SCRIPT = HEADER + """\
scripts:
  - id: escape
    content: |
      #!/bin/sh
      exec {command}
"""
COMPONENT = """\
name: escape
schemaVersion: 1.0
phases:
  - name: {phase}
    steps:
      - {{name: run, action: ExecuteBash, inputs: {{commands: ["{command}"]}}}}
"""


@pytest.fixture(scope="module")
def builder(program, tmp_path_factory):
    folder = tmp_path_factory.mktemp("jail")
    tiny.make(folder / "tree")
    tiny.copy("/bin/bash", folder / "tree")
    for library in re.findall(r"(/\S+)", subprocess.run(["ldd", "/bin/bash"], capture_output=True, text=True, check=True).stdout):
        tiny.copy(library, folder / "tree")
    os.mknod(folder / "tree/disk", 0o600 | stat.S_IFBLK, os.makedev(7, 0))
    (folder / "mark").write_text("of the building machine\n")
    return Builder(program, folder)


def logs(builder):
    newest = sorted((builder.store / "layers").glob("*/log"), key=lambda p: p.stat().st_mtime)
    failed = (builder.store / "failed").glob("*/log")
    return "".join(p.read_text() for p in [*newest[-4:], *failed])


def build(builder, text):
    env = {"AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00", "AWS_SECRET_ACCESS_KEY": SECRET, "AWS_REGION": "eu-west-1"}
    return builder(text.replace("{probe}", os.environ["ESCAPE_PROBE"]), guard=120, **env)


@pytest.fixture
def daemon(builder):
    """A socket without a file in the machine's network, where the kernel can keep sandboxes from such (Landlock's sixth version)."""
    with socket.socket(socket.AF_UNIX) as s:
        if ctypes.CDLL(None).syscall(444, None, 0, 1) >= 6:  # landlock_create_ruleset: its version
            s.bind(f"\0{builder.folder}/mark")
            s.listen()
        yield


@pytest.mark.usefixtures("daemon")
@pytest.mark.parametrize("where", ["script", "component", "component's test", "test"])
def test_no_way_leads_out(builder, where):
    command = f"/bin/escape_probe {builder.folder}/mark"
    if where == "script":
        text = SCRIPT.format(probe="{probe}", command=command)
    elif where == "test":
        text = HEADER.format(probe="{probe}") + f"tests: [{{run: [/bin/escape_probe, {builder.folder}/mark], expect: {{stdout: all ways were tried}}}}]\n"
        # A test's output is only shown when it fails.
        text = text.replace("all ways were tried", "nothing of the kind")
    else:
        phase = "test" if "test" in where else "build"
        (builder.folder / "escape.yaml").write_text(COMPONENT.format(phase=phase, command=command))
        text = HEADER.format(probe="{probe}") + "components: [escape.yaml]\n"
    r = build(builder, text)
    said = logs(builder) + r.err
    if where != "test":
        assert r.code == 0, r.err
        assert "all ways were tried" in said, said
    assert "OPEN" not in said, re.findall("OPEN.*", said)
    assert SECRET not in said


SERVICE = """\
import socket, sys
for family, address in ((socket.AF_INET, "169.254.169.254"), (socket.AF_INET6, "fd00:ec2::254")):
    s = socket.socket(family)
    s.bind((address, 80))
    s.listen(64)
    globals()[address] = s
print("ready", flush=True)
sys.stdin.read()
"""
KNOCK = "for a in 169.254.169.254 fd00:ec2::254; do if (exec 3<>/dev/tcp/$a/80); then echo OPEN: $a; else echo refused: $a; fi; done"


@pytest.fixture(scope="module")
def instance():
    """A network of its own, in which the metadata service answers; its process."""
    net = "ip link set lo up && ip addr add 169.254.169.254/32 dev lo && ip addr add fd00:ec2::254/128 dev lo nodad && "
    with subprocess.Popen(["unshare", "--net", "sh", "-c", net + 'exec python3 -c "$0"', SERVICE], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout.readline() == "ready\n"
        yield p
        p.stdin.close()


def on_instance(builder, instance, before=""):
    """The builder, called where the metadata service answers."""
    wrapper = builder.folder / f"on-instance{len(before)}"
    wrapper.write_text(f"#!/bin/sh\n{before}exec nsenter --net=/proc/{instance.pid}/ns/net {builder.program} \"$@\"\n")
    wrapper.chmod(0o755)
    (builder.folder / "knock.yaml").write_text(COMPONENT.format(phase="build", command=KNOCK + f"; : {len(before)}"))
    return Builder(wrapper, builder.folder)


def test_the_metadata_service_is_out_of_reach(builder, instance):
    """The builder's role is for who asks there; steps of components have the machine's network."""
    knock = ["nsenter", f"--net=/proc/{instance.pid}/ns/net", "bash", "-c", KNOCK]
    assert subprocess.run(knock, capture_output=True, text=True, check=True).stdout.count("OPEN") == 2
    r = build(on_instance(builder, instance), HEADER.format(probe="{probe}") + "components: [knock.yaml]\n")
    assert r.code == 0, r.err
    said = logs(builder)
    assert said.count("refused: ") == 2 and "OPEN" not in said, said
    # Who isn't in a sandbox still reaches it.
    assert subprocess.run(knock, capture_output=True, text=True, check=True).stdout.count("OPEN") == 2


def test_what_cannot_be_kept_away_from_the_metadata_service_does_not_run(builder, instance):
    hide = "[ \"$hidden\" ] || hidden=1 exec unshare --mount \"$0\" \"$@\"\n" \
           "while read -r _ _ _ _ at _ rest; do case $rest in *' - cgroup2 '*|*'- cgroup2 '*) umount -l $at;; esac; done </proc/self/mountinfo\n"
    r = build(on_instance(builder, instance, "#\n" + hide), HEADER.format(probe="{probe}").replace("jail", "hidden") + "components: [knock.yaml]\n")
    assert r.code == 1, r.out + r.err
    assert "would reach the metadata service at 169.254.169.254" in r.err and "control groups of version 2" in r.err, r.err


def test_a_script_has_a_network_only_where_it_asks_and_an_epoch_always(builder):
    scripts = "".join(f"  - {{id: {name}, network: {wants}, content: \"#!/bin/sh\\nls -l /proc/self/ns/net >/etc/{name}; echo $SOURCE_DATE_EPOCH "
                      f">>/etc/{name}\\n\"}}\n" for name, wants in (("with", "true"), ("without", "false")))
    r = builder("image: {name: net, from: tree}\nscripts:\n" + scripts, "--format", "dir", "-o", builder.out)
    assert r.code == 0, r.err
    ours = os.readlink("/proc/self/ns/net")
    for name, same in (("with", True), ("without", False)):
        net, epoch = (builder.out / "net-1.0.0/etc" / name).read_text().splitlines()
        assert (ours in net) == same, net
        assert epoch == "1577836800"        # a tree without packages


def test_no_environment_and_no_descriptor_of_the_builder_is_inside(builder):
    """By one who may look: PID 1 is asked from this machine while a script sleeps."""
    text = SCRIPT.format(probe="{probe}", command="sleep 600")
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "AWS_SECRET_ACCESS_KEY": SECRET}
    p = subprocess.Popen([builder.program, *builder.args(text.replace("{probe}", os.environ["ESCAPE_PROBE"]))], env=env,
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not (inside := below(p.pid, "sleep")) and time.monotonic() < end:
            time.sleep(0.02)
        first, *others = [pid for pid in inside if cmdline(pid) == "hpc-imagebuild-sandbox"]
        for pid in (first, *others):
            assert open(f"/proc/{pid}/environ", "rb").read() == b"", pid
            assert os.readlink(f"/proc/{pid}/exe").startswith("/memfd:"), pid
        assert sorted(map(int, os.listdir(f"/proc/{first}/fd"))) == [0, 1, 2]
        for pid in inside:
            assert not held(pid, str(builder.store)), pid
            assert SECRET.encode() not in memory(pid), pid
    finally:
        p.kill()
        p.wait()


def cmdline(pid):
    with open(f"/proc/{pid}/cmdline", "rb") as f:
        return f.read().rstrip(b"\0").decode(errors="replace")


def parents():
    found = {}
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                found[int(pid)] = int(f.read().rsplit(")", 1)[1].split()[1])
        except OSError:
            pass
    return found


def below(pid, command):
    """The processes of the sandbox that `pid` made, the first one first, once one of them runs that command; else none."""
    all_parents, found = parents(), []
    for one in sorted(all_parents):
        up = one
        while up and up != pid:
            up = all_parents.get(up, 0)
        try:
            if up == pid and os.readlink(f"/proc/{one}/ns/pid") != os.readlink("/proc/self/ns/pid"):
                found.append(one)
        except OSError:
            pass
    return found if any(command in cmdline(one).split("\0")[0] for one in found) else []


def held(pid, path):
    links = []
    for fd in os.listdir(f"/proc/{pid}/fd"):
        try:
            links.append(os.readlink(f"/proc/{pid}/fd/{fd}"))
        except OSError:
            pass
    return [link for link in links if link.startswith(path)]


def memory(pid):
    data = b""
    with open(f"/proc/{pid}/maps", encoding="utf-8") as maps, open(f"/proc/{pid}/mem", "rb", buffering=0) as mem:
        for line in maps:
            span, mode, *_ = line.split()
            start, end = (int(x, 16) for x in span.split("-"))
            if not mode.startswith("rw") or end - start > 64 << 20:
                continue
            try:
                mem.seek(start)
                data += mem.read(end - start)
            except (OSError, OverflowError):
                pass
    return data


def test_processes_have_a_limit(builder):
    before = len([p for p in os.listdir("/proc") if p.isdigit()])
    r = build(builder, SCRIPT.format(probe="{probe}", command="/bin/escape_probe bomb"))
    assert (r.code, "step 'escape'" in r.err) == (1, True), r.err
    assert "more than 4096 processes at once" in r.err, r.err
    assert len([p for p in os.listdir("/proc") if p.isdigit()]) < before + 100


def test_a_program_that_is_called_as_the_sandbox_does_nothing(program):
    r = subprocess.run(["hpc-imagebuild-sandbox"], executable=program, stdin=subprocess.DEVNULL, capture_output=True, timeout=30)
    assert (r.returncode, r.stdout) == (70, b"")
