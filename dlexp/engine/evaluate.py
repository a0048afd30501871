"""Outputs and metrics of a program on a part of the data, after the statistics that evaluation takes.

Shapes: T trials, N examples, K outputs.
"""

import math
from typing import Any
from weakref import WeakKeyDictionary

import torch
from torch import Tensor

from dlexp.data.joint.scale import JointScale
from dlexp.data.target_scale import TargetScale
from dlexp.device import take_rows
from dlexp.embedding.similarity import best_threshold
from dlexp.engine.answer.answer import Reading
from dlexp.engine.exchange.share import deal
from dlexp.engine.forward import Forward
from dlexp.engine.stack.rows import repeat_rows
from dlexp.engine.task import Task, TrialSeeds, are_equal, epoch_batches, num_steps
from dlexp.engine.trainer import Trainer
from dlexp.error import is_out_of_memory
from dlexp.kernel.joint_loss import JointLoss
from dlexp.metric.loss_error import class_weights, losses, standard_error
from dlexp.random import generator

DECISIVE = 2048  # training pairs that choose a threshold
FEW = 100  # updates an epoch, below which `norm.statistics=auto` gathers in a deep net
_fitting: WeakKeyDictionary[Forward, int] = WeakKeyDictionary()  # examples at once, of programs that had no room


@torch.no_grad()
def choose_threshold(forward: Forward, task: Task, batch_size: int) -> Tensor:
    """Return the threshold (T, 1) that is right most often on a trial's training pairs, at most 2,048 of them.

    Args:
        forward: The program; its mode is training again afterwards.
        task: Data and normalisation, of pairs.
        batch_size: Pairs at once.
    """
    parts = [part[torch.randperm(len(part), generator=generator(0, "threshold"))[:DECISIVE]] for part in task.train]
    targets = [task.targets[part.to(task.targets.device)] for part in parts]
    similarity_TN1 = _predict(forward, task, parts, batch_size)
    chosen = [
        best_threshold(similarity_TN1[row, : len(of_trial), 0][None], of_trial[None])
        for row, of_trial in enumerate(targets)
    ]
    return torch.cat(chosen)


@torch.no_grad()
def predict(forward: Forward, task: Task, parts: list[Tensor], batch_size: int) -> Tensor:
    """Return the outputs (T, N, K) of a part in evaluation mode, in float32 (float64 for such a model) on the device.

    Values are in the target's own unit, in float64; of reconstructions there are error and spread of each example. A
    pair has two outputs, the threshold above which it is called the same, as the trial's training pairs choose it, and
    its similarity.

    Args:
        forward: The program; its mode is training again afterwards.
        task: Data and normalisation.
        parts: Row numbers of each trial's part; where lengths differ, N is the longest.
        batch_size: Examples at once; halved where memory runs out, also for the program's later evaluations.
    """
    outputs_TNK = _predict(forward, task, parts, batch_size)
    if task.similarity is not None:
        threshold_T11 = choose_threshold(forward, task, batch_size).unsqueeze(-1)
        return torch.cat([threshold_T11.expand_as(outputs_TNK), outputs_TNK], -1)
    return outputs_TNK if task.unit is None else task.unit.unscale(outputs_TNK)


def _predict(forward: Forward, task: Task, parts: list[Tensor], batch_size: int) -> Tensor:
    """Return the outputs of `predict` as the model gives them, of pairs the similarity (T, N, 1)."""
    forward.set_training(False)
    if are_equal(parts):
        bounds = deal(len(parts[0]), task.exchange.size)
        first, end = bounds[task.exchange.rank]
        outputs_TNK = _outputs(forward, task, parts[0][first:end], None, batch_size)
        outputs_TNK = task.exchange.join(outputs_TNK, bounds)
    else:
        # Each length by itself: how many examples a product has may change its rounding.
        lengths = [len(part) for part in parts]
        outputs_TNK = None
        for length in sorted(set(lengths)):
            chosen = [row for row, num in enumerate(lengths) if num == length]
            rows = chosen if len(chosen) < len(parts) else None
            outputs = _outputs(forward, task, torch.stack([parts[row] for row in chosen]), rows, batch_size)
            if outputs_TNK is None:
                outputs_TNK = outputs.new_zeros(len(parts), max(lengths), outputs.shape[-1])
            outputs_TNK[chosen, :length] = outputs
        assert outputs_TNK is not None
    forward.set_training(True)
    return outputs_TNK


@torch.no_grad()
def gather_statistics(forward: Forward, task: Task, trainer: Trainer, seeds: list[TrialSeeds], epoch: int) -> None:
    """Give batch norms of exact statistics, and of auto where these are exact, those of the training part.

    An epoch's batches pass once more, not augmented and without dropout.

    Args:
        forward: The program; its mode is training again afterwards.
        task: Data and normalisation.
        trainer: Batch size.
        seeds: Of each trial.
        epoch: Number of the epoch, from 0, whose batches are taken.
    """
    if not forward.set_gathering(True, num_steps(task.num_drawn, trainer) < FEW):
        return
    forward.set_training(False)
    for parts in task.gather(epoch_batches(task, trainer, seeds, epoch), is_augmented=False):
        for part in parts:
            if part.share is not None:
                task.exchange.place(part.share)
            if part.num or task.exchange.has_synced:
                forward(task.prepare(part.x, part.rows), is_shared=part.is_shared, rows=part.rows)
    task.exchange.merge_statistics()
    forward.set_gathering(False)
    forward.set_training(True)


