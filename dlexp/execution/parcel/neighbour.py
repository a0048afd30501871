"""An executor in one of several workers, whose GPU may be fuller than the others'."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from dlexp.error import is_out_of_memory
from dlexp.execution.assignment import Group, Survey, rest
from dlexp.execution.executor import Executor, explain
from dlexp.gpu.child import setting
from dlexp.launcher.worker import NoRoom


class Neighbour(Executor):
    """Hands back what the memory of its GPU does not suffice for, however few trials at once; others may have it."""

    def __call__(self, task: Group | Survey, should_stop: Callable[[], bool]) -> Iterator[Any]:
        """Do a task as any executor; end with `NoRoom` where some of it is left.

        Args:
            task: As of an executor.
            should_stop: As of an executor.
        """
        told: list[Any] = []
        try:
            for event in super().__call__(task, should_stop):
                told.append(event)
                yield event
            return
        except Exception as error:
            if not _is_full(error):
                raise
            why = explain(error)
        # outside the handler, whose traceback would keep the program's tensors alive
        left = rest(task, told)
        for assignment in left.assignments if isinstance(left, Group) else []:
            assignment.folder.log(f"{why} ({setting()}); on another device, if there is one")
        if left is not None:
            yield NoRoom(left, why)

    def _require_device(self, error: Exception) -> None:
        super()._require_device(error)
        if _is_full(error):
            raise error


def _is_full(error: Exception) -> bool:
    return torch.cuda.is_initialized() and is_out_of_memory(error)
