"""A locale that has ASCII only keeps nobody from files with other names; what is no text is refused."""

import os
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

from dlexp.error import ConfigError

DLEXP = Path(sys.executable).parent / "dlexp"
ENCODING = import_module("dlexp.cli.encoding")  # installed from cli/, which type checkers cannot see


def run(folder, **environment):
    command = [DLEXP, "config", "data=csv", "data.path=é/数.csv", "data.target=цель", "runs_dir=r"]
    around = {**os.environ, "LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", **environment}
    return subprocess.run(command, cwd=folder, env=around, capture_output=True, timeout=120)


@pytest.mark.parametrize("environment", [{"PYTHONUTF8": "0"}, {"PYTHONUTF8": "0", "PYTHONIOENCODING": "utf-8"}])
def test_names_in_any_script_are_read_under_a_locale_of_ascii(tmp_path, environment):
    folder = tmp_path / "ö"
    folder.mkdir()
    done = run(folder, **environment)
    assert (done.returncode, done.stderr) == (0, b"")
    path = "é/数.csv" if "PYTHONIOENCODING" in environment else "\\xe9/\\u6570.csv"
    assert f"path: {path}\n" in done.stdout.decode()


def test_bytes_that_are_no_text_are_refused():
    ENCODING.require_text(["data.path=é"])
    with pytest.raises(ConfigError, match=r"'data\.path=\\udcfc': got bytes that are no UTF-8"):
        ENCODING.require_text(["data.path=\udcfc"])
