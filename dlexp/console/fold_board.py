"""What a person sees of a cross-validation while it trains: on a terminal a live board, elsewhere its lines alone."""

import math
import statistics
import time
from dataclasses import dataclass, field

import numpy as np
from rich.console import Console, Group
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dlexp.console.board import SHOWN_RUNNING, clock, sparkline, start_live
from dlexp.number import decimal, noun
from dlexp.statistic.bounded import bounds, rounding
from dlexp.statistic.spread import deviation

WIDE = 80  # columns from which there is room for curves


@dataclass
class FoldBoard:
    """Shows the trainings of a cv.

    Args:
        console: Where to; nothing is shown when it is quiet.
        metric: For example ``val/accuracy``.
        epochs: Of a training.
        total: Trainings of all folds, settings and seeds.
        has_inner: Whether searches inside the folds train too; nobody knows how much is left of them.
    """

    console: Console
    metric: str
    epochs: int
    total: int
    has_inner: bool = False
    done: int = 0
    inner_done: int = 0
    _new: float = 0.0
    _values: list[float] = field(default_factory=list)
    _curves: dict[str, list[float]] = field(default_factory=dict)
    _started: float = field(default_factory=time.monotonic)
    _live: Live | None = None

    def __post_init__(self) -> None:
        self._live = start_live(self.console, lambda: self._view())

    def epoch(self, name: str, value: float) -> None:
        """Take one epoch's value of a training."""
        self._curves.setdefault(name, []).append(value)

    def end(self, name: str, value: float | None, *, is_new: bool, is_inner: bool = False) -> None:
        """Take the end of a training, or one that was there already."""
        self._curves.pop(name, None)
        if is_inner:
            self.inner_done += 1
            return
        self.done += 1
        self._new += is_new
        if value is not None and math.isfinite(value):
            self._values.append(value)

    def print(self, text: str) -> None:
        """Print a line above the board, or where there is none."""
        (self._live.console if self._live else self.console).print(text)

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def seconds_left(self, spent: float) -> float | None:
        """Return how long it takes yet, by the epochs done so far; None before the first, and where searches go on.

        Args:
            spent: Seconds since the board was opened.
        """
        begun = sum(min(len(values) / self.epochs, 1.0) for values in self._curves.values())
        share = self._new + begun
        if not share or (self.has_inner and not self.done):
            return None
        return spent / share * max(self.total - self.done - begun, 0.0)

    def _view(self) -> Group:
        hidden = len(self._curves) - SHOWN_RUNNING
        titles = (f"training, and {hidden} more" if hidden > 0 else "training", self.metric, "epochs")
        rows = [
            (name, f"{values[-1]:.4g}", f"{self._curve(values)}{len(values)}/{self.epochs}")
            for name, values in list(self._curves.items())[-SHOWN_RUNNING:]
        ]
        # a name is cut where there is no room, a number never
        taken = sum(max(len(row[column]) for row in [titles, *rows]) + 1 for column in (1, 2))
        room = max(8, self.console.width - taken - 2)
        table = Table(box=None, pad_edge=False)
        for title, justify in zip(titles, ("left", "right", "left"), strict=True):
            table.add_column(title, justify=justify, no_wrap=True)
        for name, *numbers in rows:
            table.add_row(escape(name if len(name) <= room else f"{name[: room - 1]}…"), *numbers)
        if not rows and self.done < self.total:
            table.add_row("timing how the next ones train fastest", "", "")
        body = [table] if table.rows else []
        return Group(Text(self._progress(), style="bold"), *body, Text(self._summary()))

    def _curve(self, values: list[float]) -> str:
        return f"{sparkline(values)} " if self.console.width >= WIDE else ""

    def _progress(self) -> str:
        spent = time.monotonic() - self._started
        left = self.seconds_left(spent)
        inner = f", {self.inner_done} inside the searches" if self.has_inner else ""
        shown = "" if left is None or self.done >= self.total else f", about {clock(left)} left"
        return f"{self.done} / {noun(self.total, 'training')}{inner} in {clock(spent)}{shown}"

    def _summary(self) -> str:
        if not self._values:
            return ""
        slack = rounding(bounds(self.metric), np.array(self._values))
        spread = f" ± {decimal(deviation(self._values, slack))}" if len(self._values) > 1 else ""
        return f"{self.metric} {decimal(statistics.fmean(self._values))}{spread} over {len(self._values)} so far"
