"""What stored examples say of a trial's scores: each epoch's value, recomputed, and draws of its noise.

A value that cannot be recomputed to what training recorded is no evidence, and neither is anything derived from it.
Shapes: B draws, E epochs, N examples.
"""

from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp.build.node import build
from dlexp.build.objective import build_loss
from dlexp.data.dataset import Dataset
from dlexp.data.joint.scale import JointScale
from dlexp.engine.answer.choice import record_kind
from dlexp.engine.by_example import unpack
from dlexp.error import RunError
from dlexp.execution.save import saved_model
from dlexp.metric.choice import Metrics
from dlexp.metric.loss_error import class_weights, losses
from dlexp.run import epoch_record
from dlexp.run.folder import RunFolder
from dlexp.run.measure import read_measure
from dlexp.statistic import jitter, score
from dlexp.statistic.selection import Model

RELATIVE, ABSOLUTE = 1e-5, 1e-7  # float32 means of float32 numbers, against float64
ROUGH = ("median_error",)  # no smooth function of the examples' weights


class Unknown(Exception):
    """Why a trial's scores cannot be recomputed, in words for the user."""


@dataclass(frozen=True)
class Candidate:
    """A trained model that was picked, at the best of its epochs or among others.

    Attributes:
        folder: Of the run or trial.
        config: Resolved.
        dataset: With its parts.
        epochs: Done.
        value: The metric at its best epoch.
    """

    folder: RunFolder
    config: dict[str, Any]
    dataset: Dataset
    epochs: int
    value: float | None


@dataclass(frozen=True)
class Scores:
    """A trial's values of one metric.

    Attributes:
        values_E: As recorded.
        noise_BE: Draws of their noise.
        has_epochs: Whether they are of every epoch, and not of the best alone.
    """

    values_E: np.ndarray
    noise_BE: np.ndarray
    has_epochs: bool

    def model(self, *, is_high_better: bool) -> Model:
        """Return what a selection is told: higher is better, epochs without a number left out."""
        sign, is_number_E = 1.0 if is_high_better else -1.0, np.isfinite(self.values_E)
        return Model(sign * self.values_E[is_number_E], sign * self.noise_BE[:, is_number_E])


def read_scores(candidate: Candidate, metric: str, arrays: dict[str, np.ndarray], weights_BN: np.ndarray) -> Scores:
    """Return a trial's scores, of every epoch where the metric picked the best one and its examples are kept.

    Args:
        candidate: The trained model.
        metric: For example val/accuracy.
        arrays: Its predictions of the best epoch.
        weights_BN: From `dlexp.statistic.jitter.weights`.

    Raises:
        Unknown: They cannot be recomputed.
    """
    folder, name = candidate.folder, metric.removeprefix("val/")
    history = folder.history()[: candidate.epochs]
    outputs, targets_N = arrays["output"], arrays["target"]
    kind = record_kind(metric, candidate.dataset.task)
    is_monitor = folder.manifest["monitor"]["metric"] == metric
    records = epoch_record.read(folder.path, kind)[: len(history)] if kind and is_monitor else []
    if len(records) < len(history) or None in records:
        recomputed = _of_outputs(candidate, name, outputs[None], targets_N, weights_BN)
        _check([candidate.value], recomputed[0], metric)
        return Scores(*recomputed, has_epochs=len(history) == 1)
    assert kind is not None
    kept_EN = np.stack([unpack(kind, record, len(targets_N)) for record in records if record is not None])
    if kind == "values":
        recomputed = _of_outputs(candidate, name, kept_EN, targets_N, weights_BN)
    else:
        sizes_N = _sizes(candidate, targets_N) if name == "loss" else None
        recomputed = _of_means(kept_EN, sizes_N, weights_BN)
    recorded = [record.get(metric) for record in history]
    _check(recorded, recomputed[0], metric)
    return Scores(*recomputed, has_epochs=True)


def _check(recorded: list[float | None], recomputed_E: np.ndarray, metric: str) -> None:
    """Refuse values that differ by more than float32 rounds."""
    for epoch, (was, now) in enumerate(zip(recorded, recomputed_E.tolist(), strict=True), 1):
        is_same = was is not None and (abs(was - now) <= RELATIVE * abs(was) + ABSOLUTE or not np.isfinite(was))
        if not is_same:
            where = f"epoch {epoch}: " if len(recorded) > 1 else ""
            raise Unknown(f"{where}{metric} was recorded as {was}, stored examples give {now:.6g}")


