"""The paired bootstrap: how far the difference of a metric would move on other examples of the same kind.

Shapes: B resamples, N examples, R runs.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from scipy import special

from dlexp.number import noun
from dlexp.statistic.dyad.members import Members
from dlexp.statistic.score import Weighted
from dlexp.statistic.spread import EQUAL

CELLS = 1 << 17  # weights held at once: a megabyte stays in the cache while each run's score is taken
DRAWS = 2000


@dataclass(frozen=True)
class Bootstrap:
    """What resampling the examples showed.

    Attributes:
        low: Lower end of the interval.
        high: Upper end.
        p_value: Two-sided.
        standard_error: Standard deviation of the resampled differences, times sqrt(N / (N - 1)).
    """

    low: float
    high: float
    p_value: float
    standard_error: float


def resample(
    scores: list[Weighted],
    num: int,
    *,
    generator: np.random.Generator,
    draws: int = DRAWS,
    cells: int = CELLS,
    members: Members | None = None,
) -> np.ndarray:
    """Return the values (B, R) of R runs on B resamples of N examples with replacement, the same ones for all runs.

    Args:
        scores: A function of the examples' weights for each run.
        num: N, at least 2.
        generator: Draws the resamples.
        draws: B.
        cells: Weights held at once.
        members: Of examples that are pairs: their inputs are drawn in their place.

    Raises:
        ValueError: Fewer than two examples.

    References:
        B. Efron (1979), Bootstrap Methods, Annals of Statistics 7; P. Koehn (2004), EMNLP (paired, for two systems).
    """
    if num < 2:
        raise ValueError(f"got {noun(num, 'example')}; at least two are needed")
    pieces, num_drawn = [], num if members is None else members.num
    size = max(1, cells // num)
    for start in range(0, draws, size):
        rows_BN = generator.integers(num_drawn, size=(min(size, draws - start), num_drawn))
        cell_BN = rows_BN + num_drawn * np.arange(len(rows_BN))[:, None]
        weights_BN = np.bincount(cell_BN.ravel(), minlength=rows_BN.size).reshape(rows_BN.shape).astype(np.float64)
        if members is not None:
            weights_BN = members.multiplied(weights_BN)
        pieces.append(np.stack([score(weights_BN) for score in scores], 1))
    return np.concatenate(pieces)


def interval(
    seen: float,
    differences_B: np.ndarray,
    num: int,
    level: float = 0.95,
    *,
    rounding: float = 0.0,
    undefined: float | None = None,
) -> Bootstrap:
    """Return the interval and the p-value that resampled differences give.

    The interval is that of the percentiles, at each end Student's d -+ t_(N - 1) se where that reaches further; p is
    the larger of both forms, Student's alone where no resample crosses zero. Of equal predictors on 60 examples the
    percentiles alone tell apart 6 in 100 where 5 are meant to be, both together fewer than 5. A difference that no
    resample changes gives an interval of one point, and p = 1 where that point is zero.

    Args:
        seen: The difference d on the examples themselves.
        differences_B: Of the resamples.
        num: N.
        level: In (0, 1).
        rounding: What a difference may be off by, from the size of the values that it lies between: see
            `dlexp.statistic.bounded.rounding`. At the least a share of 1e-12 of the largest difference.
        undefined: What a resample counts as on which the metric is not defined: 0 in a comparison, as it tells neither
            from the other. Left out they would be taken for more of the others: where one target of twenty is not
            zero, R2 would tell 22 in 100 of equal predictors apart. None leaves them out, in the interval of a value.

    Raises:
        ValueError: Most differences are not finite.

    References:
        T. Hesterberg (2015), What Teachers Should Know About the Bootstrap, The American Statistician 69, section 4.
    """
    is_defined_B = np.isfinite(differences_B)
    values = differences_B[is_defined_B]
    if len(values) * 2 < len(differences_B) or not math.isfinite(seen):
        raise ValueError("the metric is not defined on most resamples; more examples are needed")
    counted = values if undefined is None else np.where(is_defined_B, differences_B, undefined)
    low, high = np.quantile(counted, [(1 - level) / 2, (1 + level) / 2])
    error = float(values.std(ddof=1)) * math.sqrt(num / (num - 1))
    reach = float(special.stdtrit(num - 1, (1 + level) / 2)) * error
    # what differs by rounding only is a difference of zero
    tie = max(rounding, EQUAL * float(np.abs(values).max()))
    few = min(int((counted <= tie).sum()), int((counted >= -tie).sum()))
    p_value = min(1.0, 2 * (1 + few) / (1 + len(counted)))
    if error > tie:
        tail = 2 * float(special.stdtr(num - 1, -abs(seen) / error))
        p_value = max(p_value, tail) if few else tail
    return Bootstrap(min(float(low), seen - reach), max(float(high), seen + reach), p_value, error)


def examples_needed(
    difference: float, standard_error: float, num: int, *, level: float = 0.95, power: float = 0.8
) -> int | None:
    """Return how many examples would show this difference, were it the true one; None for a difference of zero.

    The standard error falls as 1 / sqrt(N): N' = N ((z_(1 + level)/2 + z_power) se / |difference|)^2.

    Args:
        difference: Of the metric.
        standard_error: Of that difference on `num` examples.
        num: Examples that it was seen on.
        level: 1 minus the share of false alarms.
        power: Share of true differences that are to be found.
    """
    if difference == 0:
        return None
    quantiles = NormalDist().inv_cdf((1 + level) / 2) + NormalDist().inv_cdf(power)
    return math.ceil(num * (quantiles * standard_error / difference) ** 2)
