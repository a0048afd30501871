"""The least that a worker can do: say where it is, for `dlexp doctor`."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from dlexp.launcher.launcher import Crew, Launcher
from dlexp.launcher.worker import Work


def make() -> Work:
    """Return the work."""
    return hello


def hello(_task: Any, _should_stop: Callable[[], bool]) -> Iterator[str]:
    """Yield the name of the machine."""
    yield socket.gethostname()


def ask(launcher: Launcher, folder: Path) -> str:
    """Return the machine of a worker that sees a folder and has the same versions.

    Raises:
        ConfigError: A worker lacks something, or cannot be had.
        EnvironmentFault: What it runs on is not there.
    """
    tasks = [0]
    launcher.require()
    pool = launcher.pool(Crew(make, [{}], [], folder), 1)
    try:
        told = list(pool.run(lambda: tasks.pop() if tasks else None, lambda: False))
    finally:
        pool.close()
    return str(told[0]) if isinstance(told[0], str) else told[0].why
