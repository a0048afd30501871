"""What MLflow holds of cross-validations: parents, settings, folds, aggregates and openings of the test part."""

from pathlib import Path

import pytest

from dlexp.job.cv import cv
from dlexp.job.inference.evaluate import evaluate

SMALL = ["data=wine", "trainer.epochs=2", "trainer.batch_size=16", "model.widths=[8]", "cv.k=2", "trainer.fuse=off"]
QUICK = [*SMALL, "tracking.wait=600"]

# MLflow makes its database, for seconds; its own imports warn
pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore")]


@pytest.fixture
def store(tmp_path, monkeypatch):
    """Return a function that runs a cv and one that lists runs as (kind, parent's kind, params, metrics, tags)."""
    from mlflow import MlflowClient

    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)

    def run(*overrides):
        outcome = cv.start(
            [*QUICK, *overrides, f"runs_dir={tmp_path}"], announce=lambda _about: lambda _end: None, has_figures=False
        )
        assert outcome.notes == []
        return outcome.result

    def listed():
        client = MlflowClient(f"sqlite:///{tmp_path / 'mlflow.db'}")
        (experiment,) = [e for e in client.search_experiments() if e.name == "wine"]
        runs = client.search_runs([experiment.experiment_id])
        by_id = {run.info.run_id: run for run in runs}
        data = {key: run.data for key, run in by_id.items()}
        assert all(run.info.status == "FINISHED" for run in runs)
        return [(run, data.get(run.tags.get("mlflow.parentRunId", ""))) for run in data.values()]

    return run, listed


def kind(data) -> str:
    return "" if data is None else data.tags["dlexp.kind"]


def test_settings_are_nested_in_their_cv_and_folds_in_settings(store, tmp_path):
    run, listed = store
    result = run("optimizer.lr=0.01,0.1")
    runs = listed()
    assert sorted((kind(run), kind(parent)) for run, parent in runs) == [
        ("cv", ""),
        ("cv", "cv"),
        ("cv", "cv"),
        *[("fold", "cv")] * 4,
    ]
    (top,) = [run for run, parent in runs if parent is None]
    assert top.metrics["settings/best"] == pytest.approx(result["settings"][0]["value"])
    assert top.metrics["settings/count"] == 2
    inner = {run.params["optimizer.lr"]: run for run, parent in runs if kind(run) == kind(parent) == "cv"}
    for entry in result["settings"]:
        sent = inner[str(entry["overrides"]["optimizer.lr"])].metrics
        assert sent["cv/val_accuracy_mean"] == pytest.approx(entry["mean"]["val/accuracy"])
        assert sent["cv/val_accuracy_std"] == pytest.approx(entry["std"]["val/accuracy"])
    evaluate(str(Path(result["settings"][0]["run_dir"])), tmp_path, "test")
    opened = [(kind(run), run.tags["dlexp.test_openings"]) for run, _ in listed()]
    assert sorted(opened) == [*[("cv", "0")] * 2, ("cv", "1"), *[("fold", "0")] * 2, *[("fold", "1")] * 2]
    (best,) = [run for run, _ in listed() if kind(run) == "cv" and run.tags["dlexp.test_openings"] == "1"]
    assert 0 < best.metrics["test/accuracy"] <= 1


def test_inner_trainings_are_nested_in_their_cv(store):
    run, listed = store
    result = run("cv=nested", "cv.inner_k=2", "optimizer.lr=0.01,0.1")
    runs = listed()
    assert sorted((kind(run), kind(parent)) for run, parent in runs) == [
        ("cv", ""),
        *[("fold", "cv")] * 2,
        *[("trial", "cv")] * 8,
    ]
    (top,) = [run for run, parent in runs if parent is None]
    assert top.metrics["cv/val_accuracy_mean"] == pytest.approx(result["mean"]["val/accuracy"])
    chosen = sorted(run.params["optimizer.lr"] for run, _ in runs if kind(run) == "fold")
    assert chosen == sorted(str(record["chosen"]["optimizer.lr"]) for record in result["searches"])
