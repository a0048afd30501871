"""Reliability: whether predictions of a confidence are right as often as it says. Shapes: N examples."""

from dataclasses import dataclass

import numpy as np

from dlexp.statistic.proportion import wilson


@dataclass(frozen=True)
class Bin:
    """Predictions of about the same confidence.

    Attributes:
        low: Least confidence, excluded.
        high: Largest confidence, included.
        num: Predictions.
        confidence: Their mean confidence; NaN without any.
        share: Of right ones among them; NaN without any.
        interval: 95 % of that share; Wilson's.
    """

    low: float
    high: float
    num: int
    confidence: float
    share: float
    interval: tuple[float, float]


def reliability(confidence_N: np.ndarray, is_right_N: np.ndarray, num_bins: int = 10) -> list[Bin]:
    """Return predictions in bins of equal width in confidence.

    Args:
        confidence_N: Probability of the predicted class, in [0, 1].
        is_right_N: Whether each prediction is right.
        num_bins: In [0, 1].

    References:
        M. DeGroot, S. Fienberg (1983), The Comparison and Evaluation of Forecasters, The Statistician 32.
    """
    place_N = np.clip(np.ceil(confidence_N * num_bins).astype(int) - 1, 0, num_bins - 1)
    bins = []
    for place in range(num_bins):
        is_in_N = place_N == place
        num = int(is_in_N.sum())
        share = float(is_right_N[is_in_N].mean()) if num else float("nan")
        confidence = float(confidence_N[is_in_N].mean()) if num else float("nan")
        ends = wilson(share, num) if num else (float("nan"), float("nan"))
        bins.append(Bin(place / num_bins, (place + 1) / num_bins, num, confidence, share, ends))
    return bins
