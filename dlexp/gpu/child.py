"""Questions that only a process which begins CUDA can answer, put to short children of one that does not begin it.

A process that looks at a device keeps some of its memory, and a device's failure is the process's. A child cannot use
CUDA that its parent has begun.
"""

import json
import os
import warnings
from collections.abc import Callable, Sequence
from typing import Any

VISIBLE = "CUDA_VISIBLE_DEVICES"


def setting() -> str:
    """Return CUDA_VISIBLE_DEVICES as it is set, for a message; "" where it is not."""
    value = os.environ.get(VISIBLE)
    return "" if value is None else f"{VISIBLE}={value}"


def can_ask() -> bool:
    """Say whether this system has children that begin where their parent is."""
    return hasattr(os, "fork")


def ask(question: Callable[[], Any], visibles: Sequence[str | None]) -> list[Any]:
    """Return what a child sees for each setting of CUDA_VISIBLE_DEVICES, None where one ends without an answer.

    Args:
        question: Answered by what JSON has.
        visibles: Of the children, which are asked at the same time; None leaves the variable out.
    """
    readings = [_begin(question, visible) for visible in visibles]
    return [_answer_of(*reading) for reading in readings]


def _begin(question: Callable[[], Any], visible: str | None) -> tuple[int, int]:
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child takes no lock that another thread may hold
        pid = os.fork()
    if pid == 0:
        _answer(question, visible, writing)
    os.close(writing)
    return pid, reading


def _answer(question: Callable[[], Any], visible: str | None, writing: int) -> None:
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # libraries tell of a fault there; the answer does, too
        os.environ.pop(VISIBLE, None)
        if visible is not None:
            os.environ[VISIBLE] = visible
        os.write(writing, json.dumps(question()).encode())
    finally:
        os._exit(0)


def _answer_of(pid: int, reading: int) -> Any:
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return json.loads(told) if told else None
