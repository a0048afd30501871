"""Which examples of a batch each device computes: contiguous ones, each example once."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Share:
    """Where the examples of a device stand in their batch.

    Attributes:
        first: Place of the first.
        whole: Examples of the batch, over all devices.
    """

    first: int
    whole: int


def deal(num: int, size: int, least: int = 1) -> list[tuple[int, int]]:
    """Return first example and end of each device's share of a batch; they differ by one example at most.

    Where there are fewer than `least` for each device, the last ones get none.

    Args:
        num: Examples of the batch.
        size: Devices.
        least: Fewest examples of a device that gets any.
    """
    used = max(1, min(size, num // least))
    ends = [num * (rank + 1) // used for rank in range(used)] + [num] * (size - used)
    return list(zip([0, *ends[:-1]], ends, strict=True))
