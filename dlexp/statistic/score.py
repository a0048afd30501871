"""The metrics of `dlexp.metric` on weighted examples, in numpy: a resample of the examples is a matter of weights.

Nearly all are functions of sums over examples, so thousands of resamples cost one product of matrices, and a comparison
need not import torch, which takes longer than its arithmetic. The tests hold each to its namesake in `dlexp.metric`.

Shapes: B weightings, N examples, K classes, F sums.
"""

from collections.abc import Callable

import numpy as np

from dlexp.statistic.measure import Measure

Weighted = Callable[[np.ndarray], np.ndarray]  # weights (B, N) to values (B,)
Combine = Callable[[np.ndarray], np.ndarray]  # means (B, F) to values (B,)

_CONFUSION = (
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "fbeta_macro",
    "balanced_accuracy",
    "matthews_correlation",
    "precision",
    "recall",
    "f1",
)
_RIGHT = ("accuracy", "precision_micro", "recall_micro", "f1_micro")  # equal where each example has one class
# the mean of these over folds of any size is what pooled examples give
MEANS_OVER_EXAMPLES = (*_RIGHT, "log_loss", "top5_accuracy", "mse", "mae", "huber", "bias", "loss")
OF_ERRORS = ["rmse", "mse"]  # of reconstructions, whose truth is 0; the default first
_RANKED = ("roc_auc", "average_precision")
_TIES = 2.0**40  # steps of a unit of log-odds, within which examples tie
_BINS = 15
_PLAIN = Measure()


def names(num_classes: int, link: str = "softmax") -> list[str]:
    """Return the metrics there are, the default first.

    Args:
        num_classes: 0 for values.
        link: How outputs become probabilities; "similarity" is of pairs, whose outputs say none.
    """
    if not num_classes:
        return ["rmse", "mse", "mae", "r2", "huber", "median_error"]
    by_class = _CONFUSION if num_classes == 2 else _CONFUSION[:6]
    top = ["top5_accuracy"] if num_classes > 5 else []
    if link == "similarity":
        return [_RIGHT[0], *by_class, *_RIGHT[1:], *_RANKED, "eer"]
    return [_RIGHT[0], *by_class, "log_loss", *_RIGHT[1:], *_RANKED, "calibration_error", *top]


def by_example(name: str, outputs: np.ndarray, targets_N: np.ndarray, measure: Measure = _PLAIN) -> np.ndarray | None:
    """Return the values (N,) whose weighted mean is a metric; None for metrics that are no mean over examples."""
    if outputs.ndim == 1 and name in ("mse", "mae", "huber"):
        return _losses(outputs, targets_N, measure.delta)[name]
    if outputs.ndim == 1:
        return None
    if name in _RIGHT:
        return (called(outputs) == targets_N).astype(np.float64)
    logits_NK = _two_columns(outputs)
    rows = np.arange(len(targets_N))
    if name == "log_loss":
        return -log_probabilities(outputs, measure.link)[rows, targets_N]
    if name == "top5_accuracy":
        own_N1 = logits_NK[rows, targets_N][:, None]
        is_before = np.arange(logits_NK.shape[1]) < targets_N[:, None]
        better_N = ((logits_NK > own_N1) | ((logits_NK == own_N1) & is_before)).sum(1)
        return (better_N < 5).astype(np.float64)
    return None


def probabilities(outputs: np.ndarray, link: str = "softmax") -> np.ndarray:
    """Return the probability of each class (N, K) of outputs (N, K), or of a lone column (N, 1) for class 1 of two."""
    return np.exp(log_probabilities(outputs, link))


def log_probabilities(outputs: np.ndarray, link: str = "softmax") -> np.ndarray:
    """Return the logarithm (N, K) of `probabilities`."""
    return _log_p(_log_weights(outputs, link))


