"""What the system scenarios share.

The whole run happens inside the bed's namespaces: started from outside, pytest enters them and starts again.
HPC_BUILD_DIR is the build tree whose agent is installed into the nodes (default: build/ beside the sources).
"""
import contextlib
import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(TESTS))

from bed import agent, cluster, disk, enter, head, rootfs, suites  # noqa: E402

BUILD = Path(os.environ.get("HPC_BUILD_DIR", TESTS.parent / "build"))


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config):
    """Outside the bed this process only enters it and starts pytest again inside."""
    if enter.inside() or config.option.collectonly:
        return None
    capture = config.pluginmanager.getplugin("capturemanager")
    if capture:
        capture.suspend_global_capture(in_=True)
    words = " ".join(map(str, config.invocation_params.args))
    # Here: inside there is no way to Debian's archive.
    if "test_image" in words:
        disk.base(BUILD)
    if "test_cloud_init" in words:
        rootfs.cloud_init()
    if "test_database" in words:
        rootfs.database()
    if "test_directory" in words:
        rootfs.directory()
    if "test_packages" in words:
        rootfs.stock()
    if "test_suites" in words:
        for suite in suites.SUITES:
            rootfs.tree(suite)
        rootfs.sackd()
    return enter.enter([sys.executable, "-m", "pytest", *map(str, config.invocation_params.args)])


def pytest_configure(config):
    config.addinivalue_line("markers", "every_suite: what differs between releases of Debian and Slurm")


def pytest_collection_modifyitems(config, items):
    """On another suite than the guests' only what differs there runs, and all of it when all is asked for."""
    if suites.OWN == suites.GUESTS or os.environ.get("HPC_TEST_FULL"):
        return
    others = [item for item in items if not item.get_closest_marker("every_suite")]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in others]


def pytest_sessionstart(session):
    if os.geteuid() != 0:
        pytest.exit("the system tests make namespaces and boot machines: run them as root", 1)


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """A failure shows the consoles of the nodes that ran and the controller's log."""
    outcome = yield
    report = outcome.get_result()
    if report.when != "call" or not report.failed:
        return
    bed = item.funcargs.get("session_bed")
    for name, node in (bed.running if bed else {}).items():
        if node.console:
            report.sections.append((f"console of {name}", node.console.tail(40)))
            report.sections.append((f"agent of {name}", said_by_agent(node)))
    controller = item.funcargs.get("controller")
    if controller:
        report.sections.append(("slurmctld", controller.logs()))


def said_by_agent(node):
    with contextlib.suppress(AssertionError, RuntimeError, subprocess.TimeoutExpired):
        return node.run("hpc-agent status; journalctl -b --no-pager -n 25 -u hpc-agent -u munge -u slurmd -u slurmctld -u slurmdbd; tail -n 9 /var/log/slurm/*.log", 20, check=False)[1]
    return "the node takes no commands"


@pytest.fixture(scope="session")
def layer(tmp_path_factory):
    """The agent as installed, a directory to put over a node's root."""
    return agent.install(BUILD, tmp_path_factory.mktemp("agent") / "root")


@pytest.fixture(scope="session")
def fleet_layer(tmp_path_factory):
    """hpc-fleet as installed, a directory to put over a head's root."""
    return agent.install_fleet(BUILD, tmp_path_factory.mktemp("fleet") / "root")


@pytest.fixture(scope="session")
def payload(layer, tmp_path_factory):
    return cluster.pack(layer, tmp_path_factory.mktemp("payload") / "agent.tar")


@pytest.fixture(scope="session")
def session_bed():
    with cluster.Bed() as bed:
        yield bed


@pytest.fixture
def bed(session_bed):
    """Network, DHCP, metadata, S3; the nodes a test made are gone after it, the objects are the seed's again."""
    others = set(session_bed.running)
    yield session_bed
    session_bed.resume = None
    for name in set(session_bed.running) - others:
        session_bed.terminate(name)
    session_bed.imds.reset()
    session_bed.reset_objects()


@pytest.fixture(scope="module")
def module_head(request, session_bed, tmp_path_factory):
    """A head node for the module; a module with CGROUP = True tracks jobs with cgroups."""
    with head.Head(tmp_path_factory.mktemp("head") / "head", cluster.MUNGE_KEY,
                   getattr(request.module, "CGROUP", False)) as controller:
        yield controller


@pytest.fixture
def controller(module_head):
    return module_head
