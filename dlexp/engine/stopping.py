"""Which epoch was best, and whether to go on."""

import math
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Stopping:
    """Follows one trial's monitored metric.

    An epoch is best when its value beats the best so far by more than `min_delta`; after `patience` epochs without
    one the trial stops.

    Attributes:
        higher_is_better: Direction of the metric.
        patience: Epochs to wait; None never stops.
        min_delta: Smallest change that counts.
        best: Best value so far.
        best_epoch: Its epoch, 0 before the first.
        wait: Epochs since.
        last: Metrics of the last epoch by which `dlexp.engine.divergence` judges.
        peak: Largest mean training loss of an epoch, for the same.
    """

    higher_is_better: bool
    patience: int | None = None
    min_delta: float = 0.0
    best: float = math.nan
    best_epoch: int = 0
    wait: int = 0
    last: dict[str, float] = field(default_factory=dict)
    peak: float = 0.0

    def observe(self, value: float, epoch: int) -> bool:
        """Take an epoch's value and return whether it is the best so far; NaN never is, unless it is the first."""
        gain = value - self.best if self.higher_is_better else self.best - value
        is_best = self.best_epoch == 0 or gain > self.min_delta or (math.isnan(self.best) and not math.isnan(value))
        if is_best:
            self.best, self.best_epoch, self.wait = value, epoch, 0
        else:
            self.wait += 1
        return is_best

    def note(self, metrics: dict[str, float]) -> None:
        """Take the metrics of an epoch by which divergence is judged."""
        self.last, self.peak = metrics, max(self.peak, metrics["train/loss"])

    @property
    def is_over(self) -> bool:
        """Whether patience has run out."""
        return self.patience is not None and self.wait >= self.patience

    def state(self) -> dict[str, Any]:
        """Return what a checkpoint needs."""
        judged = {"last": dict(self.last), "peak": self.peak}
        return {"best": self.best, "best_epoch": self.best_epoch, "wait": self.wait, **judged}

    def load(self, state: dict[str, Any]) -> None:
        """Take up a checkpoint's state."""
        self.last, self.peak = dict(state.get("last", {})), state.get("peak", 0.0)  # which version 0.1 did not keep
        self.best = float(state["best"])
        self.best_epoch, self.wait = int(state["best_epoch"]), int(state["wait"])
