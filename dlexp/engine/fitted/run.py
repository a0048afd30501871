"""The run of a model that is fitted in one step: a single epoch, without updates, told and saved as any other.

Fitting is quick; what takes long with many examples is to predict both parts. Between pieces of them the run asks
whether to stop, and a checkpoint holds what the pieces of the training part have added up to.
"""

import time
from collections.abc import Callable, Iterator

import torch
from torch import Tensor

from dlexp.engine.evaluate import predict
from dlexp.engine.event import Event, TrialEnd
from dlexp.engine.sums import Sums, count_correct
from dlexp.engine.train import Run
from dlexp.model.fitted.fitted import Fitted


class FittedRun(Run):
    """Fits one trial's model to its training part, then evaluates both parts."""

    @property
    def steps_per_epoch(self) -> int:
        """The one step that fits."""
        return 1

    def events(self) -> Iterator[Event]:
        """Fit where that is not done yet, yielding an epoch and the end."""
        self._ask()
        if not self.epoch and not self._is_stopping:
            started = time.monotonic()
            try:
                yield from self._events_of_epoch(started)
            except InterruptedError:
                assert self._is_stopping
                self.elapsed += time.monotonic() - started
        status = "finished" if self.epoch else "interrupted"
        yield TrialEnd(self.trials[0], status, "", self.stopping[0].best_epoch)

    def _events_of_epoch(self, started: float) -> Iterator[Event]:
        if not self.number:
            self.fit()
            self.number = 1
        self._sum_training_part()
        yield from self._end_epoch(torch.zeros(1, 1), started)

    def fit(self) -> None:
        """Fit the model to the training part, as the model takes inputs and targets."""
        rows, task = self.task.train[0], self.task
        pieces = [task.prepare(x) for x, _ in task.feed.batches(self._pieces(rows))]
        targets = task.targets[rows]
        if task.unit is not None:
            targets = task.unit.scale(targets[None])[0]
        self._model().fit(torch.cat(pieces), targets)

    def one_update(self) -> Callable[[], None]:
        """Return a function that fits the model, to be timed or weighed."""
        return self.fit

    def sums_in_hand(self) -> Sums:
        """Return what the epoch in hand adds to, in the precision of the outputs."""
        if self.sums is None:
            zero_1 = torch.zeros(1, dtype=torch.float64, device=self.step.forward.flat.tensor.device)
            self.sums = Sums.zero(zero_1, self.task.answer.has_accuracy)
        return self.sums

    def evaluate(self) -> dict[str, list[float]]:
        """See `Run`."""
        return self._score(super()._outputs())

    def _model(self) -> Fitted:
        model = getattr(self.step.forward, "model", None)
        assert isinstance(model, Fitted)
        return model

    @torch.no_grad()
    def _sum_training_part(self) -> None:
        """Add up loss and right answers of the training part, which other models count as they learn."""
        task, sums = self.task, self.sums_in_hand()
        for rows in self._pieces(task.train[0][sums.seen[0] :]):
            outputs = self._predict(rows)
            targets = task.targets[rows][None]
            scaled = (outputs, targets) if task.unit is None else (task.unit.scale(outputs), task.unit.scale(targets))
            sums.loss.add_(self.step.rules.loss(*scaled), alpha=len(rows))
            if sums.has_accuracy:
                sums.correct.add_(count_correct(outputs, targets))
            sums.seen[0] += len(rows)

    def _outputs(self) -> Tensor:
        """Predict the validation part, if there is one."""
        pieces = [self._predict(rows) for rows in self._pieces(self.task.val[0])]
        return torch.cat(pieces, 1) if pieces else torch.empty(0)

    def _pieces(self, rows: Tensor) -> list[Tensor]:
        return list(rows.split(self.eval_batch_size)) if len(rows) else []

    def _predict(self, rows: Tensor) -> Tensor:
        """Return the outputs (1, N, K) of a piece.

        Raises:
            InterruptedError: The user wishes to stop.
        """
        self._ask()
        if self._is_stopping:
            raise InterruptedError
        return predict(self.step.forward, self.task, [rows], self.eval_batch_size)