def _outputs(forward: Forward, task: Task, part: Tensor, rows: list[int] | None, batch_size: int) -> Tensor:
    """Return outputs (R, N, K) of chosen trials for a part that they share (N,) or one each (R, N)."""
    batch_size = min(batch_size, _fitting.get(forward, batch_size))
    try:
        return _in_batches(forward, task, part, rows, batch_size)
    except Exception as error:
        if batch_size == 1 or not is_out_of_memory(error):
            raise
    if forward.flat.tensor.is_cuda:
        torch.cuda.empty_cache()
    _fitting[forward] = batch_size // 2
    return _outputs(forward, task, part, rows, batch_size)


def _in_batches(forward: Forward, task: Task, part: Tensor, rows: list[int] | None, batch_size: int) -> Tensor:
    pieces = []
    for x, _ in task.feed.batches(list(part.split(batch_size, dim=-1))):
        prepared = task.prepare(x, rows)
        outputs = forward(prepared, is_shared=part.dim() == 1, rows=rows)
        assert isinstance(outputs, Tensor)
        pieces.append(task.judge(outputs if outputs.dtype == torch.float64 else outputs.float(), prepared, rows))
    return torch.cat(pieces, dim=1)


@torch.no_grad()
def score_trials(outputs: Tensor, task: Task, parts: list[Tensor], loss: Any, also: str = "") -> dict[str, list[float]]:
    """Return the loss and the task's metrics of each trial from the outputs of `predict`.

    Args:
        outputs: (T, N, K).
        task: Targets and their unit.
        parts: Row numbers of each trial's part.
        loss: The training loss.
        also: A metric of `report` that is wanted too.
    """
    lengths = [len(part) for part in parts]
    scores: dict[str, list[float]] = {}
    for length in sorted(set(lengths)):
        rows = [row for row, num in enumerate(lengths) if num == length]
        targets = torch.stack([task.targets[parts[row].to(outputs.device)] for row in rows])
        reading, of_rows = Reading.of(task, loss), outputs
        if len(rows) < len(parts):
            reading, of_rows = reading.keep(rows, len(parts)), take_rows(outputs, rows)[:, :length]
        for name, values in score(of_rows, targets, reading, also).items():
            of_trials = scores.setdefault(name, [math.nan] * len(parts))
            for row, value in zip(rows, values.tolist(), strict=True):
                of_trials[row] = value
    return scores


@torch.no_grad()
def score(outputs: Tensor, targets: Tensor, reading: Reading, also: str = "") -> dict[str, Tensor]:
    """Return the loss, its standard error and the task's metrics of every epoch, own ones among them, (T,) each.

    Args:
        outputs: (T, N, K), values in the target's own unit.
        targets: (T, N, ...).
        reading: What turns outputs into metrics.
        also: A metric of `report` that is wanted too; "" for none.
    """
    scores = reading.answer.scores(outputs, targets, reading.link)
    scores = _loss_and_error(outputs, targets, reading) | scores | _own(outputs, targets, reading)
    if also and also not in scores:
        scores[also] = _reported(outputs, targets, reading)[also]
    return scores


@torch.no_grad()
def report(outputs: Tensor, targets: Tensor, reading: Reading) -> dict[str, Tensor]:
    """Return loss, its standard error and all else that is known of stored outputs: (T,), (T, K) or (T, K, K)."""
    scores = _reported(outputs, targets, reading)
    return _loss_and_error(outputs, targets, reading) | scores | _own(outputs, targets, reading)


def _reported(outputs: Tensor, targets: Tensor, reading: Reading) -> dict[str, Tensor]:
    """Return what `report` has beside the loss and a user's metrics."""
    return reading.answer.report(outputs, targets, reading.link, reading.metrics.beta, reading.delta)


def _in_unit(outputs: Tensor, targets: Tensor, unit: TargetScale | JointScale | None) -> tuple[Tensor, Tensor]:
    return (outputs, targets) if unit is None else (unit.scale(outputs), unit.scale(targets))


def _loss_and_error(outputs: Tensor, targets: Tensor, reading: Reading) -> dict[str, Tensor]:
    """Return loss and its standard error; NaN where a user's is no mean of what it says of single examples."""
    loss, pair = reading.loss, _in_unit(outputs, targets, reading.unit)
    if type(loss).__module__.startswith("dlexp."):
        each_TN, weight_TN = _by_example(*pair, loss)
        loss_T = each_TN.mean(1) if getattr(loss, "is_plain_mean", True) else loss(*pair)  # to the bit
        return {"loss": loss_T, "loss_se": standard_error(each_TN, weight_TN)[1]}
    loss_T = loss(*pair)
    try:
        mean_T, error_T = standard_error(*_by_example(*pair, loss))
    except Exception:  # a user's loss need not take examples one by one
        return {"loss": loss_T, "loss_se": torch.full_like(loss_T, torch.nan)}
    is_mean_T = mean_T.isclose(loss_T.to(mean_T), rtol=1e-3, atol=1e-6)
    return {"loss": loss_T, "loss_se": error_T.where(is_mean_T, torch.nan)}


def _by_example(outputs: Tensor, targets: Tensor, loss: Any) -> tuple[Tensor, Tensor | None]:
    """Return loss and weight of each example (T, N); no weights where all count alike."""
    if isinstance(loss, JointLoss):
        return loss.examples(outputs, targets), None
    num_trials, num = targets.shape[:2]
    alone = repeat_rows(loss, num, num_trials) if num_trials > 1 else loss
    each = losses(alone, outputs.flatten(0, 1), targets.flatten(0, 1)).view(num_trials, num)
    return each, class_weights(loss, targets)


def _own(outputs: Tensor, targets: Tensor, reading: Reading) -> dict[str, Tensor]:
    """Return a user's metrics, which take outputs as they are stored."""
    if not reading.metrics.extra:
        return {}
    stored = torch.stack([reading.answer.stored(outputs_NK) for outputs_NK in outputs])
    return reading.metrics.measure(stored, targets, reading.answer.num_classes, reading.link)
