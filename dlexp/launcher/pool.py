"""What hands tasks out sees of those who do them, whichever engine runs them: processes here, Ray, Slurm.

A task and its events are plain values. Whoever does a task writes the run folders itself.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

Cause = Literal["crash", "device", "place", "memory"]


@dataclass(frozen=True)
class Lost:
    """A task came to no end.

    Attributes:
        task: What was in hand.
        why: Names the worker and what ended it.
        cause: "crash" where its process died, which the task may have brought about; "device" where the device failed
            and "place" where a machine went or was taken away, which no task is to blame for; "memory" where no place
            has enough for it.
    """

    task: Any
    why: str
    cause: Cause = "crash"


class Detached(Exception):
    """All tasks are with an engine that does them by itself: nobody needs to wait here."""


def always() -> bool:
    """Say that a task may begin, whatever happened."""
    return True


class Pool(Protocol):
    """Workers that take tasks as they become free.

    Attributes:
        detaches: Whether `run` raises `Detached` as soon as all tasks are with workers that outlive this process.
    """

    detaches: bool

    @property
    def places(self) -> Sequence[int]:
        """Numbers of the places where a task can be done now; without any nothing can."""
        ...

    def adopt(self, choose: Callable[[Any], Any | None]) -> None:
        """Take on tasks of an earlier driver, which died, that are still done or that came to an end meanwhile.

        Args:
            choose: Called with each; returns it as it shall be told, or None to leave it alone.
        """
        ...

    def run(
        self,
        take: Callable[[], Any | None],
        should_stop: Callable[[], bool],
        may_begin: Callable[[], bool] = always,
    ) -> Iterator[Any]:
        """Yield the events of tasks as they come, and `Lost` for one that came to no end.

        Args:
            take: Returns the next task, or None when there is none, or none for now.
            should_stop: The wish to stop, passed on to the workers; once it is there no task is begun.
            may_begin: Once it says no, no task is begun, one that was taken and waits included; those at work go on.
        """
        ...

    def close(self) -> None:
        """End all workers, at once."""
        ...
