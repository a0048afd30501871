"""How sure a spread is: intervals of standard deviations and of their shares, and what two single values may differ by.

All take the values for independent and about normal.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from dlexp.number import noun

EQUAL = 1e-12  # of the largest value: values that lie closer differ by rounding only


@dataclass(frozen=True)
class Spread:
    """Spread of independent values.

    Attributes:
        num: How many there are.
        mean: Their mean.
        std: Their standard deviation (n - 1).
        low: Lower end of the standard deviation's interval.
        high: Upper end.
    """

    num: int
    mean: float
    std: float
    low: float
    high: float


def mean(values: np.ndarray | Sequence[float]) -> float:
    """Return the mean (n >= 1), which of equal values is each of them: adding them up may round."""
    values = np.asarray(values, dtype=np.float64)
    return float(values.mean().clip(values.min(), values.max()))


def deviation(values: np.ndarray | Sequence[float], rounding: float = 0.0) -> float:
    """Return the standard deviation (n - 1, n >= 2), which is zero where values differ by rounding only.

    That is by 1e-12 of the largest; their mean rounds, and so the squares about it are not zero.

    Args:
        values: In any unit.
        rounding: What values of a metric with bounds may be off by, near 0, too: see
            `dlexp.statistic.bounded.rounding`.
    """
    values = np.asarray(values, dtype=np.float64)
    std = float(values.std(ddof=1))
    return 0.0 if std <= max(rounding, EQUAL * float(np.abs(values).max())) else std


def spread(values: np.ndarray, level: float = 0.95) -> Spread:
    """Return mean and standard deviation, the latter with the interval s sqrt((n - 1) / chi2_(n - 1)).

    Values that differ by rounding only have a spread of zero.

    Args:
        values: (n,), at least two.
        level: Of the interval, in (0, 1).

    Raises:
        ValueError: Fewer than two values.
    """
    values = np.asarray(values, dtype=np.float64)
    num = len(values)
    if num < 2:
        raise ValueError(f"got {noun(num, 'value')}; at least two are needed for a spread")
    std = deviation(values)
    # chdtri inverts the upper tail
    ends = [std * math.sqrt((num - 1) / float(special.chdtri(num - 1, (1 - side * level) / 2))) for side in (1, -1)]
    return Spread(num, mean(values), std, *ends)


def variance_share(source: Spread, whole: Spread, level: float = 0.95) -> tuple[float, float, float]:
    """Return s_1^2 / s_2^2 of two independent samples and its interval, the ratio over the quantiles of F.

    Args:
        source: Of the values of one source.
        whole: Of the values where all sources act; its standard deviation is not zero.
        level: In (0, 1).
    """
    ratio = (source.std / whole.std) ** 2
    degrees = source.num - 1, whole.num - 1
    low, high = (ratio / float(special.fdtri(*degrees, (1 + side * level) / 2)) for side in (1, -1))
    return ratio, low, high


def largest_chance_difference(of: Spread, level: float = 0.95) -> float:
    """Return t_(n - 1) s sqrt(2), which two further single values exceed in a share of 1 - level only.

    With the true deviation in place of s it would be 2.77 s.

    References:
        ISO 5725-6 (1994), section 4.1 (repeatability limit).
    """
    return float(special.stdtrit(of.num - 1, (1 + level) / 2)) * of.std * math.sqrt(2)


def add_spread(estimate: float, first: tuple[float, float], second: tuple[float, float]) -> tuple[float, float]:
    """Return the interval of an estimate on which two independent sources act, from the interval for each alone.

    The distances to each end add as squares: l = e - sqrt((e - l_1)^2 + (e - l_2)^2), and so for u.

    References:
        G. Zou, A. Donner (2008), Construction of confidence intervals about effect measures, Statistics in Medicine 27.
    """
    low, high = (math.hypot(estimate - first[end], estimate - second[end]) for end in (0, 1))
    return estimate - low, estimate + high
