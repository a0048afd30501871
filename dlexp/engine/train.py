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
from dlexp.engine.trainer import Trainer
from dlexp.normalize import Affine, unit
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
        affine: Normalisation fitted on the training part.
        augment: Applied to training batches; None for none.
        train: Rows of the training part.
        val: Rows of the validation part.
        val_targets: Targets (T, N) of the validation part on the device.
        num_classes: 0 for regression.
        is_image: Whether a batch is (B, H, W, C).
    """

    feed: Any
    affine: Affine
    augment: Any
    train: Tensor
    val: Tensor
    val_targets: Tensor
    num_classes: int
    is_image: bool

    def prepare(self, x: Tensor) -> Tensor:
        """Return a raw batch as the model takes it: normalised, images (B, C, H, W) in channels-last memory."""
        x = self.affine.apply(x)
        return x.permute(0, 3, 1, 2) if self.is_image else x

    def prepare_training(self, x: Tensor, y: Tensor, seed: int, step: int) -> tuple[Tensor, Tensor]:
        """Return a raw batch augmented with the draws of its step and normalised."""
        if self.augment is None:
            return self.prepare(x), y
        images, y = self.augment(unit(x).permute(0, 3, 1, 2), y, generator(seed, "augment", step))
        return self.affine.apply(images, channel_dim=-3), y


@dataclass
class Run:
    """Trains one program; iterate over `events`, save `snapshot` whenever the loop is between two of them.

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
    loss_sum: Tensor | None = None
    correct: Tensor | None = None
    seen: int = 0
    _is_out_of_time: bool = False

    @property
    def steps_per_epoch(self) -> int:
        """Updates of an epoch."""
        return num_steps(len(self.task.train), self.trainer)

    def events(self) -> Iterator[Event]:
        """Train until done, yielding progress, epochs and the end."""
        self.forward.set_training(True)
        while self.epoch < self.trainer.epochs:
            if self.stopping.is_over:
                reason = f"no {self.monitor} better than {self.stopping.best:.4g} in {self.stopping.wait} epochs"
                yield TrialEnd(0, "stopped_early", reason, self.stopping.best_epoch)
                return
            if self._is_late():
                yield TrialEnd(0, "stopped_early", "trainer.max_seconds is over", self.stopping.best_epoch)
                return
            started = time.monotonic()
            lr_ST = self._learning_rates()
            for event in self._epoch_steps(lr_ST, started):
                yield event
                if isinstance(event, TrialEnd):
                    return
            yield self._end_epoch(float(lr_ST[-1, 0]), started)
        yield TrialEnd(0, "finished", "", self.stopping.best_epoch)

    def _epoch_steps(self, lr_ST: Tensor, started: float) -> Iterator[Event]:
        chunks = self._epoch_batches()[self.position * self.trainer.accumulate :]
        batches = self.task.feed.batches(chunks)
        told, num_steps_done = started, 0
        if self.loss_sum is None:
            self.loss_sum, self.correct, self.seen = torch.zeros_like(lr_ST[0]), torch.zeros_like(lr_ST[0]), 0
        for start in range(0, len(chunks), self.trainer.accumulate):
            count = min(self.trainer.accumulate, len(chunks) - start)
            loss_sum, correct = self.step(self._next_batches(batches, count), lr_ST[self.position, :, None], self.number + 1)
            self.loss_sum += loss_sum
            self.correct += correct
            self.seen += sum(len(chunk) for chunk in chunks[start : start + count])
            self.position += 1
            self.number += 1
            num_steps_done += 1
            now = time.monotonic()
            if self.should_stop():
                self.elapsed += now - started
                yield TrialEnd(0, "interrupted", "", self.stopping.best_epoch)
                return
            if now - told >= PROGRESS_SECONDS:
                told = now
                yield self._progress(lr_ST, num_steps_done, now - started)
        if not math.isfinite(float(self.loss_sum)):
            reason = f"the training loss of epoch {self.epoch + 1} is not finite"
            yield TrialEnd(0, "diverged", reason, self.stopping.best_epoch)

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
        return (factor_ST * rules.optimizer.lr.double().cpu().T).to(self.step.forward.flat.tensor)

    def _progress(self, lr_ST: Tensor, num_steps_done: int, seconds: float) -> Progress:
        assert self.loss_sum is not None
        rate = num_steps_done * self.trainer.batch_size * self.trainer.accumulate / max(seconds, 1e-9)
        return Progress(
            self.epoch + 1,
            self.position,
            self.steps_per_epoch,
            float(self.loss_sum) / self.seen,
            float(lr_ST[self.position - 1, 0]),
            rate,
        )

    def _end_epoch(self, lr: float, started: float) -> EpochEnd:
        assert self.loss_sum is not None and self.correct is not None
        metrics = {"train/loss": float(self.loss_sum) / self.seen}
        if self.task.num_classes:
            metrics["train/accuracy"] = float(self.correct) / self.seen
        if self.step.rules.regularizer.scope != "none":
            metrics["train/penalty"] = float(self.step.penalty())
        metrics |= {f"val/{name}": float(value) for name, value in self.evaluate().items()}
        self.epoch += 1
        self.position, self.loss_sum, self.correct, self.seen = 0, None, None, 0
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
        params, ema = self.forward.flat.tensor, self.step.state.get("ema")
        if ema is None:
            return self._score()
        kept = params.clone()
        params.copy_(ema)
        scores = self._score()
        params.copy_(kept)
        return scores

    def _score(self) -> dict[str, Tensor]:
        outputs = predict(self.forward, self.task.feed, self.task.prepare, self.task.val, self.trainer.eval_batch_size)
        return score(outputs, self.task.val_targets, self.step.rules.loss, self.task.num_classes)

    def _is_late(self) -> bool:
        limit = self.trainer.max_seconds
        return limit is not None and self.elapsed >= limit


def usable(batches: list[Tensor]) -> list[Tensor]:
    """Leave out a last batch of one example: batch statistics of one do not exist. Orders differ, so no example is
    left out for ever."""
    return batches[:-1] if len(batches) > 1 and len(batches[-1]) == 1 else batches


def num_steps(num_train: int, trainer: Trainer) -> int:
    """Return the updates of an epoch of `num_train` examples."""
    full, rest = divmod(num_train, trainer.batch_size)
    num_batches = full + (1 if rest > 1 or (rest == 1 and full == 0) else 0)
    return math.ceil(num_batches / trainer.accumulate)
