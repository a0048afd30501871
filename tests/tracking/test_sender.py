"""A cv's folds in MLflow: nested runs with their curves below a parent with what they say together."""

import shutil

import pytest

from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.tracking import outbox
from dlexp.tracking.sender import Sender
from dlexp.tracking.sent import Sent

# mlflow's own libraries warn of each other; everywhere else they live in the outbox's process
pytestmark = pytest.mark.filterwarnings("ignore")

MLFLOW = {"_target_": "dlexp.tracking.mlflow.MLflow", "uri": None, "experiment": None, "weights": False}
NONE = {"_target_": "dlexp.tracking.mlflow.NoTracking", "experiment": None}
SHARED = {"task": "multiclass", "seed": 0, "device": "cpu", "params": {"model": "mlp"}}


def make(place, kind, slug, tracking):
    manifest = {**SHARED, "kind": kind, "experiment": "digits", "data": {"name": "digits", "fingerprint": "ab" * 32}}
    runs_dir, experiment = place
    return RunFolder.create(runs_dir, experiment, slug, config={"tracking": tracking}, overrides=[], manifest=manifest)


def make_fold(cv, number, status="finished"):
    fold = make((cv.path, "folds"), "fold", f"repeat0-fold{number}", NONE)
    fold.append_epoch({"epoch": 1, "step": 9, "lr": 0.1, "val/accuracy": 0.9 + 0.02 * number, "seconds": 0.1})
    if status != "running":
        fold.write_result({"kind": "train", "status": "finished", "metrics": {"val/accuracy": 0.9}})
        fold.update_manifest(status=status, end=now())
    fold.unlock()
    return fold


def test_folds_are_children_and_the_parent_has_their_mean(runs_dir, query):
    cv = make((runs_dir, "digits"), "cv", "mlp", MLFLOW)
    folds = [make_fold(cv, 0)]
    clients = {}
    assert not Sender(cv, clients).push()
    database = runs_dir / "mlflow.db"
    assert not list(cv.path.glob("*.db"))
    assert sorted(query(database, "select status from runs")) == [("FINISHED",), ("RUNNING",)]
    folds.append(make_fold(cv, 1))
    records = [{"repeat": 0, "fold": number, "run_id": fold.run_id} for number, fold in enumerate(folds)]
    pooled = {"accuracy": 0.9, "confusion_matrix": [[1, 0], [0, 1]]}
    means = {
        "mean": {"val/accuracy": 0.91},
        "std": {"val/accuracy": 0.01},
        "out_of_fold": pooled,
        "interval_corrected": {},
    }
    cv.write_result(
        {
            "kind": "cv",
            "status": "finished",
            "metrics": means["mean"],
            "metric": "val/accuracy",
            "folds": records,
            **means,
        }
    )
    cv.update_manifest(status="finished", end=now())
    assert outbox.send(cv, clients) is None
    assert outbox.send(cv, clients) is None
    assert query(database, "select status from runs") == [("FINISHED",)] * 3
    parent = Sent.read(cv).mlflow_run_id
    nested = query(database, f"select run_uuid from tags where key = 'mlflow.parentRunId' and value = '{parent}'")
    assert {run_id for (run_id,) in nested} == {Sent.read(fold).mlflow_run_id for fold in folds}
    metrics = dict(query(database, f"select key, value from metrics where run_uuid = '{parent}'"))
    wanted = {"cv/val_accuracy_mean": 0.91, "cv/val_accuracy_std": 0.01, "out_of_fold/accuracy": 0.9, "cv/folds": 2}
    assert metrics == wanted | {"best/val_accuracy": 0.91}  # the name that a training's has
    curve = query(database, f"select value from metrics where run_uuid = '{Sent.read(folds[1]).mlflow_run_id}'")
    assert (0.92,) in curve
    (said,) = query(database, f"select value from tags where key = 'mlflow.note.content' and run_uuid = '{parent}'")
    assert "**val/accuracy 0.9100** ± 0.01000 over 2 folds" in said[0]
    assert f"[1.2](#/experiments/1/runs/{Sent.read(folds[1]).mlflow_run_id})" in said[0]
    kinds = query(database, "select value from tags where key = 'dlexp.kind'")
    assert sorted(kinds) == [("cv",), ("fold",), ("fold",)]
    cv.unlock()


def told(database, query):
    """All that a store says of its runs, with dlexp's ids in the place of MLflow's, in the order that pages take."""
    ids = dict(query(database, "select run_uuid, value from tags where key = 'dlexp.run_id'"))
    tables = {
        "runs": "name, status, start_time, end_time, user_id, lifecycle_stage",
        "params": "key, value",
        "tags": "key, value",
        "metrics": "key, value, timestamp, step, is_nan",
        "latest_metrics": "key, value, timestamp, step, is_nan",
    }
    said = {}
    for table, columns in tables.items():
        rows = query(database, f"select run_uuid, {columns} from {table}")
        rows = [tuple(ids.get(value, value) for value in row) for row in rows]
        order = rows if table == "latest_metrics" else sorted(rows)
        said[table] = {run_id: [row for row in order if row[0] == run_id] for run_id in sorted(ids.values())}
    data = "select destination_id, name, digest, dataset_profile from inputs join datasets on source_id = dataset_uuid"
    said["inputs"] = sorted((ids[run], *rest) for run, *rest in query(database, data))
    for file in (database.parent / "mlartifacts").rglob("*"):
        if file.is_file():
            *_, run, _, name = file.relative_to(database.parent).parts
            said.setdefault("files", {})[ids[run], name] = file.read_bytes()
    return said


