"""Which of two is better, or that one cannot tell."""

import math
from typing import Any

import numpy as np

from dlexp.statistic.holm import holm
from dlexp.statistic.sign_flip import sign_flip
from dlexp.statistic.t_test import corrected_t_test, differences_needed

ALPHA = 0.05


def compare_folds(differences: np.ndarray, ratio: float, num_pairs: int) -> dict[str, Any]:
    """Return the record of two cvs, but for who they are and the verdict.

    Args:
        differences: (J,) by fold and repeat.
        ratio: n_val / n_train.
        num_pairs: Pairs that are compared, for how many folds would tell.
    """
    test = corrected_t_test(differences, ratio)
    needed = differences_needed(test.effect, ratio, level=1 - ALPHA / num_pairs)
    record = {
        "difference": test.mean,
        "interval": [test.low, test.high],
        "p_value": test.p_value,
        "test": "corrected resampled t",
        "effect": None if math.isnan(test.effect) else test.effect,
        "effect_name": "d",
        "num": len(differences),
        "unit": "folds",
        "needed": None if needed is None else max(needed - len(differences), 0),
        "by_fold": differences.tolist(),
    }
    if math.isnan(test.p_value):
        # Without spread there is no t. Sign flips take folds for independent, so they name a p but never a winner.
        flips = sign_flip(differences, generator=np.random.default_rng(0))
        record |= {"p_value": flips.p_value, "test": "sign flips", "smallest_p": flips.smallest_p}
    return record


def judge(pairs: list[dict[str, Any]], *, is_high_better: bool) -> None:
    """Add the p after Holm's correction, `p_holm`, and the `verdict` to each pair, in place.

    Args:
        pairs: With `interval`, `p_value` and `needed`.
        is_high_better: Direction of the metric.
    """
    for pair, adjusted in zip(pairs, holm(np.array([pair["p_value"] for pair in pairs])), strict=True):
        pair["p_holm"] = float(adjusted)
        pair["verdict"] = verdict(pair, is_high_better=is_high_better)
        if pair["verdict"] != "cannot tell":
            pair["needed"] = None


def verdict(pair: dict[str, Any], *, is_high_better: bool) -> str:
    """Name a winner only where the interval leaves zero out and the corrected test agrees."""
    low, high = pair["interval"]
    if pair["p_holm"] >= ALPHA or not (low > 0 or high < 0):
        return "cannot tell"
    return "a" if (low > 0) == is_high_better else "b"
