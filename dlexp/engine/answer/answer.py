"""What the outputs of a task mean, and what reads them.

A further kind of task is one file here: a class with what `Answer` lists, `scores` and `report` in the words that
results have (a name that `dlexp.direction` knows which way is better). `dlexp.engine.answer.choice` names it for the
tasks of a data set; the data set's `task` says which it is, its targets (N, ...) are rows that the loss takes as they
are. Nothing else of the engine asks for the kind. Shapes: T trials, N examples, K outputs.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from torch import Tensor

from dlexp.data.joint.scale import JointScale
from dlexp.data.target_scale import TargetScale
from dlexp.engine.stack.rows import select_rows
from dlexp.engine.task import Task
from dlexp.loss import Huber
from dlexp.metric.choice import Metrics
from dlexp.statistic.measure import Measure


@dataclass(frozen=True)
class Reading:
    """What turns outputs into metrics.

    Attributes:
        loss: The training loss.
        answer: What the outputs mean.
        unit: What the loss measures values in; None leaves them as they are.
        metrics: Constants and own metrics.
    """

    loss: Any
    answer: "Answer"
    unit: TargetScale | JointScale | None = None
    metrics: Metrics = field(default_factory=Metrics)

    @classmethod
    def of(cls, task: Task, loss: Any) -> "Reading":
        """Return how the outputs of a task's trials are read."""
        return cls(loss, task.answer, task.unit, task.metrics)

    def keep(self, rows: list[int], num_trials: int) -> "Reading":
        """Return that of some of the trials."""
        unit = None if self.unit is None else self.unit.keep(rows)
        return replace(self, loss=select_rows(self.loss, rows, num_trials), unit=unit)

    @property
    def link(self) -> str:
        """How outputs become probabilities: see `dlexp.metric.probability`."""
        return getattr(self.loss, "link", "softmax")

    @property
    def delta(self) -> float | Tensor:
        """Huber's delta in the target's own unit, a number, (T, 1), or (T, J) of several; else 1 deviation."""
        delta = self.loss.delta if isinstance(self.loss, Huber) else 1.0
        return delta if self.unit is None else delta * self.unit.std.double()

    def measure(self, row: int = 0) -> Measure:
        """Return the constants of one trial's metrics."""
        delta = self.delta
        if isinstance(delta, Tensor):
            delta = float(delta.expand(max(row + 1, len(delta)), -1)[row, 0])
        return Measure(self.link, self.metrics.beta, delta, self.answer.positive)


class Answer(Protocol):
    """What a task's outputs mean."""

    @property
    def num_classes(self) -> int:
        """K of one set of classes; 0 for everything else."""
        ...

    @property
    def positive(self) -> int:
        """The positive class of two."""
        ...

    @property
    def has_accuracy(self) -> bool:
        """Whether right answers are counted while training, for `train/accuracy`."""
        ...

    @property
    def monitor(self) -> str:
        """The metric of the validation part that chooses the best epoch unless the user says otherwise."""
        ...

    def headline(self, *, is_single: bool) -> str:
        """Return the metric that folds are shown by.

        Args:
            is_single: Whether a fold holds out one example.
        """
        ...

    def fit_unit(self, targets: Tensor, train: Tensor) -> TargetScale | JointScale | None:
        """Return what targets are measured in while training, fitted on the training rows; None as they are."""
        ...

    def scores(self, outputs: Tensor, targets: Tensor, link: str) -> dict[str, Tensor]:
        """Return the metrics of every epoch beside the loss, (T,) each.

        Args:
            outputs: (T, N, K), in the targets' own unit.
            targets: (T, N, ...).
            link: How outputs become probabilities.
        """
        ...

    def report(
        self, outputs: Tensor, targets: Tensor, link: str, beta: float, delta: float | Tensor
    ) -> dict[str, Tensor]:
        """Return all metrics of stored outputs beside the loss: (T,), or (T, ...) for what is no number.

        Args:
            outputs: (T, N, K), or (T, N) as `stored` has them.
            targets: (T, N, ...).
            link: How outputs become probabilities.
            beta: Weight of recall in F-beta.
            delta: Huber's, in the targets' unit.
        """
        ...

    def stored(self, outputs_NK: Tensor) -> Tensor:
        """Return outputs as `predictions/*.npz` has them."""
        ...

    def record_kind(self, name: str) -> str | None:
        """Return what is kept of each example so that a metric can be recomputed: bits, losses, values or None.

        It depends on the class alone, and not on what an object was made with.
        """
        ...

    def by_example(self, name: str, outputs_NK: Tensor, targets: Tensor, loss: Any, link: str) -> Tensor:
        """Return (N,) of the kind that `record_kind` says.

        Args:
            name: The metric.
            outputs_NK: Of one trial; where losses are kept, in the unit that training measures in, as targets are.
            targets: (N, ...).
            loss: Of this trial.
            link: How outputs become probabilities.
        """
        ...
