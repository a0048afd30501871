"""`--events`: one JSON line per event on stdout, the last of them with the exit code and what came of the command."""

import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from dlexp.error import ConfigError, error_line
from dlexp.run.jsonable import dumps

from .output import show_json

if TYPE_CHECKING:
    from dlexp.engine.event import Event
    from dlexp.job.cv import cv
    from dlexp.job.outcome import Outcome
    from dlexp.job.sweep import sweep
    from dlexp.job.sweep.loop import SweepEvent
    from dlexp.job.train import train

FLAG = "--events"
_ended: list[bool] = []  # whether the last line was written; a command line ends once


def check_alone(is_on: bool, **others: object) -> None:
    """Refuse options that leave nothing to follow.

    Args:
        is_on: Whether events are asked for.
        others: Values of other options by name.

    Raises:
        ConfigError: One of them is given too.
    """
    for name, value in others.items():
        if is_on and value:
            flag = f"--{name.replace('_', '-')}"
            cure = "its document is in the last event" if name == "json" else "nothing is trained that can be followed"
            raise ConfigError(f"{FLAG}: got {flag} too; {cure}, so give one of them")


def tell(event: Mapping[str, Any]) -> None:
    """Write the line of one event, at once."""
    sys.stdout.write(f"{dumps(event)}\n")
    sys.stdout.flush()


def begin() -> None:
    """Note that a command line begins, of which no last line was written."""
    _ended.clear()


def end(exit_code: int, result: Any = None, error: Mapping[str, Any] | None = None) -> None:
    """Write the last line, unless it is there.

    Args:
        exit_code: Of the command.
        result: What `--json` prints.
        error: What went wrong.
    """
    if _ended:
        return
    _ended.append(True)
    known = result["status"] if result is not None else None
    status = known or ("failed" if error is not None else "interrupted")
    tell({"event": "end", "exit_code": exit_code, "status": str(status), "result": result, "error": error})


def end_with_error(exit_code: int, kind: str, message: str) -> None:
    """Write the last line of a command that could not go on."""
    end(exit_code, error=error_line(kind, message))


def conclude(outcome: "Outcome[Any]", *, is_json: bool, is_followed: bool) -> int:
    """Print what came of a command, if a program reads it; return the exit code."""
    if is_json:
        show_json(outcome.result)
    if is_followed:
        end(outcome.exit_code, outcome.result)
    return outcome.exit_code


def of_train(announce: "train.OnStart", *, is_followed: bool) -> "train.OnStart":
    """Return what announces a training run to its listener, and, if followed, tells what happens too."""

    def tell_too(about: "train.Announcement") -> "train.Listener":
        from dlexp.engine.event import EpochEnd
        from dlexp.job import event as document

        tell(document.train_start(about))
        listener = announce(about)

        def hear(event: "Event") -> None:
            listener(event)
            if isinstance(event, EpochEnd):
                tell(document.epoch(event, about.folder.run_id))

        return hear

    return tell_too if is_followed else announce


class _Sweep:
    """Passes the events of a sweep on and tells them too."""

    def __init__(self, listener: "sweep.Listener") -> None:
        self._listener = listener

    def listen(self, event: "SweepEvent") -> None:
        """Take one event."""
        from dlexp.job import event as document

        self._listener.listen(event)
        _tell_each(document.of_sweep(event))

    def close(self) -> None:
        """Take the end of events."""
        self._listener.close()


def of_sweep(announce: "sweep.OnStart", *, is_followed: bool) -> "sweep.OnStart":
    """Return what announces a sweep to its listener, and, if followed, tells what happens too."""

    def tell_too(about: "sweep.Announcement") -> "sweep.Listener":
        from dlexp.job import event as document

        tell(document.sweep_start(about))
        return _Sweep(announce(about))

    return tell_too if is_followed else announce


def of_cv(announce: "cv.OnStart", *, is_followed: bool) -> "cv.OnStart":
    """Return what announces a cross-validation to its listener, and, if followed, tells what happens too."""

    def tell_too(about: "cv.Announcement") -> "cv.Listener":
        from dlexp.job import event as document

        tell(document.cv_start(about))
        listener = announce(about)

        def hear(event: "cv.CVEvent") -> None:
            listener(event)
            _tell_each(document.of_cv(event, about.folder.run_id))

        return hear

    return tell_too if is_followed else announce


def _tell_each(events: Iterable[Mapping[str, Any]]) -> None:
    for event in events:
        tell(event)
