"""What `hpc-agent render` writes, case by case: cases/walk.expected has the files whole, each other NAME.expected only what
differs from the walk's.  UPDATE_GOLDEN=1 writes them anew."""
import os
import stat

import pytest

from cases import CASES, WALK, Rendered
from large import large


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_case(case, tmp_path):
    got = Rendered(case, tmp_path / "case")
    base = None
    if case != WALK:
        base = Rendered(WALK, tmp_path / "walk")
        assert base.run.code == 0, base.run.err
    text, path = got.text(base), case.with_suffix(".expected")
    if os.environ.get("UPDATE_GOLDEN") == "1":
        path.write_text(text)
    assert text == path.read_text()


@pytest.mark.parametrize("case", CASES, ids=lambda path: path.stem)
def test_check_of_a_head_refuses_the_same(case, tmp_path):
    got = Rendered(case, tmp_path)
    found = got.agent("check", case.name, "--role", "head", *got.options)
    assert found.code == got.run.code, found.err
    assert {line for line in got.run.err.splitlines() if case.name in line} <= set(found.err.splitlines())


def test_the_walk_is_parallelclusters_line(tmp_path):
    """As ParallelCluster's own generator writes it, and behind it what it leaves out."""
    lines = Rendered(WALK, tmp_path).files["etc/slurm/slurm.conf"].splitlines()
    assert ("NodeName=queue1-dy-t3micro-[1-10] CPUs=2 RealMemory=972 State=CLOUD Feature=dynamic,t3.micro,t3micro Weight=1000 "
            "Sockets=1 CoresPerSocket=1 ThreadsPerCore=2") in lines
    assert "PartitionName=queue1 Nodes=queue1_nodes MaxTime=INFINITE State=UP Default=YES" in lines


def test_the_same_input_gives_the_same_bytes_and_modes(tmp_path):
    first, second = Rendered(WALK, tmp_path / "a"), Rendered(WALK, tmp_path / "b")
    assert first.files == second.files and len(first.files) == 5
    for name in first.files:
        assert stat.S_IMODE((first.out / name).stat().st_mode) == 0o644


def test_nothing_is_written_where_anything_is_wrong(tmp_path):
    bad = tmp_path / "bad.yaml"
    bad.write_text("- Name: queue1\n  ComputeResources:\n  - {Name: a, InstanceType: t3.micro}\n"
                   "  - {Name: b, InstanceType: no.such}\n")
    got = Rendered(bad, tmp_path / "x")
    assert got.run.code == 3 and not got.out.exists()
    assert "bad.yaml:14:31: instance type 'no.such' is not known" in got.run.err


def test_there_is_no_limit_of_fifty_queues(tmp_path):
    case = tmp_path / "large.yaml"
    case.write_text(large())
    got = Rendered(case, tmp_path / "case")
    assert got.run.code == 0, got.run.err
    text = got.files["etc/slurm/slurm.conf"]
    assert text.count("\nNodeName=") == 2 * 200 * 50 and text.count("\nPartitionName=") == 200
    assert "\nNodeName=queue199-dy-r49-[1-4] CPUs=" in text
    assert got.files["etc/slurm/gres.conf"].count("NodeName=") == 2 * 200 * 50 // 5
