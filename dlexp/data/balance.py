"""Unequal classes: how unequal, and drawing that evens it out."""

import torch
from torch import Tensor

IMBALANCE = 1.5


def is_imbalanced(targets: Tensor, num_classes: int) -> bool:
    """Return whether the largest class has more than 1.5 times the examples of the smallest.

    Args:
        targets: (N,) int64 classes.
        num_classes: K; a class without examples counts.
    """
    counts = torch.bincount(targets, minlength=num_classes)
    return bool(counts.max() > IMBALANCE * counts.min())


def num_drawn(train: Tensor, targets: Tensor) -> int:
    """Return how many rows `oversample` gives for these rows of the training part."""
    counts = torch.bincount(targets[train])
    return int(counts.max() * (counts > 0).sum())


def oversample(train: Tensor, targets: Tensor, generator: torch.Generator) -> Tensor:
    """Return the rows of one epoch in which every class is as frequent as the largest.

    Each class is repeated whole as often as it fits, and the rest is drawn without replacement, so that every
    training example appears and no two of a class differ by more than one in how often.

    Args:
        train: Rows of the training part.
        targets: (N,) int64 classes of all rows.
        generator: Draws the rest and the order.

    Returns:
        Shuffled rows, the largest class's size times the number of classes present.
    """
    classes = targets[train]
    members = [train[classes == k] for k in classes.unique()]
    most = max(map(len, members))
    rows = [
        torch.cat([group.repeat(most // len(group)), group[_some(len(group), most % len(group), generator)]])
        for group in members
    ]
    epoch = torch.cat(rows)
    return epoch[torch.randperm(len(epoch), generator=generator)]


def _some(num: int, count: int, generator: torch.Generator) -> Tensor:
    return torch.randperm(num, generator=generator)[:count]


def balanced_weights(targets: Tensor, num_classes: int) -> list[float]:
    """Return the class weights N / (K * N_k), so that every class counts the same; absent classes get 1.

    Args:
        targets: (N,) class indices of the training examples.
        num_classes: K.
    """
    counts = torch.bincount(targets.flatten().cpu(), minlength=num_classes).tolist()
    return [sum(counts) / (num_classes * count) if count else 1.0 for count in counts]
