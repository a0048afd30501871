"""Data that are unusual but usable train, and what is done about them is said."""

import json
from typing import Any

import numpy as np
import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError
from dlexp.job.inference import predict
from dlexp.job.train import train
from tests.picture import OF_CLASSES, are_pictures


def run(tmp_path, *overrides):
    """Train and return the announced warnings, the result and the run folder."""
    said = []

    def announce(about):
        said.extend(about.warnings)
        said.append(about.folder)
        return lambda event: None

    composed = resolve([*overrides, f"runs_dir={tmp_path / 'runs'}", "tracking=none", "optimizer.lr=0.01"])
    outcome = train.start(composed, announce=announce)
    return said[:-1], outcome.result, said[-1]


def write(tmp_path, header, rows):
    path = tmp_path / "t.csv"
    path.write_text("\n".join([header, *rows]))
    return ["data=csv", f"data.path={path}", "data.target=y"]


def test_few_rows_train_with_the_defaults(tmp_path):
    overrides = write(tmp_path, "x,y", [f"{i / 7},{'ab'[i % 2]}" for i in range(24)])
    warnings, result, _ = run(tmp_path, *overrides, "trainer.epochs=1")
    assert result["status"] == "finished"
    assert "the training part has 14 examples: a batch is all of them (trainer.batch_size makes it smaller)" in warnings


def test_a_class_with_a_dollar_has_its_figures(tmp_path, drawn):
    overrides = write(tmp_path, "x,y", [f"{i / 7},{['<$50k', '>$50k'][i % 2]}" for i in range(60)])
    _, result, folder = run(tmp_path, *overrides, "trainer.epochs=1")
    assert result["status"] == "finished"
    assert are_pictures(folder.figures, "curves", "weights", *OF_CLASSES)


def test_a_figure_that_fails_leaves_the_result(tmp_path, monkeypatch):
    from dlexp.figure import curve

    def fail(*_):
        raise ValueError("no font")

    monkeypatch.setattr(curve, "curves_figure", fail)
    overrides = write(tmp_path, "x,y", [f"{i / 7},{'ab'[i % 2]}" for i in range(60)])
    _, result, folder = run(tmp_path, *overrides, "trainer.epochs=1")
    assert result["status"] == folder.manifest["status"] == "finished"
    assert json.loads((folder.path / "result.json").read_text())["metrics"] == result["metrics"]
    assert "the figure curves could not be drawn (ValueError: no font)" in (folder.path / "log.txt").read_text()


def test_seconds_since_1970_are_learnt(tmp_path):
    draw = np.random.default_rng(0)
    seconds = draw.integers(0, 51, 400)
    overrides = write(tmp_path, "t,y", [f"{1_700_000_000 + s},{'ab'[int(s > 25)]}" for s in seconds])
    _, result, folder = run(tmp_path, *overrides, "trainer.epochs=30")
    assert result["metrics"]["val/accuracy"] > 0.97
    (tmp_path / "new.csv").write_text("t\n1700000001\n1700000050\n")
    document: Any = predict.predict(folder.run_id, tmp_path / "runs", [tmp_path / "new.csv"])
    assert [entry["class"] for entry in document["predictions"]] == ["a", "b"]


def test_large_targets_keep_their_digits(tmp_path):
    x = np.random.default_rng(0).random(400)
    overrides = write(tmp_path, "x,y", [f"{v},{1e9 + 3 * v:.6f}" for v in x])
    _, result, folder = run(tmp_path, *overrides, "trainer.epochs=30")
    assert result["metrics"]["val/r2"] > 0.99
    document: Any = predict.predict(folder.run_id, tmp_path / "runs", [tmp_path / "t.csv"])
    values = np.array([entry["value"] for entry in document["predictions"]])
    assert np.abs(values - 1e9 - 3 * x).max() < 0.5
    stored = folder.predictions("val")
    rows, spread = [int(id) for id in stored["id"]], 3.0
    assert np.abs(values[rows] - stored["output"]).max() < 1e-6 * spread
    targets = np.array([float(f"{1e9 + 3 * v:.6f}") for v in x[rows]])
    assert result["metrics"]["val/rmse"] == pytest.approx(np.sqrt(((stored["output"] - targets) ** 2).mean()), rel=1e-9)


def test_beyond_float32(tmp_path):
    x = np.random.default_rng(0).random(200)
    overrides = write(tmp_path, "x,y", [f"{v * 1e39},{'ab'[int(v > 0.5)]}" for v in x])
    assert run(tmp_path, *overrides, "trainer.epochs=1")[1]["status"] == "finished"
    with pytest.raises(Exception, match=r"t, column x: got values up to .*e\+38; torch.float32 ends at 3.4e38"):
        run(tmp_path, *overrides, "trainer.epochs=1", "normalize=none")


def test_a_gap_at_prediction_that_training_had_not(tmp_path):
    overrides = write(tmp_path, "x,c,y", [f"{i % 10},{'uvv'[i % 3]},{'ab'[i % 2]}" for i in range(60)])
    _, _, folder = run(tmp_path, *overrides, "trainer.epochs=1", "data.missing=impute")
    (tmp_path / "new.csv").write_text("c,x\n,4.5\nv,4.5\nu,\nu,3\nnew,3\n")
    document: Any = predict.predict(folder.run_id, tmp_path / "runs", [tmp_path / "new.csv"])
    probabilities = [entry["probability"] for entry in document["predictions"]]
    assert np.isfinite(probabilities).all()
    assert probabilities[0] == probabilities[1]  # the most frequent category
    assert len(document["warnings"]) == 1
    assert "column c: 1 row of category new, unknown to training, set no input" in document["warnings"][0]


def test_a_monitor_that_is_no_number_is_refused(tmp_path):
    rows = [f"{i},{'a' if i < 40 else 'ab'[i % 2]},{100 - i}" for i in range(60)]
    overrides = write(tmp_path, "x,y,when", rows)
    with pytest.raises(ConfigError, match=r"trainer.monitor: got val/roc_auc; it is no number .* one of val/loss"):
        run(
            tmp_path,
            *overrides,
            "data.time=when",
            "data.test_fraction=0",
            "data.val_fraction=0.4",
            "trainer.monitor=val/roc_auc",
        )


def test_mixup_of_two_classes_counts_right_answers(tmp_path):
    draw = np.random.default_rng(0)
    overrides = write(tmp_path, "x,y", [f"{v},{'ab'[int(v > 0)]}" for v in draw.normal(size=400)])
    _, _, folder = run(tmp_path, *overrides, "trainer.epochs=5", "augment=mixup")
    assert folder.history()[-1]["train/accuracy"] > 0.8