def _of_means(values_EN: np.ndarray, sizes_N: np.ndarray | None, weights_BN: np.ndarray) -> tuple[np.ndarray, ...]:
    counted_N = np.ones(values_EN.shape[1]) if sizes_N is None else sizes_N
    with np.errstate(invalid="ignore", over="ignore"):
        values_E = values_EN @ counted_N / counted_N.sum()
        return values_E, jitter.of_means(weights_BN, values_EN, sizes_N)


def _of_outputs(
    candidate: Candidate, name: str, outputs: np.ndarray, targets_N: np.ndarray, weights_BN: np.ndarray
) -> tuple[np.ndarray, ...]:
    """Return values and noise from outputs (E, N, K) or (E, N) of epochs."""
    if name == "loss":
        return _of_means(_losses(candidate, outputs, targets_N), _sizes(candidate, targets_N), weights_BN)
    metrics: Metrics = build(candidate.config["metric"])
    if name in metrics.names:
        return _of_own_metric(candidate, metrics, name, outputs, targets_N, weights_BN)
    num_columns = max(2, outputs.shape[2]) if outputs.ndim == 3 else 0
    if name not in score.names(num_columns) or name in ROUGH:
        raise Unknown(f"how much val/{name} depends on each example is not known")
    try:
        measure = read_measure(candidate.folder)
    except RunError as error:
        raise Unknown(str(error)) from error
    by_example = [score.by_example(name, each, targets_N, measure) for each in outputs]
    if all(each is not None for each in by_example):
        return _of_means(np.stack([each for each in by_example if each is not None]), None, weights_BN)
    functions = [score.weighted(name, each, targets_N, measure) for each in outputs]
    values_E = np.array([float(function(np.ones((1, len(targets_N))))[0]) for function in functions])
    return values_E, np.stack([jitter.of_function(weights_BN, function) for function in functions], 1)


def _of_own_metric(
    candidate: Candidate,
    metrics: Metrics,
    name: str,
    outputs: np.ndarray,
    targets_N: np.ndarray,
    weights_BN: np.ndarray,
) -> tuple[np.ndarray, ...]:
    """Return values and noise of a metric of the user's, which takes outputs and targets as they are."""
    num_classes, link = 0 if targets_N.dtype.kind == "f" else 2, read_measure(candidate.folder).link
    targets = torch.from_numpy(targets_N)

    def score(each: torch.Tensor, rows: np.ndarray) -> float:
        measured = metrics.measure(each[None, rows], targets[None, rows], num_classes, link)
        return float(measured[name][0])

    each_epoch = [partial(score, torch.from_numpy(each)) for each in outputs]
    try:
        values_E = np.array([score_of(np.arange(len(targets_N))) for score_of in each_epoch])
        return values_E, np.stack([jitter.of_groups(weights_BN, score_of) for score_of in each_epoch], 1)
    except RunError as error:  # of fewer examples than it was written for
        raise Unknown(str(error)) from error


def _losses(candidate: Candidate, outputs: np.ndarray, targets_N: np.ndarray) -> np.ndarray:
    """Return the training loss (E, N) of each example, as the evaluation of an epoch measures it."""
    try:
        unit = saved_model.read_unit(saved_model.read(candidate.folder))
    except RunError as error:
        raise Unknown(str(error)) from error
    wide, targets = torch.from_numpy(outputs), torch.tensor(targets_N)
    loss = _loss(candidate)
    if isinstance(unit, JointScale):
        targets_ENJ = unit.scale(targets[None]).expand(len(wide), *targets.shape)
        return loss.examples(unit.scale(wide), targets_ENJ).double().numpy()
    # values far from zero, such as years, would lose their digits in float32; logits were float32
    wide, targets = (
        (wide.to(_dtype(candidate)), targets)
        if unit is None
        else (unit.scale(wide[..., None]), unit.scale(targets[None])[0])
    )
    return np.stack([losses(loss, each, targets).double().numpy() for each in wide])


def _sizes(candidate: Candidate, targets_N: np.ndarray) -> np.ndarray | None:
    weights_N: Tensor | None = None
    if targets_N.dtype.kind != "f":
        weights_N = class_weights(_loss(candidate), torch.from_numpy(targets_N))
    return None if weights_N is None else weights_N.numpy()


def _loss(candidate: Candidate) -> Any:
    return build_loss([candidate.config], [candidate.dataset], torch.device("cpu"), _dtype(candidate))


def _dtype(candidate: Candidate) -> torch.dtype:
    """Return what the trial's model computed in, as far as a loss is concerned."""
    return torch.float64 if candidate.config["trainer"]["precision"] == "fp64" else torch.float32
