"""What a guess scores that knows the training part's most frequent class, or its mean value, and no input."""

import torch
from torch import Tensor

from dlexp.data.dataset import Dataset
from dlexp.type import RECONSTRUCT


def guess(data: Dataset) -> dict[str, float]:
    """Return what guessing scores on the validation part; empty without such a part.

    That is `val/accuracy`, `val/rmse`, or, of reconstructed inputs, the share of variance that their mean explains: 0.
    Of several targets each has its own, as `val/TARGET/accuracy`.
    """
    if not len(data.val):
        return {}
    if data.task == RECONSTRUCT:
        return {"val/explained_variance": 0.0}
    if not data.heads:
        return _of_target("val/", data.targets[data.train], data.targets[data.val], data.num_classes)
    scores = {}
    for column, head in enumerate(data.heads):
        train, val = (_labelled(data, column, rows) for rows in (data.train, data.val))
        if len(train) and len(val):
            scores |= _of_target(f"val/{head.label}/", train, val, head.num_classes)
    return scores


def num_guessed(data: Dataset, name: str) -> int:
    """Return how many validation examples a score of `guess` is of; of pairs, which share inputs, those of inputs."""
    if data.pairs is not None:
        return len(data.members(data.val))
    columns = [column for column, head in enumerate(data.heads) if name.startswith(f"val/{head.label}/")]
    return len(_labelled(data, columns[0], data.val)) if columns else len(data.val)


def _labelled(data: Dataset, column: int, rows: Tensor) -> Tensor:
    """Return one of several targets in the rows that have it."""
    values = data.targets[rows, column]
    values = values[~values.isnan()]
    return values.long() if data.heads[column].num_classes else values


def _of_target(prefix: str, train: Tensor, val: Tensor, num_classes: int) -> dict[str, float]:
    if num_classes:
        most = torch.bincount(train, minlength=num_classes).argmax()
        return {f"{prefix}accuracy": float((val == most).double().mean())}
    return {f"{prefix}rmse": float((val.double() - train.double().mean()).square().mean().sqrt())}
