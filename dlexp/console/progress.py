"""What a person sees of a run while it trains: a live bar on a terminal, a line an epoch elsewhere."""

from typing import Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from dlexp.engine.event import EpochEnd, Event, TrialEnd
from dlexp.engine.event import Progress as Inside

WIDE = 120  # columns that everything takes


class ConsoleTracker:
    """Shows events; call it with each.

    Args:
        console: Where to; nothing is shown when it is quiet.
        epochs: Epochs in all.
        epochs_done: Epochs of earlier processes.
        steps_per_epoch: Updates of an epoch.
        monitor: Metric shown besides the loss.
        num_train: Examples of an epoch.
    """

    def __init__(
        self, console: Console, *, epochs: int, epochs_done: int, steps_per_epoch: int, monitor: str, num_train: int
    ) -> None:
        self.console, self.epochs, self.steps, self.monitor = console, epochs, steps_per_epoch, monitor
        self.num_train = num_train
        self._fields: dict[str, Any] = {"epoch": epochs_done, "loss": "-", "value": "-", "lr": "-", "rate": "-"}
        self._bar: Progress | None = None
        if console.is_terminal and not console.quiet:
            bar = _new_bar(console, epochs, monitor)
            total, done = epochs * steps_per_epoch, epochs_done * steps_per_epoch
            self._task = bar.add_task("", total=total, completed=done, **self._fields)
            bar.start()
            self._bar = bar

    def __call__(self, event: Event) -> None:
        """Move the bar on, or print the line of an epoch that has ended."""
        if isinstance(event, TrialEnd):
            self.close()
        elif self._bar is not None:
            self._update(event)
        elif isinstance(event, EpochEnd):
            self.console.print(self._line(event), markup=False)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._bar is not None:
            self._bar.stop()

    def _update(self, event: Inside | EpochEnd) -> None:
        assert self._bar is not None
        if isinstance(event, Inside):
            self._fields |= {"loss": f"{event.loss:.4f}", "rate": _count(event.examples_per_second)}
            completed = (event.epoch - 1) * self.steps + event.step
        else:
            value = event.metrics.get(self.monitor, float("nan"))
            self._fields |= {"loss": f"{event.metrics['train/loss']:.4f}", "value": f"{value:.4f}"}
            self._fields["rate"] = _count(self.num_train / max(event.seconds, 1e-9))
            completed = event.epoch * self.steps
        self._fields |= {"lr": f"{event.lr:.3g}", "epoch": event.epoch}
        self._bar.update(self._task, completed=completed, **self._fields)

    def _line(self, event: EpochEnd) -> str:
        shown = "  ".join(f"{name} {value:.4f}" for name, value in event.metrics.items() if name in self._shown(event))
        rate = _count(self.num_train / max(event.seconds, 1e-9))
        mark = "  *" if event.is_best else ""
        return f"epoch {event.epoch}/{self.epochs}  {shown}  lr {event.lr:.3g}  {rate} examples/s{mark}"

    def _shown(self, event: EpochEnd) -> list[str]:
        wanted = ["train/loss", "train/accuracy", "val/loss", "val/accuracy", "val/rmse", self.monitor]
        return [name for name in wanted if name in event.metrics]


def _new_bar(console: Console, epochs: int, monitor: str) -> Progress:
    numbers: list[ProgressColumn] = [
        TextColumn("loss {task.fields[loss]}"),
        TextColumn(f"{monitor} {{task.fields[value]}}", style="bold"),
        TextColumn("lr {task.fields[lr]}"),
        TextColumn("{task.fields[rate]} ex/s"),
    ]
    epoch = TextColumn(f"epoch {{task.fields[epoch]}}/{epochs}")
    # On a narrow terminal the numbers matter more than the bar.
    if console.width < WIDE:
        columns = [SpinnerColumn(), epoch, *numbers, TextColumn("ETA"), TimeRemainingColumn(compact=True)]
    else:
        times = [TimeElapsedColumn(), TextColumn("ETA"), TimeRemainingColumn()]
        columns = [SpinnerColumn(), epoch, BarColumn(bar_width=24), *numbers, *times]
    return Progress(*columns, console=console, refresh_per_second=8)


def _count(number: float) -> str:
    return f"{number / 1000:.1f}k" if number >= 1000 else f"{number:.0f}"
