"""Ensemble selection: models are added one at a time, each as often as it helps, to the mean of their predictions.

Shapes: M models, N examples, K classes (1 for values), B bags.

References:
    R. Caruana, A. Niculescu-Mizil, G. Crew, A. Ksikes (2004), Ensemble Selection from Libraries of Models, ICML 21.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from dlexp.direction import is_better_high
from dlexp.statistic import score
from dlexp.statistic.measure import Measure
from dlexp.statistic.stream import stream

SHARE = 0.5  # chance of each model to be in a bag, as in the paper
TIE = 1e-12  # losses that differ by less differ by rounding
TINY = 1e-300  # what a probability of zero counts as: a log loss of 691

Losses = Callable[[np.ndarray], np.ndarray]  # means of answers (C, N, K) to losses (C,), smaller is better


@dataclass(frozen=True)
class Rule:
    """How models are chosen.

    Attributes:
        metric: That the choice optimises, such as "log_loss".
        steps: Models that are added, at least 1; the best of the ensembles on the way is taken.
        start: Begin with the mean of the best n <= start models, n as the examples say; 1 begins with the best.
        bags: Choices, each from half of the models by lot, whose weights are averaged; 0 chooses once from all.
    """

    metric: str
    steps: int = 50
    start: int = 1
    bags: int = 0


def choose(answers_MNK: np.ndarray, targets_N: np.ndarray, rule: Rule, measure: Measure) -> np.ndarray:
    """Return the weight of each model (M,), which add up to 1.

    From a library of models the one is added, with replacement, whose addition makes the mean of predictions best on
    these examples, the first of equal ones; of all ensembles on the way the best is taken, the smallest of equal ones.

    Args:
        answers_MNK: Probabilities of each model, or values with K = 1.
        targets_N: Classes or values.
        rule: How.
        measure: Constants of the metric.
    """
    answers_MNK, losses = objective(answers_MNK, targets_N, rule.metric, measure)
    if not rule.bags:
        return grow(answers_MNK, losses, rule.steps, rule.start)
    generator, num = stream("model bags"), len(answers_MNK)
    weights_M = np.zeros(num)
    for _ in range(rule.bags):
        rows = np.flatnonzero(generator.random(num) < SHARE)
        rows = rows if len(rows) else np.arange(num)
        weights_M[rows] += grow(answers_MNK[rows], losses, rule.steps, rule.start)
    return weights_M / rule.bags


def grow(answers_MNK: np.ndarray, losses: Losses, steps: int, start: int = 1) -> np.ndarray:
    """Return the weights (M,) of one greedy choice; see `choose` and `Rule`."""
    counts_M = _begin(answers_MNK, losses, start)
    size = int(counts_M.sum())
    total_NK = answers_MNK[counts_M > 0].sum(0)
    best_M, best = counts_M.copy(), float(_finite(losses(total_NK[None] / size))[0])
    for step in range(1, steps + 1):
        losses_M = _finite(losses((total_NK + answers_MNK) / (size + step)))
        pick = first_least(losses_M)
        counts_M[pick] += 1
        total_NK = total_NK + answers_MNK[pick]
        if losses_M[pick] < best - TIE * max(1.0, abs(best)):
            best_M, best = counts_M.copy(), float(losses_M[pick])
    return best_M / best_M.sum()


def best_alone(answers_MNK: np.ndarray, targets_N: np.ndarray, metric: str, measure: Measure) -> int:
    """Return the number of the model that is best by itself, the first of equal ones."""
    answers_MNK, losses = objective(answers_MNK, targets_N, metric, measure)
    return first_least(_finite(losses(answers_MNK)))


def objective(
    answers_MNK: np.ndarray, targets_N: np.ndarray, metric: str, measure: Measure
) -> tuple[np.ndarray, Losses]:
    """Return what of the answers the metric is a function of, and the losses (C,) of their means (C, N, K).

    Args:
        answers_MNK: Probabilities or values of each model.
        targets_N: Classes or values.
        metric: One of `dlexp.statistic.score.names`.
        measure: Its constants.
    """
    if metric == "log_loss":  # of the probability of the true class alone
        true_MN1 = np.take_along_axis(answers_MNK, targets_N[None, :, None], 2)
        return true_MN1, lambda means_CN1: -np.log(np.maximum(means_CN1, TINY)).mean((1, 2))
    if metric == "accuracy":
        return answers_MNK, lambda means_CNK: (means_CNK.argmax(2) != targets_N).mean(1)
    if metric in ("rmse", "mse"):
        return answers_MNK, lambda means_CN1: ((means_CN1[:, :, 0] - targets_N) ** 2).mean(1)
    if metric == "mae":
        return answers_MNK, lambda means_CN1: np.abs(means_CN1[:, :, 0] - targets_N).mean(1)
    sign, ones_1N = (-1.0 if is_better_high(metric) else 1.0), np.ones((1, len(targets_N)))
    is_classes = answers_MNK.shape[2] > 1

    def by_score(means_CNK: np.ndarray) -> np.ndarray:
        outputs = (np.log(np.maximum(mean, TINY)) if is_classes else mean[:, 0] for mean in means_CNK)
        scores = [score.weighted(metric, each, targets_N, measure)(ones_1N)[0] for each in outputs]
        return sign * np.array(scores, dtype=np.float64)

    return answers_MNK, by_score


def first_least(losses_M: np.ndarray) -> int:
    """Return the place of the smallest value, the first of those that differ from it by rounding only."""
    least = losses_M.min()
    # the difference, as the sum overflows where all are the worst
    return int(np.flatnonzero(losses_M - least <= TIE * max(1.0, abs(least)))[0])


def _begin(answers_MNK: np.ndarray, losses: Losses, start: int) -> np.ndarray:
    """Return how often each model is in the ensemble that the choice begins with."""
    order = np.argsort(_finite(losses(answers_MNK)), kind="stable")[:start]
    means = np.cumsum(answers_MNK[order], 0) / np.arange(1, len(order) + 1)[:, None, None]
    num = first_least(_finite(losses(means))) + 1
    counts_M = np.zeros(len(answers_MNK))
    counts_M[order[:num]] = 1
    return counts_M


def _finite(losses_C: np.ndarray) -> np.ndarray:
    """Return losses of which those that are not defined are the worst."""
    return np.where(np.isfinite(losses_C), losses_C, np.finfo(np.float64).max)
