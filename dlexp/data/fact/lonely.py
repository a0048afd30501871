"""Classes that have a single example."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dlexp.data.file.number import is_whole
from dlexp.error import DataError, first_ten


def require_two(classes: Tensor, class_names: Sequence[str], setting: str, why: str) -> None:
    """Refuse a class that has one example.

    Args:
        classes: (N,) of the examples that are divided.
        class_names: Of class 0 to K - 1; empty for data that have none.
        setting: Group of the settings that divide: "cv", or "data".
        why: What one example does not allow.

    Raises:
        DataError: Names the classes and the cure. Where most examples are alone and the names are numbers, that is
            most likely the task.
    """
    lonely: list[int] = (torch.bincount(classes) == 1).nonzero().flatten().tolist()
    if not lonely:
        return
    names = [class_names[k] if class_names else str(k) for k in lonely]
    are_values = bool(class_names) and len(lonely) * 2 > len(classes) and all(map(is_whole, names))
    cure = f"{'task=regression takes them as values, or ' if are_values else ''}remove it, or set"
    where = "cv" if setting == "cv" else "split"
    raise DataError(f"{where}: {first_ten('class', names)} with one example; {why}: {cure} {setting}.stratify=false")
