"""Runs the built hpc-imagebuild as a user would, in an empty environment."""
import os
import sys

import pytest

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from program import SOURCE, Tool, built  # noqa: E402


@pytest.fixture(scope="session")
def program():
    return built("HPC_IMAGEBUILD")


@pytest.fixture
def tool(program, tmp_path):
    return Tool(program, tmp_path)


@pytest.fixture(scope="session")
def source():
    return SOURCE
