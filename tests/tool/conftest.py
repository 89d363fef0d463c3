"""Runs the built hpc-agent as a user would, in an empty environment."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from program import Tool  # noqa: E402

SOURCE = os.environ.get("HPC_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")


@pytest.fixture(scope="session")
def program():
    path = os.environ.get("HPC_AGENT")
    assert path and os.access(path, os.X_OK), "HPC_AGENT must name the built hpc-agent"
    return path


@pytest.fixture
def agent(program, tmp_path):
    return Tool(program, tmp_path)


@pytest.fixture(scope="session")
def source():
    return os.path.realpath(SOURCE)
