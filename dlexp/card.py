"""CUDA devices as a short child sees them: a process that asks for itself begins CUDA, and keeps memory of a card.

The first process of a sweep computes nothing on a card; its workers are to have it whole. A child cannot use CUDA that
its parent has begun, so that a process that has begun it looks for itself.
"""

import json
import os
import warnings
from dataclasses import astuple, dataclass
from functools import cache

import torch

VISIBLE = "CUDA_VISIBLE_DEVICES"


@dataclass(frozen=True)
class Card:
    """A CUDA device.

    Attributes:
        name: As its driver calls it.
        total: Its memory in bytes.
        capability: Major and minor number.
        cudnn: Version of cuDNN.
    """

    name: str
    total: int
    capability: tuple[int, int]
    cudnn: str


def cards(*, is_elsewhere: bool = False) -> list[Card]:
    """Return the visible devices in order.

    Args:
        is_elsewhere: This process computes on none of them.
    """
    if not is_elsewhere or torch.cuda.is_initialized() or not hasattr(os, "fork"):
        return look()
    return seen_by_child(os.environ.get(VISIBLE))


def look() -> list[Card]:
    """Return the visible devices; CUDA begins in this process where there is one."""
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    return [
        Card(
            torch.cuda.get_device_name(index),
            torch.cuda.get_device_properties(index).total_memory,
            torch.cuda.get_device_capability(index),
            str(torch.backends.cudnn.version()),
        )
        for index in range(count)
    ]


@cache
def seen_by_child(_visible: str | None) -> list[Card]:
    """Return what a forked child sees; nothing where it ends without an answer.

    Args:
        _visible: The variable that says which devices are visible.
    """
    if not torch.backends.cuda.is_built():
        return []
    reading, writing = os.pipe()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the child takes no lock that another thread may hold
        pid = os.fork()
    if pid == 0:
        _answer(writing)
    os.close(writing)
    with os.fdopen(reading) as pipe:
        told = pipe.read()
    os.waitpid(pid, 0)
    return [Card(name, total, (major, minor), cudnn) for name, total, (major, minor), cudnn in json.loads(told or "[]")]


def _answer(writing: int) -> None:
    try:
        os.write(writing, json.dumps([astuple(card) for card in look()]).encode())
    finally:
        os._exit(0)
