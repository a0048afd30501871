"""Models as one, such as those of a cross-validation's folds: their probabilities, or values, averaged.

Shapes: M models, N examples, K classes.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlexp.data.joint.head import Head, of_columns
from dlexp.engine.answer.answer import Answer
from dlexp.error import RunError
from dlexp.job.again import a_kind, resume_command
from dlexp.metric.choice import Metrics
from dlexp.metric.probability import log_weights
from dlexp.number import noun
from dlexp.run.document import Confusion
from dlexp.run.folder import RunFolder
from dlexp.statistic.measure import Measure


@dataclass(frozen=True)
class Averaged:
    """Models that answer together.

    Attributes:
        run_id: As the user named them; of an ensemble its id.
        run_dir: Of the run that they are inside, or of the ensemble; "" of a list of runs.
        models: The run of each, with its weight; the weights add up to 1.
    """

    run_id: str
    run_dir: str
    models: list[tuple[RunFolder, float]]


def fold_folders(cv: RunFolder) -> list[RunFolder]:
    """Return the folds of a cross-validation, repeat after repeat.

    Raises:
        RunError: It is no cross-validation of one setting, or not complete.
    """
    manifest, result = cv.manifest, cv.result
    if manifest["kind"] != "cv":
        raise RunError(f"{cv.run_id}: got {a_kind(cv)}; only the folds of a cv can be averaged")
    if result is not None and "settings" in result:
        best = result["settings"][0]
        raise RunError(
            f"{cv.run_id}: got a cv of {noun(len(result['settings']), 'setting')}; name one of them, the best is "
            f"{best['run_id']}"
        )
    if result is None or not result["complete"]:
        raise RunError(f"{cv.run_id}: got an incomplete cv; finish it with `{resume_command(cv)}`")
    return [cv.child(record["run_id"]) for record in result["folds"]]


def mean_of_folds(cv: RunFolder) -> Averaged:
    """Return the folds of a cross-validation, each with the same weight; see `fold_folders`."""
    folders = fold_folders(cv)
    return Averaged(cv.run_id, str(cv.path), [(folder, 1 / len(folders)) for folder in folders])


def require_same_task(before: dict[str, Any], after: dict[str, Any]) -> None:
    """Refuse to average what two models say of different things, or by different measures.

    Args:
        before: Facts of one model; empty for none.
        after: Of the next.

    Raises:
        RunError: They differ.
    """
    for name in ("task", "class_names") if before else ():
        if before[name] != after[name]:
            what = "classes" if name == "class_names" else "tasks"
            raise RunError(f"--ensemble: got models of different {what}; models of the same data can be averaged")
    kinds = [about.get("pairs", {}).get("similarity") for about in (before, after)]
    if before and kinds[0] != kinds[1]:
        raise RunError(
            f"--ensemble: got models of pairs by {' and by '.join(map(str, kinds))}, which are no one scale; models of "
            "one loss can be averaged"
        )


def require_same_unit(folders: Sequence[RunFolder]) -> None:
    """Refuse to average distances of embeddings whose unit differs: the contrastive loss sets it by its margin.

    Raises:
        RunError: They have different margins.
    """
    losses = [folder.config.get("loss") or {} for folder in folders]
    margins = {loss["margin"] for loss in losses if str(loss.get("_target_")).endswith(".Contrastive")}
    if len(margins) > 1:
        shown = " and ".join(f"{margin:g}" for margin in sorted(margins))
        raise RunError(
            f"--ensemble: got models of pairs by distances of margin {shown}, which are no one scale; models of one "
            "loss.margin can be averaged"
        )


def average(
    outputs: list[Tensor],
    num_classes: int,
    links: str | Sequence[str] = "softmax",
    weights: Sequence[float] = (),
    heads: Sequence[Head] = (),
) -> Tensor:
    """Return what an ensemble says: log(sum_m w_m p_m) of each class, or the mean value sum_m w_m y_m.

    Of pairs it is the mean threshold and the mean similarity: a pair is called the same where similarities exceed
    their thresholds on average.

    Args:
        outputs: From M models: logits (N, K), a lone column (N, 1) for two classes, or values (N,).
        num_classes: 0 for values.
        links: How outputs become probabilities, of all models or of each: see `dlexp.metric.probability`.
        weights: Of each model, adding up to 1; none are equal ones.
        heads: What each of several targets is, whose outputs (N, K) stand side by side.

    Returns:
        Shaped as each model's; a softmax (of a lone column z the sigmoid) gives the mean probabilities, whatever the
        link of the models. Lone columns beside two columns give two.
    """
    if heads:
        means = [
            average([each[:, columns] for each in outputs], head.num_classes, links, weights)
            for head, columns in zip(heads, of_columns(heads), strict=True)
        ]
        return torch.cat(means, 1)
    weights_M = torch.tensor(weights or [1 / len(outputs)] * len(outputs), dtype=torch.float64)
    linked = [links] * len(outputs) if isinstance(links, str) else links
    if not num_classes or "similarity" in linked:
        stacked = torch.stack([each.double() for each in outputs])
        return torch.tensordot(weights_M, stacked, 1).to(outputs[0].dtype)
    log_p = [log_weights(each.double(), link).log_softmax(-1) for each, link in zip(outputs, linked, strict=True)]
    log_NK = (torch.stack(log_p) + weights_M.log()[:, None, None]).logsumexp(0)
    is_lone = all(each.shape[-1] == 1 for each in outputs)
    return (log_NK[:, 1:] - log_NK[:, :1] if is_lone else log_NK).to(outputs[0].dtype)


def report(
    outputs: Tensor, targets: Tensor, answer: Answer, measure: Measure, metrics: Metrics | None = None
) -> tuple[dict[str, float], Confusion | None]:
    """Return the scalar metrics of outputs of `average` or values (N,), and the counts of classes; None of others.

    Args:
        outputs: (N, K), a lone column (N, 1), or values (N,).
        targets: (N, ...).
        answer: What the outputs mean.
        measure: Constants; its link is that of the models, which their average no longer has.
        metrics: For own ones.
    """
    stacked = outputs.unsqueeze(0), targets.unsqueeze(0)
    measured = answer.report(*stacked, "softmax", measure.beta, measure.delta)
    if metrics is not None:
        measured |= metrics.measure(*stacked, answer.num_classes)
    scalars = {name: float(value) for name, value in measured.items() if value.dim() == 1}
    return scalars, measured["confusion"][0].tolist() if "confusion" in measured else None
