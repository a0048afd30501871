"""Intervals of a mean that stay where the metric can be: Student's t on a scale without bounds, carried back.

With g the scale, m and s mean and standard deviation of the values, the interval is g^-1(g(m) -+ t_(n - 1) g'(m) s c),
where c^2 is 1 / n for independent values and 1 / n + n_test / n_train for folds (Nadeau and Bengio). g is logit for a
metric in [0, 1] (in [-1, 1] after moving it there), log for one that is not negative, log(1 - x) for R2 and explained
variance; the delta method makes g'(m) s the deviation on that scale, so that single values may lie on a bound.
`python -m benchmarks.statistic.interval` simulates how often such intervals hold the true mean.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy import special

from dlexp.number import noun
from dlexp.statistic.spread import EQUAL

_SHARES = (
    "accuracy",
    "precision",
    "recall",
    "f1",
    "fbeta",
    "balanced_accuracy",
    "roc_auc",
    "average_precision",
    "eer",
    "calibration_error",
    "top5_accuracy",
)
_NOT_NEGATIVE = ("loss", "log_loss", "mse", "rmse", "mae", "huber", "median_error")
ANY = (-math.inf, math.inf)


def bounds(metric: str) -> tuple[float, float]:
    """Return the least and the largest value that a metric can have.

    Args:
        metric: With or without part: "val/roc_auc", "f1_macro".
    """
    name = metric.rpartition("/")[2].removesuffix("_macro").removesuffix("_micro")
    if name in _SHARES:
        return 0.0, 1.0
    if name == "matthews_correlation":
        return -1.0, 1.0
    if name in ("r2", "explained_variance"):
        return -math.inf, 1.0
    return (0.0, math.inf) if name in _NOT_NEGATIVE else (-math.inf, math.inf)


def bounds_of_difference(metric: str) -> tuple[float, float]:
    """Return the least and the largest difference of two values of a metric: of two shares -1 and 1.

    Args:
        metric: As for `bounds`.
    """
    low, high = bounds(metric)
    return low - high, high - low


def within(ends: Sequence[float], limits: tuple[float, float]) -> list[float]:
    """Return an interval, or a value, without what lies beyond the limits; what is NaN stays.

    Args:
        ends: Low and high, or the value alone.
        limits: From `bounds` or `bounds_of_difference`.
    """
    low, high = limits
    return [min(max(end, low), high) for end in ends]


def rounding(limits: tuple[float, float], *values: np.ndarray) -> float:
    """Return by how much values may differ from rounding: a share of the largest, whatever unit they are in.

    A finite bound counts, too: a metric such as R2 is one minus something, and rounds as one does where it is near 0.

    Args:
        limits: From `bounds`.
        values: Of any shape.
    """
    ends = [abs(end) for end in limits if math.isfinite(end)]
    return EQUAL * max([*ends, *(float(np.abs(each).max()) for each in values)])


def are_equal(values: np.ndarray, limits: tuple[float, float] = ANY) -> bool:
    """Whether values differ by rounding only: their deviation then says nothing of their mean.

    Args:
        values: (n,).
        limits: From `bounds`.
    """
    return bool(values.std() <= rounding(limits, values))


def mean_interval(
    values: np.ndarray,
    limits: tuple[float, float] = ANY,
    test_to_train: float = 0.0,
    level: float = 0.95,
) -> tuple[float, float]:
    """Return the interval of the mean of independent values, or of folds.

    Args:
        values: (n,), at least two.
        limits: From `bounds`; values outside them make the plain interval of t.
        test_to_train: n_test / n_train of folds, whose training parts overlap; 0 for independent values.
        level: In (0, 1).

    Returns:
        Two NaN where all values are equal.

    Raises:
        ValueError: Fewer than two values.

    References:
        C. Nadeau, Y. Bengio (2003), Inference for the Generalization Error, Machine Learning 52, section 5.
        G. Oehlert (1992), A Note on the Delta Method, The American Statistician 46.
    """
    values = np.asarray(values, dtype=np.float64)
    num = len(values)
    if num < 2:
        raise ValueError(f"got {noun(num, 'value')}; at least two are needed for a spread")
    if are_equal(values, limits):
        return math.nan, math.nan
    mean = float(values.mean())
    reach = float(special.stdtrit(num - 1, (1 + level) / 2) * values.std(ddof=1)) * math.sqrt(1 / num + test_to_train)
    low, high = limits
    if not (low <= values.min() and values.max() <= high):
        low, high = ANY
    ends = _carry(mean, reach, low, high)
    return min(ends), max(ends)


def _carry(mean: float, reach: float, low: float, high: float) -> tuple[float, float]:
    """Return both ends, the reach measured at the mean."""
    if math.isfinite(low) and math.isfinite(high):
        width, share = high - low, (mean - low) / (high - low)
        centre, step = float(special.logit(share)), reach / width / (share * (1 - share))
        first, second = (low + width * float(special.expit(x)) for x in (centre - step, centre + step))
        return first, second
    if not math.isfinite(low) and not math.isfinite(high):
        return mean - reach, mean + reach
    edge, sign = (low, 1.0) if math.isfinite(low) else (high, -1.0)
    distance = abs(mean - edge)
    first, second = (edge + sign * distance * math.exp(min(x, 700.0)) for x in (-reach / distance, reach / distance))
    return first, second
