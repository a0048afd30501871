"""Folds: the examples outside the test part, dealt into parts that are each held out once.

Which example is in which fold depends on the data, the option and `data.split_seed` alone, so that two settings are
compared on the same folds.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Annotated

import torch
from annotated_types import Ge, Interval
from torch import Tensor

from dlexp.data.dataset import Dataset
from dlexp.data.fact.lonely import require_two
from dlexp.device import require_bytes
from dlexp.error import ConfigError, DataError
from dlexp.number import noun
from dlexp.random import derive, generator
from dlexp.type import NonNegativeInt

MOST_HELD_OUT = 1000
MOST_REPEATS = 10_000  # whose folds are a day's work of any network, and a list that is dealt at once


@dataclass(frozen=True)
class Fold:
    """One division into training and held-out part.

    Attributes:
        repeat: From 0.
        fold: From 0 within its repeat.
        train: Sorted rows of the data.
        val: Sorted rows held out.
    """

    repeat: int
    fold: int
    train: Tensor
    val: Tensor

    @property
    def name(self) -> str:
        """What its folder is called."""
        return f"repeat{self.repeat + 1}-fold{self.fold + 1}"

    @property
    def words(self) -> str:
        """What the user is told of it."""
        return f"repeat {self.repeat + 1} fold {self.fold + 1}"


@dataclass(frozen=True)
class KFold:
    """k-fold cross-validation: k parts of equal size, each held out once.

    Args:
        k: Folds.
        repeats: Times that all examples are dealt anew.
        stratify: Keep the class shares in every fold (classification only).
        groups: Keep the examples of a group in one fold, where the data have groups.

    References:
        M. Stone (1974), Cross-Validatory Choice and Assessment of Statistical Predictions, JRSS B 36.
    """

    k: Annotated[int, Ge(2)] = 5
    repeats: Annotated[int, Interval(ge=1, le=MOST_REPEATS)] = 1
    stratify: bool = True
    groups: bool = True

    def folds(self, data: Dataset, seed: int) -> list[Fold]:
        """Return the folds, repeat after repeat.

        Args:
            data: Its training and validation part together are dealt.
            seed: Of the dealing.

        Raises:
            ConfigError: More folds than examples, or than memory has room for.
            DataError: More folds than groups, or a class of one example.
        """
        return self._deal(_pool(data), data, seed)

    def _deal(self, pool: Tensor, data: Dataset, seed: int) -> list[Fold]:
        """Deal some rows (sorted) of the data."""
        if self.k > len(pool):
            raise ConfigError(f"cv.k: got {self.k}; at most the {noun(len(pool), 'example')} outside the test part")
        num_folds = self.repeats * self.k
        needed = num_folds * len(pool) * pool.element_size()  # a row is in every fold, in one of its parts
        what = f"cv: got {noun(num_folds, 'fold')} of {noun(len(pool), 'example')}, which"
        require_bytes(needed, pool.device, what, "choose fewer cv.repeats or cv.k")
        strata = data.strata if self.stratify else None
        classes = torch.zeros(len(pool), dtype=torch.long) if strata is None else strata[pool]
        of_heads = [head.class_names for head in data.heads if head.num_classes and not head.has_gaps]
        names = data.class_names or next(iter(of_heads), [])
        if names and strata is not None:
            require_two(classes, names, "cv", "held out, it cannot be learnt")
        groups = data.groups[pool] if self.groups and data.groups is not None else None
        folds: list[Fold] = []
        for repeat in range(self.repeats):
            draw = generator(seed, "fold", repeat)
            number = _deal(classes, self.k, draw) if groups is None else _deal_groups(classes, groups, self.k, draw)
            folds += _divide(pool, number, self.k, repeat)
        return folds


@dataclass(frozen=True)
class Nested(KFold):
    """Nested cross-validation: a search inside each fold's training part chooses the setting that the fold scores.

    What the outer folds measure is the whole procedure, search included: the score of the winner is free of the
    optimism of having been picked.

    Args:
        k: Outer folds.
        repeats: Times that all examples are dealt anew.
        stratify: Keep the class shares in every fold, outer and inner (classification only).
        groups: Keep the examples of a group in one fold, where the data have groups.
        inner_k: Folds that each outer training part is dealt to, over which a setting's scores are averaged.

    References:
        G. Cawley, N. Talbot (2010), On Over-fitting in Model Selection and Subsequent Selection Bias, JMLR 11.
    """

    inner_k: Annotated[int, Ge(2)] = 3

    def inner(self, data: Dataset, outer: Fold, seed: int) -> list[Fold]:
        """Return the inner folds of an outer one: its training part dealt, its held-out part in none of them.

        Raises:
            ConfigError: More inner folds than examples.
            DataError: As `folds`, of the training part.
        """
        dealer = KFold(self.inner_k, 1, self.stratify, self.groups)
        return dealer._deal(outer.train, data, derive(seed, "inner", outer.repeat, outer.fold))


@dataclass(frozen=True)
class Rolling:
    """Rolling cross-validation: train on the past, validate on the next block of time, k times.

    The examples outside the test part are cut by time into k + 1 blocks of nearly equal size, a moment never divided;
    fold i trains on blocks 0 to i and is scored on block i + 1. The first block is in no validation part.

    Args:
        k: Folds.
        gap: Moments left out between training and validation, so that what a target looks ahead is not trained on.

    References:
        L. Tashman (2000), Out-of-sample Tests of Forecasting Accuracy, International Journal of Forecasting 16.
    """

    k: Annotated[int, Ge(2)] = 5
    gap: NonNegativeInt = 0

    def folds(self, data: Dataset, seed: int) -> list[Fold]:
        """Return the folds, the earliest first; nothing is drawn.

        Args:
            data: Its training and validation part together.
            seed: Not needed.

        Raises:
            ConfigError: The data have no times, or groups that a border would divide.
            DataError: Too few moments.
        """
        if data.times is None:
            raise ConfigError("cv: got rolling; it needs times: set data.time to their column, or take cv=kfold")
        if data.groups is not None:
            raise ConfigError("cv: got rolling with data.group, whose groups it would divide: leave one of them out")
        pool = _pool(data)
        moments, number, sizes = data.times[pool].unique(return_inverse=True, return_counts=True)
        if len(moments) < self.k + 1 + self.gap:
            raise DataError(
                f"cv.k: got {self.k} with cv.gap {self.gap}; {len(moments)} different moments give at most "
                f"{noun(max(0, len(moments) - 1 - self.gap), 'fold')}"
            )
        first = _first_moments(sizes, self.k + 1)
        if first[1] <= self.gap:
            raise ConfigError(f"cv.gap: got {self.gap}; the first block has {first[1]} moments, one must be left")
        return [
            Fold(0, i, pool[number < start - self.gap], pool[(number >= start) & (number < end)])
            for i, (start, end) in enumerate(pairwise([*first[1:], len(moments)]))
        ]


def _first_moments(sizes: Tensor, num_blocks: int) -> list[int]:
    """Return the number of each block's first moment, for blocks of nearly equal size with a moment each at least.

    Args:
        sizes: Examples of each moment.
        num_blocks: At most as many as moments.
    """
    before = (sizes.cumsum(0) - sizes).double()
    starts = [0]
    for block in range(1, num_blocks):
        place = int((before - block * int(sizes.sum()) / num_blocks).abs().argmin())
        starts.append(max(starts[-1] + 1, min(place, len(sizes) - (num_blocks - block))))
    return starts


@dataclass(frozen=True)
class LeaveOneOut:
    """Leave-one-out cross-validation: every example, or every group, held out once.

    Args:
        groups: Hold out whole groups where the data have them.

    References:
        P. Lachenbruch, M. Mickey (1968), Estimation of Error Rates in Discriminant Analysis, Technometrics 10.
    """

    groups: bool = True

    def folds(self, data: Dataset, seed: int) -> list[Fold]:
        """Return the folds; nothing is drawn.

        Args:
            data: Its training and validation part together.
            seed: Not needed.

        Raises:
            ConfigError: More than 1,000 trainings would be needed, or there is but one group.
        """
        pool = _pool(data)
        number = torch.arange(len(pool))
        if self.groups and data.groups is not None:
            number = data.groups[pool].unique(return_inverse=True)[1]
        num = int(number.max()) + 1
        if not 2 <= num <= MOST_HELD_OUT:
            raise ConfigError(
                f"cv: got {noun(num, 'example')} or groups to leave out, 2 to {MOST_HELD_OUT} can be; use cv=kfold"
            )
        return list(_divide(pool, number, num, 0))


def _pool(data: Dataset) -> Tensor:
    return torch.cat([data.train, data.val]).sort().values


def _divide(pool: Tensor, number: Tensor, k: int, repeat: int) -> Iterator[Fold]:
    for fold in range(k):
        yield Fold(repeat, fold, pool[number != fold], pool[number == fold])


def _deal(classes: Tensor, k: int, draw: torch.Generator) -> Tensor:
    """Shuffle, order by class, deal in turn: classes and folds are each within one of equal shares."""
    shuffled = torch.randperm(len(classes), generator=draw)
    order = shuffled[classes[shuffled].argsort(stable=True)]
    number = torch.empty_like(order)
    number[order] = torch.arange(len(order)) % k
    return number


def _deal_groups(classes: Tensor, groups: Tensor, k: int, draw: torch.Generator) -> Tensor:
    """Give each group, the largest first, to the fold that has least of what the group holds.

    With c_fj examples of class j in fold f, n_j in all, a group of g_j goes to the least sum over j of c_fj g_j / n_j:
    what adds least to the sum of squared shares.
    """
    names, member = groups.unique(return_inverse=True)
    if len(names) < k:
        raise DataError(f"cv.k: got {k}; the data have {noun(len(names), 'group')}, and a group is never divided")
    counts_GJ = torch.zeros(len(names), int(classes.max()) + 1, dtype=torch.float64)
    counts_GJ.index_put_((member, classes), torch.ones(len(member), dtype=torch.float64), accumulate=True)
    share_GJ = counts_GJ / counts_GJ.sum(0).clamp(min=1)
    shuffled = torch.randperm(len(names), generator=draw)
    order = shuffled[counts_GJ.sum(1)[shuffled].argsort(descending=True, stable=True)]
    held_FJ = torch.zeros(k, counts_GJ.shape[1], dtype=torch.float64)
    sizes_F = torch.zeros(k, dtype=torch.float64)
    fold_of_group = torch.empty(len(names), dtype=torch.int64)
    for place, group in enumerate(order.tolist()):
        cost_F = held_FJ @ share_GJ[group]
        # Every fold gets a group before any gets a second one, and the smaller of two equal folds is next.
        cost_F = cost_F + sizes_F / len(member) * 1e-6 + (sizes_F > 0) * (1e9 if place < k else 0)
        fold = int(cost_F.argmin())
        fold_of_group[group] = fold
        held_FJ[fold] += counts_GJ[group]
        sizes_F[fold] += counts_GJ[group].sum()
    return fold_of_group[member]