def weighted(name: str, outputs: np.ndarray, targets_N: np.ndarray, measure: Measure = _PLAIN) -> Weighted:
    """Return a metric as a function of the examples' weights, such as how often each is in a resample.

    Args:
        name: One of `names`.
        outputs: (N, K) logits, one column for the logit of class 1 of two; or values (N,).
        targets_N: Classes or values.
        measure: The metrics' constants.
    """
    if not np.isfinite(outputs).all():
        return lambda weights_BN: np.full(len(weights_BN), np.nan)
    values_N = by_example(name, outputs, targets_N, measure)
    if values_N is not None:
        return _of_means(values_N[:, None], lambda means_B1: means_B1[:, 0])
    if outputs.ndim == 1:
        return _regression(name, outputs, targets_N)
    if name in _CONFUSION:
        margins_NF = _margins(_two_columns(outputs), targets_N)
        return _of_means(margins_NF, lambda means_BF: _from_margins(name, means_BF, measure))
    if name == "calibration_error":
        confidence_N = probabilities(outputs, measure.link).max(1)
        gaps_NF = _calibration_gaps(confidence_N, called(outputs) == targets_N)
        return _of_means(gaps_NF, lambda means_BF: np.abs(means_BF).sum(1))
    score = {"roc_auc": _area, "average_precision": _precision, "eer": _equal_error}[name]
    scores_NK = _ranks_by(outputs, measure.link)
    return lambda weights_BN: _one_against_rest(score, scores_NK, targets_N, weights_BN, measure.positive)


def called(outputs: np.ndarray) -> np.ndarray:
    """Return the predicted class (N,), the lowest of equal logits (N, K); of a lone column whether it is > 0."""
    return _two_columns(outputs).argmax(1)


def _of_means(features_NF: np.ndarray, combine: Combine) -> Weighted:
    return lambda weights_BN: combine(weights_BN @ features_NF / weights_BN.sum(1, keepdims=True))


def _two_columns(outputs: np.ndarray) -> np.ndarray:
    wide = outputs.astype(np.float64)
    return np.concatenate([np.zeros_like(wide), wide], 1) if wide.shape[1] == 1 else wide


def _log_weights(outputs: np.ndarray, link: str) -> np.ndarray:
    """Return w (N, K) with p = softmax(w); see `dlexp.metric.probability`."""
    if link == "softmax" or outputs.shape[1] == 1:
        return _two_columns(outputs)
    return -np.logaddexp(0, -_log_odds(outputs, link))


def _log_p(weights_NK: np.ndarray) -> np.ndarray:
    shifted_NK = weights_NK - weights_NK.max(1, keepdims=True)
    return shifted_NK - np.log(np.exp(shifted_NK).sum(1, keepdims=True))


def _log_odds(outputs: np.ndarray, link: str) -> np.ndarray:
    """Return the score of each class (N, K) that orders examples as its probability does, and does not saturate."""
    z_NK, rows = _two_columns(outputs), np.arange(len(outputs))
    if link == "sigmoid" and outputs.shape[1] > 1:
        return z_NK
    if z_NK.shape[1] == 2:
        lead_N = z_NK[:, 1] - z_NK[:, 0]
        return np.stack([-lead_N, lead_N], 1)
    top_N = z_NK.argmax(1)
    z_NK = z_NK - z_NK.max(1, keepdims=True)
    ordered_NK = np.sort(z_NK, 1)  # sums by size: outputs that differ in order only tie to the bit
    second_N = ordered_NK[:, -2]
    if link == "margin":
        odds_NK, rest_N = z_NK.copy(), second_N
    else:
        log_p_NK = z_NK - np.log(np.exp(ordered_NK).sum(1, keepdims=True))
        log_p_NK[rows, top_N] = -np.inf  # the likeliest's is not used
        odds_NK = log_p_NK - np.log1p(-np.exp(log_p_NK))
        rest_N = second_N + np.log(np.exp(ordered_NK[:, :-1] - second_N[:, None]).sum(1))
    return np.where(z_NK == 0, -rest_N[:, None], odds_NK)  # two may be the likeliest


