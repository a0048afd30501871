"""Which devices CUDA_VISIBLE_DEVICES lets a process see, and what makes each of them visible alone.

CUDA counts devices by number, UUID (GPU-...) or slice (MIG-...), a beginning of the name being enough, up to the first
that is not there. Of slices it shows one to a process, whichever are named (NVIDIA, MIG user guide, on enumeration).
"""

import os

from dlexp.gpu import look
from dlexp.gpu.child import VISIBLE

SLICE = "MIG-"
NONE = ("", "-1")  # what hides all devices on purpose


def visible_gpus() -> list[str]:
    """Return what makes each visible CUDA device visible alone; CUDA does not begin in this process."""
    named = names()
    if any(name.startswith(SLICE) for name in named):
        return [name for name in named if look.seen_by_child(name)]
    count = len(look.cards(is_elsewhere=True))
    return named[:count] if named else [str(index) for index in range(count)]


def names() -> list[str]:
    """Return the names that CUDA_VISIBLE_DEVICES has."""
    return [name.strip() for name in os.environ.get(VISIBLE, "").split(",") if name.strip()]


def are_hidden_on_purpose() -> bool:
    """Say whether CUDA_VISIBLE_DEVICES is set to hide all devices."""
    return os.environ.get(VISIBLE, "0").split(",")[0].strip() in NONE
