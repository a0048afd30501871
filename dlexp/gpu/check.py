"""Whether a device computes, and how much of its memory is free."""

from typing import NamedTuple

import torch

from dlexp.error import first_line, is_out_of_memory
from dlexp.gpu.child import PATIENCE, Silence, ask, can_ask


class Health(NamedTuple):
    """What a child found out about a device.

    Attributes:
        name: As its driver calls it; "" where nobody could ask.
        free: Bytes that are free.
        total: Bytes.
        fault: Why it does not compute; "" where it does.
        is_full: Whether it lacks the memory to begin.
        is_hung: Whether its driver does not come back.
    """

    name: str
    free: int
    total: int
    fault: str
    is_full: bool
    is_hung: bool = False


def check(visibles: list[str], patience: float = PATIENCE) -> list[Health]:
    """Return the health of devices, each asked by a child that sees it alone: one's failure is not the others'.

    Args:
        visibles: What makes each visible alone.
        patience: Seconds that a child may take.
    """
    if not can_ask():
        return [_compute(index) for index in range(len(visibles))]
    return [
        Health("", 0, 0, told.reason, False, told.is_hung) if isinstance(told, Silence) else Health(*told)
        for told in ask(_compute, visibles, patience)
    ]


def _compute(index: int = 0) -> Health:
    name, free, total = "", 0, 0
    try:
        name, (free, total) = torch.cuda.get_device_name(index), torch.cuda.mem_get_info(index)
        square = torch.ones(64, 64, device=f"cuda:{index}")
        (square @ square).sum()
        torch.cuda.synchronize(index)
    except Exception as error:  # whatever a driver raises is what is looked for
        is_full = is_out_of_memory(error)
        return Health(name, free, total, "out of memory" if is_full else first_line(error)[:200], is_full)
    return Health(name, free, total, "", False)
