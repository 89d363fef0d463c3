"""A file that is being replaced when the program dies or the disk fails: it is the old one or the new one,
never a part, and the next run leaves nothing else behind."""
import os
import re
import subprocess

import pytest

OLD, NEW = b"old\n" * 100, b"new\n" * 5000
CALLS = "openat,write,pwrite64,fsync,fdatasync,ftruncate,fchmod,fchown,linkat,rename,renameat,renameat2,unlinkat,copy_file_range,sendfile,fallocate,close"
RUNS_MAX = 120


class Place:
    def __init__(self, program, base):
        self.program, self.base = program, base
        self.dir = base / "d"
        self.dir.mkdir()
        (base / "src").write_bytes(NEW)
        self.fresh()

    def fresh(self):
        for name in os.listdir(self.dir):
            os.unlink(self.dir / name)
        (self.dir / "f").write_bytes(OLD)

    def content(self):
        return (self.dir / "f").read_bytes()

    def fetch(self, *strace):
        env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ASAN_OPTIONS": "detect_leaks=0"}
        return subprocess.run([*strace, self.program, "fetch", f"file:{self.base}/src", "-o",
                               self.dir / "f"], env=env, capture_output=True, timeout=60)

    def strace(self, *what):
        return self.fetch("strace", "-f", "-o", self.base / "trace", "-P", self.dir, "-P",
                          self.dir / "f", *what)


@pytest.fixture
def place(program, tmp_path):
    p = Place(program, tmp_path)
    r = p.strace("-e", "trace=" + CALLS)
    assert r.returncode == 0 and p.content() == NEW, r.stderr
    return p


def calls_seen(place):
    """How often each call touched the directory or the file in an undisturbed run."""
    place.fresh()
    place.strace("-e", "trace=" + CALLS)
    counts = {}
    for line in (place.base / "trace").read_text().splitlines():
        m = re.match(r"(?:\d+ +)?(\w+)\(", line)
        if m:
            counts[m[1]] = counts.get(m[1], 0) + 1
    return counts


def test_killed_at_every_call(place):
    total = sum(calls_seen(place).values())
    assert 3 <= total <= RUNS_MAX
    seen = set()
    for n in range(1, total + 1):
        place.fresh()
        r = place.strace("-e", "trace=" + CALLS, "-e", f"inject={CALLS}:signal=KILL:when={n}")
        seen.add(place.content())
        assert r.returncode != 0 or place.content() == NEW
        again = place.fetch()
        assert again.returncode == 0 and place.content() == NEW, again.stderr
        assert os.listdir(place.dir) == ["f"], f"left after a kill at call {n}"
    assert seen <= {OLD, NEW} and OLD in seen


@pytest.mark.parametrize("error", ["ENOSPC", "EIO", "EROFS", "EDQUOT"])
def test_every_failing_call(place, error):
    for call, count in calls_seen(place).items():
        if call == "close":
            continue
        for n in range(1, count + 1):
            place.fresh()
            r = place.strace("-e", "trace=" + call, "-e", f"inject={call}:error={error}:when={n}")
            if r.returncode == 0:
                assert place.content() == NEW, (call, n)
            else:
                assert r.returncode == 1 and place.content() == OLD, (call, n, r.stderr)
                assert re.match(rb"hpc-agent: .+: .+\n(hpc-agent: .+\n)?\Z", r.stderr), r.stderr
            assert os.listdir(place.dir) == ["f"], (call, n)


def test_interrupted_calls_are_resumed(place):
    for call in ("write", "openat", "fsync"):
        place.fresh()
        place.strace("-e", "trace=" + call, "-e", f"inject={call}:error=EINTR:when=1")
        assert place.content() in (OLD, NEW) and os.listdir(place.dir) == ["f"]


def test_full_file_system(program, tmp_path):
    """A real one: a tmpfs of 64 KiB in a mount namespace of its own."""
    (tmp_path / "src").write_bytes(bytes(200_000))
    (tmp_path / "m").mkdir()
    script = ('mount -t tmpfs -o size=64k none "$1/m" && echo old > "$1/m/f" && '
              '"$0" fetch "file:$1/src" -o "$1/m/f"; echo "code $?"; cat "$1/m/f"; ls "$1/m"')
    r = subprocess.run(["unshare", "-m", "sh", "-c", script, program, tmp_path], capture_output=True,
                       text=True, timeout=60)
    assert r.stdout == "code 1\nold\nf\n" and "space" in r.stderr, (r.stdout, r.stderr)
