"""The results of cvs: a mean only where every fold is there, settings best first and compared fold by fold."""

import math
from types import SimpleNamespace
from typing import Any, cast

import pytest
from scipy import stats

from dlexp.job.cv import aggregate, result
from dlexp.job.cv.document import CVResult
from dlexp.job.cv.fold_run import FoldResult
from dlexp.job.cv.result import conclude_cv, conclude_settings
from dlexp.job.cv.spec import Setting
from dlexp.run.folder import RunFolder

K = 4
MANIFEST = {"kind": "cv", "seed": 0, "device": "cpu"}


@pytest.fixture(autouse=True)
def _nothing_stored(monkeypatch):
    """Pooling and figures read the folds' files; their own tests hold them."""
    monkeypatch.setattr(aggregate, "pool", lambda *_: {"accuracy": 0.5})
    guess = {"metric": "val/accuracy", "value": 0.3, "standard_error": 0.1, "is_beaten": True, "note": ""}
    monkeypatch.setattr(result, "guess_of", lambda *_: guess)
    for name in ("draw_figures", "draw_settings"):
        monkeypatch.setattr(aggregate, name, lambda *_: [])


@pytest.fixture
def folder(tmp_path):
    made = RunFolder.create(tmp_path, "x", "cv", config={}, overrides=[], manifest=MANIFEST)
    yield made
    made.unlock()


def spec_of(settings: int = 1, *, is_high_better: bool = True) -> Any:
    rows = range(10)
    folds = [SimpleNamespace(val=rows)] * K
    dataset = SimpleNamespace(task="multiclass", name="wine", train=rows, val=rows, test=rows, fingerprint="f")
    dataset.dealt, dataset.heads, dataset.pairs = dataset, [], None
    dataset.class_names, dataset.num_classes = ["a", "b", "c"], 0
    metric = "val/accuracy" if is_high_better else "val/loss"
    about = {"dataset": dataset, "seeds": [0], "folds": folds, "repeats": 1, "held_out": 1 / (K - 1)}
    task = SimpleNamespace(metrics=SimpleNamespace(names=["brier_error"]))
    about["first"] = SimpleNamespace(run=SimpleNamespace(task=task))
    return SimpleNamespace(
        **about, metric=metric, is_high_better=is_high_better, settings=[None] * settings, inner=None
    )


def record(fold: int, value: float, status: str = "finished") -> dict[str, Any]:
    metrics = {"val/accuracy": value, "val/loss": 1 - value}
    return {"fold": fold, "repeat": 0, "seed": 0, "run_id": f"f{fold}", "status": status, "metrics": metrics}


def ends(*records: dict[str, Any]) -> list[FoldResult]:
    return [cast(FoldResult, SimpleNamespace(record=each, seconds=1.5)) for each in records]


def test_the_mean_of_all_folds(folder):
    values = [0.8, 0.9, 0.7, 0.6]
    done = ends(*(record(fold, values[fold]) for fold in (2, 0, 3, 1)))
    result = conclude_cv(folder, spec_of(), done, is_interrupted=False)
    assert (result["status"], result["complete"], result["k"], result["seconds"]) == ("finished", True, K, 6.0)
    assert [fold["fold"] for fold in result["folds"]] == [0, 1, 2, 3]
    assert result["mean"]["val/accuracy"] == pytest.approx(0.75)
    assert result["std"]["val/accuracy"] == pytest.approx(stats.tstd(values))
    assert result["metrics"] == result["mean"]
    assert result.get("own_metrics") == ["brier_error"]
    assert folder.result == result


@pytest.mark.parametrize(
    ("records", "is_interrupted", "status"),
    [
        ([record(fold, 0.5) for fold in range(3)], True, "interrupted"),
        ([record(fold, 0.5) for fold in range(3)], False, "failed"),
        ([record(0, 0.5, "failed"), *(record(fold, 0.5) for fold in (1, 2, 3))], False, "failed"),
        ([record(0, 0.5, "diverged"), *(record(fold, 0.5) for fold in (1, 2, 3))], False, "diverged"),
        ([record(0, 0.5, "diverged"), record(1, 0.5, "failed"), record(2, 0.5), record(3, 0.5)], True, "failed"),
    ],
)
def test_where_a_fold_is_lacking_there_is_no_mean(folder, records, is_interrupted, status):
    result = conclude_cv(folder, spec_of(), ends(*records), is_interrupted=is_interrupted)
    assert (result["status"], result["complete"]) == (status, False)
    assert result["mean"] == result["metrics"] == result["interval"] == result["out_of_fold"] == {}


def finished(number: int, values: list[float]) -> tuple[Setting, CVResult]:
    folds = [record(fold, value) for fold, value in enumerate(values)]
    mean = {name: math.fsum(fold["metrics"][name] for fold in folds) / K for name in folds[0]["metrics"]}
    about = {"run_id": f"s{number}", "run_dir": f"s{number}", "status": "finished", "complete": True, "seconds": 2.0}
    rest = {"folds": folds, "mean": mean, "std": {}, "interval": {}, "interval_corrected": {}}
    return Setting({"optimizer.lr": number}, {}, [], {}), cast(CVResult, about | rest)


LOW, MIDDLE, HIGH = [0.5, 0.52, 0.51, 0.49], [0.70, 0.75, 0.72, 0.69], [0.9, 0.93, 0.91, 0.88]


@pytest.mark.parametrize("is_high", [True, False])
def test_settings_stand_best_first_and_are_compared_with_the_best(folder, is_high):
    outcomes = [finished(0, LOW), finished(1, HIGH), finished(2, MIDDLE)]
    result = conclude_settings(folder, spec_of(3, is_high_better=is_high), outcomes, is_interrupted=False)
    assert [setting["run_id"] for setting in result["settings"]] == ["s1", "s2", "s0"]
    assert result["complete"]
    assert (result["picked_among"], result["seconds"]) == (3, 6.0)
    assert [(pair["a"], pair["b"]) for pair in result["comparisons"]] == [("s1", "s2"), ("s1", "s0")]
    differences = [high - middle for high, middle in zip(HIGH, MIDDLE, strict=True)]
    expected = differences if is_high else [-difference for difference in differences]
    assert result["comparisons"][0].get("by_fold") == pytest.approx(expected)
    assert [setting["against_best"] for setting in result["settings"]] == [None, "worse", "worse"]
    assert result["metrics"]["settings/count"] == 3
    assert result["metrics"]["settings/best"] == pytest.approx(0.905 if is_high else 0.095)


def test_a_setting_without_a_mean_stands_last_and_makes_it_incomplete(folder):
    setting, lacking = finished(0, HIGH)
    lacking["mean"], lacking["status"], lacking["complete"] = {}, "diverged", False
    result = conclude_settings(folder, spec_of(2), [(setting, lacking), finished(1, LOW)], is_interrupted=False)
    assert [entry["run_id"] for entry in result["settings"]] == ["s1", "s0"]
    assert (result["status"], result["complete"], result["picked_among"]) == ("diverged", False, 1)
    assert result["comparisons"] == []
