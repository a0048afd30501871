"""A real Slurm, where there can be one."""

import os

import pytest

from tests.launcher.real_slurm import obstacle, real_slurm


@pytest.fixture
def slurm(monkeypatch):
    """Have the commands of a Slurm of this test's own on PATH."""
    if (why := obstacle()) is not None:
        pytest.skip(why)
    with real_slurm() as commands:
        monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")
        yield
