"""Every metric against scikit-learn and SciPy in float64: random outputs, logits of +-100, ties, absent classes, links.

Shapes: N examples, K classes.
"""

import warnings
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np
import sklearn.metrics
import torch
from scipy import special

from benchmarks.audit.row import Row, apart
from dlexp.metric import classification_report, regression_report

SECTION = "metric"
BOUND = 1e-12
DRAWS, NUM = 5, 120
BETA, DELTA = 2.0, 0.7
reference: Any = sklearn.metrics  # its stubs know neither numbers for zero_division nor None for no average
# of each kind of outputs: columns, classes, link
KINDS = {
    "two classes": (2, 2, "softmax"),
    "a lone column": (1, 2, "softmax"),
    "seven classes": (7, 7, "softmax"),
    "two classes, logits of 100": (2, 2, "softmax"),
    "seven classes, logits of 100": (7, 7, "softmax"),
    "ties": (4, 4, "softmax"),
    "two of seven classes are absent": (7, 7, "softmax"),
    "one sigmoid a class": (4, 4, "sigmoid"),
    "margins": (4, 4, "margin"),
}


def drawn(kind: str, chance: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return float32 outputs (N, columns), better than guesses, and targets (N,)."""
    columns, num_classes, _ = KINDS[kind]
    targets_N = chance.integers(num_classes - 2 if "absent" in kind else num_classes, size=NUM)
    targets_N[: num_classes - 2] = np.arange(num_classes - 2)
    z_NK = 2 * chance.standard_normal((NUM, columns))
    z_NK[:, -1] += targets_N == num_classes - 1
    if "100" in kind:
        z_NK = chance.choice([-100.0, 100.0], (NUM, columns)) + chance.standard_normal((NUM, columns))
    return (z_NK.round() if kind == "ties" else z_NK).astype(np.float32), targets_N


def probabilities(z_NK: np.ndarray, link: str) -> tuple[np.ndarray, np.ndarray]:
    """Return log p (N, K) and a score (N, K) that ranks examples as p does, without rounding at 0 and 1."""
    if z_NK.shape[1] == 1:
        z_NK = np.concatenate([np.zeros_like(z_NK), z_NK], 1)
    others_NK = np.stack([np.delete(z_NK, k, 1) for k in range(z_NK.shape[1])], 1)
    if link == "softmax":
        # log p / (1 - p) = z_k - log sum_(j != k) exp z_j, added by size, so that equal odds are equal to the bit
        largest_NK = others_NK.max(2)
        sums_NK = np.exp(np.sort(others_NK - largest_NK[..., None], 2)).sum(2)
        return special.log_softmax(z_NK, 1), z_NK - largest_NK - np.log(sums_NK)
    odds_NK = z_NK if link == "sigmoid" else z_NK - others_NK.max(2)
    log_s_NK = special.log_expit(odds_NK)
    return log_s_NK - special.logsumexp(log_s_NK, 1, keepdims=True), odds_NK


def expected(z_NK: np.ndarray, y_N: np.ndarray, num_classes: int, link: str) -> dict[str, Any]:
    """Return every metric of a classifier as the reference has it."""
    log_p_NK, score_NK = probabilities(z_NK.astype(np.float64), link)
    guess_N = score_NK.argmax(1) if z_NK.shape[1] == 1 else z_NK.argmax(1)
    labels = list(range(num_classes))
    told = {
        "accuracy": reference.accuracy_score(y_N, guess_N),
        "balanced_accuracy": reference.balanced_accuracy_score(y_N, guess_N),
        "matthews_correlation": reference.matthews_corrcoef(y_N, guess_N),
        "log_loss": -log_p_NK[np.arange(len(y_N)), y_N].mean(),
        "calibration_error": _calibration(log_p_NK, guess_N == y_N),
        "confusion": reference.confusion_matrix(y_N, guess_N, labels=labels),
    }
    for name, of in (("precision", reference.precision_score), ("recall", reference.recall_score)):
        told |= _averages(name, of, y_N, guess_N, labels)
    told |= _averages("f1", reference.f1_score, y_N, guess_N, labels)
    told |= _averages("fbeta", reference.fbeta_score, y_N, guess_N, labels, beta=BETA)
    told.pop("fbeta_micro")
    present = [k for k in labels if (y_N == k).any()]
    chosen = [1] if num_classes == 2 else present
    areas = {k: reference.roc_auc_score(y_N == k, score_NK[:, k]) for k in present}
    told["roc_auc_class"] = [areas.get(k, np.nan) for k in labels]
    told["roc_auc"] = np.mean([areas[k] for k in chosen])
    told["average_precision"] = np.mean([_precision(y_N == k, score_NK[:, k]) for k in chosen])
    if num_classes > 5:
        ahead_NK = (z_NK > z_NK[np.arange(len(y_N)), y_N][:, None]).sum(1)
        told["top5_accuracy"] = (ahead_NK < 5).mean()
    return told


def _averages(name: str, of: Any, y_N: np.ndarray, guess_N: np.ndarray, labels: list[int], **more: Any) -> dict:
    told = {
        f"{name}_macro": of(y_N, guess_N, average="macro", zero_division=0, **more),
        f"{name}_micro": of(y_N, guess_N, average="micro", zero_division=0, **more),
        f"{name}_class": of(y_N, guess_N, labels=labels, average=None, zero_division=0, **more),
    }
    if len(labels) == 2 and name != "fbeta":
        told[name] = of(y_N, guess_N, zero_division=0)
    return told


def _precision(is_positive_N: np.ndarray, score_N: np.ndarray) -> float:
    return float(reference.average_precision_score(is_positive_N, score_N))


def _calibration(log_p_NK: np.ndarray, is_right_N: np.ndarray) -> float:
    """Return the gap of Guo et al. (2017), equation 5, in 15 bins."""
    confidence_N = np.exp(log_p_NK).max(1)
    edges = np.arange(16) / 15
    total = 0.0
    for low, high in pairwise(edges):
        is_in_N = (confidence_N > low) & (confidence_N <= high)
        if is_in_N.any():
            total += is_in_N.mean() * abs(is_right_N[is_in_N].mean() - confidence_N[is_in_N].mean())
    return total


def _classes(kind: str) -> Iterator[Row]:
    _, num_classes, link = KINDS[kind]
    chance = np.random.default_rng(0)
    worst: dict[str, float] = {}
    for _ in range(DRAWS):
        z_NK, y_N = drawn(kind, chance)
        ours = classification_report(torch.tensor(z_NK)[None], torch.tensor(y_N)[None], num_classes, BETA, link)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # scikit-learn tells of classes that are absent
            told = expected(z_NK, y_N, num_classes, link)
        for name, value in told.items():
            worst[name] = max(worst.get(name, 0.0), apart(ours[name][0].numpy(), value))
        unseen = set(ours) - set(told) - {"support_class"}
        assert not unseen, f"metrics without a reference: {unseen}"
    for name, difference in worst.items():
        yield Row(SECTION, name, kind, difference, BOUND)


def _values() -> Iterator[Row]:
    chance = np.random.default_rng(0)
    worst: dict[str, float] = {}
    for centre in (0.0, 1e6):
        targets_N = centre + chance.standard_normal(NUM)
        outputs_N = targets_N + chance.standard_normal(NUM)
        ours = regression_report(torch.tensor(outputs_N)[None], torch.tensor(targets_N)[None], DELTA)
        mse = reference.mean_squared_error(targets_N, outputs_N)
        told = {
            "mse": mse,
            "rmse": np.sqrt(mse),
            "mae": reference.mean_absolute_error(targets_N, outputs_N),
            "r2": reference.r2_score(targets_N, outputs_N),
            "median_error": reference.median_absolute_error(targets_N, outputs_N),
            "huber": special.huber(DELTA, outputs_N - targets_N).mean(),
            "bias": (outputs_N - targets_N).mean(),
        }
        assert set(told) == set(ours)
        for name, value in told.items():
            worst[name] = max(worst.get(name, 0.0), apart(ours[name][0].numpy(), value))
    for name, difference in worst.items():
        yield Row(SECTION, name, "values", difference, 1e-11)


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield a row for each metric and kind of outputs."""
    kinds = list(KINDS)[3:5] if is_quick else KINDS
    for kind in kinds:
        yield from _classes(kind)
    yield from _values()
