"""Folds that share a program share their inputs; drawn pairs are each fold's own, and get one table."""

from dataclasses import replace

import torch
from torch import Tensor

from dlexp.data.dataset import Dataset


def share_pairs(datasets: list[Dataset]) -> tuple[Dataset, list[tuple[Tensor, Tensor]]]:
    """Return data that hold the examples of all, and of each data set the rows there of its training and validation.

    Args:
        datasets: Of equal inputs. Examples that are no pairs, and one table of pairs, are the same in all.
    """
    first = datasets[0]
    if all(data.pairs is first.pairs for data in datasets):
        return first, [(data.train, data.val) for data in datasets]
    tables = {id(data.pairs): data for data in datasets}
    starts, start = {}, 0
    for key, data in tables.items():
        starts[key] = start
        start += len(data.targets)
    together = replace(
        first,
        pairs=torch.cat([data.pairs for data in tables.values() if data.pairs is not None]),
        targets=torch.cat([data.targets for data in tables.values()]),
    )
    return together, [(data.train + starts[id(data.pairs)], data.val + starts[id(data.pairs)]) for data in datasets]
