"""A real MLflow server that goes away in mid-run."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest

from dlexp.tracking import mlflow
from dlexp.tracking.sent import Sent
from dlexp.tracking.sync import sync

pytestmark = pytest.mark.slow


class Server:
    def __init__(self, folder):
        self.folder = folder
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]
        self.uri = f"http://127.0.0.1:{self.port}"

    def start(self):
        command = [sys.executable, "-m", "mlflow", "server", "--port", str(self.port), "--workers", "1"]
        command += ["--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db"]
        command += ["--artifacts-destination", f"{self.folder}/artifacts"]
        settings = {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false", "MLFLOW_DISABLE_TELEMETRY": "true"}
        with open(self.folder / "server.log", "ab") as log:
            self.process = subprocess.Popen(
                command, stdout=log, stderr=log, env={**os.environ, **settings}, start_new_session=True
            )
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=2).close()
                return
            except OSError:
                time.sleep(0.3)
        raise AssertionError("the server did not start")

    def kill(self):
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


@pytest.fixture
def server(empty_store, tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    folder = tmp_path / "server"
    folder.mkdir()
    (folder / "mlflow.db").write_bytes((empty_store / "mlflow.db").read_bytes())
    server = Server(folder)
    server.start()
    yield server
    server.kill()


def test_sync_after_an_outage_gives_the_history_of_an_uninterrupted_run(server, fake_run, points, query, tmp_path):
    database = server.folder / "mlflow.db"
    run = fake_run(uri=server.uri)
    outbox = mlflow.start(run.folder, run.tracking)
    run.train(1, 5)
    deadline = time.monotonic() + 60
    while Sent.read(run.folder).epoch < 5:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    server.kill()
    run.train(6, 9)
    run.end()
    warning = outbox.finish(60)
    assert warning is not None
    assert "dlexp sync" in warning
    assert max(step for _, _, _, step in points(database)) == 5

    server.start()
    code = "import sys, pathlib; from dlexp.tracking.sync import sync; print(sync(pathlib.Path(sys.argv[1]), []))"
    done = subprocess.run([sys.executable, "-c", code, str(tmp_path / "runs")], capture_output=True, text=True)
    assert "'sent': True" in done.stdout, done.stderr
    assert "View run" not in done.stdout  # MLflow's own lines, amid a table or JSON
    after_outage = points(database)

    (run.folder.path / "mlflow.json").unlink()
    query(database, "select 1")
    fresh = Server(tmp_path / "fresh")
    fresh.folder.mkdir()
    (run.folder.path / "config.yaml").write_text(
        (run.folder.path / "config.yaml").read_text().replace(server.uri, f"sqlite:///{fresh.folder}/mlflow.db")
    )
    subprocess.run([sys.executable, "-c", code, str(tmp_path / "runs")], check=True, capture_output=True)
    assert after_outage == points(fresh.folder / "mlflow.db")
    assert {step for _, _, _, step in after_outage} == set(range(1, 10))
    assert query(database, "select status from runs") == [("FINISHED",)]
    assert (next(server.folder.glob("artifacts/*/*/artifacts")) / "config.yaml").exists()
    assert sync(tmp_path / "runs", []) == []
