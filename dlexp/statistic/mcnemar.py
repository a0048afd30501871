"""McNemar's test: do two classifiers err equally often on the same examples?"""

import math
from dataclasses import dataclass

import numpy as np

FEW = 25  # discordant examples below which the chi-square approximation is not used


@dataclass(frozen=True)
class McNemar:
    """Outcome of the test.

    Attributes:
        only_a: Examples that only the first has right.
        only_b: Examples that only the second has right.
        p_value: Two-sided.
        effect: Cohen's g = only_a / (only_a + only_b) - 1/2, in [-1/2, 1/2]; 0 without discordant examples.
        test: Which form was used.
    """

    only_a: int
    only_b: int
    p_value: float
    effect: float
    test: str


def mcnemar(is_right_a: np.ndarray, is_right_b: np.ndarray) -> McNemar:
    """Compare two classifiers on the examples where exactly one of them is right.

    Of n such examples, under the null hypothesis each is the first one's with probability 1/2. Exact for n < 25:
    p = min(1, 2 P(Binomial(n, 1/2) <= min(b, c))); above, chi2 = (max(|b - c| - 1, 0))^2 / (b + c), one degree of
    freedom.

    Args:
        is_right_a: (N,) bool, whether the first is right on each example.
        is_right_b: (N,) bool for the second, in the same order.

    References:
        Q. McNemar (1947), Psychometrika 12; A. Edwards (1948), Psychometrika 13 (continuity correction).
    """
    only_a = int(np.sum(is_right_a & ~is_right_b))
    only_b = int(np.sum(~is_right_a & is_right_b))
    num = only_a + only_b
    effect = only_a / num - 0.5 if num else 0.0
    if num < FEW:
        tail = sum(math.comb(num, k) for k in range(min(only_a, only_b) + 1)) / 2**num
        p_value = min(1.0, 2 * tail)
        return McNemar(only_a, only_b, p_value, effect, "McNemar, exact")
    chi2 = max(abs(only_a - only_b) - 1, 0) ** 2 / num
    # the upper tail of chi-square with one degree of freedom is that of a squared normal
    return McNemar(only_a, only_b, math.erfc(math.sqrt(chi2 / 2)), effect, "McNemar")
