"""What a person sees of a run while it trains: a live line on a terminal, a line an epoch elsewhere."""

import time
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from dlexp.engine.event import EpochEnd, Event, TrialEnd
from dlexp.engine.event import Progress as Inside
from dlexp.number import decimal, duration

GAP = "  "
SPINNER = 2  # columns that it takes
BAR = 24  # columns
# the fields in their order, and what is left out first where they do not fit: the largest number
PRIORITY = {"epoch": 0, "bar": 6, "loss": 3, "value": 1, "lr": 5, "rate": 4, "elapsed": 7, "left": 2}


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
        self._fields: dict[str, str] = {"epoch": f"epoch {epochs_done}/{epochs}"}
        self._before = self._done = epochs_done * steps_per_epoch
        self._started: float | None = None
        self._spinner: Spinner | None = Spinner("dots")
        self._live: Live | None = None
        if console.is_terminal and not console.quiet:
            self._live = Live(console=console, refresh_per_second=8, get_renderable=self._view)
            self._live.start()

    def __call__(self, event: Event) -> None:
        """Move the line on, or print the line of an epoch that has ended."""
        if isinstance(event, TrialEnd):
            self.close()
        elif self._live is not None:
            self._update(event)
        elif isinstance(event, EpochEnd):
            self.console.print(self._line(event), markup=False)

    def close(self) -> None:
        """Leave the terminal as it was, the line as it was last."""
        if self._live is not None:
            self._spinner = None
            self._live.stop()
            self._live = None

    def _update(self, event: Inside | EpochEnd) -> None:
        if self._started is None:
            is_inside = isinstance(event, Inside)
            self._started = time.monotonic() - (0.0 if is_inside else event.seconds)
            self._before = (event.epoch - 1) * self.steps + (event.step if is_inside else 0)
        if isinstance(event, Inside):
            self._fields |= {"loss": f"loss {decimal(event.loss)}", "rate": f"{_count(event.examples_per_second)} ex/s"}
            self._done = (event.epoch - 1) * self.steps + event.step
        else:
            value = event.metrics.get(self.monitor, float("nan"))
            rate = self.num_train / max(event.seconds, 1e-9)
            self._fields |= {"loss": f"loss {decimal(event.metrics['train/loss'])}", "rate": f"{_count(rate)} ex/s"}
            self._fields |= {"value": f"{self.monitor} {decimal(value)}"}
            self._done = event.epoch * self.steps
        self._fields |= {"lr": f"lr {event.lr:.3g}", "epoch": f"epoch {event.epoch}/{self.epochs}"}

    def _view(self) -> Table | Text:
        if self._spinner is None:
            return Text(line(self._now(), self.console.width), no_wrap=True)
        grid = Table.grid(padding=0)
        grid.add_row(self._spinner, Text(f" {line(self._now(), self.console.width - SPINNER)}", no_wrap=True))
        return grid

    def _now(self) -> dict[str, str]:
        """Return the fields as they are at this moment, the remaining time among them from the first update on."""
        total = self.epochs * self.steps
        share = self._done / total if total else 1.0
        times = {"bar": "━" * round(BAR * share) + "╌" * (BAR - round(BAR * share)), "left": "ETA -"}
        if self._started is not None and self._done > self._before:
            spent = time.monotonic() - self._started
            left = spent / (self._done - self._before) * (total - self._done)
            times |= {"elapsed": duration(spent), "left": f"ETA {duration(left)}"}
        if self._done >= total:
            del times["left"]
        return self._fields | times

    def _line(self, event: EpochEnd) -> str:
        shown = "  ".join(
            f"{name} {decimal(value)}" for name, value in event.metrics.items() if name in self._shown(event)
        )
        rate = _count(self.num_train / max(event.seconds, 1e-9))
        mark = "  *" if event.is_best else ""
        return f"epoch {event.epoch}/{self.epochs}  {shown}  lr {event.lr:.3g}  {rate} examples/s{mark}"

    def _shown(self, event: EpochEnd) -> list[str]:
        wanted = [
            "train/loss",
            "train/accuracy",
            "val/loss",
            "val/accuracy",
            "val/rmse",
            "val/explained_variance",
            self.monitor,
        ]
        return [name for name in wanted if name in event.metrics]


def line(fields: dict[str, Any], width: int) -> str:
    """Return the fields that fit into a width, whole, in their order; those of least weight are left out first."""
    shown: list[str] = []
    for name in sorted(fields, key=PRIORITY.__getitem__):
        if len(GAP.join([*(fields[other] for other in shown), fields[name]])) <= width:
            shown.append(name)
    return GAP.join(fields[name] for name in PRIORITY if name in shown)


def _count(number: float) -> str:
    return f"{number / 1000:.1f}k" if number >= 1000 else f"{number:.0f}"
