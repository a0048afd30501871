"""Telling memory that ran out from other failures."""

import torch


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory, the device's or the machine's, did not suffice."""
    return isinstance(error, MemoryError | torch.OutOfMemoryError) or "can't allocate memory" in str(error)
