"""Classification metrics from confusion counts, batched over trials.

Shapes: T trials, N examples, K classes; in a confusion matrix rows are targets, columns predictions.
"""

import torch
from torch import Tensor

from dlexp.metric.probability import exact_type, log_weights, ranks_by, two_columns
from dlexp.metric.ranking import average_precision, calibration_error, roc_auc, top_k_accuracy

NUM_BINS = 15


def classification(
    outputs_TNK: Tensor, targets_TN: Tensor, num_classes: int, link: str = "softmax", positive: int = 1
) -> dict[str, Tensor]:
    """Return the metrics of every epoch, each (T,): accuracy, log_loss and macro precision, recall, F1.

    With two classes also `precision`, `recall` and `f1` of the positive one. Macro averages run over the classes that
    occur among targets or predictions; a quotient 0 / 0 counts as 0.

    Args:
        outputs_TNK: Logits; one column means the logit of class 1 of two.
        targets_TN: int64 classes.
        num_classes: K, at least 2.
        link: How outputs become probabilities; see `dlexp.metric.probability`.
        positive: The positive class of two.
    """
    metrics = _averages(confusion_matrix(outputs_TNK, targets_TN, num_classes), positive)
    metrics["log_loss"] = log_loss(log_weights(outputs_TNK, link), targets_TN)
    return _nan_where_broken(metrics, outputs_TNK)


def classification_report(
    outputs_TNK: Tensor,
    targets_TN: Tensor,
    num_classes: int,
    beta: float = 2.0,
    link: str = "softmax",
    positive: int = 1,
) -> dict[str, Tensor]:
    """Return everything: the metrics of `classification` and those computed once, at the end.

    Adds (T,): `precision_micro`, `recall_micro`, `f1_micro`, `fbeta_macro`, `balanced_accuracy` (mean recall of the
    classes that targets have), `matthews_correlation`, `roc_auc` and `average_precision` (one versus rest, macro over
    the classes that have one; the positive of two), `calibration_error` (15 equal bins of confidence, L1),
    `top5_accuracy` where K > 5.
    Adds (T, K): `precision_class`, `recall_class`, `f1_class`, `fbeta_class`, `roc_auc_class`, `support_class`;
    and `confusion` (T, K, K), counts.

    Args:
        outputs_TNK: As in `classification`.
        targets_TN: int64 classes.
        num_classes: K, at least 2.
        beta: Weight of recall in F-beta: (1 + beta^2) P R / (beta^2 P + R).
        link: As in `classification`.
        positive: As in `classification`.
    """
    weights_TNK = log_weights(outputs_TNK, link)
    confusion_TKK = confusion_matrix(outputs_TNK, targets_TN, num_classes)
    metrics = _averages(confusion_TKK, positive) | {"log_loss": log_loss(weights_TNK, targets_TN)}
    hits_TK, predicted_TK, support_TK = _margins(confusion_TKK)
    present_TK = (predicted_TK + support_TK) > 0
    precision_TK, recall_TK = _ratio(hits_TK, predicted_TK), _ratio(hits_TK, support_TK)
    fbeta_TK = _ratio((1 + beta**2) * hits_TK, beta**2 * support_TK + predicted_TK)
    scores_TNK = ranks_by(outputs_TNK, link)
    auc_TK, ap_TK = roc_auc(scores_TNK, targets_TN), average_precision(scores_TNK, targets_TN)
    metrics |= {
        "precision_micro": metrics["accuracy"],
        "recall_micro": metrics["accuracy"],
        "f1_micro": metrics["accuracy"],
        "fbeta_macro": _mean_where(fbeta_TK, present_TK),
        "balanced_accuracy": _mean_where(recall_TK, support_TK > 0),
        "matthews_correlation": _matthews(hits_TK, predicted_TK, support_TK),
        "roc_auc": auc_TK[:, positive] if num_classes == 2 else auc_TK.nanmean(-1),
        "average_precision": ap_TK[:, positive] if num_classes == 2 else ap_TK.nanmean(-1),
        "calibration_error": calibration_error(
            weights_TNK.softmax(-1), predict_class(outputs_TNK) == targets_TN, NUM_BINS
        ),
        "precision_class": precision_TK,
        "recall_class": recall_TK,
        "f1_class": _ratio(2 * hits_TK, predicted_TK + support_TK),
        "fbeta_class": fbeta_TK,
        "roc_auc_class": auc_TK,
        "support_class": support_TK,
    }
    if num_classes > 5:
        metrics["top5_accuracy"] = top_k_accuracy(outputs_TNK, targets_TN, 5)
    return _nan_where_broken(metrics, outputs_TNK) | {"confusion": confusion_TKK}


