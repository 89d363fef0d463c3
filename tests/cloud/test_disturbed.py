"""`fetch` from S3 while any one system call fails, or a kill comes before it: the file is the old one or the new one, exit 0
means the new one, and the next run gets it. A fixed choice of the calls; all of them with HPC_TEST_FULL."""
import errno
import hashlib
import os
import random
import subprocess

import pytest
from conftest import BODY

CONF, OLD = "s3://conf/cluster-config.yaml", b"the old file\n"
SHA = hashlib.sha256(BODY).hexdigest()
FULL = bool(os.environ.get("HPC_TEST_FULL"))
SAMPLE = 8
DOCUMENTED = {0, 1, 3, 4, 5, 7}
ACCIDENTS = ["kill", "ENOSPC", "EIO", "EROFS", "EINTR", "ENOMEM", "EMFILE", "ECONNRESET"]


class Place:
    def __init__(self, world, directory, to_file):
        self.world, self.dir, self.to_file = world, directory, to_file
        self.dir.mkdir()
        self.file = self.dir / "f"
        self.report = world.dir / "report"
        self.env = {**world.env, "ASAN_OPTIONS": "detect_leaks=0"}

    def command(self):
        return [self.world.binary, "fetch", CONF, "--deadline", "5s", *(["-o", self.file, "--sha256", SHA] if self.to_file else [])]

    def fetch(self, at=0, accident="kill"):
        number = accident if accident == "kill" else str(getattr(errno, accident))
        return subprocess.run([os.environ["DISTURB"], self.report, str(at), number, *self.command()], env=self.env,
                              stdin=subprocess.DEVNULL, capture_output=True, timeout=60)

    def seen(self, *command, accident):
        """How many calls of it there are that could have the accident."""
        number = accident if accident == "kill" else str(getattr(errno, accident))
        subprocess.run([os.environ["DISTURB"], self.report, "0", number, *command], env=self.env, stdout=subprocess.DEVNULL, check=True)
        return int(self.report.read_text().split()[0])

    def calls(self, accident):
        self.loaded = self.seen(self.world.binary, "--version", accident=accident)
        everything = range(2, self.seen(*self.command(), accident=accident) + 1)
        if FULL:
            return everything
        own = everything[self.loaded:]  # without those of the loader
        return sorted(random.Random(accident).sample(own, min(SAMPLE, len(own))))

    def statuses(self, accident, at):
        """What it may exit with. Without memory libraries abort, and the loader ends the program, or crashes, before it begins."""
        return DOCUMENTED | {"kill": {137}, "ENOMEM": {134}}.get(accident, set()) | ({127, 139} if at <= self.loaded else set())

    def fresh(self):
        for name in os.listdir(self.dir):
            os.unlink(self.dir / name)
        self.file.write_bytes(OLD)


@pytest.mark.parametrize("accident", ACCIDENTS)
def test_a_file_is_the_old_or_the_new_one(world, tmp_path, accident):
    place = Place(world, tmp_path / "d", True)
    for at in place.calls(accident):
        place.fresh()
        r = place.fetch(at, accident)
        where = (accident, at, place.report.read_text(), r.returncode, r.stderr)
        assert r.returncode in place.statuses(accident, at), where
        assert place.file.read_bytes() == BODY if r.returncode == 0 else place.file.read_bytes() in (OLD, BODY), where
        if accident != "kill":
            assert os.listdir(place.dir) == ["f"], where
            assert r.returncode in (0, 127, 139) or r.stderr, where
        r = place.fetch()
        assert r.returncode == 0 and place.file.read_bytes() == BODY and os.listdir(place.dir) == ["f"], (where, r.stderr)


@pytest.mark.parametrize("accident", ACCIDENTS[1:])
def test_what_is_printed_is_all_or_a_failure(world, tmp_path, accident):
    place = Place(world, tmp_path / "d", False)
    for at in place.calls(accident):
        r = place.fetch(at, accident)
        where = (accident, at, place.report.read_text(), r.returncode, r.stderr)
        assert r.returncode in place.statuses(accident, at), where
        assert r.stdout == BODY if r.returncode == 0 else BODY.startswith(r.stdout), where
