"""Where output goes: one JSON document on stdout, everything for people on stderr when JSON is asked for."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

from rich.console import Console

from dlexp.config.metric import OF_POSITIVE
from dlexp.config.source.environment import redact
from dlexp.error import error_line
from dlexp.run.jsonable import dumps

from .stream import tell
from .text import SafeConsole, escape

WIDTH_OFF_TERMINAL = 120
# of all metrics, those that a person reads first; the rest are in result.json and MLflow
FIRST_METRICS = (
    *("loss", "accuracy", "top5_accuracy", "f1_macro", "precision", "recall", "f1", "roc_auc", "eer"),
    *("calibration_error", "rmse", "mae", "r2", "explained_variance"),
)


def first_metrics(result: Mapping[str, Any]) -> list[str]:
    """Return the names of the metrics that are shown, first what a result is judged by, the user's own last."""
    judged = (result.get("metric") or "").partition("/")[2]
    measured = [name.split("/") for name in result.get("metrics") or {}]
    targets = dict.fromkeys(words[1] for words in measured if len(words) == 3)
    by_target = [f"{target}/{name}" for target in targets for name in FIRST_METRICS]
    names = [*([judged] if judged else []), *FIRST_METRICS, *by_target, *result.get("own_metrics", [])]
    return list(dict.fromkeys(names))


def metric_label(name: str, positive: str | None) -> str:
    """Return a metric's name, ``f1 (malignant)`` for one of the positive class of two."""
    return f"{name} ({positive})" if positive and name.rpartition("/")[2] in OF_POSITIVE else name


def people(is_json: bool = False, *, is_quiet: bool = False) -> Console:
    """Return the console for people: stdout, or stderr beside a JSON document; silent when quiet."""
    stream = sys.stderr if is_json else sys.stdout
    width = None if stream.isatty() else WIDTH_OFF_TERMINAL
    return SafeConsole(
        file=stream, quiet=is_quiet, width=width, soft_wrap=not stream.isatty(), highlight=False, emoji=False
    )


class Ending:
    """Shows what came of a command before the wait for MLflow, and after it only what is new.

    Args:
        console: For people.
        show: Shows an outcome, its notes included.
    """

    def __init__(self, console: Console, show: Callable[[Any], None]) -> None:
        self.console, self.show = console, show
        self._known: int | None = None
        self._waiting = console.status("filling MLflow; Ctrl-C leaves that to the background")

    def tell(self, outcome: Any) -> None:
        """Show an outcome that is there already."""
        self.show(outcome)
        self._known = len(_notes(outcome))
        if self.console.is_terminal:
            self._waiting.start()

    def close(self, outcome: Any) -> None:
        """Show the outcome as it is at last; whole, if it was not shown before."""
        self.stop()
        if self._known is None:
            self.show(outcome)
        else:
            show_notes(_notes(outcome)[self._known :], self.console)

    def stop(self) -> None:
        """Leave the terminal as it was."""
        self._waiting.stop()


def _notes(outcome: Any) -> list[str]:
    """Return the lines for the user of a run's or cv's outcome, or of what a search found."""
    return getattr(outcome, "outcome", outcome).notes


def show_notes(notes: list[str], console: Console) -> None:
    """Print lines that the user should not miss, those with a command whole so that it can be copied."""
    for note in notes:
        console.print(f"[yellow]{escape(note)}[/]", soft_wrap=": dlexp " in note)


def show_next(console: Console, *commands: tuple[str, str]) -> None:
    """Print the commands that come next, whole so that they can be copied, each with what it does."""
    width = max(len(command) for command, _ in commands)
    for number, (command, about) in enumerate(commands):
        label = "" if number else "next"
        console.print(f"{label:<12}{escape(command):<{width}}  {escape(about)}", soft_wrap=True)


def show_json(document: Any) -> None:
    """Print one JSON document; numbers that are not finite become null."""
    sys.stdout.write(f"{dumps(document, indent=2)}\n")


def show_error(kind: str, message: str, code: int, *, is_json: bool) -> int:
    """Print an error as one line on stderr, and as a document on stdout when JSON is asked for; return the code."""
    message = redact(" ".join(message.split()))
    if is_json:
        show_json({"error": error_line(kind, message)})
    tell(f"{kind} error: {message}")
    return code
