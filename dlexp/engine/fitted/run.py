"""The run of a model that is fitted in one step: a single epoch, without updates, told and saved as any other."""

import time
from collections.abc import Callable, Iterator

import torch

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
            self.fit()
            self.number = 1
            self._ask()
            if not self._is_stopping:
                self.sums = self._training_sums()
                yield from self._end_epoch(torch.zeros(1, 1), started)
        status = "finished" if self.epoch else "interrupted"
        yield TrialEnd(self.trials[0], status, "", self.stopping[0].best_epoch)

    def fit(self) -> None:
        """Fit the model to the training part, as the model takes inputs and targets."""
        rows, task = self.task.train[0], self.task
        pieces = [task.prepare(x) for x, _ in task.feed.batches(list(rows.split(self.eval_batch_size)))]
        targets = task.targets[rows]
        if task.unit is not None:
            targets = task.unit.scale(targets[None])[0]
        self._model().fit(torch.cat(pieces), targets)

    def one_update(self) -> Callable[[], None]:
        """Return a function that fits the model, to be timed or weighed."""
        return self.fit

    def _model(self) -> Fitted:
        model = getattr(self.step.forward, "model", None)
        assert isinstance(model, Fitted)
        return model

    @torch.no_grad()
    def _training_sums(self) -> Sums:
        """Return the loss and the right answers of the training part, which other models count as they learn."""
        task, rows = self.task, self.task.train[0]
        outputs = predict(self.step.forward, task, task.train, self.eval_batch_size)
        targets = task.targets[rows][None]
        scaled = (outputs, targets) if task.unit is None else (task.unit.scale(outputs), task.unit.scale(targets))
        is_counted = task.answer.has_accuracy
        correct = count_correct(outputs, targets) if is_counted else torch.zeros(1, dtype=torch.int64)
        return Sums(self.step.rules.loss(*scaled) * len(rows), correct, [len(rows)], is_counted)