def _ranks_by(outputs: np.ndarray, link: str) -> np.ndarray:
    """Return what examples are ranked by (N, K), equal probabilities tied; see `dlexp.metric.probability`."""
    odds_NK = _log_odds(outputs, link)
    return np.round(odds_NK * _TIES) / _TIES if link == "softmax" and odds_NK.shape[1] > 2 else odds_NK


def _margins(logits_NK: np.ndarray, targets_N: np.ndarray) -> np.ndarray:
    """Return (N, 3 K): whether each example is a hit of class k, is called k, is k."""
    classes_K = np.arange(logits_NK.shape[1])
    is_called_NK = logits_NK.argmax(1)[:, None] == classes_K
    is_NK = targets_N[:, None] == classes_K
    return np.concatenate([is_called_NK & is_NK, is_called_NK, is_NK], 1).astype(np.float64)


def _from_margins(name: str, means_BF: np.ndarray, measure: Measure) -> np.ndarray:
    hits_BK, called_BK, support_BK = np.split(means_BF, 3, axis=1)
    if name == "matthews_correlation":
        covariance_B = hits_BK.sum(1) - (called_BK * support_BK).sum(1)
        spread_B = (1 - (called_BK**2).sum(1)) * (1 - (support_BK**2).sum(1))
        return np.where(spread_B > 1e-15, covariance_B / np.sqrt(np.maximum(spread_B, 1e-15)), 0.0)
    if name == "balanced_accuracy":
        return _ratio(hits_BK, support_BK).sum(1) / (support_BK > 0).sum(1)
    found_BK = {
        "precision": lambda: _ratio(hits_BK, called_BK),
        "recall": lambda: _ratio(hits_BK, support_BK),
        "f1": lambda: _ratio(2 * hits_BK, called_BK + support_BK),
        "fbeta": lambda: _ratio((1 + measure.beta**2) * hits_BK, measure.beta**2 * support_BK + called_BK),
    }[name.removesuffix("_macro")]()
    if not name.endswith("_macro"):
        return found_BK[:, measure.positive]
    is_present_BK = called_BK + support_BK > 0
    return (found_BK * is_present_BK).sum(1) / is_present_BK.sum(1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return above / np.maximum(below, np.finfo(np.float64).tiny)


def _calibration_gaps(confidence_N: np.ndarray, is_right_N: np.ndarray) -> np.ndarray:
    bin_N = np.clip(np.ceil(confidence_N * _BINS).astype(int) - 1, 0, _BINS - 1)
    gaps_NF = np.zeros((len(bin_N), _BINS))
    gaps_NF[np.arange(len(bin_N)), bin_N] = is_right_N - confidence_N
    return gaps_NF


def _one_against_rest(
    score: Callable[..., np.ndarray],
    scores_NK: np.ndarray,
    targets_N: np.ndarray,
    weights_BN: np.ndarray,
    positive: int,
) -> np.ndarray:
    """Return the mean of a score over the classes that have one; of the positive where there are two."""
    num_classes = scores_NK.shape[1]
    classes = [positive] if num_classes == 2 else range(num_classes)
    values_BK = np.stack([score(*_tied(scores_NK[:, k], targets_N == k, weights_BN)) for k in classes], 1)
    num_B = np.isfinite(values_BK).sum(1)
    return np.where(num_B > 0, np.nansum(values_BK, 1) / np.maximum(num_B, 1), np.nan)


def _tied(scores_N: np.ndarray, is_positive_N: np.ndarray, weights_BN: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the weights of positives and negatives at each distinct score, ascending, each (B, scores)."""
    order = np.argsort(scores_N, kind="stable")
    starts = np.flatnonzero(np.diff(scores_N[order], prepend=-np.inf))
    all_BN = weights_BN[:, order]
    positive = all_BN * is_positive_N[order]
    negative = all_BN - positive
    if len(starts) < len(order):
        positive, negative = (np.add.reduceat(counts, starts, axis=1) for counts in (positive, negative))
    return positive, negative


def _area(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Return the weight of pairs in which the positive example scores higher, ties by half, among all pairs."""
    below = negative.cumsum(1) - negative
    pairs_B = positive.sum(1) * negative.sum(1)
    return np.where(pairs_B > 0, (positive * (below + negative / 2)).sum(1) / np.maximum(pairs_B, 1e-300), np.nan)


def _equal_error(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Return the share of positives below a score, and of negatives above it, where both are equal."""
    start_B1 = np.zeros((len(positive), 1))
    below, above = (
        np.concatenate([start_B1, counts.cumsum(1)], 1) / np.maximum(counts.sum(1, keepdims=True), 1e-300)
        for counts in (positive, negative)
    )
    gap = below - (1 - above)  # of missed positives and accepted negatives, rises from -1 to 1
    rows, after = np.arange(len(gap)), (gap >= 0).argmax(1)
    before = np.maximum(after - 1, 0)
    low_B, high_B, left_B, right_B = gap[rows, before], gap[rows, after], below[rows, before], below[rows, after]
    rate_B = left_B - low_B * (right_B - left_B) / np.where(high_B > low_B, high_B - low_B, 1)
    return np.where((positive.sum(1) > 0) & (negative.sum(1) > 0), rate_B, np.nan)


def _precision(positive: np.ndarray, negative: np.ndarray) -> np.ndarray:
    """Return the mean over positives of the precision among all that score at least as high."""
    hits, calls = (counts[:, ::-1].cumsum(1)[:, ::-1] for counts in (positive, positive + negative))
    total_B = positive.sum(1)
    values_B = (positive * _ratio(hits, calls)).sum(1) / np.maximum(total_B, 1e-300)
    return np.where(total_B > 0, values_B, np.nan)


def _regression(name: str, outputs_N: np.ndarray, targets_N: np.ndarray) -> Weighted:
    losses = _losses(outputs_N, targets_N, 1.0)
    if name == "median_error":
        return lambda weights_BN: _median(losses["mae"], weights_BN)
    if name == "rmse":
        return _of_means(losses["mse"][:, None], lambda means_B1: np.sqrt(means_B1[:, 0]))
    assert name == "r2", name
    wide_N = targets_N.astype(np.float64)
    return lambda weights_BN: _r_squared(losses["mse"], wide_N, weights_BN)


def _r_squared(losses_N: np.ndarray, targets_N: np.ndarray, weights_BN: np.ndarray) -> np.ndarray:
    """Return one minus the weighted squared errors over the squared distances from the weighted mean; NaN for none."""
    mean_B = weights_BN @ targets_N / weights_BN.sum(1)
    spread_B = (weights_BN * (targets_N - mean_B[:, None]) ** 2).sum(1)
    is_drawn_BN = weights_BN > 0
    first_B = targets_N[is_drawn_BN.argmax(1)]
    is_spread_B = (is_drawn_BN & (targets_N != first_B[:, None])).any(1)  # a mean of equal ones may round
    is_known_B = is_spread_B & (spread_B > 0)
    return np.where(is_known_B, 1 - weights_BN @ losses_N / np.where(is_known_B, spread_B, 1), np.nan)


def _median(values_N: np.ndarray, weights_BN: np.ndarray) -> np.ndarray:
    """Return the median (B,) of values that occur as often as their whole weights say."""
    order = np.argsort(values_N, kind="stable")
    upto_BN = weights_BN[:, order].cumsum(1)
    num_B1 = upto_BN[:, -1:]
    lower, upper = ((upto_BN <= rank).sum(1) for rank in ((num_B1 - 1) // 2, num_B1 // 2))
    return (values_N[order][lower] + values_N[order][upper]) / 2


def _losses(outputs_N: np.ndarray, targets_N: np.ndarray, delta: float) -> dict[str, np.ndarray]:
    size_N = np.abs(outputs_N.astype(np.float64) - targets_N)
    inner_N = np.minimum(size_N, delta)
    return {"mse": size_N**2, "mae": size_N, "huber": inner_N * (size_N - inner_N / 2)}
