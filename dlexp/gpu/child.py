"""Questions that only a process which begins CUDA can answer, put to short children of one that does not begin it.

A process that looks at a device keeps some of its memory, and a device's failure is the process's. A child cannot use
CUDA that its parent has begun.
"""

import json
import os
import selectors
import signal
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

PATIENCE = 60.0  # seconds that a child may take: to begin CUDA takes up to ten where nothing kept the driver awake
LAST_BREATH = 1.0  # seconds in which one that was ended should be gone
ENDED = "a process that looks at it is ended"
VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Silence:
    """What stands for the answer of a child that gave none.

    Attributes:
        reason: Of the silence, for the user.
        is_hung: The child did not come back from its driver in time.
    """

    reason: str
    is_hung: bool


def setting() -> str:
    """Return CUDA_VISIBLE_DEVICES as it is set, for a message; "" where it is not."""
    value = os.environ.get(VISIBLE)
    return "" if value is None else f"{VISIBLE}={value}"


def can_ask() -> bool:
    """Say whether this system has children that begin where their parent is."""
    return hasattr(os, "fork")


def ask(question: Callable[[], Any], visibles: Sequence[str | None], patience: float = PATIENCE) -> list[Any]:
    """Return what a child sees for each setting of CUDA_VISIBLE_DEVICES, a `Silence` where one gives no answer.

    Args:
        question: Answered by what JSON has.
        visibles: Of the children, which are asked at the same time; None leaves the variable out.
        patience: Seconds after which one that still has not answered is ended.
    """
    deadline = time.monotonic() + patience
    readings = [_begin(question, visible) for visible in visibles]
    told = [_answer_of(*reading, deadline) for reading in readings]
    return [Silence(f"its driver does not answer within {patience:g} s", True) if x is None else x for x in told]


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


def _answer_of(pid: int, reading: int, deadline: float) -> Any:
    """Return a child's answer, a `Silence` if it ended without one, None if it has neither answered nor ended."""
    told = _read(reading, deadline)
    os.close(reading)
    if told is None:
        os.kill(pid, signal.SIGKILL)
    # one that hangs within a driver may not be gone by that either, and none is waited for as it leaves
    until = time.monotonic() + LAST_BREATH
    while os.waitpid(pid, os.WNOHANG) == (0, 0) and time.monotonic() < until:
        time.sleep(0.001)
    return None if told is None else json.loads(told) if told else Silence(ENDED, False)


def _read(reading: int, deadline: float) -> bytes | None:
    """Return all that a pipe gives; None if it is not closed in time."""
    told = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while selector.select(max(deadline - time.monotonic(), 0.0)):
            piece = os.read(reading, 1 << 16)
            if not piece:
                return told
            told += piece
    return None
