"""The models of a cross-validation's folds as one: their probabilities, or values, averaged.

Shapes: M models, N examples, K classes.
"""

import math
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from dlexp import metric
from dlexp.error import RunError
from dlexp.metric.classification import two_columns
from dlexp.run.folder import RunFolder


def fold_folders(cv: RunFolder) -> list[RunFolder]:
    """Return the folds of a cross-validation, repeat after repeat.

    Raises:
        RunError: It is no cross-validation of one setting, or not complete.
    """
    manifest, result = cv.manifest, cv.result
    if manifest["kind"] != "cv":
        raise RunError(f"{cv.run_id}: got a {manifest['kind']}; only the folds of a cv can be averaged")
    if result is not None and "settings" in result:
        found = result["settings"][0]
        raise RunError(
            f"{cv.run_id}: got a cv of {len(result['settings'])} settings; name one of them, the best is "
            f"{found['run_id']}"
        )
    if result is None or not result["complete"]:
        raise RunError(f"{cv.run_id}: got an incomplete cv; finish it with `dlexp cv --resume {cv.run_id}`")
    return [cv.child(record["run_id"]) for record in result["folds"]]


def average(outputs: list[Tensor], num_classes: int) -> Tensor:
    """Return what an ensemble says: log((1/M) sum_m p_m) of each class, or the mean value.

    Args:
        outputs: From M models: logits (N, K), a lone column (N, 1) for two classes, or values (N,).
        num_classes: 0 for values.

    Returns:
        As each model's, so that a softmax (of a lone column z the sigmoid) gives the mean probabilities.
    """
    stacked = torch.stack([each.double() for each in outputs])
    if not num_classes:
        return stacked.mean(0).to(outputs[0].dtype)
    log_MNK = log_softmax(two_columns(stacked), dim=-1)
    log_NK = log_MNK.logsumexp(0) - math.log(len(outputs))
    found = log_NK[:, 1:] - log_NK[:, :1] if stacked.shape[-1] == 1 else log_NK
    return found.to(outputs[0].dtype)


def report(outputs: Tensor, targets: Tensor, num_classes: int) -> dict[str, Any]:
    """Return the scalar metrics of stored outputs (N, K) or values (N,), and `confusion_matrix` for classes."""
    stacked = outputs.unsqueeze(0), targets.unsqueeze(0)
    if not num_classes:
        return {name: float(value) for name, value in metric.regression_report(*stacked).items()}
    found = metric.classification_report(*stacked, num_classes)
    scalars: dict[str, Any] = {name: float(value) for name, value in found.items() if value.dim() == 1}
    return scalars | {"confusion_matrix": found["confusion"][0].tolist()}
