import shutil
import sqlite3
from contextlib import closing

import pytest

from dlexp.error import RunError
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.lock import Lock
from dlexp.tracking import mlflow, outbox
from dlexp.tracking.sent import Sent
from dlexp.tracking.sync import sync, unsent


@pytest.fixture
def make(tmp_path):
    folders = []

    def create(status="finished", tracking="mlflow", sent=None):
        config = {"tracking": {"uri": "http://127.0.0.1:9"}}
        described = {"kind": "train", "params": {"tracking": tracking}}
        folder = RunFolder.create(tmp_path, "digits", "x", config=config, overrides=[], manifest=described)
        folders.append(folder)
        if status != "running":
            folder.update_manifest(status=status, end=now())
            folder.unlock()
        if sent is not None:
            Sent(mlflow_run_id="a", status=sent).write(folder)
        return folder

    yield create
    for folder in folders:
        folder.unlock()


def test_what_ended_and_is_not_complete_is_sent(make, tmp_path):
    lacking = [make().run_id, make(sent="running").run_id, make(status="killed", sent="finished").run_id]
    make(sent="finished")
    make(tracking="none")
    make(status="running")
    assert sorted(folder.run_id for folder in unsent(tmp_path)) == sorted(lacking)


def test_an_absent_server_is_a_problem_and_no_failure(make, tmp_path):
    folder = make()
    lines = []
    (record,) = sync(tmp_path, [], lines.append)
    assert lines == [f"sending {folder.path.name}"]
    assert (record["run_id"], record["sent"]) == (folder.run_id, False)
    assert "no answer from http://127.0.0.1:9" in (record["problem"] or "")
    assert Sent.read(folder).problem == record["problem"]


def test_a_run_that_another_process_sends_is_waited_for_and_then_left_to_it(make, tmp_path, monkeypatch):
    monkeypatch.setattr(outbox, "PATIENCE", 0.05)
    folder = make()
    lock = Lock(folder.path / "outbox.lock")
    lock.acquire()
    (record,) = sync(tmp_path, [folder.run_id])
    assert "in use by process" in (record["problem"] or "")
    lock.release()


def test_an_unknown_run_is_refused(make, tmp_path):
    make()
    with pytest.raises(RunError, match="no such run"):
        sync(tmp_path, ["zzz"])


@pytest.mark.filterwarnings("ignore")  # mlflow's own libraries warn of each other
def test_a_run_goes_to_the_store_that_it_was_meant_for(fake_run, runs_dir, query, monkeypatch, tmp_path):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    run = fake_run(runs_dir)
    monkeypatch.setattr(mlflow.subprocess, "Popen", lambda *_args, **_kwargs: None)
    mlflow.start(run.folder, run.tracking)
    run.train(1, 2)
    run.end()
    run.folder.unlock()
    other = f"sqlite:///{tmp_path / 'other.db'}"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", other)
    (record,) = sync(runs_dir, [])
    assert (record["sent"], record["problem"]) == (True, None)
    assert not (tmp_path / "other.db").exists()
    assert query(runs_dir / "mlflow.db", "select status from runs") == [("FINISHED",)]
    assert unsent(runs_dir) == []
    # what was sent where is kept by store
    shutil.copy(runs_dir / "mlflow.db", tmp_path / "other.db")
    with closing(sqlite3.connect(tmp_path / "other.db")) as connection:
        for statement in ("delete from runs", "delete from experiments where experiment_id > 0"):
            connection.execute("pragma foreign_keys = off")
            connection.execute(statement)
        connection.commit()
    assert [folder.run_id for folder in unsent(runs_dir, other)] == [run.folder.run_id]
    (record,) = sync(runs_dir, [], uri=other)
    assert record["sent"]
    assert query(tmp_path / "other.db", "select status from runs") == [("FINISHED",)]
    assert unsent(runs_dir, other) == unsent(runs_dir) == []
    assert Sent.read(run.folder).uri is None
    assert Sent.read(run.folder, other).uri == other
