"""A listener of a cv that hears the ends of its trainings, and not their epochs."""

from collections.abc import Callable
from typing import Any

from dlexp.job.cv.fold_run import FoldEpoch


def only_ends(listen: Callable[[Any], object]) -> Callable[[Any], None]:
    """Return a listener that passes on everything but epochs."""

    def hear(event: Any) -> None:
        if not isinstance(event, FoldEpoch):
            listen(event)

    return hear
