"""What the trials of a program learn from: data, parts, normalisation, augmentation, and the batches of an epoch.

Shapes: T trials, R chosen trials, N examples, B batch, C channels.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from dlexp.augment.draw import Stream
from dlexp.data.balance import num_drawn, oversample
from dlexp.data.joint.scale import JointScale
from dlexp.data.target_scale import TargetScale
from dlexp.device import send_soon, take_rows
from dlexp.embedding.similarity import compared
from dlexp.engine.answer.inputs import as_targets, clean, errors
from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.engine.exchange.share import Share, deal
from dlexp.engine.trainer import Trainer
from dlexp.image import as_float
from dlexp.metric.choice import Metrics
from dlexp.normalize import Affine
from dlexp.random import derive, generator

if TYPE_CHECKING:
    from dlexp.engine.answer.answer import Answer


@dataclass(frozen=True)
class TrialSeeds:
    """The seeds of one trial's random streams."""

    init: int
    order: int
    augment: int
    dropout: int


@dataclass(frozen=True)
class Batch:
    """A batch of some trials, or of all.

    Attributes:
        rows: The trials (R); None for all.
        is_shared: Whether they share the examples, so that `x` has no trial axis.
        x: Row numbers (R, B) or (B,) at first; inputs (R, B, ...) or (B, ...) when gathered.
        targets: (R, B), or (R, B, K) probabilities after mixing; empty before.
        share: Where these examples stand in the batch, when a device has a share of it; None for the whole.
    """

    rows: list[int] | None
    is_shared: bool
    x: Tensor
    targets: Tensor
    share: Share | None = None

    @property
    def num(self) -> int:
        """Examples of the batch that are here, for each trial."""
        return self.targets.shape[1]

    @property
    def whole(self) -> int:
        """Examples of the batch over all devices, for each trial."""
        return self.num if self.share is None else self.share.whole

    def take(self, exchange: Exchange) -> "Batch":
        """Return this device's share of a batch."""
        if exchange.size == 1 or self.share is not None:
            return self
        axis, is_gathered = 0 if self.is_shared else 1, self.targets.dim() > 1
        each = exchange.each if is_gathered else 1  # rows of x that an example has
        whole = self.x.shape[axis] // each
        first, end = deal(whole, exchange.size, exchange.least)[exchange.rank]
        targets = self.targets[:, first:end] if is_gathered else self.targets
        x = self.x.narrow(axis, each * first, each * (end - first))
        return replace(self, x=x, targets=targets, share=Share(first, whole))


