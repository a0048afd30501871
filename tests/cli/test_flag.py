"""`dlexp --version`: the version that pyproject.toml states, on one line."""

import subprocess
import sys
import tomllib
from pathlib import Path

DLEXP = Path(sys.executable).parent / "dlexp"
PROJECT = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_version_is_that_of_pyproject():
    done = subprocess.run([DLEXP, "--version"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout, done.stderr) == (0, f"dlexp {PROJECT['version']}\n", "")


def test_the_version_comes_before_any_command():
    done = subprocess.run([DLEXP, "--version", "train"], capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout) == (0, f"dlexp {PROJECT['version']}\n")
