import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from tests.command import run as here

MAIN = import_module("dlexp.cli.app").main  # installed from cli/, which type checkers cannot see


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A folder in which one small run was trained."""
    folder = tmp_path_factory.mktemp("trained")
    options = ["data=iris", "trainer.epochs=2", "trainer.threads=1", "tracking=none", "--quiet"]
    assert here(folder, "train", *options).returncode == 0
    return folder


@pytest.fixture
def dlexp(trained):
    """Run a command in that folder; return exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        done = here(trained, *arguments)
        return done.returncode, done.stdout, done.stderr

    return run


@pytest.fixture
def command(monkeypatch, capsys) -> Callable[..., tuple[object, str, str]]:
    """Run a command in this process; return exit code, stdout and stderr."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["dlexp", *arguments])
        with pytest.raises(SystemExit) as ended:
            MAIN()
        done = capsys.readouterr()
        return ended.value.code, done.out, done.err

    return call