@dataclass(frozen=True)
class Task:
    """What T trials learn from.

    Attributes:
        feed: Batches on the device.
        affine: Normalisation fitted on the training part, (C,) for all or (T, C); None where the feed's data are
            normalised already.
        augments: Each trial's augmentation of training batches, None for none.
        train: Rows of each trial's training part.
        val: Rows of each trial's validation part.
        targets: Targets (N, ...) of all examples on the device.
        answer: What outputs mean.
        is_image: Whether a batch is (B, H, W, C).
        dtype: What the model computes in.
        unit: What values are measured in while training; None for classes.
        metrics: Constants of the metrics, and own ones.
        similarity: How outputs of pairs, 2 B rows of a batch, are compared (`dlexp.embedding.similarity`), or None.
        centre: Mean of the training part's prepared inputs, (1, D) for all or (T, D), where these are what is learnt;
            None for tasks with targets of their own.
        oversampled: Classes (N,) on the CPU where an epoch draws every class as often as the largest, else None.
        exchange: Between the devices that each compute a share of every batch.
    """

    feed: Any
    affine: Affine | None
    augments: list[Any]
    train: list[Tensor]
    val: list[Tensor]
    targets: Tensor
    answer: "Answer"
    is_image: bool
    dtype: torch.dtype = torch.float32
    unit: TargetScale | JointScale | None = None
    metrics: Metrics = field(default_factory=Metrics)
    similarity: str | None = None
    centre: Tensor | None = None
    oversampled: Tensor | None = None
    exchange: Exchange = ALONE

    @property
    def num_drawn(self) -> int:
        """Training examples of an epoch, the same for all trials."""
        return len(self.train[0]) if self.oversampled is None else num_drawn(self.train[0], self.oversampled)

    def keep(self, rows: list[int]) -> "Task":
        """Return the task of some of the trials."""
        affine = self.affine
        if affine is not None and affine.scale.dim() == 2:
            affine = affine.keep(rows)
        train, val, augments = ([by_trial[row] for row in rows] for by_trial in (self.train, self.val, self.augments))
        unit = None if self.unit is None else self.unit.keep(rows)
        centre = self._centre(rows)
        return replace(self, affine=affine, augments=augments, train=train, val=val, unit=unit, centre=centre)

    def gather(self, batches: list[list[Batch]], *, is_augmented: bool) -> Iterator[list[Batch]]:
        """Yield batches of row numbers as examples: of the whole batch where augmentation may mix any of them.

        Args:
            batches: Of row numbers, in one for each length.
            is_augmented: Whether they are to be augmented, where the task says so.
        """
        if not is_augmented or all(augment is None for augment in self.augments):
            batches = [[batch.take(self.exchange) for batch in by_length] for by_length in batches]
        return gather(self.feed, batches)

    def prepare(self, x: Tensor, rows: list[int] | None = None) -> Tensor:
        """Return raw batches as the model takes them: normalised, images (..., C, H, W) in channels-last memory."""
        affine = self._affine(rows)
        if affine is not None:
            x = affine.apply(x, dtype=self.dtype)
        return (x.movedim(-1, -3) if self.is_image else x).to(self.dtype)

    def prepare_training(self, batch: Batch, seeds: list[TrialSeeds], draw: int) -> Batch:
        """Return a raw batch augmented with each trial's own draws and normalised.

        Args:
            batch: Gathered.
            seeds: Those of all trials.
            draw: Number of the batch since the start, which names the draws.
        """
        rows = range(len(self.augments)) if batch.rows is None else batch.rows
        if all(self.augments[row] is None for row in rows):
            x = self.prepare(batch.x, batch.rows)
            targets = self._in_unit(batch.targets, batch.rows) if self.centre is None else self._targets(x, batch)
            return Batch(batch.rows, batch.is_shared, x, targets, batch.share).take(self.exchange)
        images, targets, cleans = [], [], []
        named = [derive(seeds[row].augment, "augment", draw) for row in rows]
        keys = send_soon(torch.tensor(named, dtype=torch.int64), batch.x.device)
        each = 1 if self.similarity is None else 2
        for i, row in enumerate(rows):
            raw = batch.x if batch.is_shared else batch.x[i]
            target = batch.targets[0 if batch.is_shared else i].repeat_interleave(each, 0)
            about = raw.movedim(-1, -3) if self.is_image else raw, target
            image, target = self.augments[row](*about, Stream.of(named[i], keys[i]))
            images.append(image)
            targets.append(target[::each])
            if self.centre is not None:
                cleans.append(as_float(clean(self.augments[row], *about, Stream.of(named[i], keys[i]))))
        affine = self._affine(batch.rows)
        assert affine is not None
        channels = -3 if self.is_image else -1
        is_alone = len(images) == 1
        x = affine.apply(images[0] if is_alone else torch.stack(images), channels, self.dtype).to(self.dtype)
        if cleans:
            pure = affine.apply(cleans[0] if is_alone else torch.stack(cleans), channels, self.dtype).to(self.dtype)
            made = replace(batch, is_shared=is_alone, x=x, targets=x)
            return replace(made, targets=self._targets(pure, made)).take(self.exchange)
        return Batch(batch.rows, is_alone, x, self._in_unit(torch.stack(targets), batch.rows)).take(self.exchange)

    def _targets(self, x: Tensor, batch: Batch) -> Tensor:
        """Return prepared inputs as the targets (R, B, D) of a batch, (1, B, D) where trials share it."""
        targets = as_targets(x, is_image=self.is_image)
        return targets.unsqueeze(0) if batch.is_shared else targets

    def judge(self, outputs: Tensor, x: Tensor, rows: list[int] | None) -> Tensor:
        """Return outputs as metrics take them: as they are, error and spread of reconstructions, similarity of pairs.

        Args:
            outputs: Of chosen trials.
            x: Prepared inputs of the batch.
            rows: The trials; None for all.
        """
        if (centre := self._centre(rows)) is None:
            return compared(outputs, self.similarity)
        return errors(outputs, x, centre, is_image=self.is_image)

    def _centre(self, rows: list[int] | None) -> Tensor | None:
        centre = self.centre
        return centre if rows is None or centre is None or len(centre) == 1 else take_rows(centre, rows)

    def objective(self, examples: Tensor, row: int) -> Tensor:
        """Return what the loss of one trial compares outputs with, (1, N, ...).

        Args:
            examples: (N,) row numbers.
            row: The trial.
        """
        if self.centre is not None:
            x, _ = next(iter(self.feed.batches([examples.unsqueeze(0)])))
            return as_targets(self.prepare(x, [row]), is_image=self.is_image)
        targets_1N = self.targets[examples.to(self.targets.device)].unsqueeze(0)
        return targets_1N if self.unit is None else self.unit.keep([row]).scale(targets_1N)

    def _in_unit(self, targets: Tensor, rows: list[int] | None) -> Tensor:
        if self.unit is None:
            return targets
        return (self.unit if rows is None else self.unit.keep(rows)).scale(targets).to(self.dtype)

    def _affine(self, rows: list[int] | None) -> Affine | None:
        if rows is None or self.affine is None or self.affine.scale.dim() == 1:
            return self.affine
        return self.affine.keep(rows)


