"""Judges a statistic against the range that a claim expects. S seeds."""

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
from scipy import stats

from dlexp.statistic.spread import deviation, mean

LEVEL = 0.95
Verdict = Literal["holds", "does not hold", "cannot tell"]


def interval(values_S: Sequence[float]) -> tuple[float, float]:
    """Return Student's 95 % interval of the mean: mean -+ t sd / sqrt(S); the value itself where it does not vary.

    References:
        Student (1908), The Probable Error of a Mean, Biometrika 6.
    """
    middle = mean(np.array(values_S))
    if not all(map(math.isfinite, values_S)):
        return -math.inf, math.inf
    spread = deviation(np.array(values_S)) if len(values_S) > 1 else 0.0
    half = (
        0.0
        if spread == 0
        else spread / math.sqrt(len(values_S)) * float(stats.t.ppf((1 + LEVEL) / 2, len(values_S) - 1))
    )
    return middle - half, middle + half


def judge(low: float, high: float, expected: tuple[float, float]) -> Verdict:
    """Return whether an interval says that a statistic lies in the expected range.

    Args:
        low: Lower end of the statistic's interval.
        high: Upper end.
        expected: From, to; both may be infinite.

    Returns:
        "holds" where the interval lies inside, "does not hold" where it lies outside, else "cannot tell".
    """
    if expected[0] <= low and high <= expected[1]:
        return "holds"
    return "does not hold" if high < expected[0] or low > expected[1] else "cannot tell"
