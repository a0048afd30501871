"""The models of a cross-validation's folds as one: their probabilities, or values, averaged.

Shapes: M models, N examples, K classes.
"""

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from dlexp import metric
from dlexp.data.joint.head import Head, of_columns
from dlexp.engine.answer.several import Several
from dlexp.error import RunError
from dlexp.job.again import resume_command
from dlexp.metric.choice import Metrics
from dlexp.metric.probability import log_weights
from dlexp.number import noun
from dlexp.run.document import Confusion
from dlexp.run.folder import RunFolder
from dlexp.statistic.measure import Measure


def fold_folders(cv: RunFolder) -> list[RunFolder]:
    """Return the folds of a cross-validation, repeat after repeat.

    Raises:
        RunError: It is no cross-validation of one setting, or not complete.
    """
    manifest, result = cv.manifest, cv.result
    if manifest["kind"] != "cv":
        raise RunError(f"{cv.run_id}: got a {manifest['kind']}; only the folds of a cv can be averaged")
    if result is not None and "settings" in result:
        best = result["settings"][0]
        raise RunError(
            f"{cv.run_id}: got a cv of {noun(len(result['settings']), 'setting')}; name one of them, the best is "
            f"{best['run_id']}"
        )
    if result is None or not result["complete"]:
        raise RunError(f"{cv.run_id}: got an incomplete cv; finish it with `{resume_command(cv)}`")
    return [cv.child(record["run_id"]) for record in result["folds"]]


def average(outputs: list[Tensor], num_classes: int, link: str = "softmax", heads: Sequence[Head] = ()) -> Tensor:
    """Return what an ensemble says: log((1/M) sum_m p_m) of each class, or the mean value.

    Args:
        outputs: From M models: logits (N, K), a lone column (N, 1) for two classes, or values (N,).
        num_classes: 0 for values.
        link: How outputs become probabilities: see `dlexp.metric.probability`.
        heads: What each of several targets is, whose outputs (N, K) stand side by side.

    Returns:
        Shaped as each model's; a softmax (of a lone column z the sigmoid) gives the mean probabilities, whatever the
        link of the models.
    """
    if heads:
        means = [
            average([each[:, columns] for each in outputs], head.num_classes, link)
            for head, columns in zip(heads, of_columns(heads), strict=True)
        ]
        return torch.cat(means, 1)
    stacked = torch.stack([each.double() for each in outputs])
    if not num_classes:
        return stacked.mean(0).to(outputs[0].dtype)
    log_MNK = log_weights(stacked, link).log_softmax(-1)
    log_NK = log_MNK.logsumexp(0) - math.log(len(outputs))
    mean = log_NK[:, 1:] - log_NK[:, :1] if stacked.shape[-1] == 1 else log_NK
    return mean.to(outputs[0].dtype)


def report(
    outputs: Tensor,
    targets: Tensor,
    num_classes: int,
    measure: Measure,
    metrics: Metrics | None = None,
    heads: Sequence[Head] = (),
) -> tuple[dict[str, float], Confusion | None]:
    """Return the scalar metrics of outputs of `average` or values (N,), and the counts of classes; None for values.

    Args:
        outputs: (N, K), a lone column (N, 1), or values (N,).
        targets: (N,).
        num_classes: 0 for values.
        measure: Constants; its link is that of the models, not of their average, and is not read.
        metrics: For own ones.
        heads: What each of several targets is; empty for one.
    """
    stacked = outputs.unsqueeze(0), targets.unsqueeze(0)
    if heads:
        measured = Several(tuple(heads)).report(*stacked, "softmax", measure.beta, measure.delta)
    elif num_classes:
        measured = metric.classification_report(*stacked, num_classes, measure.beta, positive=measure.positive)
    else:
        measured = metric.regression_report(*stacked, measure.delta)
    if metrics is not None:
        measured |= metrics.measure(*stacked, num_classes)
    scalars = {name: float(value) for name, value in measured.items() if value.dim() == 1}
    return scalars, measured["confusion"][0].tolist() if num_classes else None