def epoch_batches(task: Task, trainer: Trainer, seeds: list[TrialSeeds], epoch: int) -> list[list[Batch]]:
    """Return the row numbers of each batch of an epoch, in each trial's own order.

    Trials with the same order of the same examples share a batch; others are stacked; where their last batches differ
    in length, those of equal length are.
    """
    is_shared = are_equal(task.train) and len({seed.order for seed in seeds}) == 1
    chunks = [
        _shuffled(rows, seed, trainer.batch_size, epoch, task.oversampled)
        for rows, seed in list(zip(task.train, seeds, strict=True))[: 1 if is_shared else None]
    ]
    empty = torch.empty(0)
    if is_shared:
        return [[Batch(None, True, chunk, empty)] for chunk in chunks[0]]
    return [_by_length(list(together)) for together in zip(*chunks, strict=True)]


def _shuffled(rows: Tensor, seeds: TrialSeeds, batch_size: int, epoch: int, oversampled: Tensor | None) -> list[Tensor]:
    draw = generator(seeds.order, "order", epoch)
    if oversampled is None:
        drawn = rows[torch.randperm(len(rows), generator=draw)]
    else:
        drawn = oversample(rows, oversampled, draw)
    return usable(list(drawn.split(batch_size)))


def _by_length(chunks: list[Tensor]) -> list[Batch]:
    lengths = sorted({len(chunk) for chunk in chunks}, reverse=True)
    by_length = []
    for length in lengths:
        rows = [row for row, chunk in enumerate(chunks) if len(chunk) == length]
        stacked = torch.stack([chunks[row] for row in rows])
        by_length.append(Batch(None if len(lengths) == 1 else rows, False, stacked, torch.empty(0)))
    return by_length


def gather(feed: Any, batches: list[list[Batch]]) -> Iterator[list[Batch]]:
    """Yield each batch, in one for each length, with inputs and targets in the place of row numbers."""
    stream = feed.batches([batch.x for by_length in batches for batch in by_length])
    for by_length in batches:
        gathered = []
        for batch in by_length:
            x, y = next(stream)
            gathered.append(Batch(batch.rows, batch.is_shared, x, y[None] if batch.is_shared else y, batch.share))
        yield gathered


def are_equal(parts: list[Tensor]) -> bool:
    """Whether all trials have the same rows."""
    return all(part is parts[0] or torch.equal(part, parts[0]) for part in parts[1:])


def usable(batches: list[Tensor]) -> list[Tensor]:
    """Leave out a last batch of one example, which has no batch statistics: another one in each epoch's order."""
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


def num_steps(num_train: int, trainer: Trainer) -> int:
    """Return the updates of an epoch of `num_train` examples."""
    full, rest = divmod(num_train, trainer.batch_size)
    num_batches = full + (1 if rest > 1 or (rest == 1 and full == 0) else 0)
    return math.ceil(num_batches / trainer.accumulate)
