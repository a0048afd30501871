"""Which examples of a batch, and which elements of a row, are a device's: contiguous ones, each once."""

from dataclasses import dataclass

from dlexp.engine.flat import ALIGNMENT


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


def slices(num: int, size: int, alignment: int = ALIGNMENT) -> list[tuple[int, int]]:
    """Return first element and end of each device's slice of a row.

    All are equally long, and a multiple of the alignment, but the last one, which has the rest too.

    Args:
        num: Elements of the row.
        size: Devices.
        alignment: Elements.
    """
    width = num // size // alignment * alignment
    return [(rank * width, (rank + 1) * width if rank < size - 1 else num) for rank in range(size)]
