"""Registered models: which weights become a version, and how often."""

from pathlib import Path

import pytest

from dlexp.run.environment import now
from dlexp.tracking import outbox
from dlexp.tracking.sent import Sent
from tests.tracking.test_sender import MLFLOW, NONE, make

pytestmark = pytest.mark.filterwarnings("ignore")  # mlflow's own libraries warn of each other


def make_trained(place, kind, tracking):
    folder = make(place, kind, "mlp", tracking)
    best = folder.checkpoints / "best"
    best.mkdir(parents=True)
    (best / "weights.safetensors").write_bytes(b"weights")
    folder.append_epoch({"epoch": 1, "step": 9, "lr": 0.1, "val/accuracy": 0.9, "seconds": 0.1})
    folder.write_result({"kind": "train", "status": "finished", "metrics": {"val/accuracy": 0.9, "val/f1": 0.8}})
    folder.update_manifest(status="finished", end=now())
    folder.unlock()
    return folder


def test_the_weights_that_were_chosen_become_one_version_of_the_model_that_was_named(runs_dir, query):
    wanted, clients, database = {**MLFLOW, "register": "o'brien"}, {}, runs_dir / "mlflow.db"
    train = make_trained((runs_dir, "digits"), "train", wanted)
    sweep = make((runs_dir, "digits"), "sweep", "lr", wanted)
    trials = [make_trained((sweep.path, "trials"), "trial", NONE) for _ in range(2)]
    records = [
        {"number": k, "run_id": trial.run_id, "run_dir": str(trial.path), "overrides": {"optimizer.lr": k}}
        for k, trial in enumerate(trials)
    ]
    best = {"number": 1, "value": 0.9, "corrected": 0.89}
    result = {"kind": "sweep", "status": "finished", "metric": "val/accuracy", "metrics": {}}
    sweep.write_result({**result, "trials": records, "best": best})
    sweep.update_manifest(status="finished", end=now())
    sweep.unlock()
    for folder in (train, sweep, train, sweep):
        assert outbox.send(folder, clients) is None
    ids = [Sent.read(folder).mlflow_run_id for folder in (train, trials[1])]
    versions = query(database, "select name, version, run_id, source from model_versions order by version")
    assert [version[:3] for version in versions] == [("o'brien", k + 1, run_id) for k, run_id in enumerate(ids)]
    for *_, source in versions:
        files = {path.name for path in Path(source.removeprefix("file://")).iterdir()}
        assert files == {"weights.safetensors", "config.yaml"}
    parent = Sent.read(sweep).mlflow_run_id
    (said,) = query(database, f"select value from tags where key = 'mlflow.note.content' and run_uuid = '{parent}'")
    winner = (
        f"**Winner: [{trials[1].run_id}](#/experiments/1/runs/{ids[1]})** `optimizer.lr=1`: val/accuracy **0.9000**"
    )
    assert said[0].splitlines()[:3] == [winner, "", "Corrected for being picked: 0.8900"]
    of_train = dict(query(database, f"select key, value from metrics where run_uuid = '{ids[0]}'"))
    assert (of_train["best/val_accuracy"], of_train["best/val_f1"]) == (0.9, 0.8)
