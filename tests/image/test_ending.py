"""How a build ends that was ended, or that ran out of space; and what it tells until then."""
import json
import os
import re
import signal
import socket
import subprocess

import pytest

import tiny
from test_build import Builder, mounts, processes_about

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="building needs root")

RECIPE = "image: {{name: end, from: tree}}\nscripts: [{{id: last, content: \"#!/bin/sh\\n{script}\\n\"}}]\n"
LONG = RECIPE.format(script="echo 1 >/made; echo here we are; sleep 1000")


@pytest.fixture
def builder(program, tmp_path):
    tiny.make(tmp_path / "tree")
    return Builder(program, tmp_path)


def events(text):
    return [json.loads(line) for line in text.splitlines()]


@pytest.mark.parametrize("sig, status", [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
@pytest.mark.parametrize("group", [False, True])
def test_a_signal_ends_it_and_nothing_unfinished_is_left(builder, sig, status, group):
    p = subprocess.Popen([builder.program, *builder.args(LONG, "--json", "-o", str(builder.out))], stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE, text=True, start_new_session=True)
    seen = []
    while not seen or seen[-1].get("line") != "last: here we are":
        seen.append(json.loads(p.stdout.readline()))
    assert seen[-1]["event"] == "said" and seen[-1]["step"] == "last" and seen[-1]["elapsed_ns"] > 0
    (os.killpg if group else os.kill)(p.pid, sig)       # a terminal's keys reach the whole group
    out, err = p.communicate(timeout=60)
    assert p.returncode == status, err
    assert f"ended by {signal.Signals(sig).name}: what was unfinished is removed" in err and "goes on behind" in err, err
    last = events(out)[-1]
    assert (last["event"], last["reason"], last["schema"]) == ("error", "interrupted", 1)
    assert os.listdir(builder.store / "work") == [] and os.listdir(builder.store / "failed") == []
    assert len(os.listdir(builder.store / "layers")) == 1, "the base stays"
    assert not processes_about(str(builder.folder / "store"))
    assert not [m for m in mounts() if m.startswith(str(builder.folder))]


def test_unfinished_outputs_go_too(builder):
    builder.out.mkdir()
    for name in (".end-1.0.0.raw.hpc-work", ".other"):
        (builder.out / name).mkdir()
        (builder.out / name / "disk.raw").write_text("half")
    p = subprocess.Popen([builder.program, *builder.args(LONG, "--json", "-o", str(builder.out), "--format", "dir")],
                         stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while json.loads(p.stdout.readline()).get("line") != "last: here we are":
        pass
    p.send_signal(signal.SIGINT)
    assert p.wait(timeout=60) == 130
    p.communicate()
    assert os.listdir(builder.out) == [".other"]


def boot_sector(folder, text):
    """A disk whose boot sector, of 16-bit code, writes the text to the serial line and then runs for ever."""
    code = bytes.fromhex("baf803 be107c ac 08c0 7403 ee ebf8 ebfe") + text.encode() + b"\0"
    assert len(code) <= 446
    table = bytes(4) + b"\x83" + bytes(3) + (1).to_bytes(4, "little") + (1).to_bytes(4, "little")
    path = folder / "disk.raw"
    path.write_bytes(code.ljust(446, b"\0") + table.ljust(64, b"\0") + b"\x55\xaa" + bytes(1 << 20))
    return path


def qemus(disk):
    return subprocess.run(["pgrep", "-f", f"qemu-system.*file={disk}"], capture_output=True, text=True).stdout.split()


def temporary():
    return {p for p in os.listdir("/tmp") if p.startswith("hpc-imagebuild-")}


@pytest.mark.parametrize("sig, status", [(signal.SIGINT, 130), (signal.SIGHUP, 129)])
def test_a_signal_ends_a_test_with_its_machine(program, tmp_path, sig, status):
    disk = boot_sector(tmp_path, "booting\r\n")
    p = subprocess.Popen([program, "test", disk, "--firmware", "bios", "--json"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert json.loads(p.stdout.readline()) == {"schema": 1, "event": "phase", "what": "starting by BIOS"}
    said = json.loads(p.stdout.readline())
    while "booting" not in said["line"]:  # SeaBIOS may tell of itself before
        said = json.loads(p.stdout.readline())
    assert said["event"] == "said" and said["step"] == "starting by BIOS" and said["elapsed_ns"] > 0
    qemu, = qemus(disk)
    with open(f"/proc/{qemu}/cmdline", encoding="utf-8") as argv:
        folder = re.search("unix:(/tmp/hpc-imagebuild-[^/]*)/", argv.read())[1]
    assert os.path.isdir(folder)
    p.send_signal(sig)
    out, err = p.communicate(timeout=60)
    assert p.returncode == status and f"ended by {signal.Signals(sig).name}: what was unfinished is removed\n" in err, err
    assert events(out)[-1]["reason"] == "interrupted"
    assert not qemus(disk) and not os.path.exists(folder)


def test_what_the_machine_says_is_told(program, tmp_path):
    disk = boot_sector(tmp_path, "[  OK  ] Reached target - Multi-User System\r\n")
    r = subprocess.run([program, "test", disk, "--firmware", "bios", "--json"], capture_output=True, text=True, timeout=200)
    started = events(r.stdout)[-1]
    assert r.returncode == 0 and (started["event"], started["firmware"], started["image"]) == ("started", "bios", str(disk)), r.stderr
    disk = boot_sector(tmp_path, "Kernel panic - not syncing\r\n")
    r = subprocess.run([program, "test", disk, "--firmware", "bios", "--json"], capture_output=True, text=True, timeout=200)
    failed, error = events(r.stdout)[-2:]
    assert r.returncode == 1 and failed["event"] == "failed" and "Kernel panic - not syncing" in failed["lines"], r.stderr
    assert "1 failed: Kernel panic" in error["text"]


def test_a_signal_ends_a_lock(program, tmp_path):
    """While it waits for a site that never answers: no lock is written, and nothing is left."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/x"
        (tmp_path / "r.yaml").write_text("image: {name: r, from: debian:bookworm}\ncomponents: [c.yaml]\n")
        (tmp_path / "c.yaml").write_text("name: c\nschemaVersion: 1.0\nphases: [{name: build, steps: [{name: w, action: WebDownload, "
                                         f"inputs: [{{source: '{url}', destination: /x}}]}}]}}]\n")
        before = temporary()
        p = subprocess.Popen([program, "lock", "r.yaml", "--json", "--store", "store"], cwd=tmp_path, stdout=subprocess.PIPE,
                             stderr=subprocess.PIPE, text=True)
        told = [json.loads(p.stdout.readline())["what"] for _ in range(4)]
        assert told[0] == "fetching package lists" and told[3] == "looking at what components and sections fetch", told
        silent.settimeout(60)
        silent.accept()
        made = temporary() - before
        p.send_signal(signal.SIGINT)
        out, err = p.communicate(timeout=60)
    assert p.returncode == 130 and "ended by SIGINT: what was unfinished is removed\n" in err, err
    assert events(out)[-1]["reason"] == "interrupted"
    assert sorted(os.listdir(tmp_path)) == ["c.yaml", "r.yaml"]
    assert made - temporary(), "others may be at work there as well"


def test_errors_are_events(builder):
    r = builder("image: {name: X}\n", "--json")
    error = events(r.out)[-1]
    assert r.code == 3 and (error["event"], error["kind"], error["reason"]) == ("error", "input", "input-range"), r.out
    assert error["text"] in r.err and "recipe.yaml:1:15: " in error["text"]
    r = builder(RECIPE.format(script="exit 3"), "--json")
    assert r.code == 1 and [e["event"] for e in events(r.out)][-2:] == ["failed", "error"], r.out


def in_small_store(builder, size, *recipes):
    """Builds with a store of that size that only these commands see; [(status, stderr)], and what the store had failed at the end."""
    script = f"mkdir -p {builder.store} && mount -t tmpfs -o size={size} small {builder.store} || exit 99\n"
    for i, text in enumerate(recipes):
        path = builder.folder / f"r{i}.yaml"
        path.write_text(text)
        script += f"{builder.program} build {path} --store {builder.store} 2>{builder.folder}/err{i} >/dev/null; echo $? >{builder.folder}/rc{i}\n"
    script += f"find {builder.store}/failed -maxdepth 2 -mindepth 2 -printf '%f\\n' >{builder.folder}/failed\n"
    subprocess.run(["unshare", "--mount", "--propagation=private", "sh", "-c", script], check=True, timeout=200)
    got = [(int((builder.folder / f"rc{i}").read_text()), (builder.folder / f"err{i}").read_text()) for i in range(len(recipes))]
    for _, err in got:
        assert "Sanitizer" not in err, err
    return got, (builder.folder / "failed").read_text().split()


def test_no_space_is_said_first_and_does_not_block_the_next_run(builder):
    full = RECIPE.format(script="cat /dev/zero >/big || exit 1")
    got, failed = in_small_store(builder, "1100m", full, RECIPE.format(script="echo fine"))
    assert got[0][0] == 1, got
    error = [line for line in got[0][1].splitlines() if "no space is left at" in line]
    assert error and "step 'last': no space is left at '" in error[0], got[0][1]
    assert "host-space: 'hpc-imagebuild cache prune' makes room" in got[0][1] and "to look inside" not in got[0][1]
    assert got[1][0] == 0, got[1]
    assert failed == ["log"]


def test_what_failed_steps_left_does_not_block_a_build(builder):
    half = RECIPE.format(script="i=0; while [ $i -lt 300 ]; do cat /bin/sh /bin/ls >>/big; i=$((i+1)); done; exit 1")
    got, failed = in_small_store(builder, "1090m", half, RECIPE.format(script="echo fine"))
    assert got[0][0] == 1 and "what it changed:" in got[0][1], got
    assert got[1][0] == 0, got[1]
    assert failed == [], "removed for the room it took"
