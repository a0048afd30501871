"""Whose noise pairs share, and what a mean over them is worth.

Five thousand pairs of 359 inputs say less than as many pairs of ten thousand: what is odd about an input is in all of
its pairs. So inputs are drawn in the place of pairs, and a variance counts the pairs of two that have one in common.

Shapes: M pairs, V inputs, B draws.

References:
    T. Snijders, S. Borgatti (1999), Non-Parametric Standard Errors and Tests for Network Statistics, Connections 22.
    P. Aronow, C. Samii, V. Assenova (2015), Cluster-Robust Variance Estimation for Dyadic Data, Political Analysis 23.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from dlexp.type import BETWEEN

LINK = "similarity"  # of outputs that say whether two inputs are the same


@dataclass(frozen=True)
class Members:
    """Which inputs pairs are made of.

    Attributes:
        first_M: Number of one input of each pair.
        second_M: Of the other; of a pair that shares no input with any other, the same number again: it stands alone.
        num: V, the numbers there are.
    """

    first_M: np.ndarray
    second_M: np.ndarray
    num: int

    @classmethod
    def of(cls, ids: Sequence[str] | np.ndarray) -> "Members":
        """Return the inputs that the names of pairs name."""
        names = [str(each).partition(BETWEEN) for each in ids]
        both = np.array([[first, second] for first, _, second in names])
        counts = np.unique(both, return_inverse=True, return_counts=True)
        place_M2, count_V = counts[1].reshape(both.shape), counts[2]
        is_alone_M = (count_V[place_M2] == 1).all(1)
        place_M2[is_alone_M, 1] = place_M2[is_alone_M, 0]
        used, numbers = np.unique(place_M2, return_inverse=True)
        first_M, second_M = numbers.reshape(place_M2.shape).T
        return cls(first_M, second_M, len(used))

    @classmethod
    def of_predictions(cls, ids: np.ndarray, link: str) -> "Members | None":
        """Return the inputs of stored pairs; None where examples are inputs themselves.

        Args:
            ids: Names of the examples.
            link: How outputs become probabilities.
        """
        return cls.of(ids) if link == LINK else None

    @property
    def is_single_M(self) -> np.ndarray:
        """Whether a pair shares no input with another."""
        return self.first_M == self.second_M

    def added(self, values_BV: np.ndarray) -> np.ndarray:
        """Return the values of both inputs of each pair added (B, M), of one alone its own.

        Standard normal multipliers of inputs become those of pairs: the noise of a mean of M values x is then
        sum_v (S_v / M)^2, S_v the sum of x - mean over the pairs with input v. That counts what is a pair's own twice,
        so it is never too small.
        """
        both = values_BV[:, self.first_M] + np.where(self.is_single_M, 0.0, values_BV[:, self.second_M])
        return np.asarray(both)

    def multiplied(self, counts_BV: np.ndarray) -> np.ndarray:
        """Return how often each pair is in a resample of inputs (B, M): the product of its inputs' counts."""
        return np.asarray(counts_BV[:, self.first_M] * np.where(self.is_single_M, 1.0, counts_BV[:, self.second_M]))

    def variance(self, values_M: np.ndarray) -> float:
        """Return the variance of a mean over pairs, (sum_v S_v^2 - sum_m e_m^2) / M^2 with e = x - mean.

        The second sum is over pairs of two inputs, which the first counts twice. At least that of independent pairs.
        """
        gap_M = values_M - values_M.mean()
        both = np.where(self.is_single_M, 0.0, gap_M)
        sum_V = np.bincount(self.first_M, gap_M, self.num) + np.bincount(self.second_M, both, self.num)
        independent = float((gap_M**2).sum())
        return max(float((sum_V**2).sum() - (both**2).sum()), independent) / len(values_M) ** 2

    def effective(self, share: float, is_right_M: np.ndarray) -> float:
        """Return how many independent examples a share of right pairs is worth, p (1 - p) / variance.

        Where all or none are right no pair tells what they share: half as many as there are inputs, the most pairs that
        share none.
        """
        variance = self.variance(is_right_M.astype(np.float64))
        return share * (1 - share) / variance if variance and 0 < share < 1 else max(1.0, self.num / 2)

    def p_of_difference(self, differences_M: np.ndarray) -> float:
        """Return the two-sided p of Student's t of a mean difference over pairs, on V - 1 degrees of freedom."""
        mean, variance = float(differences_M.mean()), self.variance(differences_M)
        if not variance or self.num < 2:
            return 1.0
        return float(2 * special.stdtr(self.num - 1, -abs(mean) / math.sqrt(variance)))
