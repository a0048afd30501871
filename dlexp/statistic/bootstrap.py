"""The paired bootstrap: how far the difference of a metric would move on other examples of the same kind.

Shapes: B resamples, N examples.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

CELLS = 1 << 21  # examples looked up at once: bounds the memory


@dataclass(frozen=True)
class Bootstrap:
    """What resampling the examples showed.

    Attributes:
        low: Lower end of the percentile interval.
        high: Upper end.
        p_value: Two-sided: twice the smaller share of resamples on one side of zero, at least 2 / (B + 1).
        standard_error: Standard deviation of the resampled differences.
    """

    low: float
    high: float
    p_value: float
    standard_error: float


def paired_bootstrap(
    difference: Callable[[Tensor], Tensor],
    num: int,
    *,
    generator: torch.Generator,
    level: float = 0.95,
    draws: int = 2000,
    cells: int = CELLS,
) -> Bootstrap:
    """Resample N examples with replacement B times, the same ones for both sides.

    A difference that no resample changes gives an interval of one point, and p = 1 where that point is zero.

    Args:
        difference: Rows (B, N) of examples to the metric's difference (B,) on them.
        num: N, at least 2.
        generator: Draws the resamples.
        level: Of the interval, in (0, 1).
        draws: B.
        cells: Examples looked up at once; fewer where an example is large.

    Raises:
        ValueError: Fewer than two examples, or a difference that is not finite on most resamples.

    References:
        B. Efron (1979), Bootstrap Methods, Annals of Statistics 7; P. Koehn (2004), EMNLP (paired, for two systems).
    """
    if num < 2:
        raise ValueError(f"got {num} examples; at least two are needed")
    pieces = []
    for start in range(0, draws, size := max(1, cells // num)):
        rows_BN = torch.randint(num, (min(size, draws - start), num), generator=generator)
        pieces.append(difference(rows_BN).double().cpu())
    values_B = torch.cat(pieces)
    values_B = values_B[values_B.isfinite()]
    if len(values_B) * 2 < draws:
        raise ValueError("the metric is not defined on most resamples; more examples are needed")
    ends = torch.quantile(values_B, torch.tensor([(1 - level) / 2, (1 + level) / 2], dtype=torch.float64))
    below, above = int((values_B <= 0).sum()), int((values_B >= 0).sum())
    p_value = min(1.0, 2 * (1 + min(below, above)) / (1 + len(values_B)))
    return Bootstrap(float(ends[0]), float(ends[1]), p_value, float(values_B.std()))


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
    normal = torch.distributions.Normal(0.0, 1.0)
    quantiles = normal.icdf(torch.tensor([(1 + level) / 2, power], dtype=torch.float64))
    return math.ceil(num * (float(quantiles.sum()) * standard_error / difference) ** 2)