def test_a_trial_that_is_sent_as_it_goes_has_what_one_has_that_is_sent_at_its_end(runs_dir, query, tmp_path):
    (tmp_path / "other").mkdir()
    other = shutil.copy(runs_dir / "mlflow.db", tmp_path / "other" / "mlflow.db")
    sweep = make((runs_dir, "digits"), "sweep", "random", MLFLOW)
    trial = make((sweep.path, "trials"), "trial", "lr0.1", NONE)
    sender = Sender(sweep, {})
    for epoch in range(1, 4):
        record = {"epoch": epoch, "step": 9, "lr": 0.1, "val/accuracy": 0.9 + epoch % 2, "train/loss": 1.0 / epoch}
        trial.append_epoch(record)
        assert not sender.push()
    made = make_fold(sweep, 1)
    trial.write_result({"kind": "train", "status": "stopped_early", "num_params": 9, "metrics": {"test/loss": 0.3}})
    trial.update_manifest(status="stopped_early", end=now(), device="cpu (the first)")
    trial.unlock()
    sweep.write_result({"kind": "sweep", "status": "finished", "trials": []})
    sweep.update_manifest(status="finished", end=now())
    assert sender.push()
    sweep.unlock()
    assert outbox.send(sweep, {}, other=f"sqlite:///{other}") is None
    said = told(runs_dir / "mlflow.db", query)
    assert len(said["metrics"][trial.run_id]) == 3 * 4 + 1  # with the best so far
    assert ("dlexp.status", "stopped_early") in [row[1:] for row in said["tags"][trial.run_id]]
    assert {run_id for run_id, _ in said["files"]} == {sweep.run_id, trial.run_id, made.run_id}
    assert told(other, query) == said


def test_a_killed_cv_ends_its_fold_too_and_a_resumed_one_runs_again(runs_dir, query):
    cv = make((runs_dir, "digits"), "cv", "mlp", MLFLOW)
    fold = make_fold(cv, 0, status="running")
    clients = {}
    Sender(cv, clients).push()
    database = runs_dir / "mlflow.db"
    assert query(database, "select status from runs") == [("RUNNING",)] * 2
    cv.update_manifest(status="killed", end=now())
    assert outbox.send(cv, clients) is None
    assert query(database, "select status from runs") == [("KILLED",)] * 2
    assert fold.manifest["status"] == "killed"
    for folder in (cv, fold):
        folder.lock()
        folder.update_manifest(status="running", end=None)
    Sender(cv, clients).push()
    assert query(database, "select status from runs") == [("RUNNING",)] * 2
    fold.unlock()
    cv.unlock()


def test_a_trial_is_no_run_before_it_begins_and_is_sent_once(runs_dir, query, monkeypatch):
    sweep = make((runs_dir, "digits"), "sweep", "random", MLFLOW)
    waiting = make((sweep.path, "trials"), "trial", "waiting", NONE)
    failed = make((sweep.path, "trials"), "trial", "failed", NONE)
    failed.update_manifest(status="failed", reason="no", end=now())
    done = make_fold(sweep, 0)
    for folder in (waiting, failed):
        folder.unlock()
    clients, database = {}, runs_dir / "mlflow.db"
    sender = Sender(sweep, clients)
    sender.push()
    assert query(database, "select count(*) from runs") == [(2,)]
    sent, push = [], Sender.push
    monkeypatch.setattr(Sender, "push", lambda self: (sent.append(self.folder.run_id), push(self))[1])
    sender.push()
    assert sent == [sweep.run_id]  # what MLflow has whole is left alone
    done.update_manifest(status="diverged")
    sender.push()
    assert sent[1:] == [sweep.run_id, done.run_id]
    sweep.update_manifest(status="interrupted", end=now())
    sender.push()
    assert sorted(query(database, "select status from runs")) == [("FAILED",), ("FAILED",), ("KILLED",)]
    assert not Sent.exists(waiting)
    assert waiting.manifest["status"] == "running"
    sweep.unlock()


def test_children_whose_record_was_lost_are_found_again(runs_dir, query):
    cv = make((runs_dir, "digits"), "cv", "mlp", MLFLOW)
    folds = [make_fold(cv, number) for number in range(3)]
    clients = {}
    Sender(cv, clients).push()
    before = {Sent.read(fold).mlflow_run_id for fold in folds}
    for fold in folds[:2]:
        (fold.path / "mlflow.json").unlink()  # as after a kill between making a run and recording it
    Sender(cv, clients).push()
    assert {Sent.read(fold).mlflow_run_id for fold in folds} == before
    assert query(runs_dir / "mlflow.db", "select count(*) from runs") == [(4,)]
    cv.unlock()
