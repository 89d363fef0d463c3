"""Units against a systemd that is process 1: what the agent's machine floor makes of every way a start can end."""
import time
from collections import namedtuple

import pytest

from conftest import BUILD

DRIVER = "/usr/bin/unit-driver"
UNITS = {
    "good.service": "[Service]\nExecStart=/bin/sleep 600\n[Install]\nWantedBy=multi-user.target\n",
    "ready.service": "[Service]\nType=notify\nNotifyAccess=all\n"
                     "ExecStart=/bin/sh -c 'sleep 0.3; systemd-notify --ready; exec sleep 600'\n",
    "never-ready.service": "[Service]\nType=notify\nExecStart=/bin/sleep 600\n",
    "too-slow.service": "[Service]\nType=notify\nTimeoutStartSec=1\nExecStart=/bin/sh -c 'echo waiting; sleep 600'\n",
    "fails.service": "[Service]\nType=notify\nExecStart=/bin/sh -c 'echo first line; echo no such node >&2; exit 3'\n",
    "loops.service": "[Service]\nRestart=always\nRestartSec=30\nExecStart=/bin/sh -c 'echo bad option; exit 1'\n",
    "no-program.service": "[Service]\nExecStart=/usr/bin/no-such-program\n",
    "once.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
    "once-bad.service": "[Service]\nType=oneshot\nExecStart=/bin/sh -c 'echo key is bad; false'\n",
    "condition.service": "[Unit]\nConditionPathExists=/none\n[Service]\nExecStart=/bin/sleep 600\n",
    "needs-bad.service": "[Unit]\nRequires=once-bad.service\nAfter=once-bad.service\n[Service]\nExecStart=/bin/sleep 600\n",
    "broken.service": "[Service]\nType=simple\n",
    "talks.service": "[Service]\nType=notify\nNotifyAccess=all\n"
                     "ExecStart=/bin/sh -c 'for i in $$(seq 200); do echo line $$i; done; systemd-notify --ready; "
                     "exec sleep 600'\n",
    "some.target": "[Unit]\n",
}

Done = namedtuple("Done", "records state reason text")


class Units:
    """The driver in the node."""

    def __init__(self, box):
        self.box = box

    def __call__(self, verb, unit, deadline_ms=20000):
        lines = self.box.run(f"{DRIVER} {verb} {unit} {deadline_ms}", 60, check=False)[1].splitlines()
        records = [line.removeprefix("record ") for line in lines if line.startswith("record ")]
        state = dict(line.split("=", 1) for line in lines if "=" in line.split(" ")[0])
        if lines[-1] == "ok":
            return Done(records, state, "", "")
        assert lines[-1].startswith("error "), lines
        return Done(records, state, *lines[-1].split(" ", 2)[1:])


@pytest.fixture(scope="module")
def box(session_bed):
    node = session_bed.container("queue1-st-t3micro-40")
    node.put(DRIVER, (BUILD / "tests/system/unit_driver").read_bytes(), 0o755)
    for name, text in UNITS.items():
        node.put(f"/etc/systemd/system/{name}", text)
    yield node.boot()
    session_bed.terminate("queue1-st-t3micro-40")


@pytest.fixture(scope="module", params=["system bus", "no broker"])
def unit(request, box):
    """Over D-Bus's broker and without one: then the way is systemd's own socket."""
    if request.param == "no broker":
        box.run("systemctl stop dbus.socket dbus.service")
    yield Units(box)
    if request.param == "no broker":
        box.run("systemctl start dbus.socket dbus.service")


@pytest.fixture(autouse=True)
def all_stopped(box):
    yield
    box.run("systemctl stop good ready loops never-ready talks some.target; systemctl reset-failed", check=False)


def test_a_unit_is_started_once(unit):
    assert unit("start", "good").records == ["unit start good.service"]
    assert unit("start", "good").records == []
    first = unit("state", "good").state
    assert first["active"] == "1" and abs(int(first["started_us"]) / 1e6 - time.time()) < 60
    assert unit("restart", "good").records == ["unit restart good.service"]
    assert int(unit("state", "good").state["started_us"]) > int(first["started_us"])
    assert unit("stop", "good").records == ["unit stop good.service"]
    assert unit("stop", "good").records == []


@pytest.mark.parametrize("name", ["ready", "once", "some.target"])
def test_starts_that_succeed(unit, name):
    assert unit("start", name).reason == ""


def test_a_oneshot_is_done_each_time(unit):
    for _ in range(3):
        assert unit("start", "once") == (["unit start once.service"], {}, "", "")


@pytest.mark.parametrize("name, reason, words", [
    ("fails", "unit-failed", "it failed (exit-code): no such node"),
    ("loops", "unit-failed", "it failed (exit-code): bad option"),
    ("no-program", "unit-failed", "/usr/bin/no-such-program: No such file or directory"),
    ("once-bad", "unit-failed", "it failed (exit-code): key is bad"),
    ("needs-bad", "unit-failed", "a unit it requires failed"),
    ("broken", "unit-failed", "bad unit file setting"),
    ("condition", "unit-skipped", "a condition of the unit does not hold"),
    ("too-slow", "unit-timeout", "it failed (timeout): waiting"),
    ("no-such-unit", "unit-missing", "there is no such unit"),
])
def test_starts_that_fail_say_why(unit, name, reason, words):
    done = unit("start", name)
    assert (done.reason, words in done.text) == (reason, True), done


def test_a_start_limit_does_not_hide_the_cause(unit):
    for _ in range(8):
        assert unit("start", "fails").text.endswith("no such node")


def test_words_are_the_latest_in_their_order(unit, box):
    assert unit("start", "talks").reason == ""
    words = box.run(f"{DRIVER} words talks")[1].splitlines()
    assert words == [f"line {number}" for number in range(137, 201)] + ["ok"]


def test_the_deadline_is_ours(unit):
    done = unit("start", "never-ready", 500)
    assert done.reason == "unit-timeout" and "activating" in done.text, done
    assert unit("stop", "never-ready").reason == ""


def test_masked_units_say_so(unit, box):
    box.run("systemctl mask munge")
    try:
        done = unit("start", "munge")
        assert done.reason == "unit-failed" and "masked" in done.text, done
    finally:
        box.run("systemctl unmask munge")


def test_enabling_and_reloading(unit, box):
    assert unit("enable", "good").records == ["unit enable good.service"]
    assert unit("enable", "good").records == []
    assert unit("state", "good").state["file_state"] == "enabled"
    assert unit("disable", "good").records == ["unit disable good.service"]
    assert unit("enable", "once").reason == "unit-failed"
    unit("start", "good")
    box.run("sleep 0.01; touch /etc/systemd/system/good.service")
    assert unit("state", "good").state["need_reload"] == "1"
    assert unit("reload", "-").records == ["unit daemon-reload"]
    assert unit("state", "good").state["need_reload"] == "0"
