import subprocess
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

DLEXP = Path(sys.executable).parent / "dlexp"
MAIN = import_module("dlexp.cli.app").main  # installed from cli/, which type checkers cannot see


@pytest.fixture(scope="session")
def trained(tmp_path_factory) -> Path:
    """A folder in which one small run was trained."""
    folder = tmp_path_factory.mktemp("trained")
    command = [DLEXP, "train", "data=iris", "trainer.epochs=2", "trainer.threads=1", "tracking=none", "--quiet"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    return folder


@pytest.fixture
def dlexp(trained):
    """Run a command in that folder; return exit code, stdout and stderr."""

    def run(*arguments: str) -> tuple[int, str, str]:
        done = subprocess.run([DLEXP, *arguments], cwd=trained, capture_output=True, text=True, timeout=120)
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
