"""What pairs must be so that a score on them means something: parts that share no input, and both kinds in each."""

import torch

from dlexp.data.dataset import Dataset
from dlexp.error import DataError, first_ten

PARTS = ("train", "val", "test")


def describe_pairs(data: Dataset) -> str:
    """Return ``of 1,078, 359 and 360 inputs, none in two parts; a pair shares its inputs with others: ...``."""
    sizes = [len(data.members(getattr(data, part))) for part in PARTS]
    shown = [f"{size:,} {part}" for size, part in zip(sizes, PARTS, strict=True) if size]
    return (
        f"of {', '.join(shown)} inputs, none in two parts; intervals take pairs that share an input for independent, "
        "and are too narrow"
    )


def require_sound(data: Dataset) -> None:
    """Check pairs; data that are none pass.

    Raises:
        DataError: An input stands in pairs of two parts, or a part has pairs of one kind only.
    """
    if data.pairs is None:
        return
    part_of = torch.full((len(data.inputs),), -1)
    for number, part in enumerate(PARTS):
        rows = getattr(data, part)
        members = data.members(rows)
        shared = members[part_of[members] >= 0]
        if len(shared):
            other = PARTS[int(part_of[shared[0]])]
            raise DataError(
                f"{data.name}, {first_ten('input', data.input_ids(shared))}: got pairs of the {other} and of the "
                f"{part} part; an input in two parts makes scores too good: give its pairs one group"
            )
        part_of[members] = number
        kinds = data.targets[rows].unique().tolist()
        if len(kinds) == 1:
            raise DataError(
                f"{data.name}: got a {part} part whose pairs are all {data.class_names[kinds[0]]}; both kinds are "
                "needed: add pairs, or choose another data.split_seed or share"
            )
