"""A command in this process: a process of its own takes seconds to begin. `tests/docs/test_readme.py` has those."""

import contextlib
import io
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from dlexp.config import trust

_MAIN = import_module("dlexp.cli.app").main  # installed from cli/, which type checkers cannot see


def run(cwd: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a command as from a shell, off a terminal: of what commands before it imported or trusted it knows nothing.

    Args:
        cwd: Its working directory.
        arguments: After `dlexp`.

    Returns:
        Exit code, stdout and stderr.
    """
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.chdir(cwd)
        patch.setattr(sys, "argv", ["dlexp", *arguments])
        patch.setattr(sys, "path", list(sys.path))
        patch.setattr(trust, "_granted", set())
        with pytest.raises(SystemExit) as ended:
            _MAIN()
    assert isinstance(ended.value.code, int)
    return subprocess.CompletedProcess(["dlexp", *arguments], ended.value.code, out.getvalue(), err.getvalue())
