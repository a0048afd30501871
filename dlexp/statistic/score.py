"""The metrics of `dlexp.metric` on weighted examples, in numpy: a resample of the examples is a matter of weights.

Nearly all are functions of sums over examples, so thousands of resamples cost one product of matrices, and a comparison
need not import torch, which takes longer than its arithmetic. The tests hold each to its namesake in `dlexp.metric`.

Shapes: B weightings, N examples, K classes, F sums.
"""

from collections.abc import Callable

import numpy as np

Weighted = Callable[[np.ndarray], np.ndarray]  # weights (B, N) to values (B,)
Combine = Callable[[np.ndarray], np.ndarray]  # means (B, F) to values (B,)

_CONFUSION = (
    "precision_macro",
    "recall_macro",
    "f1_macro",
    "fbeta_macro",
    "precision",
    "recall",
    "f1",
)
_RIGHT = ("accuracy", "precision_micro", "recall_micro", "f1_micro")  # equal where each example has one class
_BETA = 2.0
_BINS = 15


def names(num_classes: int) -> list[str]:
    """Return the metrics there are, the default first.

    Args:
        num_classes: 0 for values.
    """
    if not num_classes:
        return ["rmse", "mse", "mae", "r2", "huber", "median_error"]
    by_class = _CONFUSION if num_classes == 2 else _CONFUSION[:4]
    top = ["top5_accuracy"] if num_classes > 5 else []
    return [_RIGHT[0], *by_class, "log_loss", *_RIGHT[1:], "roc_auc", "calibration_error", *top]


def by_example(name: str, outputs: np.ndarray, targets_N: np.ndarray) -> np.ndarray | None:
    """Return the values (N,) whose weighted mean is a metric; None for metrics that are no mean over examples."""
    if outputs.ndim == 1 and name in ("mse", "mae", "huber"):
        return _losses(outputs, targets_N)[name]
    if outputs.ndim == 1:
        return None
    logits_NK = _two_columns(outputs)
    rows = np.arange(len(targets_N))
    if name in _RIGHT:
        return (logits_NK.argmax(1) == targets_N).astype(np.float64)
    if name == "log_loss":
        wide = logits_NK - logits_NK.max(1, keepdims=True)
        return np.log(np.exp(wide).sum(1)) - wide[rows, targets_N]
    if name == "top5_accuracy":
        own_N1 = logits_NK[rows, targets_N][:, None]
        is_before = np.arange(logits_NK.shape[1]) < targets_N[:, None]
        better_N = ((logits_NK > own_N1) | ((logits_NK == own_N1) & is_before)).sum(1)
        return (better_N < 5).astype(np.float64)
    return None


def weighted(name: str, outputs: np.ndarray, targets_N: np.ndarray) -> Weighted:
    """Return a metric as a function of the examples' weights, such as how often each is in a resample.

    Args:
        name: One of `names`.
        outputs: (N, K) logits, one column for the logit of class 1 of two; or values (N,).
        targets_N: Classes or values.
    """
    if not np.isfinite(outputs).all():
        return lambda weights_BN: np.full(len(weights_BN), np.nan)
    values_N = by_example(name, outputs, targets_N)
    if values_N is not None:
        return _of_means(values_N[:, None], lambda means_B1: means_B1[:, 0])
    if outputs.ndim == 1:
        return _regression(name, outputs, targets_N)
    logits_NK = _two_columns(outputs)
    if name in _CONFUSION:
        return _of_means(_margins(logits_NK, targets_N), lambda means_BF: _from_margins(name, means_BF))
    probability_NK = _softmax(logits_NK)
    if name == "calibration_error":
        gaps_NF = _calibration_gaps(probability_NK, targets_N)
        return _of_means(gaps_NF, lambda means_BF: np.abs(means_BF).sum(1))
    assert name == "roc_auc", name
    return lambda weights_BN: _roc_auc(probability_NK, targets_N, weights_BN)


def _of_means(features_NF: np.ndarray, combine: Combine) -> Weighted:
    return lambda weights_BN: combine(weights_BN @ features_NF / weights_BN.sum(1, keepdims=True))


def _two_columns(outputs: np.ndarray) -> np.ndarray:
    wide = outputs.astype(np.float64)
    return np.concatenate([np.zeros_like(wide), wide], 1) if wide.shape[1] == 1 else wide


def _softmax(logits_NK: np.ndarray) -> np.ndarray:
    shares = np.exp(logits_NK - logits_NK.max(1, keepdims=True))
    return (shares / shares.sum(1, keepdims=True)).astype(np.float32)  # as training has it: what it ties is tied here


def _margins(logits_NK: np.ndarray, targets_N: np.ndarray) -> np.ndarray:
    """Return (N, 3 K): whether each example is a hit of class k, is called k, is k."""
    classes_K = np.arange(logits_NK.shape[1])
    is_called_NK = logits_NK.argmax(1)[:, None] == classes_K
    is_NK = targets_N[:, None] == classes_K
    return np.concatenate([is_called_NK & is_NK, is_called_NK, is_NK], 1).astype(np.float64)


