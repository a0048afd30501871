"""Targets of different kinds in one tensor. Shapes: N examples, J targets."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.fact.positive import choose_positive
from dlexp.data.joint.head import Head
from dlexp.data.target import Target
from dlexp.error import DataError
from dlexp.number import noun


def join(named: Sequence[tuple[str, Target, np.ndarray]], where: str) -> tuple[Tensor, list[Head]]:
    """Return the targets of all examples (N, J) in float64, NaN in gaps, and what each column is.

    Args:
        named: Name, the targets of the examples that have it, and (N,) which these are.
        where: Begins a message.

    Raises:
        DataError: Two names are one in metrics.
    """
    columns, heads = [], []
    for name, target, is_present in named:
        column = torch.full((len(is_present),), torch.nan, dtype=torch.float64)
        column[torch.from_numpy(is_present)] = target.values.double()
        positive = choose_positive(None, target.class_names, target.values)
        heads.append(Head(name, target.task, target.class_names, positive, not is_present.all()))
        columns.append(column)
    labels = [head.label for head in heads]
    twice = next((head.name for head in heads if labels.count(head.label) > 1), None)
    if twice is not None:
        raise DataError(
            f"{where}: got {twice}, which metrics cannot tell from another target's name; rename the column"
        )
    return torch.stack(columns, 1), heads


def strata_of(targets_NJ: Tensor, heads: Sequence[Head]) -> tuple[Tensor, str, list[str]]:
    """Return what examples are divided by, its task and class names: the first classes without gaps, else values.

    Args:
        targets_NJ: NaN in gaps.
        heads: What each column is.
    """
    for place, head in enumerate(heads):
        if head.num_classes and not head.has_gaps:
            return targets_NJ[:, place].long(), head.task, head.class_names
    return targets_NJ[:, 0], "regression", []


def require_seen(
    targets_NJ: Tensor, heads: Sequence[Head], train: Tensor, parts: dict[str, Tensor], where: str
) -> None:
    """Refuse classes of validation and test that no training example has; see `dlexp.data.target.require_seen`."""
    for place, head in enumerate(heads):
        column = targets_NJ[:, place]
        target = Target(column.nan_to_num(0.0).long(), head.task, head.class_names)
        targets.require_seen(target, train, parts, f"{where}, target {head.name}", ~column.isnan())


def require_labels(targets_NJ: Tensor, heads: Sequence[Head], parts: dict[str, Tensor], where: str) -> None:
    """Refuse parts in which no example has one of the targets.

    Args:
        targets_NJ: NaN in gaps.
        heads: What each column is.
        parts: Rows by name; an empty part is left alone.
        where: Begins the message.

    Raises:
        DataError: Names target and part.
    """
    for place, head in enumerate(heads):
        for part, rows in parts.items():
            if head.has_gaps and len(rows) and bool(targets_NJ[rows, place].isnan().all()):
                raise DataError(
                    f"{where}, target {head.name}: got a gap in every one of the {noun(len(rows), 'example')} of the "
                    f"{part} part; each target needs examples there: divide otherwise, or leave it out"
                )
