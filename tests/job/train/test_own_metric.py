"""A metric of the user's own is stored, shown and monitorable like the others; bce and hinge are read by their link."""

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError, RunError
from dlexp.job.compare.comparison import compare
from dlexp.job.cv import cv
from dlexp.job.inference.evaluate import evaluate
from dlexp.job.inference.predict import predict
from dlexp.job.sweep import sweep
from dlexp.job.train import train
from dlexp.run.folder import RunFolder
from tests.present import present

QUICK = ["trainer.epochs=2", "tracking=none", "trainer.threads=1", "model.widths=[8]", "data=wine"]
CODE = '''
import torch


class Brier:
    """Mean squared distance between probabilities and truth."""

    name = "brier_error"
    higher_is_better = False

    def __init__(self, power: float = 2.0):
        self.power = power

    def __call__(self, outputs, targets):
        truth = torch.nn.functional.one_hot(targets, outputs.shape[1])
        return ((outputs.exp() - truth).abs() ** self.power).sum(-1).mean()


class Percent(Brier):
    """In percent."""

    name = "percent_error"

    def __call__(self, outputs, targets):
        return 100 * super().__call__(outputs, targets)


class Taken(Brier):
    name = "log_loss"

    def __init__(self):
        super().__init__()
'''
OWN = ["metric.extra=[my_scores.Brier]", "trusted=[my_scores]"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "my_scores.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "runs"


class Nobody:
    def listen(self, event):
        pass

    def close(self):
        pass


@pytest.mark.parametrize("name", ["Brier", "Percent"])
def test_the_best_settings_value_is_corrected_in_the_unit_of_the_metric(place, name):
    extra = [f"metric.extra=[my_scores.{name}]", "trusted=[my_scores]"]
    monitor = f"trainer.monitor=val/{name.lower()}_error"
    options = [*QUICK, *extra, monitor, "optimizer.lr=0.01,0.02,0.05", f"runs_dir={place}"]
    best: Any = sweep.start(options, None, announce=lambda _: Nobody(), has_figures=False).outcome.result["best"]
    low, high = best["corrected_interval"]
    unit = 100 if name == "Percent" else 1
    assert unit * 0.02 < low < best["corrected"] < high
    assert best["corrected"] == pytest.approx(best["value"] + best["optimism"])


def trained(runs_dir, *overrides) -> RunFolder:
    composed = resolve([*QUICK, *overrides, f"runs_dir={runs_dir}"])
    return RunFolder.open(Path(train.start(composed, announce=lambda _: lambda _: None).result["run_dir"]))


def softmax(z):
    shares = np.exp(z - z.max(1, keepdims=True))
    return shares / shares.sum(1, keepdims=True)


def brier(p, y):
    return ((p - np.eye(p.shape[1])[y]) ** 2).sum(1).mean()


def test_it_is_stored_every_epoch_and_can_be_monitored(place):
    folder = trained(place, *OWN, "trainer.monitor=val/brier_error")
    history, predictions = folder.history(), folder.predictions("val")
    values = [record["val/brier_error"] for record in history]
    assert folder.result is not None
    assert folder.manifest["monitor"] == {"metric": "val/brier_error", "mode": "min", "min_delta": 0.0}
    assert folder.result["best_epoch"] == 1 + int(np.argmin(values))
    assert folder.result["own_metrics"] == ["brier_error"]
    expected = brier(softmax(predictions["output"].astype(float)), predictions["target"])
    assert folder.result["metrics"]["val/brier_error"] == pytest.approx(expected, rel=1e-6)
    assert evaluate("last", place, "val")["metrics"]["val/brier_error"] == pytest.approx(expected, rel=1e-6)


def test_its_parameters_are_settings(place):
    node = "metric.extra=[{_target_:my_scores.Brier,power:1.0}]"
    folder = trained(place, node, "trusted=[my_scores]")
    assert folder.config["metric"]["extra"] == [{"_target_": "my_scores.Brier", "power": 1.0}]
    predictions = folder.predictions("val")
    p = softmax(predictions["output"].astype(float))
    expected = np.abs(p - np.eye(3)[predictions["target"]]).sum(1).mean()
    assert folder.history()[-1]["val/brier_error"] == pytest.approx(expected, rel=1e-6)


def test_folds_and_their_pooled_predictions_have_it(place):
    outcome = cv.start([*QUICK, *OWN, "cv.k=3", f"runs_dir={place}"], announce=lambda _: lambda _: None)
    folder = RunFolder.open(Path(outcome.result["run_dir"]))
    predictions = folder.predictions("val")
    expected = brier(softmax(predictions["output"].astype(float)), predictions["target"])
    assert outcome.result["out_of_fold"]["brier_error"] == pytest.approx(expected, rel=1e-6)
    folds = [fold["metrics"]["val/brier_error"] for fold in outcome.result["folds"]]
    assert outcome.result["mean"]["val/brier_error"] == pytest.approx(np.mean(folds))


def test_a_name_that_is_taken(place):
    with pytest.raises(ConfigError, match=r"metric.extra: got log_loss; that name is taken"):
        trained(place, "metric.extra=[my_scores.Taken]", "trusted=[my_scores]")
    with pytest.raises(ConfigError, match=r"only dlexp and trusted packages"):
        trained(place, OWN[0])


@pytest.mark.parametrize(("loss", "link"), [("bce", "sigmoid"), ("hinge", "margin"), ("cross_entropy", "softmax")])
def test_probabilities_follow_the_loss(place, loss, link):
    folder = trained(place, f"loss={loss}")
    predictions = folder.predictions("val")
    z, y = predictions["output"].astype(float), predictions["target"]
    if link == "margin":
        z = np.stack([z[:, k] - np.delete(z, k, 1).max(1) for k in range(3)], 1)
    p = softmax(z) if link == "softmax" else 1 / (1 + np.exp(-z))
    p = p / p.sum(1, keepdims=True)
    assert json.loads((folder.path / "model.json").read_text())["measure"]["link"] == link
    assert folder.result is not None
    expected = -np.log(p[np.arange(len(y)), y]).mean()
    assert folder.result["metrics"]["val/log_loss"] == pytest.approx(expected, rel=1e-6)
    assert folder.history()[-1]["val/log_loss"] > 0
    np.save(place / "x.npy", np.zeros((2, 13), np.float32))
    said = predict("last", place, [place / "x.npy"])["predictions"]
    assert all(math.isclose(sum(present(entry.get("probabilities")).values()), 1.0) for entry in said)


def test_beta_is_a_setting_and_other_betas_are_not_compared(place):
    a = trained(place, "metric.beta=0.5")
    b = trained(place, "metric.beta=2", "seed=1")
    confusion = np.array(present(a.result)["report"]["val"]["confusion"])
    hits, called, support = confusion.diagonal(), confusion.sum(0), confusion.sum(1)
    expected = np.mean(1.25 * hits / np.maximum(0.25 * support + called, 1e-9))
    assert present(a.result)["metrics"]["val/fbeta_macro"] == pytest.approx(expected)
    with pytest.raises(RunError, match=r"--metric: got fbeta_macro, whose beta is 0.5, 2; choose another"):
        compare([a.run_id, b.run_id], place, "fbeta_macro")
    assert compare([a.run_id, b.run_id], place, "f1_macro")["metric"] == "val/f1_macro"
