"""How far scores would move on other examples of the same kind: normal draws with the covariance that they have.

Shapes: B draws, N examples, E scores.
"""

import math
from collections.abc import Callable

import numpy as np

from dlexp.statistic.score import Weighted

MOST_GROUPS = 100  # calls of a score of the user's
STEP = 0.1  # of the weights: small enough to be linear, and a weight of 1 stays positive


def weights(num_draws: int, num_examples: int, generator: np.random.Generator) -> np.ndarray:
    """Return multipliers (B, N): standard normal, of mean zero over the examples of each draw."""
    drawn_BN = generator.standard_normal((num_draws, num_examples))
    return drawn_BN - drawn_BN.mean(1, keepdims=True)


def of_means(weights_BN: np.ndarray, values_EN: np.ndarray, sizes_N: np.ndarray | None = None) -> np.ndarray:
    """Return the noise (B, E) of sum_n s_n x_n / sum_n s_n, linear in the multipliers g_n.

    It is sum_n g_n s_n (x_n - mean) / sum_n s_n times sqrt(N / (N - 1)), whose covariance is that of the means.

    Args:
        weights_BN: From `weights`.
        values_EN: x of each score.
        sizes_N: How much each example counts; None for all alike.
    """
    num = values_EN.shape[1]
    sizes_N = np.ones(num) if sizes_N is None else sizes_N
    means_E = values_EN @ sizes_N / sizes_N.sum()
    moves_EN = (values_EN - means_E[:, None]) * (sizes_N / sizes_N.sum())
    return weights_BN @ moves_EN.T * math.sqrt(num / (num - 1))


def of_function(weights_BN: np.ndarray, score: Weighted) -> np.ndarray:
    """Return the noise (B,) of any smooth function of the examples' weights: (f(1 + h g) - f(1)) / h, h small."""
    num = weights_BN.shape[1]
    moved_BN = np.maximum(1 + STEP * weights_BN, STEP)
    return (score(moved_BN) - score(np.ones((1, num)))) / STEP * math.sqrt(num / (num - 1))


def of_groups(weights_BN: np.ndarray, score: Callable[[np.ndarray], float]) -> np.ndarray:
    """Return the noise (B,) of a score that knows no weights, from what it is without each of G groups of examples.

    It is sqrt((G - 1) / G) sum_g z_g (mean_h f_-h - f_-g), where f_-g is the score without group g and z_g the sum of
    the group's multipliers over the square root of its size: the jackknife of groups, for smooth scores.

    Args:
        weights_BN: From `weights`.
        score: Row numbers of examples to their score.

    References:
        J. Shao and D. Tu (1995), The Jackknife and Bootstrap, section 5.1
    """
    num = weights_BN.shape[1]
    num_groups = min(num, MOST_GROUPS)
    group_N = np.arange(num) % num_groups
    without_G = np.array([score(np.flatnonzero(group_N != group)) for group in range(num_groups)])
    member_NG = group_N[:, None] == np.arange(num_groups)
    z_BG = weights_BN @ (member_NG / np.sqrt(member_NG.sum(0)))
    return z_BG @ (without_G.mean() - without_G) * math.sqrt((num_groups - 1) / num_groups)
