"""Runs the built hpc-imagebuild as a user would, in an empty environment."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from program import Tool  # noqa: E402

SOURCE = os.environ.get("HPC_SOURCE") or os.path.join(os.path.dirname(__file__), "..", "..")


@pytest.fixture(scope="session")
def program():
    path = os.environ.get("HPC_IMAGEBUILD")
    assert path and os.access(path, os.X_OK), "HPC_IMAGEBUILD must name the built hpc-imagebuild"
    return path


@pytest.fixture
def tool(program, tmp_path):
    return Tool(program, tmp_path)


@pytest.fixture(scope="session")
def source():
    return os.path.realpath(SOURCE)
