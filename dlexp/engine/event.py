"""What an engine tells: plain numbers and bytes, no tensors, one trial each."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Progress:
    """Somewhere inside an epoch.

    Attributes:
        epoch: Epoch in hand, counted from 1.
        step: Updates done in it; `steps` in all.
        loss: Mean training loss of the epoch so far.
        lr: Learning rate of the last update.
        examples_per_second: Training throughput of the epoch so far.
    """

    epoch: int
    step: int
    steps: int
    loss: float
    lr: float
    examples_per_second: float


@dataclass(frozen=True)
class EpochEnd:
    """An epoch and its evaluation are over.

    Attributes:
        trial: Row of the trial in its program.
        epoch: Epochs done.
        step: Updates done since the start.
        lr: Learning rate of the last update.
        metrics: Values by name, for example ``val/accuracy``.
        seconds: Wall time of the epoch with its evaluation.
        is_best: Whether the monitored metric improved.
        record: What is kept of each example; see `dlexp.engine.by_example`.
    """

    trial: int
    epoch: int
    step: int
    lr: float
    metrics: dict[str, float]
    seconds: float
    is_best: bool
    record: tuple[str, bytes] | None = None


@dataclass(frozen=True)
class TrialEnd:
    """A trial is over: finished, stopped_early, diverged, interrupted or, where an error ended it, failed.

    Attributes:
        trial: Row of the trial in its program.
        status: How it ended.
        reason: For the user, "" when it simply finished.
        best_epoch: Epoch of the best monitored value, 0 when there is none.
    """

    trial: int
    status: str
    reason: str
    best_epoch: int


Event = Progress | EpochEnd | TrialEnd
