"""The whole way to MLflow, with its real client, database and process; what arrived is read from the database."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.tracking import mlflow
from dlexp.tracking.content import monitor, points
from dlexp.tracking.sent import Sent


def expected_points(folder):
    history = folder.history()
    chosen = monitor(folder.manifest, history)
    logged = [tuple(point) for point in points(history, chosen, 0, 10**6)]
    return sorted((name, value, moment, epoch) for name, value, moment, epoch in logged)


def run_outbox(folder):
    command = [sys.executable, "-m", "dlexp.tracking.outbox", str(folder.path)]
    return subprocess.run(command, capture_output=True, text=True, timeout=100)


def wait_for(condition, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.1)


def test_a_finished_run_arrives_whole_and_twice_is_once(fake_run, runs_dir, points, query, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    run = fake_run(runs_dir)
    database = runs_dir / "mlflow.db"
    outbox = mlflow.start(run.folder, run.tracking)
    run.train(1, 4)
    wait_for(lambda: Sent.read(run.folder).epoch == 4)
    assert query(database, "select status from runs") == [("RUNNING",)]
    run.train(5, 6)
    run.end()
    assert outbox.finish(60) is None
    final = [(name, value, moment, step) for name, value, moment, step in points(database) if name == "test/accuracy"]
    assert [(value, step) for _, value, _, step in final] == [(0.75, 6)]
    assert [point for point in points(database) if point not in final] == expected_points(run.folder)
    best = [value for name, value, _, _ in points(database) if name == "best/val_accuracy"]
    assert max(best) == max(record["val/accuracy"] for record in run.folder.history())
    assert query(database, "select status, name from runs") == [("FINISHED", f"lr0.1 mlp {run.folder.run_id}")]
    params = dict(query(database, "select key, value from params"))
    assert params == {"model": "mlp", "optimizer.lr": "0.1", "model.widths": "[8, 8]"}
    tags = dict(query(database, "select key, value from tags"))
    wanted = {"dlexp.kind": "train", "dlexp.task": "multiclass", "dlexp.data": "digits", "dlexp.model": "mlp"}
    assert wanted.items() <= tags.items()
    assert (tags["dlexp.num_params"], tags["dlexp.resumes"]) == ("100", "0")
    assert query(database, "select name, digest from datasets") == [("digits", "ab" * 8)]
    (artifacts,) = (runs_dir / "mlartifacts" / "digits").glob("*/artifacts")
    names = {str(path.relative_to(artifacts)) for path in artifacts.rglob("*") if path.is_file()}
    assert {"config.yaml", "result.json", "figures/curve.png", "predictions/val.npz", "signature.json"} <= names
    assert json.loads((artifacts / "signature.json").read_text())["outputs"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["runs"], "nothing beside the runs folder"

    before = points(database)
    (run.folder.path / "mlflow.json").unlink()
    assert run_outbox(run.folder).returncode == 0
    assert points(database) == before
    assert query(database, "select count(*) from runs") == [(1,)]


TRAIN = """
import sys, time
from pathlib import Path
sys.path.insert(0, sys.argv[2])
from tests.run.fake_run import FakeRun
from dlexp.tracking import mlflow
run = FakeRun(Path(sys.argv[1]))
outbox = mlflow.start(run.folder, run.tracking)
run.train(1, 5, unsaved=2)
print(run.folder.path, outbox.process.pid, flush=True)
time.sleep(100)
"""


@pytest.mark.slow
@pytest.mark.parametrize("is_outbox_killed", [False, True])
def test_a_killed_run_is_ended_and_resumed_without_a_trace(
    fake_run, runs_dir, points, query, tmp_path, is_outbox_killed
):
    database = runs_dir / "mlflow.db"
    command = [sys.executable, "-c", TRAIN, str(runs_dir), str(Path(__file__).parents[2])]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        path, pid = process.stdout.readline().rsplit(" ", 1)
        folder = RunFolder.open(type(tmp_path)(path))
        wait_for(lambda: Sent.read(folder).epoch == 3)
        if is_outbox_killed:
            os.kill(int(pid), signal.SIGKILL)
        process.kill()
    if is_outbox_killed:
        assert query(database, "select status from runs") == [("RUNNING",)]
        other = fake_run(runs_dir)
        outbox = mlflow.start(other.folder, other.tracking)
        wait_for(lambda: Sent.read(folder).status == "killed")
        other.end()
        assert outbox.finish(60) is None
    wait_for(lambda: Sent.read(folder).status == "killed")
    run_id = Sent.read(folder).mlflow_run_id
    mine = f"from runs where run_uuid = '{run_id}'"
    assert query(database, f"select status {mine}") == [("KILLED",)]
    assert folder.manifest["status"] == "killed"
    assert max(step for _, _, _, step in points(database, run_id)) == 3, "what a resumed run writes again is not sent"

    folder.lock()
    folder.truncate_history(3)
    folder.update_manifest(status="running", end=None, resumes=1, params={"model": "other", "optimizer.lr": 0.1})
    tracking = folder.config["tracking"]
    outbox = mlflow.start(folder, tracking)
    wait_for(lambda: query(database, f"select status {mine}") == [("RUNNING",)])
    for epoch in (4, 5, 6):
        folder.append_epoch({"epoch": epoch, "val/accuracy": 0.5, "lr": 0.1, "seconds": 0.5})
    folder.update_manifest(status="finished", end=now())
    assert outbox.finish(60) is None
    assert points(database, run_id) == expected_points(folder)
    assert query(database, f"select status {mine}") == [("FINISHED",)]
    assert query(database, f"select value from tags where key = 'dlexp.resumes' and run_uuid = '{run_id}'") == [("1",)]
    folder.unlock()


def test_an_absent_server_is_one_warning_within_seconds(fake_run):
    run = fake_run(uri="http://127.0.0.1:9")
    started = time.monotonic()
    outbox = mlflow.start(run.folder, run.tracking)
    run.train(1, 3)
    assert time.monotonic() - started < 5
    run.end()
    warning = outbox.finish(60)
    assert time.monotonic() - started < 20
    assert warning is not None
    assert "\n" not in warning
    assert "no answer from http://127.0.0.1:9: Connection refused" in warning
    assert f"`dlexp sync {run.folder.path}`" in warning  # its folder is not the default one


def test_finish_never_hangs(fake_run):
    run = fake_run(uri="http://127.0.0.1:9")
    outbox = mlflow.start(run.folder, run.tracking)
    wait_for(lambda: Sent.read(run.folder).problem is not None)
    warning = outbox.finish(timeout=0.5)  # the manifest says "running": the outbox goes on
    assert warning is not None
    assert "no answer" in warning
    run.end()
    assert outbox.process is not None
    outbox.process.wait(60)


def test_no_tracking_starts_nothing(fake_run):
    run = fake_run()
    outbox = mlflow.start(run.folder, {"_target_": mlflow.NONE, "experiment": None})
    assert outbox.process is None
    assert outbox.finish(60) is None


@pytest.mark.slow
def test_four_runs_at_once_create_one_store(fake_run, tmp_path, query):
    runs = [fake_run() for _ in range(4)]
    outboxes = [mlflow.start(run.folder, run.tracking) for run in runs]
    for run in runs:
        run.train(1, 2)
        run.end()
    assert [outbox.finish(120) for outbox in outboxes] == [None] * 4
    database = tmp_path / "runs" / "mlflow.db"
    assert query(database, "select status from runs") == [("FINISHED",)] * 4
    assert query(database, "select count(*) from experiments where name = 'digits'") == [(1,)]
