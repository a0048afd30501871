"""On this machine."""

from dataclasses import dataclass

from dlexp.type import Count


@dataclass(frozen=True)
class Local:
    """On this machine: in this process, or in several of one thread each.

    Args:
        workers: Processes that train trials at the same time; 1 trains them in this one.
    """

    workers: Count = 1
