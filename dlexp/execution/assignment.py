"""What an executor is given to train, and what it tells: plain values that can be sent to another process."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from dlexp.engine.event import EpochEnd
from dlexp.execution.fusion import Choice


@dataclass(frozen=True)
class Assignment:
    """One trial or fold to be trained from where its checkpoint is.

    Attributes:
        config: Checked; says which data, a fold's parts included.
        path: Its run folder, which is there when its program begins.
        kind: How it is concluded.
        until: Epoch at which it pauses; None trains to the end.
    """

    config: dict[str, Any]
    path: Path
    kind: Literal["trial", "fold"]
    until: int | None = None


@dataclass(frozen=True)
class Program:
    """Assignments that are trained at once.

    Attributes:
        assignments: Of equal structure, with one epoch to pause at.
        choice: Engine and size.
        threads: CPU threads of a trial whose configuration leaves them to torch.
    """

    assignments: list[Assignment]
    choice: Choice
    threads: int

    def apart(self, choice: Choice) -> list["Program"]:
        """Return a program for each of the assignments."""
        return [Program([assignment], choice, self.threads) for assignment in self.assignments]


@dataclass(frozen=True)
class Epoch:
    """An epoch ended and is saved."""

    path: Path
    event: EpochEnd


@dataclass(frozen=True)
class End:
    """A trial or fold ended, paused or was interrupted; its folder says everything else.

    Attributes:
        path: Its folder.
        status: finished, stopped_early, diverged, failed or interrupted.
        reason: For the user, "" when it simply finished.
        size: How many the program had.
    """

    path: Path
    status: str
    reason: str
    size: int


ExecutorEvent = Epoch | End
