"""The training loop of one program of T trials: a stream of events, a state that can be saved and taken up again.

Solo is T = 1 of the same loop. Shapes: T trials, N examples, B batch, S steps.
"""

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice

import torch
from torch import Tensor

from dlexp.device import send_soon
from dlexp.engine import by_example
from dlexp.engine.by_example import Record
from dlexp.engine.divergence import ASKED, reason_of_divergence
from dlexp.engine.evaluate import gather_statistics, predict, score_trials
from dlexp.engine.event import EpochEnd, Event, Progress, TrialEnd
from dlexp.engine.freeze.thaw import Thaw
from dlexp.engine.graph.idle import rest
from dlexp.engine.step import Step
from dlexp.engine.stopping import Stopping
from dlexp.engine.sums import Sums
from dlexp.engine.task import Batch, Task, TrialSeeds, epoch_batches, num_steps
from dlexp.engine.trainer import Trainer
from dlexp.number import noun
from dlexp.schedule.rate import learning_rates

PROGRESS_SECONDS = 0.2
MOST_IDLE = 1 / 4  # of the rows


@dataclass
class Run:
    """Trains one program; iterate over `events`, save snapshots whenever the loop is between two of them.

    A trial that ends leaves the program: after its `TrialEnd` its row is dropped from every tensor. Where updates are
    graphs, which would have to be captured anew, the row stays and idles until a quarter of the rows do.

    Attributes:
        seeds: Of each trial, as are `stopping` and `trials`.
        trials: The number that events call each row by.
        eval_batch_size: Examples evaluated at once.
        idle: Rows of trials that are over.
        schedule_state: Tensors (T,) of a schedule that follows the metric, on the CPU: the host reads them each epoch.
        epoch: Epochs done.
        position: Updates done in the epoch in hand.
        number: Updates done since the start.
        elapsed: Training seconds of earlier processes and this one, up to the last event.
        should_stop: Asked after every update; True interrupts with the state intact.
        thaw: How frozen layers come to be trained; None where nothing ever changes that.
        is_thawed: Whether they are by now.
    """

    task: Task
    step: Step
    trainer: Trainer
    seeds: list[TrialSeeds]
    monitor: str
    stopping: list[Stopping]
    eval_batch_size: int
    schedule_state: dict[str, Tensor] = field(default_factory=dict)
    trials: list[int] = field(default_factory=lambda: [0])
    idle: set[int] = field(default_factory=set)
    should_stop: Callable[[], bool] = lambda: False
    thaw: Thaw | None = None
    is_thawed: bool = False
    epoch: int = 0
    position: int = 0
    number: int = 0
    elapsed: float = 0.0
    sums: Sums | None = None
    _spare: Sums | None = None  # the tensors of the epoch before, which graphs add to
    _is_stopping: bool = False  # as all devices agreed after the last update
    _is_late: bool = False

    @property
    def steps_per_epoch(self) -> int:
        """Updates of an epoch."""
        return num_steps(self.task.num_drawn, self.trainer)

    @property
    def rows(self) -> list[int]:
        """Those of trials that still train."""
        return [row for row in range(len(self.trials)) if row not in self.idle]

    def events(self) -> Iterator[Event]:
        """Train until done, yielding progress, epochs and ends."""
        self.step.forward.set_training(True)
        while True:
            self._ask()
            if self._is_stopping:
                self._bring_together()
            yield from self._leave({row: end for row in self.rows if (end := self._end(row)) is not None})
            if not self.trials:
                return
            started = time.monotonic()
            if self.thaw is not None and self.epoch >= self.thaw.until:
                self.set_thawed(True)
            lr_ST = self._learning_rates()
            yield from self._steps(lr_ST, started)
            if self._is_stopping:
                self.elapsed += time.monotonic() - started
                continue
            self.sums_in_hand().unite(self.task.exchange)
            yield from self._leave(self._diverged())
            if self.trials:
                yield from self._end_epoch(lr_ST, started)

    def set_thawed(self, is_thawed: bool) -> None:
        """Have the layers that are frozen at first trained, or frozen again; the rest stays."""
        if self.thaw is not None and self.is_thawed != is_thawed:
            number = self.thaw.until * self.steps_per_epoch
            self.step = self.thaw.switch(self.step, self.trials, number, is_thawed=is_thawed)
            self.is_thawed = is_thawed

    def _ask(self, seconds: float = 0.0) -> None:
        """Find out whether to stop, and whether the time is over so many seconds after `elapsed`."""
        limit = self.trainer.max_seconds
        is_late = limit is not None and self.elapsed + seconds >= limit
        self._is_stopping, self._is_late = self.task.exchange.any(self.should_stop(), is_late)

    def _bring_together(self) -> None:
        """Let what the devices hold apart in the midst of an epoch be with the first, for a checkpoint."""
        self.task.exchange.bring_together()
        if self.sums is not None:
            self.sums.unite(self.task.exchange, is_with_first=True)

    def _leave(self, ends: dict[int, TrialEnd]) -> Iterator[TrialEnd]:
        """Tell of trials that are over, then drop their rows or leave them idle."""
        yield from ends.values()
        left, captures = [row for row in self.rows if row not in ends], self.step.captures
        is_replayed = captures is not None and captures.is_replayed
        if ends and left and is_replayed and len(left) >= (1 - MOST_IDLE) * len(self.trials):
            rest(self.step, list(ends), like=left[0])
            self.idle |= set(ends)
        elif ends:
            self.keep(left)

    def keep(self, rows: list[int]) -> None:
        """Drop all trials but these and free their memory; the last rows stay for whoever still looks at them."""
        self.step.keep(rows)
        if rows:
            self.task = self.task.keep(rows)
            self.schedule_state = {name: value[rows] for name, value in self.schedule_state.items()}
            self._spare = None
            if self.sums is not None:
                states = [self.sums.state(row) for row in rows]
                self.sums = Sums.zero(self.step.forward.flat.tensor[:, 0], self.task.answer.has_accuracy)
                for row, state in enumerate(states):
                    self.sums.load(row, state)
            self.seeds = [self.seeds[row] for row in rows]
            self.stopping = [self.stopping[row] for row in rows]
        self.trials, self.idle = [self.trials[row] for row in rows], set()

    def _end(self, row: int) -> TrialEnd | None:
        """Return how a trial ends here; None when another epoch is due."""
        stopping, trial = self.stopping[row], self.trials[row]
        best = stopping.best_epoch
        if self._is_stopping:
            return TrialEnd(trial, "interrupted", "", best)
        is_done = self.epoch >= self.trainer.epochs
        if is_done or stopping.is_over:
            reason = reason_of_divergence(self.task, self.step.rules.loss, row, stopping.last, stopping.peak)
            if reason:
                return TrialEnd(trial, "diverged", reason, best)
        if is_done:
            return TrialEnd(trial, "finished", "", best)
        if stopping.is_over:
            reason = f"no {self.monitor} better than {stopping.best:.4g} in {noun(stopping.wait, 'epoch')}"
            return TrialEnd(trial, "stopped_early", reason, best)
        if self._is_late:
            return TrialEnd(trial, "stopped_early", f"trainer.max_seconds={self.trainer.max_seconds:g} are over", best)
        return None

    def _diverged(self) -> dict[int, TrialEnd]:
        reason = f"the training loss of epoch {self.epoch + 1} is not finite; try a smaller optimizer.lr"
        return {
            row: TrialEnd(self.trials[row], "diverged", reason, self.stopping[row].best_epoch)
            for row, loss in enumerate(self.sums_in_hand().loss.tolist())
            if row not in self.idle and not math.isfinite(loss)
        }

    def _steps(self, lr_ST: Tensor, started: float) -> Iterator[Progress]:
        """Do the epoch's remaining updates, or those until a wish to stop or the time limit."""
        accumulate = self.trainer.accumulate
        rows = epoch_batches(self.task, self.trainer, self.seeds, self.epoch)[self.position * accumulate :]
        batches, rates = self.task.gather(rows, is_augmented=True), self._on_device(lr_ST)[:, :, None].unbind()
        sums, told, first = self.sums_in_hand(), started, self.rows[0]
        seed_batch = self._seed_batch if self.step.forward.dropout_seeds.numel() else None
        seen_before = sums.seen[first]
        while together := list(islice(batches, accumulate)):
            self.step(self._prepare(together), rates[self.position], self.number + 1, sums, seed_batch)
            self.position += 1
            self.number += 1
            now = time.monotonic()
            self._ask(now - started)
            if self._is_stopping or self._is_late:
                return
            if now - told >= PROGRESS_SECONDS:
                told = now
                rate = len(self.rows) * self.task.exchange.size * (sums.seen[first] - seen_before) / (now - started)
                loss, lr = sums.mean_loss()[first], float(lr_ST[self.position - 1, first])
                yield Progress(self.epoch + 1, self.position, self.steps_per_epoch, loss, lr, rate)

    def updates(self) -> Iterator[Progress]:
        """Do what is left of the epoch's updates, or those until a wish to stop; nothing is evaluated."""
        return self._steps(self._learning_rates(), time.monotonic())

    def one_update(self) -> Callable[[], None]:
        """Return a function that repeats the first update of the epoch in hand, to be timed or weighed."""
        self.step.forward.set_training(True)
        rows = epoch_batches(self.task, self.trainer, self.seeds, self.epoch)[: self.trainer.accumulate]
        batches = list(self.task.gather(rows, is_augmented=True))
        rate = self._on_device(self._learning_rates())[0, :, None]

        def update() -> None:
            self.step(self._prepare(batches), rate, self.number + 1, self.sums_in_hand(), self._seed_batch)

        return update

    def sums_in_hand(self) -> Sums:
        """Return what the epoch in hand adds to."""
        if self.sums is None:
            like_T = self.step.forward.flat.tensor[:, 0]
            self.sums = self._spare = self._spare or Sums.zero(like_T, self.task.answer.has_accuracy)
            self.sums.clear()
        return self.sums

    def _prepare(self, batches: list[list[Batch]]) -> list[list[Batch]]:
        return [
            [self.task.prepare_training(batch, self.seeds, self._draw(place)) for batch in by_length]
            for place, by_length in enumerate(batches)
        ]

    def _seed_batch(self, place: int) -> None:
        self.step.forward.seed_dropout([seed.dropout for seed in self.seeds], self._draw(place))

    def _draw(self, place: int) -> int:
        """Return the number, since the start, of a batch of the update in hand."""
        return self.number * self.trainer.accumulate + place

    def _learning_rates(self) -> Tensor:
        """Return the rate of every update of the epoch (S, T) in float64 on the CPU, as it is logged."""
        rules, first, scale = self.step.rules, self.epoch * self.steps_per_epoch, self.schedule_state.get("scale")
        lr = rules.optimizer.lr if rules.lr is None else rules.lr
        return learning_rates(rules.schedule, lr, scale, first, self.steps_per_epoch, self.idle)

    def _on_device(self, lr_ST: Tensor) -> Tensor:
        like = self.step.forward.flat.tensor
        return send_soon(lr_ST.to(like.dtype), like.device)

    def _end_epoch(self, lr_ST: Tensor, started: float) -> Iterator[EpochEnd]:
        metrics = {"train/loss": self.sums_in_hand().mean_loss()}
        if self.task.answer.has_accuracy:
            metrics["train/accuracy"] = self.sums_in_hand().accuracy()
        if self.step.rules.regularizer.scope != "none":
            metrics["train/penalty"] = self.step.penalty().tolist()
        records: list[Record | None] = [None] * len(self.trials)
        outputs = self._outputs()
        if len(self.task.val[0]):
            metrics |= {f"val/{name}": values for name, values in self._score(outputs).items()}
            records = by_example.records(self.monitor, outputs, self.task, self.step.rules.loss)
        self.epoch += 1
        self.position, self.sums = 0, None
        values = metrics[self.monitor]
        are_best = [stopping.observe(v, self.epoch) for stopping, v in zip(self.stopping, values, strict=True)]
        for row, stopping in enumerate(self.stopping):
            stopping.note({name: metrics[name][row] for name in ASKED if name in metrics})
        if self.schedule_state:
            sign = -1.0 if self.stopping[0].higher_is_better else 1.0
            value_T = sign * torch.tensor(values, dtype=torch.float64)
            self.step.rules.schedule.observe(self.schedule_state, value_T)
        seconds = time.monotonic() - started
        self.elapsed += seconds
        rates = lr_ST[-1].tolist()
        for row in self.rows:
            shares = {name: value[row] for name, value in metrics.items()}
            yield EpochEnd(
                self.trials[row], self.epoch, self.number, rates[row], shares, seconds, are_best[row], records[row]
            )

    def evaluate(self) -> dict[str, list[float]]:
        """Return each trial's metrics of its validation part, under the averaged weights where there are any."""
        return self._score(self._outputs())

    def _outputs(self) -> Tensor:
        """Gather exact statistics of batch norm and predict the validation part, if there is one."""
        forward, task = self.step.forward, self.task
        task.exchange.bring_together()
        with self.step.averaged():
            gather_statistics(forward, task, self.trainer, self.seeds, self.epoch)
            return predict(forward, task, task.val, self.eval_batch_size) if len(task.val[0]) else torch.empty(0)

    def _score(self, outputs: Tensor) -> dict[str, list[float]]:
        split, _, name = self.monitor.partition("/")
        also = name if split == "val" else ""
        return score_trials(outputs, self.task, self.task.val, self.step.rules.loss, also)
