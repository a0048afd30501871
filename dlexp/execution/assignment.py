"""What an executor is given to train, and what it tells: plain values that can be sent to another process."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

from dlexp.build.components import Components
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.error import RunError
from dlexp.execution.fusion import Choice
from dlexp.run.folder import RunFolder
from dlexp.run.lock import begin_attempt, last_attempt


class Superseded(RunError):
    """A folder belongs to a later attempt than this process's."""


@dataclass(frozen=True)
class Assignment:
    """One trial or fold to be trained from where its checkpoint is.

    Attributes:
        config: Checked; says which data, a fold's parts included.
        path: Its run folder, which is there when its group begins.
        kind: How it is concluded.
        until: Epoch at which it pauses; None trains to the end.
        built: What the configuration names, where this process has built it; not sent to another.
        attempt: Number of the attempt whose worker may write to the folder; None where the folder's lock says that.
    """

    config: dict[str, Any]
    path: Path
    kind: Literal["trial", "fold"]
    until: int | None = None
    built: Components | None = field(default=None, compare=False, repr=False)
    attempt: int | None = None

    def __getstate__(self) -> dict[str, Any]:
        """Return what another process gets, which builds what the configuration names by itself."""
        return {**vars(self), "built": None}

    @property
    def components(self) -> Components:
        """What the configuration names; an executor has seen to it that it is there."""
        assert self.built is not None
        return self.built

    def anew(self) -> "Assignment":
        """Return it as one more attempt, and say so in its folder.

        A file lock does not reach other machines, and a worker may live on after its machine was given up: it looks at
        the number before each save, and leaves the folder to its successor.
        """
        return replace(self, attempt=begin_attempt(self.path))

    def require_current(self) -> None:
        """Raise where another attempt has begun.

        Raises:
            Superseded: The folder is another worker's.
        """
        if self.attempt is not None and last_attempt(self.path) != self.attempt:
            raise Superseded(f"{self.path}: attempt {self.attempt} was given up; another is at work")

    @property
    def folder(self) -> RunFolder:
        """Its run folder."""
        return RunFolder(self.path)


@dataclass(frozen=True)
class Group:
    """Assignments that one program can train, and how they will be.

    Attributes:
        assignments: Of equal structure, with one epoch to pause at.
        choice: Engine and size.
        threads: CPU threads of a trial whose configuration leaves them to torch.
    """

    assignments: list[Assignment]
    choice: Choice
    threads: int

    def apart(self, choice: Choice) -> list["Group"]:
        """Return a group for each of the assignments."""
        return [Group([assignment], choice, self.threads) for assignment in self.assignments]


@dataclass(frozen=True)
class Survey:
    """Assignments of equal structure, of which is to be told how they train best on the device at hand.

    Attributes:
        assignments: Of equal structure.
        threads: As of a `Group`.
        cache: File of measured answers; None where it is out of reach.
        record: File of the sweep or cv with what was chosen before; None where it is out of reach.
        number: Tells it from others at the same time.
        files: What settings name, for workers that do not see this machine's disk; see `dlexp.execution.parcel`.
    """

    assignments: list[Assignment]
    threads: int
    cache: Path | None
    record: Path | None
    number: int = 0
    files: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Answer:
    """What came of a survey.

    Attributes:
        number: Of the survey.
        choice: How its assignments train best; a text: why that is unknown.
    """

    number: int
    choice: Choice | str


@dataclass(frozen=True)
class ExecutorEvent:
    """A trial or fold ended an epoch, which is saved; or ended, and its folder says everything else.

    Attributes:
        path: Its folder.
        event: What happened: an epoch without its record, or an end, which may be a pause or a failure.
        size: How many the program had.
    """

    path: Path
    event: EpochEnd | TrialEnd
    size: int


@dataclass(frozen=True)
class Begun:
    """A program begins to train: all of a group, or less where memory ran out.

    Attributes:
        size: Its trials.
        engine: "solo", "batched", "vmapped" or "graphed".
    """

    size: int
    engine: str


@dataclass(frozen=True)
class Halt:
    """Nothing more can be trained, as the disk refuses: what waits would fail in the same way.

    Attributes:
        message: For the user.
    """

    message: str


def rest(task: Group | Survey, told: list[Any]) -> Group | Survey | None:
    """Return what is left of a task after what was told of it; None for nothing."""
    if isinstance(task, Survey):
        return None if told else task
    ended = {event.path for event in told if isinstance(event, ExecutorEvent) and isinstance(event.event, TrialEnd)}
    left = [assignment for assignment in task.assignments if assignment.path not in ended]
    return replace(task, assignments=left) if left else None
