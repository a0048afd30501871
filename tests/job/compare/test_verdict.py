"""Who is better: only where the interval leaves zero out and the corrected test agrees; folds by their t-test."""

import math
from typing import Any, cast

import numpy as np
import pytest
from scipy import stats

from dlexp.job.compare.document import Pair
from dlexp.job.compare.verdict import (
    ALPHA,
    compare_folds,
    fold_p_value,
    judge,
    not_judged,
    verdict,
    worse_than_the_first,
)


@pytest.mark.parametrize(
    ("interval", "p", "is_high", "expected"),
    [
        ([0.1, 0.3], 0.01, True, "a"),
        ([0.1, 0.3], 0.01, False, "b"),
        ([-0.3, -0.1], 0.01, True, "b"),
        ([-0.3, -0.1], 0.01, False, "a"),
        ([-0.1, 0.3], 0.01, True, "cannot tell"),
        ([0.0, 0.3], 0.01, True, "cannot tell"),
        ([0.1, 0.3], ALPHA, True, "cannot tell"),
        ([math.nan, math.nan], 0.01, True, "cannot tell"),
    ],
)
def test_a_winner_needs_the_interval_and_the_test(interval, p, is_high, expected):
    assert verdict(interval, p, is_high_better=is_high) == expected


def test_the_fold_test_is_nadeau_and_bengio_s():
    differences, ratio = np.array([0.02, 0.03, 0.01, 0.05, 0.04, 0.02, 0.03, 0.01, 0.02, 0.03]), 1 / 9
    record = compare_folds(differences, ratio, num_pairs=1)
    # Nadeau and Bengio (2003): t = mean / sqrt((1/J + n_val/n_train) s^2), J - 1 degrees of freedom
    error = math.sqrt((1 / 10 + ratio) * differences.var(ddof=1))
    t = differences.mean() / error
    assert record["difference"] == pytest.approx(differences.mean())
    assert record["p_value"] == pytest.approx(2 * stats.t.sf(t, 9), rel=1e-9)
    width = stats.t.ppf(0.975, 9) * error
    assert record["interval"] == pytest.approx([differences.mean() - width, differences.mean() + width])
    assert (record["num"], record["over"], record["test"]) == (10, "folds", "corrected resampled t")
    assert record.get("by_fold") == differences.tolist()


def test_folds_without_spread_name_a_p_and_no_winner():
    record = compare_folds(np.full(5, 0.1), 0.25, num_pairs=1)
    assert record["test"] == "sign flips"
    assert record["p_value"] == pytest.approx(2 / 2**5), "all signs alike, or all turned round"
    pair = not_judged("x", "y", record)
    judge([pair], is_high_better=True)
    assert (pair["a"], pair["b"], pair["p_holm"], pair["verdict"]) == ("x", "y", record["p_value"], "cannot tell")


def pair_of(p: float) -> Pair:
    return cast(Pair, {"interval": [0.1, 0.2], "p_value": p, "needed": 3})


def test_holm_s_correction_is_over_all_pairs():
    pairs = [pair_of(p) for p in (0.02, 0.01, 0.04)]
    judge(pairs, is_high_better=True)
    # Holm (1979): 0.01 * 3, max(that, 0.02 * 2), max(that, 0.04 * 1)
    assert [pair["p_holm"] for pair in pairs] == pytest.approx([0.04, 0.03, 0.04])
    assert {pair["verdict"] for pair in pairs} == {"a"}
    assert {pair["needed"] for pair in pairs} == {None}, "nothing is needed where a winner is named"
    pairs = [pair_of(p) for p in (0.03, 0.03)]
    judge(pairs, is_high_better=True)
    assert [(pair["verdict"], pair["needed"]) for pair in pairs] == [("cannot tell", 3)] * 2


def test_no_p_is_zero():
    pairs = [pair_of(0.0), pair_of(0.5)]
    judge(pairs, is_high_better=True)
    assert 0 < pairs[0]["p_value"] <= pairs[0]["p_holm"] < 1e-300
    assert [pair["verdict"] for pair in pairs] == ["a", "cannot tell"]


def test_who_picked_the_best_has_all_pairs_corrected_for():
    def pair(p_value) -> Any:
        return {"p_value": p_value, "interval": [0.1, 0.2], "needed": 5}

    pairs = [pair(0.01), pair(0.02)]
    judge(pairs, is_high_better=True, other_p_values=[0.9])
    # Holm over 0.01, 0.02, 0.9: 3 p, 2 p
    assert [pair["p_holm"] for pair in pairs] == pytest.approx([0.03, 0.04])
    assert [pair["verdict"] for pair in pairs] == ["a", "a"]
    pairs = [pair(0.01), pair(0.02)]
    judge(pairs, is_high_better=True, other_p_values=[0.9] * 8)
    assert [pair["p_holm"] for pair in pairs] == pytest.approx([0.1, 0.18])
    assert [pair["verdict"] for pair in pairs] == ["cannot tell"] * 2


@pytest.mark.parametrize("differences", [[0.1, 0.2, 0.3, 0.1, 0.2], [0.1] * 5, [0.0] * 5])
def test_the_p_value_of_folds_alone_is_that_of_their_record(differences):
    record = compare_folds(np.array(differences), 0.25, 1)
    assert fold_p_value(np.array(differences), 0.25) == record["p_value"]


@pytest.mark.parametrize(
    ("verdicts", "expected"),
    [
        (("a", "cannot tell"), ["two"]),
        (("b", "a"), ["three"]),
        (("b", "cannot tell"), []),
        (("a", "a"), ["two", "three"]),
    ],
)
def test_worse_than_the_first_are_those_that_it_beats(verdicts, expected):
    runs = [{"run_id": name[0], "label": name} for name in ("first", "two", "three")]
    pairs = [{"a": "f", "b": b, "verdict": verdict} for b, verdict in zip("tt", verdicts, strict=True)]
    runs[2]["run_id"] = pairs[1]["b"] = "x"
    pairs.append({"a": "t", "b": "x", "verdict": "a"})  # says nothing of the first
    assert worse_than_the_first(cast(Any, {"runs": runs, "pairs": pairs})) == expected
