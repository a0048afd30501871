import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing

import pytest

from tests.run.fake_run import fake_run

__all__ = ["fake_run"]


def table(database, statement):
    with closing(sqlite3.connect(database)) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture
def points():
    """All metric points of the runs of an MLflow database: (name, value, milliseconds, step), sorted."""

    def read(database, run_id="%"):
        where = f"where run_uuid like '{run_id}'"
        return sorted(table(database, f"select key, value, timestamp, step from metrics {where}"))

    return read


@pytest.fixture
def query():
    return table


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory):
    """A runs folder with MLflow's empty database in it: creating one takes seconds."""
    runs_dir = tmp_path_factory.mktemp("store") / "runs"
    runs_dir.mkdir()
    code = "import sys, pathlib; from dlexp.tracking.store import *; connect(choose(pathlib.Path(sys.argv[1]), None))"
    subprocess.run([sys.executable, "-c", code, str(runs_dir)], check=True, capture_output=True)
    return runs_dir


@pytest.fixture
def runs_dir(empty_store, tmp_path, monkeypatch):
    """A runs folder with an empty store."""
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    shutil.copytree(empty_store, tmp_path / "runs")
    return tmp_path / "runs"
