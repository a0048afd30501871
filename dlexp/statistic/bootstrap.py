"""The paired bootstrap: how far the difference of a metric would move on other examples of the same kind.

Shapes: B resamples, N examples, R runs.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np

from dlexp.statistic.score import Weighted

CELLS = 1 << 17  # weights held at once: a megabyte stays in the cache while each run's score is taken
DRAWS = 2000


@dataclass(frozen=True)
class Bootstrap:
    """What resampling the examples showed.

    Attributes:
        low: Lower end of the percentile interval.
        high: Upper end.
        p_value: Two-sided: twice the smaller share of resamples on one side of zero; where that is none of them, the
            normal tail 2 Phi(-|mean| / se) if it is below the 2 / (B + 1) that they can tell apart.
        standard_error: Standard deviation of the resampled differences.
    """

    low: float
    high: float
    p_value: float
    standard_error: float


def resample(
    scores: list[Weighted], num: int, *, generator: np.random.Generator, draws: int = DRAWS, cells: int = CELLS
) -> np.ndarray:
    """Return the values (B, R) of R runs on B resamples of N examples with replacement, the same ones for all runs.

    Args:
        scores: A function of the examples' weights for each run.
        num: N, at least 2.
        generator: Draws the resamples.
        draws: B.
        cells: Weights held at once.

    Raises:
        ValueError: Fewer than two examples.

    References:
        B. Efron (1979), Bootstrap Methods, Annals of Statistics 7; P. Koehn (2004), EMNLP (paired, for two systems).
    """
    if num < 2:
        raise ValueError(f"got {num} examples; at least two are needed")
    pieces = []
    size = max(1, cells // num)
    for start in range(0, draws, size):
        rows_BN = generator.integers(num, size=(min(size, draws - start), num))
        cell_BN = rows_BN + num * np.arange(len(rows_BN))[:, None]
        weights_BN = np.bincount(cell_BN.ravel(), minlength=rows_BN.size).reshape(rows_BN.shape).astype(np.float64)
        pieces.append(np.stack([score(weights_BN) for score in scores], 1))
    return np.concatenate(pieces)


def interval(differences_B: np.ndarray, level: float = 0.95) -> Bootstrap:
    """Return the percentile interval and the p-value that resampled differences give.

    A difference that no resample changes gives an interval of one point, and p = 1 where that point is zero.

    Args:
        differences_B: Of the resamples; those on which the metric is not defined are left out.
        level: In (0, 1).

    Raises:
        ValueError: Most differences are not finite.
    """
    values = differences_B[np.isfinite(differences_B)]
    if len(values) * 2 < len(differences_B):
        raise ValueError("the metric is not defined on most resamples; more examples are needed")
    low, high = np.quantile(values, [(1 - level) / 2, (1 + level) / 2])
    # what differs by rounding only is a difference of zero
    tie = 1e-12 * max(1.0, float(np.abs(values).max()))
    few = min(int((values <= tie).sum()), int((values >= -tie).sum()))
    p_value, error = min(1.0, 2 * (1 + few) / (1 + len(values))), float(values.std(ddof=1))
    if few == 0 and error > tie:
        p_value = min(p_value, math.erfc(abs(float(values.mean())) / error / math.sqrt(2)))
    return Bootstrap(float(low), float(high), p_value, error)


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
