"""What a person sees of a sweep while it runs: a live board on a terminal, a line a trial elsewhere."""

import math
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from dlexp.config.wording import setting_text, short_metric
from dlexp.number import noun, significant
from dlexp.run.status import Status

BLOCKS = "▁▂▃▄▅▆▇█"
SHOWN_RUNNING = 8
SHOWN_LAST = 6
TOLD = (10, 100, 1_000, 10_000, 100_000)  # new trials after which a line off a terminal says how long it will take
WIDTH = 24  # epochs of a sparkline
WIDE = 80  # columns from which on there are sparklines
AROUND = 13  # columns that the gaps and the number of epochs take


@dataclass
class Board:
    """Shows a sweep.

    Args:
        console: Where to; nothing is shown when it is quiet.
        metric: The objective, for example ``val/accuracy``.
        is_high_better: Its direction.
        num_seeds: Trials of a setting, whose mean counts.
        epochs: Of a trial, by which the remaining time is told before the first has ended; None where it is not known.
    """

    console: Console
    metric: str
    is_high_better: bool
    num_seeds: int = 1
    epochs: int | None = None
    done: int = 0
    total: int = 0
    best: str = "none yet"
    _best_value: float = math.nan
    _seeds: dict[str, list[float]] = field(default_factory=dict)
    _curves: dict[str, list[float]] = field(default_factory=dict)
    _last: list[str] = field(default_factory=list)
    _new: int = 0
    _round: int = 0
    _started: float = field(default_factory=time.monotonic)
    _live: Live | None = None

    def __post_init__(self) -> None:
        self._live = start_live(self.console, lambda: self._view())

    def begin_round(self, number: int, notes: list[str], total: int) -> None:
        """Say that a round begins, once for all of its batches, and why it looks where it looks."""
        self.total = total
        if number != self._round and (number > 1 or notes):
            self._print(f"round {number}")
        self._round = number
        for note in notes:
            self._print(f"  {note}")

    def epoch(self, setting: dict[str, Any], value: float) -> None:
        """Take one epoch's value of a running trial."""
        self._curves.setdefault(setting_text(setting, is_short=True), []).append(value)

    def end(self, setting: dict[str, Any], value: float | None, status: str, why: str, *, is_new: bool) -> None:
        """Take the end of a trial, or one that was there already."""
        self.done += 1
        self._new += is_new
        text = line(self.metric, setting, value, status, why, self.done, self.total)
        self._curves.pop(setting_text(setting, is_short=True), None)
        if value is not None and math.isfinite(value):
            self._compare(setting, value, text)
        self._last = [*self._last[1 - SHOWN_LAST :], text]
        if self._live is None:
            self._print(text + ("" if is_new else "  was there"))
            if self._new in TOLD and self.done < self.total:
                self._print(self._progress())

    def close(self) -> None:
        """Leave the terminal as it was."""
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _print(self, text: str) -> None:
        (self._live.console if self._live else self.console).print(text, markup=False)

    def _compare(self, setting: dict[str, Any], value: float, text: str) -> None:
        """Note the best setting so far, once all of its seeds are there."""
        if self.num_seeds > 1:
            name = setting_text({key: value for key, value in setting.items() if key != "seed"}, is_short=True)
            values = self._seeds.setdefault(name, [])
            values.append(value)
            if len(values) < self.num_seeds:
                return
            value = statistics.fmean(values)
            spread = f"{short_metric(self.metric)}: {value:.3f} ± {statistics.stdev(values):.3f}"
            text = ", ".join(word for word in (spread, name, f"{noun(len(values), 'seed')}") if word)
        sign = 1 if self.is_high_better else -1
        if math.isnan(self._best_value) or sign * value > sign * self._best_value:
            self._best_value, self.best = value, text

    def _view(self) -> Group:
        table, width = Table(box=None, pad_edge=False), self.console.width
        hidden = len(self._curves) - SHOWN_RUNNING
        table.add_column(f"running, and {hidden} more" if hidden > 0 else "running")
        table.add_column(self.metric, justify="right", no_wrap=True)
        table.add_column("epochs", no_wrap=True)
        curve = WIDTH if width >= WIDE else 0
        left = width - len(self.metric) - curve - AROUND
        for name, values in list(self._curves.items())[-SHOWN_RUNNING:]:
            drawn = f"{sparkline(values)} {len(values)}" if curve else str(len(values))
            table.add_row(escape(fit(name, left)), significant(values[-1]), drawn)
        if not self._curves and self.done < self.total:
            table.add_row("timing how the next ones train fastest", "", "")
        body = [table] if table.rows else []
        return Group(
            Text(self._progress(), style="bold"),
            *body,
            Text(fit(f"best  {self.best}", width)),
            *(Text(fit(f"      {text}", width), style="dim") for text in self._last),
        )

    def _progress(self) -> str:
        spent = time.monotonic() - self._started
        share = self._new + self._begun()
        rest = self.total - self.done - self._begun()
        left = f", about {clock(spent / share * rest)} left" if share and rest > 0 else ""
        return f"{self.done:,} / {noun(self.total, 'trial')} in {clock(spent)}{left}"

    def _begun(self) -> float:
        """Return how many trials the epochs of those that run amount to."""
        return sum(min(1.0, len(values) / self.epochs) for values in self._curves.values()) if self.epochs else 0.0


def fit(text: str, width: int) -> str:
    """Return a line without the fields, parted by commas, that do not fit into a width; none is cut in its digits."""
    fields = text.split(", ")
    while len(fields) > 1 and len(", ".join(fields)) > width:
        fields = [*fields[:-2], "…"] if fields[-1] == "…" else [*fields[:-1], "…"]
    return ", ".join(fields)


def line(
    metric: str, setting: dict[str, Any], value: float | None, status: str, why: str, done: int, total: int
) -> str:
    """Return a trial's line: ``val acc: 0.531, lr: 9.47e-04, reg: 1.43e-03, (14 / 100)``."""
    name = short_metric(metric)
    shown = "none" if value is None else f"{value:.3f}" if abs(value) >= 0.001 or value == 0 else f"{value:.2e}"
    fields = [f"{name}: {shown}", setting_text(setting, is_short=True), f"({done} / {total})"]
    text = ", ".join(field for field in fields if field)
    return text if Status(status).has_value else f"{text}  {status} {why}".rstrip()


def sparkline(values: list[float]) -> str:
    """Return a curve in block characters, its last epochs, from its least to its greatest value."""
    shown = values[-WIDTH:]
    finite = [value for value in shown if math.isfinite(value)]
    if not finite:
        return ""
    low, span = min(finite), max(finite) - min(finite)
    levels = [round((value - low) / span * (len(BLOCKS) - 1)) if span else 0 for value in finite]
    return "".join(BLOCKS[level] for level in levels)


def start_live(console: Console, view: Callable[[], RenderableType]) -> Live | None:
    """Show a view on a terminal until it is stopped; None where there is none, or the console is quiet.

    The view is asked for as time goes by: the clock runs while trainings are being prepared too.
    """
    if not console.is_terminal or console.quiet:
        return None
    live = Live(console=console, refresh_per_second=4, transient=True, get_renderable=view)
    live.start()
    return live


def clock(seconds: float) -> str:
    """Return seconds as minutes and seconds, 2:05, or hours or days too."""
    days = seconds / 86_400
    if days >= 2:
        return f"{days:.0f} days" if days < 730 else f"{days / 365.25:.0f} years"
    minutes, rest = divmod(int(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest:02d}" if minutes >= 60 else f"{minutes}:{rest:02d}"
