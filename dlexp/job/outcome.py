"""How a run, sweep or cross-validation ended, for whoever asked for it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from dlexp.error import DlexpError
from dlexp.launcher.pool import Detached
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status

Result = TypeVar("Result")  # the document that ``--json`` prints


@dataclass(frozen=True)
class Outcome(Generic[Result]):
    """How a run ended: its result (what ``--json`` prints), the exit code and lines for the user."""

    result: Result
    exit_code: int
    notes: list[str]

    def warned(self, warning: str | None) -> "Outcome[Result]":
        """Return the outcome with one more line for the user, if there is one."""
        return replace(self, notes=[*self.notes, warning]) if warning else self


OnOutcome = Callable[[Outcome[Any]], None]


def ignore(_outcome: Any) -> None:
    """Take what came of a run, sweep or cv and keep it to oneself."""


def log_warnings(warnings: list[str], folder: RunFolder) -> None:
    """Write down what the user is warned of before the training begins."""
    for warning in warnings:
        folder.log(f"warning: {warning}")


def exit_code(status: str, of_signal: int) -> int:
    """Return the exit code of a command that ended with a status; the signal's where the status does not decide it."""
    code = Status(status).exit_code
    return of_signal if code is None else code


@contextmanager
def recorded(folder: RunFolder) -> Iterator[None]:
    """Record in a folder's log and manifest what cuts the work inside short, and let it pass on."""
    try:
        yield
    except BaseException as error:
        _record(folder, error)
        raise


def _record(folder: RunFolder, error: BaseException) -> None:
    """Write how the run ended; a disk that cannot take even that must not hide the error itself."""
    is_stopped = isinstance(error, SystemExit | KeyboardInterrupt)
    with suppress(OSError, DlexpError):
        if isinstance(error, Detached):
            folder.log("left to its jobs")
            folder.update_manifest(status=Status.DETACHED)
            return
        folder.log(f"stopped at once by {error!r}" if is_stopped else f"failed: {type(error).__name__}: {error}")
        folder.update_manifest(status=Status.INTERRUPTED if is_stopped else Status.FAILED, end=now())
