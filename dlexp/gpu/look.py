"""The CUDA devices that are visible."""

import os
from dataclasses import astuple, dataclass
from functools import cache

import torch

from dlexp.error import EnvironmentFault
from dlexp.gpu.child import VISIBLE, Silence, ask, can_ask

RESTART = f"restart the machine, or name other devices in {VISIBLE}"


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
    """Return the visible CUDA devices in order.

    The first process of a sweep, whose workers are to have a card whole, has a child look.

    Args:
        is_elsewhere: This process computes on none of them.
    """
    if not is_elsewhere or torch.cuda.is_initialized() or not can_ask():
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
def seen_by_child(visible: str | None) -> list[Card]:
    """Return what a forked child sees; nothing where it ends without an answer.

    Args:
        visible: The variable that says which devices are visible; None where it is not set.

    Raises:
        EnvironmentFault: It does not come back from the driver.
    """
    if not torch.backends.cuda.is_built() or not can_ask():
        return []
    (told,) = ask(_look, [visible])
    if isinstance(told, Silence):
        if told.is_hung:
            place = "cuda" if visible is None else f"{VISIBLE}={visible}"
            raise EnvironmentFault(f"{place}: {told.reason}; {RESTART}, or set trainer.device=cpu")
        return []
    return [Card(name, total, (major, minor), cudnn) for name, total, (major, minor), cudnn in told]


def _look() -> list[tuple]:
    return [astuple(card) for card in look()]
