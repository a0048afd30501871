"""The training loop of one program of T trials: a stream of events, a state that can be saved and taken up again.

Shapes: T trials, N examples, B batch, S steps.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

from dlexp.engine.evaluate import predict, score
from dlexp.engine.event import EpochEnd, Event, Progress, TrialEnd
from dlexp.engine.forward import Forward
from dlexp.engine.step import Step
from dlexp.engine.stopping import Stopping
from dlexp.engine.sums import Sums
from dlexp.engine.trainer import Trainer
from dlexp.normalize import Affine
from dlexp.random import generator

PROGRESS_SECONDS = 0.2


@dataclass(frozen=True)
class TrialSeeds:
    """The seeds of one trial's random streams."""

    init: int
    order: int
    augment: int
    dropout: int


@dataclass(frozen=True)
class Task:
    """What a program learns from.

    Attributes:
        feed: Batches on the device.
        affine: Normalisation fitted on the training part; None where the feed's data are normalised already.
        augment: Applied to training batches; None for none.
        train: Rows of the training part.
        val: Rows of the validation part.
        val_targets: Targets (T, N) of the validation part on the device.
        num_classes: 0 for regression.
        is_image: Whether a batch is (B, H, W, C).
    """

    feed: Any
    affine: Affine | None
    augment: Any
    train: Tensor
    val: Tensor
    val_targets: Tensor
    num_classes: int
    is_image: bool

    def prepare(self, x: Tensor) -> Tensor:
        """Return a raw batch as the model takes it: normalised, images (B, C, H, W) in channels-last memory."""
        if self.affine is not None:
            x = self.affine.apply(x)
        return x.permute(0, 3, 1, 2) if self.is_image else x

    def prepare_training(self, x: Tensor, y: Tensor, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """Return a raw batch augmented with the draws of its step and normalised."""
        if self.augment is None:
            return self.prepare(x), y
        assert self.affine is not None
        # Bytes stay bytes as long as the augmentation moves pixels only: a quarter of the memory to read and write.
        x, y = self.augment(x.permute(0, 3, 1, 2) if self.is_image else x, y, generator(seed, "augment", step))
        return self.affine.apply(x, channel_dim=-3 if self.is_image else -1), y


@dataclass
class Run:
    """Trains one program; iterate over `events`, save a snapshot whenever the loop is between two of them.

    Attributes:
        epoch: Epochs done.
        position: Updates done in the epoch in hand.
        number: Updates done since the start.
        elapsed: Training seconds of earlier processes and this one, up to the last event.
        should_stop: Asked after every update; True interrupts with the state intact.
    """

    task: Task
    forward: Forward
    step: Step
    trainer: Trainer
    seeds: TrialSeeds
    monitor: str
    stopping: Stopping
    schedule_state: dict[str, Tensor] = field(default_factory=dict)
    should_stop: Callable[[], bool] = lambda: False
    epoch: int = 0
    position: int = 0
    number: int = 0
    elapsed: float = 0.0
    sums: Sums | None = None

    @property
    def steps_per_epoch(self) -> int:
        """Updates of an epoch."""
        return num_steps(len(self.task.train), self.trainer)

    def events(self) -> Iterator[Event]:
        """Train until done, yielding progress, epochs and the end."""
        self.forward.set_training(True)
        while (end := self._end()) is None:
            started = time.monotonic()
            lr_ST = self._learning_rates()
            yield from self._steps(lr_ST, started)
            if self.should_stop():
                self.elapsed += time.monotonic() - started
            elif not math.isfinite(float(self._sums().loss)):
                reason = f"the training loss of epoch {self.epoch + 1} is not finite; try a smaller optimizer.lr"
                yield TrialEnd(0, "diverged", reason, self.stopping.best_epoch)
                return
            else:
                yield self._end_epoch(float(lr_ST[-1, 0]), started)
        yield end

    def _end(self) -> TrialEnd | None:
        """Return how the trial ends here; None when another epoch is due."""
        best = self.stopping.best_epoch
        if self.should_stop():
            return TrialEnd(0, "interrupted", "", best)
        if self.epoch >= self.trainer.epochs:
            return TrialEnd(0, "finished", "", best)
        if self.stopping.is_over:
            reason = f"no {self.monitor} better than {self.stopping.best:.4g} in {self.stopping.wait} epochs"
            return TrialEnd(0, "stopped_early", reason, best)
        if self._is_late(0.0):
            return TrialEnd(0, "stopped_early", f"trainer.max_seconds={self.trainer.max_seconds:g} are over", best)
        return None

    def _steps(self, lr_ST: Tensor, started: float) -> Iterator[Progress]:
        """Do the epoch's remaining updates, or those until a wish to stop or the time limit."""
        accumulate = self.trainer.accumulate
        chunks = self._epoch_batches()[self.position * accumulate :]
        batches, rates = self.task.feed.batches(chunks), lr_ST[:, :, None].unbind()
        sums, told, seen_before = self._sums(), started, self._sums().seen
        for start in range(0, len(chunks), accumulate):
            together = self._next_batches(batches, min(accumulate, len(chunks) - start))
            self.step(together, rates[self.position], self.number + 1, sums)
            self.position += 1
            self.number += 1
            now = time.monotonic()
            if self.should_stop() or self._is_late(now - started):
                return
            if now - told >= PROGRESS_SECONDS:
                told = now
                rate = (sums.seen - seen_before) / (now - started)
                loss, lr = sums.mean_loss(), float(lr_ST[self.position - 1, 0])
                yield Progress(self.epoch + 1, self.position, self.steps_per_epoch, loss, lr, rate)

    def _sums(self) -> Sums:
        if self.sums is None:
            self.sums = Sums.zero(self.forward.flat.tensor[:, 0])
        return self.sums

    def _next_batches(self, batches: Iterator[tuple[Tensor, Tensor]], count: int) -> list[tuple[Tensor, Tensor]]:
        self.forward.seed_dropout([self.seeds.dropout], self.number)
        prepared = []
        for i in range(count):
            x, y = next(batches)
            x, y = self.task.prepare_training(x, y, self.seeds.augment, self.number * self.trainer.accumulate + i)
            prepared.append((x, y.unsqueeze(0)))
        return prepared

    def _epoch_batches(self) -> list[Tensor]:
        """Return the rows of each batch of the epoch in hand, in its own order."""
        order = torch.randperm(len(self.task.train), generator=generator(self.seeds.order, "order", self.epoch))
        return usable(list(self.task.train[order].split(self.trainer.batch_size)))

    def _learning_rates(self) -> Tensor:
        """Return the rate of every update of the epoch (S, T)."""
        rules = self.step.rules
        first = self.epoch * self.steps_per_epoch
        steps = torch.arange(first, first + self.steps_per_epoch, dtype=torch.float64)
        factor = torch.as_tensor(rules.schedule.factor(steps))
        factor_ST = factor.T if factor.dim() == 2 else factor[:, None]
        if self.schedule_state:
            factor_ST = factor_ST * self.schedule_state["scale"].cpu()
        return (factor_ST * rules.optimizer.lr.double().cpu().T).to(self.forward.flat.tensor)

    def _end_epoch(self, lr: float, started: float) -> EpochEnd:
        sums = self._sums()
        metrics = {"train/loss": sums.mean_loss()}
        if self.task.num_classes:
            metrics["train/accuracy"] = sums.accuracy()
        if self.step.rules.regularizer.scope != "none":
            metrics["train/penalty"] = float(self.step.penalty())
        metrics |= {f"val/{name}": float(value) for name, value in self.evaluate().items()}
        self.epoch += 1
        self.position, self.sums = 0, None
        value = metrics[self.monitor]
        is_best = self.stopping.observe(value, self.epoch)
        if self.schedule_state:
            sign = -1.0 if self.stopping.higher_is_better else 1.0
            value_T = torch.full_like(self.schedule_state["scale"], sign * value)
            self.step.rules.schedule.observe(self.schedule_state, value_T)
        seconds = time.monotonic() - started
        self.elapsed += seconds
        return EpochEnd(0, self.epoch, self.number, lr, metrics, seconds, is_best)

    def evaluate(self) -> dict[str, Tensor]:
        """Return the metrics of the validation part under the averaged weights where there are any."""
        with self.step.averaged():
            outputs = predict(
                self.forward, self.task.feed, self.task.prepare, self.task.val, self.trainer.eval_batch_size
            )
        return score(outputs, self.task.val_targets, self.step.rules.loss, self.task.num_classes)

    def _is_late(self, seconds: float) -> bool:
        limit = self.trainer.max_seconds
        return limit is not None and self.elapsed + seconds >= limit


def usable(batches: list[Tensor]) -> list[Tensor]:
    """Leave out a last batch of one example, for batch statistics of one do not exist.

    Orders differ between epochs, so no example is left out for ever.
    """
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


def num_steps(num_train: int, trainer: Trainer) -> int:
    """Return the updates of an epoch of `num_train` examples."""
    full, rest = divmod(num_train, trainer.batch_size)
    num_batches = full + (1 if rest > 1 or (rest == 1 and full == 0) else 0)
    return math.ceil(num_batches / trainer.accumulate)
