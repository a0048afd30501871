"""`dlexp ui` as users run it; the dashboard itself is held by tests/tracking/test_dashboard.py."""

import json
import socket
from pathlib import Path

import pytest

from tests import command


def run(cwd: Path, *arguments: str):
    return command.run(cwd, "ui", "--no-open", *arguments)


def test_a_port_in_use_is_one_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = run(tmp_path, "--port", port)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.count("\n") == 1
        assert done.stderr.startswith("environment error: ")
        assert port in done.stderr
        assert json.loads(run(tmp_path, "--port", port, "--json").stdout)["error"]["kind"] == "environment"


@pytest.mark.parametrize("port", ["0", "65536", "-1"])
def test_ports_that_there_are_not_are_refused(tmp_path, port):
    done = run(tmp_path, "--port", port)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("usage error: ")


def test_pages_of_no_runs_are_one_line(tmp_path):
    done = run(tmp_path, "--report")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("run error: runs: got no runs")
