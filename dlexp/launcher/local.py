"""On this machine, in this process."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Local:
    """On this machine, in this process: trials of equal structure stacked where that is faster, else one by one."""
