"""Comparisons of runs with made-up predictions: verdicts, pairing, refusals, and their false alarms."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlexp.error import ConfigError, RunError
from dlexp.job.compare import comparison as compare_job
from dlexp.job.compare.side import Predictions, Side
from dlexp.job.compare.verdict import judge
from tests.job.compare import compared as made

TARGET = np.arange(400) % 3


def compare(names: list[str], runs_dir: Path, metric: str | None = None) -> Any:
    """Return the document as a reader of its JSON has it, whose fields depend on what is compared."""
    return compare_job.compare(names, runs_dir, metric)


def run(tmp_path: Path, draw: int, accuracy: float, **more) -> str:
    return made.write_run(tmp_path, made.logits(draw, TARGET, accuracy), TARGET, **more).run_id


def test_the_better_run_wins_on_either_side(tmp_path):
    good, bad = run(tmp_path, 1, 0.95), run(tmp_path, 2, 0.7)
    comparison = compare([good, bad], tmp_path)
    (pair,) = comparison["pairs"]
    assert (comparison["metric"], pair["verdict"], pair["test"]) == ("val/accuracy", "a", "McNemar")
    values = [record["value"] for record in comparison["runs"]]
    assert pair["difference"] == pytest.approx(values[0] - values[1])
    assert pair["difference"] == pytest.approx((pair["only_a"] - pair["only_b"]) / 400)
    assert pair["interval"][0] < pair["difference"] < pair["interval"][1]
    assert pair["needed"] is None
    assert compare([bad, good], tmp_path)["pairs"][0]["verdict"] == "b"


def test_a_metric_where_low_is_better(tmp_path):
    good, bad = run(tmp_path, 1, 0.95), run(tmp_path, 2, 0.7)
    (pair,) = compare([good, bad], tmp_path, "val/log_loss")["pairs"]
    assert (pair["verdict"], pair["test"]) == ("a", "paired bootstrap")
    assert pair["difference"] < 0


def test_examples_are_paired_by_id_not_by_place(tmp_path):
    output, order = made.logits(1, TARGET, 0.8), np.random.default_rng(0).permutation(400)
    a = made.write_run(tmp_path, output, TARGET).run_id
    b = made.write_run(tmp_path, output[order], TARGET[order], ids=[str(row) for row in order]).run_id
    (pair,) = compare([a, b], tmp_path)["pairs"]
    assert (pair["only_a"], pair["only_b"], pair["p_value"], pair["verdict"]) == (0, 0, 1, "cannot tell")
    assert pair["interval"] == [0, 0]


def test_equal_runs_cannot_be_told_and_the_need_is_stated(tmp_path):
    (pair,) = compare([run(tmp_path, 1, 0.85), run(tmp_path, 2, 0.86)], tmp_path)["pairs"]
    assert pair["verdict"] == "cannot tell"
    assert pair["difference"] == 0 or pair["needed"] > 0


def test_holm_over_three(tmp_path):
    comparison = compare([run(tmp_path, 1, 0.95), run(tmp_path, 2, 0.9), run(tmp_path, 3, 0.6)], tmp_path)
    assert len(comparison["pairs"]) == 3
    assert [pair["p_holm"] for pair in comparison["pairs"]] >= [pair["p_value"] for pair in comparison["pairs"]]
    assert comparison["pairs"][1]["verdict"] == comparison["pairs"][2]["verdict"] == "a"


def test_values_are_compared_by_their_errors(tmp_path):
    draw = np.random.default_rng(0)
    target = draw.normal(size=300).astype(np.float32)
    ids = [
        made.write_run(tmp_path, target + noise * draw.normal(size=300).astype(np.float32), target, task="regression")
        for noise in (0.5, 0.7)
    ]
    for name in (None, "mae", "r2", "median_error"):
        comparison = compare([folder.run_id for folder in ids], tmp_path, name)
        assert comparison["metric"] == f"val/{name or 'rmse'}"
        assert comparison["pairs"][0]["verdict"] == "a"


@pytest.mark.parametrize("name", ["r2", "roc_auc"])
def test_equals_are_rarely_told_apart_where_resamples_lack_what_the_metric_needs(name):
    """Of 20 targets one or two are not the others: many resamples have none of them."""
    draw, told, num = np.random.default_rng(8), 0, 60
    for _ in range(num):
        target = np.zeros(20, dtype=np.int64)
        target[: 1 + (name == "roc_auc")] = 20 if name == "r2" else 1
        outputs = [0.4 * target + draw.normal(size=20) for _ in range(2)]
        if name == "roc_auc":
            outputs = [np.stack([-output, output], 1) for output in outputs]
        predictions = [Predictions(np.arange(20), target, output, 80) for output in outputs]
        (pair,) = compare_job.compare_sides([made.side(str(i), [p]) for i, p in enumerate(predictions)], name)[2]
        told += pair["verdict"] != "cannot tell"
    # 0.05 and twice the standard error of a share of 60; without those resamples 0.2 and more
    assert told / num < 0.05 + 2 * np.sqrt(0.05 * 0.95 / num)


@pytest.mark.parametrize("folds", [1, 3])
def test_a_difference_of_shares_is_between_minus_one_and_one(folds):
    target = np.array([0, 1, 2, 0])
    calls = {"a": [[0, 1, 2, 1], [1, 1, 1, 1], [0, 0, 0, 0]], "b": [[1, 2, 0, 0], [0, 1, 2, 1], [2, 2, 2, 2]]}
    sides = []
    for name, each in calls.items():
        splits = {(0, k): [Predictions(np.arange(4), target, np.eye(3)[call], 16)] for k, call in enumerate(each)}
        splits = {key: splits[key] for key in list(splits)[:folds]}
        sides.append(replace(made.side(name, splits[0, 0]), splits=splits))
    for metric, most in (("accuracy", 1), ("f1_macro", 1), ("matthews_correlation", 2)):
        (pair,), (swapped,) = (compare_job.compare_sides(order, metric)[2] for order in (sides, sides[::-1]))
        low, high = pair["interval"]
        assert -most <= low <= pair["difference"] <= high <= most
        assert swapped["interval"] == pytest.approx([-high, -low], abs=0.02 if folds == 1 else 1e-9)


def test_scores_that_differ_by_rounding_only_do_not_differ():
    draw, rounded, target = np.random.default_rng(2), 0, np.repeat(np.arange(3), 7)
    for call in draw.integers(3, size=(12, 21)):
        # the same mistakes of classes named otherwise: macro F1 adds equal numbers in another order
        other = ((call + 1) % 3)[np.argsort((target + 1) % 3, kind="stable")]
        predictions = [Predictions(np.arange(21), target, np.eye(3)[each], 84) for each in (call, other)]
        sides = [made.side(str(i), [each]) for i, each in enumerate(predictions)]
        _, values, (pair,) = compare_job.compare_sides(sides, "f1_macro")
        rounded += float(values[0][0, 0]) != float(values[1][0, 0])
        assert abs(values[0] - values[1]) < 1e-15
        assert (pair["difference"], pair["effect"], pair["needed"], pair["verdict"]) == (0, 0, None, "cannot tell")
    assert rounded


def in_unit(unit: float, noise: float, draw: np.random.Generator, seeds: int, folds: int) -> Side:
    """Return a side whose values and targets are given in another unit."""
    splits = {}
    for fold in range(folds):
        target = np.random.default_rng(fold).normal(size=60)
        outputs = [unit * (target + noise * draw.normal(size=60)) for _ in range(seeds)]
        splits[0, fold] = [Predictions(np.arange(60), unit * target, output, 240) for output in outputs]
    return replace(made.side(str(noise), splits[0, 0]), splits=splits)


@pytest.mark.parametrize(("seeds", "folds"), [(1, 1), (6, 1), (1, 5)])
@pytest.mark.parametrize("name", ["mae", "rmse", "mse", "r2"])
def test_the_unit_of_the_targets_changes_neither_p_nor_verdict(seeds, folds, name):
    told = []
    for unit in (1.0, 1e-9, 1e9):
        draw = np.random.default_rng(5)
        sides = [in_unit(unit, noise, draw, seeds, folds) for noise in (0.5, 0.9)]
        told.append(compare_job.compare_sides(sides, name)[2][0])
    assert told[0]["verdict"] == "a"
    for other in told[1:]:
        assert (other["verdict"], other["needed"]) == (told[0]["verdict"], told[0]["needed"])
        assert other["p_value"] == pytest.approx(told[0]["p_value"], rel=1e-6)


@pytest.mark.parametrize(
    ("more", "reason"),
    [
        ({"fingerprint": "other"}, "different data"),
        ({"ids": [str(row + 7) for row in range(400)]}, "393 of 400 and 400 in common"),
        ({"task": "binary"}, "tasks multiclass and binary"),
        ({"status": "interrupted"}, "interrupted; finish it with `dlexp train --resume"),
    ],
)
def test_refuses_what_cannot_be_paired(tmp_path, more, reason):
    with pytest.raises(RunError, match=reason):
        compare([run(tmp_path, 1, 0.9), run(tmp_path, 2, 0.9, **more)], tmp_path)


def test_refuses_one_run_twice_and_unknown_metrics(tmp_path):
    a, b = run(tmp_path, 1, 0.9), run(tmp_path, 2, 0.9)
    with pytest.raises(RunError, match="at least two different runs"):
        compare([a, a], tmp_path)
    with pytest.raises(ConfigError, match="did you mean f1_macro"):
        compare([a, b], tmp_path, "f1_macr")


def test_cvs_by_fold(tmp_path):
    good, bad = made.write_cv(tmp_path, 10, 0.95), made.write_cv(tmp_path, 20, 0.7)
    (pair,) = compare([good.run_id, bad.run_id], tmp_path)["pairs"]
    assert (pair["verdict"], pair["test"], pair["num"]) == ("a", "corrected resampled t", 5)
    assert pair["difference"] == pytest.approx(np.mean(pair["by_fold"]))
    assert pair["k"] == 5
    same = made.write_cv(tmp_path, 30, 0.94)
    (pair,) = compare([good.run_id, same.run_id], tmp_path)["pairs"]
    assert pair["verdict"] == "cannot tell"


def test_cvs_without_spread_cannot_be_told(tmp_path):
    target = made.write_cv(tmp_path, 10, 1.1)
    (pair,) = compare([target.run_id, made.write_cv(tmp_path, 20, -0.1).run_id], tmp_path)["pairs"]
    assert pair["difference"] == 1
    assert (pair["verdict"], pair["test"], pair["p_value"]) == ("cannot tell", "sign flips", 2 / 2**5)
    assert pair["smallest_p"] == 2 / 2**5


def test_refuses_incomplete_and_other_folds(tmp_path):
    whole = made.write_cv(tmp_path, 10, 0.9)
    with pytest.raises(RunError, match=r"incomplete \(4 of 5 folds\)"):
        compare([whole.run_id, made.write_cv(tmp_path, 20, 0.9, complete=False).run_id], tmp_path)
    with pytest.raises(RunError, match="1 x 5 folds and 1 x 4 folds"):
        compare([whole.run_id, made.write_cv(tmp_path, 20, 0.9, k=4).run_id], tmp_path)
    with pytest.raises(RunError, match="a cv and a train"):
        compare([whole.run_id, run(tmp_path, 1, 0.9)], tmp_path)


def test_many_runs_are_shown_once_each_and_told_apart_by_any_metric(tmp_path):
    ids = [run(tmp_path, seed, 0.95 if seed else 0.5) for seed in range(12)]
    for name in ("accuracy", "f1_macro"):
        comparison = compare(ids, tmp_path, name)
        assert len(comparison["pairs"]) == 66
        with_worst = [pair for pair in comparison["pairs"] if ids[0] in (pair["a"], pair["b"])]
        assert all(pair["verdict"] == "b" for pair in with_worst), name  # 66 times the smallest p is below 0.05
        assert all(pair["verdict"] == "cannot tell" for pair in comparison["pairs"] if pair not in with_worst)


def test_it_does_without_torch():
    command = "import sys, dlexp.job.compare; sys.exit('torch' in sys.modules or 'scipy.stats' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", command]).returncode == 0


def wrong_verdicts(kind: str, draws: int, seeds: int) -> float:
    """Return how often a winner is named among equally good classifiers, paired on 120 examples."""
    print(f"{kind}, seeds {seeds}, seed 17")
    targets, ids, wrong = TARGET[:120], np.arange(120), 0
    for i in range(draws):
        first = 9000 + 2 * seeds * i
        outputs = [made.logits(first + j, targets, 0.9) for j in range(2 * seeds)]
        sides = [[Predictions(ids, targets, o, 480) for o in outputs[k::2]] for k in (0, 1)]
        sides = [made.side(str(k), side) for k, side in enumerate(sides)]
        values = [compare_job.values_of(side, kind) for side in sides]
        pairs = compare_job._on_one_split(sides, values, kind, 1)
        judge(pairs, is_high_better=True)
        wrong += pairs[0]["verdict"] != "cannot tell"
    print(f"{wrong} of {draws}")
    return wrong / draws


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "seeds"), [("accuracy", 1), ("f1_macro", 1), ("accuracy", 7)])
def test_the_verdict_on_a_against_a_is_wrong_in_fewer_than_one_of_twenty(monkeypatch, kind, seeds):
    """2,000 pairs; 300 resamples each, as only the share of false alarms is asked."""
    quick = compare_job.resample
    monkeypatch.setattr(compare_job, "resample", lambda *a, **more: quick(*a, **{**more, "draws": 300}))
    # 2,000 draws at 5 %: 3.3 standard errors above is 6.6 %
    assert wrong_verdicts(kind, 2000, seeds) < 0.066
