"""Which of two is better, or that one cannot tell."""

import math
import sys
from collections.abc import Sequence

import numpy as np

from dlexp.job.compare.document import Comparison, Difference, Pair
from dlexp.statistic.holm import holm
from dlexp.statistic.sign_flip import SignFlip, sign_flip
from dlexp.statistic.stream import stream
from dlexp.statistic.t_test import corrected_t_test, differences_needed

ALPHA = 0.05
LEAST_P = sys.float_info.min  # no p is zero: a smaller one has no number


def compare_folds(differences: np.ndarray, ratio: float, num_pairs: int, *, rounding: float = 0.0) -> Difference:
    """Return the difference of two cvs with the corrected resampled t-test.

    Args:
        differences: (J,) by fold and repeat.
        ratio: n_val / n_train.
        num_pairs: Pairs that are compared, for how many folds would tell.
        rounding: What a difference may be off by: see `dlexp.statistic.bounded.rounding`.
    """
    test = corrected_t_test(differences, ratio, rounding=rounding)
    needed = differences_needed(test.effect, ratio, level=1 - ALPHA / num_pairs)
    record: Difference = {
        "difference": test.mean,
        "interval": [test.low, test.high],
        "p_value": test.p_value,
        "test": "corrected resampled t",
        "effect": None if math.isnan(test.effect) else test.effect,
        "effect_name": "d",
        "num": len(differences),
        "over": "folds",
        "needed": None if needed is None else max(needed - len(differences), 0),
        "by_fold": differences.tolist(),
    }
    if math.isnan(test.p_value):
        flips = _without_spread(differences)
        record["p_value"], record["test"], record["smallest_p"] = flips.p_value, "sign flips", flips.smallest_p
    return record


def not_judged(a: str, b: str, difference: Difference) -> Pair:
    """Return the record of two runs by their ids, without a winner until `judge` has seen all pairs."""
    return {"a": a, "b": b, **difference, "p_holm": math.nan, "verdict": "cannot tell"}


def fold_p_value(differences: np.ndarray, ratio: float, *, rounding: float = 0.0) -> float:
    """Return the p-value of `compare_folds` alone."""
    p_value = corrected_t_test(differences, ratio, rounding=rounding).p_value
    return _without_spread(differences).p_value if math.isnan(p_value) else p_value


def _without_spread(differences: np.ndarray) -> SignFlip:
    """Return what stands for a t that does not exist: flips take folds for independent, so they name no winner."""
    return sign_flip(differences, generator=stream("sign flips"))


def judge(pairs: list[Pair], *, is_high_better: bool, other_p_values: Sequence[float] = ()) -> None:
    """Add the p after Holm's correction, `p_holm`, and the `verdict` to each pair, in place.

    Args:
        pairs: With `interval`, `p_value` and `needed`.
        is_high_better: Direction of the metric.
        other_p_values: Of the pairs that could have been among these, had the values fallen otherwise: whoever
            compares with the best of m has picked from all m (m - 1) / 2 pairs.
    """
    for pair in pairs:
        pair["p_value"] = max(pair["p_value"], LEAST_P)
    p_values = [*(pair["p_value"] for pair in pairs), *other_p_values]
    for pair, adjusted in zip(pairs, holm(np.array(p_values))[: len(pairs)], strict=True):
        pair["p_holm"] = float(adjusted)
        pair["verdict"] = verdict(pair["interval"], pair["p_holm"], is_high_better=is_high_better)
        if pair["verdict"] != "cannot tell":
            pair["needed"] = None


def verdict(interval: list[float], p_holm: float, *, is_high_better: bool) -> str:
    """Name a winner only where the interval leaves zero out and the corrected test agrees."""
    low, high = interval
    if p_holm >= ALPHA or not (low > 0 or high < 0):
        return "cannot tell"
    return "a" if (low > 0) == is_high_better else "b"


def worse_than_the_first(comparison: Comparison) -> list[str]:
    """Return the labels of the runs that are told to be worse than the first one, in their order."""
    first, labels = comparison["runs"][0]["run_id"], {run["run_id"]: run["label"] for run in comparison["runs"]}
    sides = [
        (pair, "b" if pair["a"] == first else "a") for pair in comparison["pairs"] if first in (pair["a"], pair["b"])
    ]
    return [labels[pair[side]] for pair, side in sides if pair["verdict"] not in (side, "cannot tell")]
