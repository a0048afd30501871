"""A user's own metric in a comparison: on the predictions, on resamples of them, and where its code may not run."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dlexp.config.resolve import resolve
from dlexp.error import ConfigError
from dlexp.job.compare.comparison import compare
from dlexp.job.compare.user_metric import weighted
from dlexp.job.cv import cv
from dlexp.job.train import train
from dlexp.metric.choice import Metrics
from dlexp.statistic.measure import Measure
from dlexp.statistic.score import weighted as fixed

QUICK = ["trainer.epochs=2", "tracking=none", "trainer.threads=1", "model.widths=[8]", "data=wine"]
CODE = '''
class Wrong:
    """Share of wrong answers, less than nothing where all are right."""

    name = "wrong_error"
    higher_is_better = False

    def __call__(self, outputs, targets):
        return (outputs.argmax(-1) != targets).double().mean()
'''
OWN = ["metric.extra=[my_wrong.Wrong]", "trusted=[my_wrong]"]


class Squares:
    name = "squares_error"
    higher_is_better = False

    def __call__(self, outputs, targets):
        return (outputs - targets).square().mean()


class Log:
    name = "surprise_loss"
    higher_is_better = False

    def __call__(self, outputs, targets):
        return torch.nn.functional.nll_loss(outputs, targets)


@pytest.mark.parametrize(("metric", "twin", "num_classes"), [(Squares, "mse", 0), (Log, "log_loss", 3)])
def test_on_resamples_it_is_its_fixed_twin(metric, twin, num_classes):
    draw = np.random.default_rng(0)
    outputs = draw.normal(size=(40, num_classes) if num_classes else 40)
    targets = draw.integers(num_classes, size=40) if num_classes else draw.normal(size=40)
    counts = draw.multinomial(40, [1 / 40] * 40, size=30).astype(float)
    values = weighted(Metrics(extra=[metric()]), outputs, targets, Measure())(counts)
    assert values == pytest.approx(fixed(twin, outputs, targets, Measure())(counts), rel=1e-9)


@pytest.fixture
def place(tmp_path, monkeypatch):
    (tmp_path / "my_wrong.py").write_text(CODE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path / "runs"


def trained(runs_dir: Path, *overrides: str) -> str:
    composed = resolve([*QUICK, *overrides, f"runs_dir={runs_dir}"])
    return train.start(composed, announce=lambda _: lambda _: None).result["run_id"]


def test_runs_and_cvs(place):
    runs = [trained(place, *OWN), trained(place, *OWN, "optimizer.lr=1e-6")]
    by_wrong, by_right = compare(runs, place, "wrong_error"), compare(runs, place, "accuracy")
    assert by_wrong["metric"] == "val/wrong_error"
    assert [run["value"] for run in by_wrong["runs"]] == pytest.approx([1 - run["value"] for run in by_right["runs"]])
    (pair,) = by_wrong["pairs"]
    assert pair["verdict"] == by_right["pairs"][0]["verdict"] == "a"
    assert pair["interval"] == pytest.approx([-end for end in reversed(by_right["pairs"][0]["interval"])], abs=0.02)
    with pytest.raises(ConfigError, match=r"--metric: got wrong_loss; choose one of accuracy, .*wrong_error"):
        compare(runs, place, "wrong_loss")
    given = [*QUICK, *OWN, "cv.k=3", "trainer.fuse=off", f"runs_dir={place}"]
    ids = [
        cv.start([*given, f"optimizer.lr={lr}"], announce=lambda _: lambda _: None, has_figures=False).result
        for lr in (0.1, 1e-6)
    ]
    compared = compare([result["run_id"] for result in ids], place, "wrong_error")
    assert [run["value"] for run in compared["runs"]] == pytest.approx([r["mean"]["val/wrong_error"] for r in ids])


def test_a_side_without_the_metric_is_measured_by_it_too(place):
    runs = [trained(place), trained(place, *OWN, "seed=1")]
    assert compare(runs, place, "wrong_error")["metric"] == "val/wrong_error"
