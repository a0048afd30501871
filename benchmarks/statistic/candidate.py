"""Estimators of a winner's optimism that `benchmarks.statistic.selection` holds against the program's own.

Each takes the scores of C candidates on N examples, higher is better, and draws of their noise (B, C).
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor

NUM_FOLDS = 10


def out_of_bag(scores_CN: Tensor, noise_BC: Tensor, generator: torch.Generator) -> float:
    """Return the mean of in-bag minus left-out score of each resample's winner (Efron 1983)."""
    num = scores_CN.shape[1]
    rows_BN = torch.randint(num, (len(noise_BC), num), generator=generator)
    counts_BN = torch.zeros(rows_BN.shape).scatter_add_(1, rows_BN, torch.ones(rows_BN.shape))
    left_BN = (counts_BN == 0).float()
    inside_BC = counts_BN @ scores_CN.T / num
    outside_BC = left_BN @ scores_CN.T / left_BN.sum(1, keepdim=True).clamp(min=1)
    best_B1 = inside_BC.argmax(1, keepdim=True)
    return float((inside_BC.gather(1, best_B1) - outside_BC.gather(1, best_B1)).mean())


def half_out_of_bag(scores_CN: Tensor, noise_BC: Tensor, generator: torch.Generator) -> float:
    """Return the out-of-bag gap over sqrt(2), right for equal settings whose noise is doubled by the resampling."""
    return out_of_bag(scores_CN, noise_BC, generator) / math.sqrt(2)


def bootstrap(scores_CN: Tensor, noise_BC: Tensor, _generator: torch.Generator) -> float:
    """Return the mean noise in the winner's favour when the means are taken for the truth."""
    return _plugged_in(scores_CN.mean(1), noise_BC)


def tibshirani(scores_CN: Tensor, _noise_BC: Tensor, generator: torch.Generator) -> float:
    """Return the mean over folds of the fold's best minus the overall best there (Tibshirani and Tibshirani 2009)."""
    winner = scores_CN.mean(1).argmax()
    order = torch.randperm(scores_CN.shape[1], generator=generator)
    folds_CK = torch.stack([scores_CN[:, rows].mean(1) for rows in order.tensor_split(NUM_FOLDS)], 1)
    return float((folds_CK.max(0).values - folds_CK[winner]).mean())


def shrunk(scores_CN: Tensor, noise_BC: Tensor, _generator: torch.Generator) -> float:
    """Return how far the winner's mean moves under a normal prior fitted to all means (empirical Bayes)."""
    means_C = scores_CN.mean(1)
    share = _signal(means_C, noise_BC)
    return float((means_C.max() - means_C.mean()) * (1 - share))


def plugged_in(scores_CN: Tensor, noise_BC: Tensor, _generator: torch.Generator) -> float:
    """Return the mean noise in the winner's favour when means of the right spread are taken for the truth."""
    means_C = scores_CN.mean(1)
    share = math.sqrt(_signal(means_C, noise_BC))
    return _plugged_in(means_C.mean() + share * (means_C - means_C.mean()), noise_BC)


def _plugged_in(means_C: Tensor, noise_BC: Tensor) -> float:
    both_BC = torch.cat([noise_BC, -noise_BC])
    best_B1 = (means_C + both_BC).argmax(1, keepdim=True)
    return float(both_BC.gather(1, best_B1).mean())


def _signal(means_C: Tensor, noise_BC: Tensor) -> float:
    """Return the share of the variance among means that is not noise, in [0, 1]."""
    num = len(means_C)
    noise = float((noise_BC - noise_BC.mean(1, keepdim=True)).square().sum(1).mean()) / (num - 1)
    spread = float(means_C.var())
    return max(0.0, 1 - noise / spread) if spread > 0 else 0.0


Candidate = Callable[[Tensor, Tensor, torch.Generator], float]
CANDIDATES: dict[str, Candidate] = {
    "out_of_bag": out_of_bag,
    "out_of_bag_over_root_2": half_out_of_bag,
    "bootstrap": bootstrap,
    "tibshirani_2009": tibshirani,
    "normal_shrinkage": shrunk,
    "shrunk_plug_in": plugged_in,
}
