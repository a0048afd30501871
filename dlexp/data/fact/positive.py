"""Which of two classes precision, recall, F1 and average precision are of."""

import torch
from torch import Tensor

from dlexp.data.dataset import Dataset
from dlexp.error import ConfigError
from dlexp.number import noun
from dlexp.type import PositiveFact

YES = ("1", "true", "yes", "same")


def choose_positive(wanted: str | None, class_names: list[str], targets: Tensor) -> int:
    """Return the class that counts as positive: as asked, or 1, true, yes, same, or the rarer, or the second.

    Args:
        wanted: Its name; None leaves the choice to the names and counts.
        class_names: A name for each class.
        targets: (N,) classes of all examples.

    Raises:
        ConfigError: There are not two classes, or none of this name.
    """
    if wanted is not None:
        return _of_name(wanted, class_names)
    if len(class_names) != 2:
        return 1
    by_name = _by_name(class_names)
    if by_name is not None:
        return by_name
    counts = torch.bincount(targets, minlength=2).tolist()
    return 0 if counts[0] < counts[1] else 1


def _of_name(wanted: str, class_names: list[str]) -> int:
    if len(class_names) != 2:
        what = f"{noun(len(class_names), 'class')}" if class_names else "values"
        raise ConfigError(f"data.positive: got {wanted}; the data have {what}, and two classes are needed")
    alike = [name for name in class_names if name.lower() == wanted.lower()]
    name = wanted if wanted in class_names else alike[0] if len(alike) == 1 else None
    if name is None:
        raise ConfigError(f"data.positive: got {wanted}; choose one of {', '.join(class_names)}")
    return class_names.index(name)


def _by_name(class_names: list[str]) -> int | None:
    said = [index for index, name in enumerate(class_names) if name.lower() in YES]
    return said[0] if len(said) == 1 else None


def positive_fact(data: Dataset) -> PositiveFact:
    """Return what a document says of the positive class."""
    return {"positive": data.class_names[data.positive]} if len(data.class_names) == 2 else {}


def describe_positive(data: Dataset) -> str:
    """Return ``malignant, the rarer class; data.positive=benign takes the other``; "" unless there are two classes."""
    if len(data.class_names) != 2:
        return ""
    name, other = data.class_names[data.positive], data.class_names[1 - data.positive]
    if choose_positive(None, data.class_names, data.targets) != data.positive:
        return f"{name}, as data.positive says"
    counts = torch.bincount(data.targets, minlength=2).tolist()
    by_count = "the rarer class" if counts[0] != counts[1] else "the second class"
    reason = by_count if _by_name(data.class_names) is None else "by its name"
    return f"{name}, {reason}; data.positive={other} takes the other"
