"""What chooses where groups train: the interface of `launcher`."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from dlexp.launcher.pool import Pool
from dlexp.launcher.worker import Work


def whole(task: Any, _told: list[Any]) -> Any:
    """Return a task as it is, whatever was told of it."""
    return task


@dataclass(frozen=True)
class Crew:
    """What every launcher's pool needs to know.

    Attributes:
        make_work: Called once by each worker; makes what is called with each task and the wish to stop, and yields
            events. A module's function or class.
        places: Environment variables of each worker; their number is that of the workers at most.
        preload: Modules that workers import before they work.
        folder: Of the sweep or cv, which the workers must see where they share a file system.
        descriptor: Stays open in every process on this machine, as a lock that is held until the last of them is gone;
            None for none.
        rest: What is left of a task after events of it, None for nothing: a worker that begins anew does no more.
    """

    make_work: Callable[[], Work]
    places: list[dict[str, str]]
    preload: list[str]
    folder: Path
    descriptor: int | None = None
    rest: Callable[[Any, list[Any]], Any | None] = whole


class Stored(Protocol):
    """A content on its way to workers, small to send where the launcher has a store."""

    def read(self) -> bytes:
        """Return the content, in a worker."""
        ...


@dataclass(frozen=True)
class Held:
    """A content that travels with whatever holds it."""

    content: bytes

    def read(self) -> bytes:
        """Return the content."""
        return self.content


class Launcher(Protocol):
    """Decides how many workers there are and what they are."""

    @property
    def is_distant(self) -> bool:
        """Whether workers may be on other machines.

        They choose how trials train too, always work, and each trial's folder says which attempt it belongs to.
        """
        ...

    @property
    def is_shared(self) -> bool:
        """Whether workers see the runs folder; if not, the folders of trials travel there and back."""
        ...

    @property
    def outlives(self) -> bool:
        """Whether its workers go on when the command ends, and can be found again by their files."""
        ...

    @property
    def num_asked(self) -> int | None:
        """Workers that the user asked for; None where it is left to the launcher."""
        ...

    def kind(self, device: str) -> str:
        """Return the kind of device that trials get: cpu, cuda or mps.

        Args:
            device: auto, cpu, mps, cuda or cuda:N.

        Raises:
            ConfigError: There is none of that name.
        """
        ...

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        """Return the environment variables of each worker that may train; one without any stands for this process.

        Args:
            device: auto, cpu, mps, cuda or cuda:N.
            threads: CPU threads of each.
        """
        ...

    def require(self) -> None:
        """Find out whether there can be workers, before anything is made.

        Raises:
            ConfigError: A package is missing.
            EnvironmentFault: What they run on is not there.
        """
        ...

    def store(self, content: bytes) -> Stored:
        """Return what workers that do not see this machine's disk get of a file."""
        ...

    def pool(self, crew: Crew, threads: int) -> Pool:
        """Return workers, which start when there is something for them to do.

        Args:
            crew: Who they are.
            threads: CPU threads of each.

        Raises:
            EnvironmentFault: No worker could be there.
        """
        ...