def _from_margins(name: str, means_BF: np.ndarray) -> np.ndarray:
    hits_BK, called_BK, support_BK = np.split(means_BF, 3, axis=1)
    found_BK = {
        "precision": lambda: _ratio(hits_BK, called_BK),
        "recall": lambda: _ratio(hits_BK, support_BK),
        "f1": lambda: _ratio(2 * hits_BK, called_BK + support_BK),
        "fbeta": lambda: _ratio((1 + _BETA**2) * hits_BK, _BETA**2 * support_BK + called_BK),
    }[name.removesuffix("_macro")]()
    if not name.endswith("_macro"):
        return found_BK[:, 1]
    is_present_BK = called_BK + support_BK > 0
    return (found_BK * is_present_BK).sum(1) / is_present_BK.sum(1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    return above / np.maximum(below, np.finfo(np.float64).tiny)


def _calibration_gaps(probability_NK: np.ndarray, targets_N: np.ndarray) -> np.ndarray:
    confidence_N = probability_NK.max(1)
    bin_N = np.clip(np.ceil(confidence_N * np.float32(_BINS)).astype(int) - 1, 0, _BINS - 1)
    gaps_NF = np.zeros((len(bin_N), _BINS))
    gaps_NF[np.arange(len(bin_N)), bin_N] = (probability_NK.argmax(1) == targets_N) - confidence_N.astype(np.float64)
    return gaps_NF


def _roc_auc(probability_NK: np.ndarray, targets_N: np.ndarray, weights_BN: np.ndarray) -> np.ndarray:
    """Return the area, the mean over classes with examples on both sides; of class 1 where there are two."""
    num_classes = probability_NK.shape[1]
    classes = [1] if num_classes == 2 else range(num_classes)
    areas_BK = np.stack([_area(probability_NK[:, k], targets_N == k, weights_BN) for k in classes], 1)
    num_B = np.isfinite(areas_BK).sum(1)
    return np.where(num_B > 0, np.nansum(areas_BK, 1) / np.maximum(num_B, 1), np.nan)


def _area(scores_N: np.ndarray, is_positive_N: np.ndarray, weights_BN: np.ndarray) -> np.ndarray:
    """Return the weight of pairs in which the positive example scores higher, ties by half, among all pairs."""
    order = np.argsort(scores_N, kind="stable")
    starts = np.flatnonzero(np.diff(scores_N[order], prepend=-1.0))
    all_BN = weights_BN[:, order]
    positive = all_BN * is_positive_N[order]
    negative = all_BN - positive
    if len(starts) < len(order):
        positive, negative = (np.add.reduceat(part, starts, axis=1) for part in (positive, negative))
    below = negative.cumsum(1) - negative
    pairs_B = positive.sum(1) * negative.sum(1)
    return np.where(pairs_B > 0, (positive * (below + negative / 2)).sum(1) / np.maximum(pairs_B, 1e-300), np.nan)


def _regression(name: str, outputs_N: np.ndarray, targets_N: np.ndarray) -> Weighted:
    losses = _losses(outputs_N, targets_N)
    if name == "median_error":
        return lambda weights_BN: _median(losses["mae"], weights_BN)
    if name == "rmse":
        return _of_means(losses["mse"][:, None], lambda means_B1: np.sqrt(means_B1[:, 0]))
    assert name == "r2", name
    centred_N = targets_N.astype(np.float64) - targets_N.mean(dtype=np.float64)
    return _of_means(np.stack([losses["mse"], centred_N, centred_N**2], 1), _r_squared)


def _r_squared(means_BF: np.ndarray) -> np.ndarray:
    mse_B, mean_B, square_B = means_BF.T
    variance_B = square_B - mean_B**2
    return np.where(variance_B > 0, 1 - mse_B / np.where(variance_B > 0, variance_B, 1), np.nan)


def _median(values_N: np.ndarray, weights_BN: np.ndarray) -> np.ndarray:
    """Return the median (B,) of values that occur as often as their whole weights say."""
    order = np.argsort(values_N, kind="stable")
    upto_BN = weights_BN[:, order].cumsum(1)
    num_B1 = upto_BN[:, -1:]
    lower, upper = ((upto_BN <= rank).sum(1) for rank in ((num_B1 - 1) // 2, num_B1 // 2))
    return (values_N[order][lower] + values_N[order][upper]) / 2


def _losses(outputs_N: np.ndarray, targets_N: np.ndarray) -> dict[str, np.ndarray]:
    size_N = np.abs(outputs_N.astype(np.float64) - targets_N)
    return {"mse": size_N**2, "mae": size_N, "huber": np.where(size_N <= 1, size_N**2 / 2, size_N - 0.5)}
