"""The greedy choice against a table worked by hand, and against a second form of the paper's words in plain lists."""

import math

import numpy as np
import pytest

from dlexp.job.ensemble.greedy import Rule, best_alone, choose, first_least, grow, objective
from dlexp.statistic import score
from dlexp.statistic.measure import Measure
from dlexp.statistic.stream import stream

PLAIN = Measure()


def probabilities(seed: int, num_models: int, num: int, num_classes: int) -> tuple[np.ndarray, np.ndarray]:
    draw = np.random.default_rng(seed)
    targets_N = draw.integers(num_classes, size=num)
    logits = draw.normal(size=(num_models, num, num_classes)) + 1.2 * np.eye(num_classes)[targets_N]
    shares = np.exp(logits)
    return shares / shares.sum(2, keepdims=True), targets_N


def loss_of(shares: list[list[float]], targets: list[int], metric: str) -> float:
    """Return a loss by its definition, of lists."""
    if metric == "log_loss":
        return -sum(math.log(row[k]) for row, k in zip(shares, targets, strict=True)) / len(targets)
    return sum(row.index(max(row)) != k for row, k in zip(shares, targets, strict=True)) / len(targets)


def selected_slowly(answers: list, targets: list[int], metric: str, steps: int) -> list[float]:
    """Caruana et al. (2004), section 2, with replacement (2.1), word by word: start with the empty ensemble, add the
    model that makes it best, repeat, and return the best of the nested ensembles."""
    bag: list[int] = []
    history: list[tuple[float, list[int]]] = []
    for _ in range(steps + 1):
        trials = []
        for model in range(len(answers)):
            members = [*bag, model]
            mean = [
                [sum(answers[m][i][k] for m in members) / len(members) for k in range(len(answers[0][0]))]
                for i in range(len(targets))
            ]
            trials.append(loss_of(mean, targets, metric))
        best = min(trials)
        bag.append(next(m for m, loss in enumerate(trials) if loss <= best + 1e-12))
        history.append((trials[bag[-1]], list(bag)))
    least = min(loss for loss, _ in history)
    members = next(members for loss, members in history if loss <= least + 1e-12)
    return [members.count(m) / len(members) for m in range(len(answers))]


def test_the_choice_on_a_small_table_is_that_worked_by_hand():
    # errors of models A, B and C on two examples of the value 0. C is best alone (1). C + B: (-1, 0), 0.5.
    # C + B + C: (-1/3, 1/3), 1/9. Then C: (0, 1/2), 0.125; then B, tied with C at (-3/5, 1/5), 0.2: worse.
    answers = np.array([[2.0, 2.0], [-3.0, -1.0], [1.0, 1.0]])[:, :, None]
    weights = choose(answers, np.zeros(2), Rule("rmse", steps=4), PLAIN)
    assert weights == pytest.approx([0, 1 / 3, 2 / 3])
    assert choose(answers, np.zeros(2), Rule("rmse", steps=1), PLAIN) == pytest.approx([0, 1 / 2, 1 / 2])
    assert choose(answers, np.zeros(2), Rule("rmse", steps=0), PLAIN) == pytest.approx([0, 0, 1])
    assert best_alone(answers, np.zeros(2), "mae", PLAIN) == 2


@pytest.mark.parametrize("metric", ["log_loss", "accuracy"])
def test_the_choice_is_that_of_the_papers_words(metric):
    for seed in range(12):
        answers_MNK, targets_N = probabilities(seed, 5, 24, 3)
        expected = selected_slowly(answers_MNK.tolist(), targets_N.tolist(), metric, 8)
        assert choose(answers_MNK, targets_N, Rule(metric, steps=8), PLAIN) == pytest.approx(expected)


def test_a_sorted_beginning_takes_as_many_of_the_best_as_suit_best():
    # alone: mse 1, 2.25, 4, 9; means of the best 1, 2, 3 and 4: 1, 1/16, 1/4, 1.
    answers = np.array([2.0, -1.5, 1.0, 3.0])[:, None, None] * np.ones((1, 2, 1))
    for start, weights in ((1, [0, 0, 1, 0]), (2, [0, 0.5, 0.5, 0]), (4, [0, 0.5, 0.5, 0])):
        assert choose(answers, np.zeros(2), Rule("rmse", 0, start), PLAIN) == pytest.approx(weights)


def test_bags_average_the_choices_from_half_of_the_models():
    answers_MNK, targets_N = probabilities(3, 6, 40, 3)
    chances, expected = stream("model bags"), np.zeros(6)
    for _ in range(4):
        rows = np.flatnonzero(chances.random(6) < 0.5)
        alone = choose(answers_MNK[rows], targets_N, Rule("log_loss", 10), PLAIN)
        expected[rows] += alone / 4
    bagged = choose(answers_MNK, targets_N, Rule("log_loss", 10, bags=4), PLAIN)
    assert bagged == pytest.approx(expected)
    assert bagged.sum() == pytest.approx(1)


@pytest.mark.parametrize("metric", ["log_loss", "accuracy", "balanced_accuracy", "roc_auc"])
def test_the_losses_are_the_metric_of_the_mean_and_no_model_alone_is_better(metric):
    answers_MNK, targets_N = probabilities(5, 4, 30, 3)
    reduced, losses = objective(answers_MNK, targets_N, metric, PLAIN)
    sign = 1 if metric == "log_loss" else -1
    whole = score.weighted(metric, np.log(answers_MNK.mean(0)), targets_N, PLAIN)(np.ones((1, 30)))[0]
    offset = 1.0 if metric == "accuracy" else 0.0  # the loss of accuracy is the share of errors
    assert losses(reduced.mean(0)[None])[0] == pytest.approx(offset + sign * whole)
    weights = choose(answers_MNK, targets_N, Rule(metric, 10), PLAIN)
    chosen = losses(np.tensordot(weights, reduced, 1)[None])[0]
    assert chosen <= losses(reduced).min() + 1e-12


def test_equal_models_tie_and_what_is_not_defined_is_never_chosen():
    answers = np.array([[3.0], [1.0], [1.0], [np.nan]])[:, :, None]
    _, losses = objective(answers, np.zeros(1), "mae", PLAIN)
    assert grow(answers, losses, 5).tolist() == [0, 1, 0, 0]
    assert first_least(np.array([2.0, 1.0 + 1e-14, 1.0])) == 1


@pytest.mark.parametrize("metric", ["r2", "mae"])
def test_a_choice_among_losses_none_of_which_is_defined_warns_of_nothing(metric):
    answers = np.array([[3.0, 1.0], [1.0, 2.0]])[:, :, None] * (np.nan if metric == "mae" else 1)
    _, losses = objective(answers, np.zeros(2), metric, PLAIN)  # R2 of equal targets is not defined
    assert grow(answers, losses, 3).tolist() == [1, 0]
    assert first_least(np.full(3, np.finfo(np.float64).max)) == 0
