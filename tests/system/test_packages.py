"""A stock Debian without Slurm that becomes a compute node by a ParallelCluster file: packages of a site's repository, or files.

Nothing of it needs a network but the bed's own.
"""
import hashlib

import pytest

from bed import agent, rootfs
from bed.cluster import BUCKET, CLUSTER, SEED, node_document

NODE = "queue1-st-t3micro-5"
GUARD = 180                     # seconds: a hang guard
REPOSITORY = "  Packages:\n    Repository: 'deb [trusted=yes] file:/srv/repository ./'\n"
FILE = SEED.read_text() + "HpcNode:\n  SharedHome: false\n"


@pytest.fixture
def stock(bed, controller, layer):
    """stock(packages) is a booted container without Slurm, and what its file says of packages."""
    def make(packages):
        bed.put("cluster-config.yaml", FILE + packages)
        box = bed.container(NODE, [layer, rootfs.stock()], user_data=node_document(NODE, deadline=f"{GUARD}s"))
        return box.boot()
    return make


def ready(box):
    code, printed = agent.bootstrap(box, timeout=GUARD + 20)
    status = agent.status(box)
    assert status.phase == "ready", f"{code}\n{printed}"
    return status


def test_a_stock_machine_joins_by_a_repository(stock, controller):
    box = stock(REPOSITORY)
    assert box.run("command -v slurmd sinfo munged", check=False)[0] != 0
    assert ready(box).of("packages") == {"changed"}
    controller.wait_idle(NODE, 5)
    assert ready(box).states() == {"ok"}


def test_a_stock_machine_joins_by_files(bed, stock, controller):
    lines = ["  Packages:", "    Files:"]
    for deb in sorted((rootfs.stock() / "srv/repository").glob("*.deb")):
        body = deb.read_bytes()
        bed.put(f"debs/{deb.name}", body)
        lines += [f"    - Source: s3://{BUCKET}/{CLUSTER}/debs/{deb.name}", f"      Sha256: {hashlib.sha256(body).hexdigest()}"]
    box = stock("\n".join(lines) + "\n")
    box.run("rm -r /srv/repository")
    assert ready(box).of("packages") == {"changed"}
    controller.wait_idle(NODE, 5)
    assert ready(box).states() == {"ok"}


def test_a_package_that_is_nowhere(stock):
    box = stock(REPOSITORY + "    Names: no-such-package\n")
    agent.bootstrap(box, timeout=GUARD + 20)
    status = agent.status(box)
    assert status.failures() == {"packages": "host-package"} and "no-such-package" in str(status), status