def confusion_matrix(outputs_TNK: Tensor, targets_TN: Tensor, num_classes: int) -> Tensor:
    """Return int64 counts (T, K, K): entry [t, i, j] counts examples of class i that trial t calls j.

    Among equal logits the lowest class is predicted.
    """
    predicted_TN = predict_class(outputs_TNK)
    num_trials = len(predicted_TN)
    trial_T1 = torch.arange(num_trials, device=predicted_TN.device).unsqueeze(1)
    cell_TN = (trial_T1 * num_classes + targets_TN) * num_classes + predicted_TN
    # scatter_add_ on integers is exact in any order and, unlike bincount, needs no wait for the device.
    counts = torch.zeros(num_trials * num_classes**2, dtype=torch.int64, device=predicted_TN.device)
    counts.scatter_add_(0, cell_TN.reshape(-1), torch.ones_like(cell_TN).reshape(-1))
    return counts.view(num_trials, num_classes, num_classes)


def log_loss(weights_TNK: Tensor, targets_TN: Tensor) -> Tensor:
    """Return the mean of -log p[target], (T,), in nats; of weights w as `log_weights` gives them, p = softmax(w)."""
    return log_losses(weights_TNK, targets_TN).mean(-1)


def log_losses(weights: Tensor, targets: Tensor) -> Tensor:
    """Return -log p[target] of each example, (..., N), of weights (..., N, K) as `log_weights` gives them."""
    return -weights.log_softmax(-1).gather(-1, targets.unsqueeze(-1)).squeeze(-1)


def predict_class(outputs_TNK: Tensor) -> Tensor:
    """Return the class (T, N) of the largest output, the lowest of equal ones; of a lone column z, whether z > 0."""
    return two_columns(outputs_TNK).argmax(-1)


def _matthews(hits_TK: Tensor, predicted_TK: Tensor, support_TK: Tensor) -> Tensor:
    """Return (c N - sum_k p_k t_k) / sqrt((N^2 - sum p_k^2) (N^2 - sum t_k^2)), c hits in all; 0 / 0 counts as 0.

    References:
        J. Gorodkin (2004), Comparing Two K-category Assignments by a K-category Correlation Coefficient, Computational
        Biology and Chemistry 28.
    """
    num_T = support_TK.sum(-1)
    covariance_T = hits_TK.sum(-1) * num_T - (predicted_TK * support_TK).sum(-1)
    spread_T = (num_T**2 - predicted_TK.square().sum(-1)) * (num_T**2 - support_TK.square().sum(-1))
    return _ratio(covariance_T, spread_T.sqrt())


def _averages(confusion_TKK: Tensor, positive: int) -> dict[str, Tensor]:
    hits_TK, predicted_TK, support_TK = _margins(confusion_TKK)
    present_TK = (predicted_TK + support_TK) > 0
    precision_TK, recall_TK = _ratio(hits_TK, predicted_TK), _ratio(hits_TK, support_TK)
    f1_TK = _ratio(2 * hits_TK, predicted_TK + support_TK)
    metrics = {
        "accuracy": _ratio(hits_TK.sum(-1), support_TK.sum(-1)),
        "precision_macro": _mean_where(precision_TK, present_TK),
        "recall_macro": _mean_where(recall_TK, present_TK),
        "f1_macro": _mean_where(f1_TK, present_TK),
    }
    if confusion_TKK.shape[-1] == 2:
        metrics |= {"precision": precision_TK[:, positive], "recall": recall_TK[:, positive], "f1": f1_TK[:, positive]}
    return metrics


def _margins(confusion_TKK: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return hits, number predicted and number present of each class, (T, K) float."""
    counts = confusion_TKK.to(exact_type(confusion_TKK))
    return counts.diagonal(dim1=-2, dim2=-1), counts.sum(-2), counts.sum(-1)


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    return above / below.clamp(min=torch.finfo(below.dtype).tiny)


def _mean_where(values_TK: Tensor, is_in_TK: Tensor) -> Tensor:
    return _ratio((values_TK * is_in_TK).sum(-1), is_in_TK.sum(-1).to(values_TK.dtype))


def _nan_where_broken(metrics: dict[str, Tensor], outputs_TNK: Tensor) -> dict[str, Tensor]:
    # argmax answers class 0 to a row of NaN: a diverged trial would get an accuracy.
    is_broken_T = ~outputs_TNK.isfinite().flatten(1).all(-1)
    return {
        name: value.masked_fill(is_broken_T.view(-1, *[1] * (value.dim() - 1)), torch.nan)
        for name, value in metrics.items()
    }
