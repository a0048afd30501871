"""How examples are divided into training, validation and test part: by fraction, count, group or time.

The division depends on the data and `split_seed` alone, so that a sweep over seeds compares on the same examples,
and `limit` thins the training part after validation and test were set aside, or all that a cross-validation deals.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlexp.data.fact.lonely import require_two
from dlexp.error import ConfigError, DataError
from dlexp.number import noun
from dlexp.random import generator
from dlexp.type import Count, Fraction, Name, NonNegativeInt, Probability

Parts = tuple[Tensor, Tensor, Tensor]


@dataclass(frozen=True)
class ValSplit:
    """The parameters of a set that brings its own test part; validation is taken from the rest.

    Args:
        val_fraction: Share of the examples (without an official test part) set aside for validation, in (0, 1).
        val_count: Exact number of validation examples instead of the share.
        split_seed: Seed of the division, apart from the run's seed.
        stratify: Keep the class shares in every part (classification only).
        limit: Use only so many training examples; validation and test stay as they are. In a cross-validation, deal
            only so many examples to its folds. Every class keeps one.
        positive: Which of two classes precision, recall and F1 are of, by its name; null takes 1, true or yes, else the
            rarer.
    """

    val_fraction: Fraction = 0.2
    val_count: Count | None = None
    split_seed: NonNegativeInt = 0
    stratify: bool = True
    limit: Count | None = None
    positive: Name | None = None

    def divide(
        self,
        targets: Tensor,
        *,
        test: Tensor | None = None,
        val: Tensor | None = None,
        groups: Tensor | None = None,
        times: Tensor | None = None,
        class_names: list[str] | None = None,
        notes: list[str] | None = None,
    ) -> Parts:
        """Return sorted indices of the training, validation and test part.

        Args:
            targets: (N,) int64 classes or float values.
            test: Indices of an official test part; None leaves it to `test_fraction`.
            val: Indices of an official validation part; None leaves it to `val_fraction`.
            groups: (N,) int64 group numbers; a group never stands in two parts.
            times: (N,) values; training is the earliest, then validation, then test; a moment never stands in two.
            class_names: For messages.
            notes: Gets what the user should know of the division.

        Raises:
            ConfigError: A count that does not fit.
            DataError: A class, or the number of groups, is too small to be divided.
        """
        pool = _without(torch.arange(len(targets)), test, val)
        num_test = 0 if test is not None else self._num_test(len(pool))
        num_val = 0 if val is not None else _number(self.val_count, self.val_fraction, len(pool), "val")
        if num_test + num_val >= len(pool):
            raise ConfigError(
                f"data.val_count: got {num_val} validation and {num_test} test examples; "
                f"{noun(len(pool), 'example')} must leave some for training"
            )
        classes = targets if self.stratify and not targets.is_floating_point() else None
        if times is not None:
            parts = _by_time(pool, times, groups, (num_val, num_test), [] if notes is None else notes)
        elif groups is not None:
            parts = _by_group(pool, groups, num_val, num_test, self.split_seed)
        else:
            if classes is not None:
                require_two(classes[pool], class_names or (), "data", "a stratified split needs two of each")
            parts = _at_random(pool, classes, num_val, num_test, self.split_seed)
        train, drawn_val, drawn_test = parts
        return self.thin(train, targets), drawn_val if val is None else val, drawn_test if test is None else test

    def thin(self, pool: Tensor, targets: Tensor) -> Tensor:
        """Return `limit` of the indices; a larger limit holds every smaller one (learning curves nest).

        They are put in an order of which the first are taken. Stratified, every beginning of it has nearly the class
        shares of the whole: example r of the n_k of class k stands at (r + 1/2) / n_k. The first of each class stands
        before all others, so that no class vanishes.

        Raises:
            ConfigError: Fewer than there are classes.
        """
        if self.limit is None or self.limit >= len(pool):
            return pool
        shuffled = pool[torch.randperm(len(pool), generator=generator(self.split_seed, "limit"))]
        if targets.is_floating_point():
            return ordered(shuffled[: self.limit])
        rank, sizes = _rank_in_class(targets[shuffled])
        classes = int((sizes > 0).sum())
        if self.limit < classes:
            raise ConfigError(f"data.limit: got {self.limit}; the {noun(classes, 'class')} need an example each")
        place = (rank + 0.5) / sizes[targets[shuffled]] if self.stratify else torch.arange(len(pool)) / len(pool)
        place[rank == 0] -= 1
        return ordered(shuffled[place.argsort(stable=True)][: self.limit])

    def _num_test(self, num: int) -> int:
        return 0


@dataclass(frozen=True)
class Split(ValSplit):
    """The parameters of a set without an official test part.

    Args:
        test_fraction: Share of the examples sealed as test part, in [0, 1); 0 = none.
        test_count: Exact number of test examples instead of the share.
    """

    test_fraction: Probability = 0.2
    test_count: NonNegativeInt | None = None

    def _num_test(self, num: int) -> int:
        return _number(self.test_count, self.test_fraction, num, "test")


def take(pool: Tensor, count: int, classes: Tensor | None, draw: torch.Generator) -> tuple[Tensor, Tensor]:
    """Draw `count` of the indices in `pool` without replacement; return (chosen, rest), both sorted.

    With classes, class k of n_k examples gives its share n_k * count / N, rounded by largest remainder, so every
    class is within one of its share; each class keeps at least one example in the rest.
    """
    shuffled = pool[torch.randperm(len(pool), generator=draw)]
    if classes is None:
        return ordered(shuffled[:count]), ordered(shuffled[count:])
    member = classes[shuffled]
    rank, sizes = _rank_in_class(member)
    is_chosen = rank < allocate(sizes, count, draw)[member]
    return ordered(shuffled[is_chosen]), ordered(shuffled[~is_chosen])


def allocate(sizes_K: Tensor, count: int, draw: torch.Generator) -> Tensor:
    """Divide `count` places over classes in proportion to their sizes, by largest remainder (Hamilton).

    Args:
        sizes_K: int64 number of examples of each class.
        count: Places to give, at most the sum of sizes less one for each class that is not empty.
        draw: Breaks ties between equal remainders.

    Returns:
        int64 (K,) places, at most size - 1 each.
    """
    cap = (sizes_K - 1).clamp(min=0)
    if count > int(cap.sum()):
        raise DataError(
            f"split: {noun(count, 'example')} asked from {int(sizes_K.sum())}; every class must keep one for training, "
            "which data.stratify=false does not ask"
        )
    total = int(sizes_K.sum())
    places = torch.minimum(sizes_K * count // total, cap)
    remainder = (sizes_K * count % total).double() + torch.rand(len(sizes_K), generator=draw, dtype=torch.float64) * 0.5
    order = remainder.argsort(descending=True)
    while (left := count - int(places.sum())) > 0:
        open_classes = order[(places < cap)[order]]
        places[open_classes[:left]] += 1
    return places


def _at_random(pool: Tensor, classes: Tensor | None, num_val: int, num_test: int, seed: int) -> Parts:
    test, rest = take(pool, num_test, classes, generator(seed, "split", 0))
    val, train = take(rest, num_val, classes, generator(seed, "split", 1))
    return train, val, test


def _by_time(pool: Tensor, times: Tensor, groups: Tensor | None, wanted: tuple[int, int], notes: list[str]) -> Parts:
    """Divide by time, whole groups by their last time; rows of a later part that lie before a border are left out."""
    last = times[pool]
    if groups is not None:
        member = groups[pool].unique(return_inverse=True)[1]
        latest = torch.full((int(member.max()) + 1,), int(last.min())).scatter_reduce(0, member, last, "amax")
        last = latest[member]
    borders = _borders(last.sort().values, [count for count in wanted if count])
    num_val, num_test = wanted
    number = sum((last >= border).long() for border in borders)
    if isinstance(number, int):
        return pool, pool[:0], pool[:0]
    parts = [pool[number == i] for i in range(1 + len(borders))]
    blocks = parts[:1]
    for part in parts[1:]:
        blocks.append(part[times[part] > times[blocks[-1]].max()])
    left_out = sum(map(len, parts)) - sum(map(len, blocks))
    if left_out:
        notes.append(
            f"data.group and data.time: left out {noun(left_out, 'row')} of later groups before an earlier part's end"
        )
    empty = pool[:0]
    train, val, test = blocks[0], blocks[1] if num_val else empty, blocks[-1] if num_test else empty
    got = (len(val), len(test))
    if got != wanted:
        notes.append(
            f"data.time: {got[0]:,} validation and {got[1]:,} test examples instead of {wanted[0]:,} and "
            f"{wanted[1]:,}: a moment{' or group' if groups is not None else ''} is never divided"
        )
    return train, val, test


def _borders(sorted_N: Tensor, counts: list[int]) -> list[int]:
    """Return the first moment of each later part: where the count asks for it, or at the next change.

    Args:
        sorted_N: Moments in order.
        counts: Examples that the later parts should have, the earliest first.

    Raises:
        DataError: Fewer moments than parts.
    """
    moments, sizes = sorted_N.unique_consecutive(return_counts=True)
    if len(moments) < 1 + len(counts):
        raise DataError(
            f"split by time: got {len(moments)} different moments; {1 + len(counts)} are needed, one for each part"
        )
    before = sizes.cumsum(0) - sizes  # examples before each moment
    borders, least = [], 1
    for i in range(len(counts)):
        start = len(sorted_N) - sum(counts[i:])
        place = int(torch.searchsorted(before, start))
        # Every later part has a moment left.
        place = max(least, min(place, len(moments) - (len(counts) - i)))
        borders.append(int(moments[place]))
        least = place + 1
    return borders


def _by_group(pool: Tensor, groups: Tensor, num_val: int, num_test: int, seed: int) -> Parts:
    names, member, sizes = groups[pool].unique(return_inverse=True, return_counts=True)
    needed = 1 + (num_val > 0) + (num_test > 0)
    if len(names) < needed:
        raise DataError(f"split by group: got {noun(len(names), 'group')}; {needed} are needed, one for each part")
    order = torch.randperm(len(names), generator=generator(seed, "split"))
    part_of_group = torch.zeros(len(names), dtype=torch.int64)
    start = 0
    for part, count in ((2, num_test), (1, num_val)):
        reserve = 1 + (part == 2 and num_val > 0)
        filled = 0
        while filled < count and start < len(order) - reserve:
            part_of_group[order[start]] = part
            filled += int(sizes[order[start]])
            start += 1
    part = part_of_group[member]
    return pool[part == 0], pool[part == 1], pool[part == 2]


def ordered(indices: Tensor) -> Tensor:
    """Return different indices in order: counted off, which is faster than to sort them."""
    return torch.from_numpy(np.flatnonzero(np.bincount(indices.numpy())))


def _rank_in_class(classes: Tensor) -> tuple[Tensor, Tensor]:
    """Return each example's rank among its class, in order of appearance, and the class sizes."""
    sizes = torch.bincount(classes)
    is_short = len(sizes) <= np.iinfo(np.int16).max  # numbers of 16 bits are sorted by radix, five times as fast
    order = torch.from_numpy(np.argsort(classes.numpy().astype(np.int16 if is_short else np.int64), kind="stable"))
    starts = sizes.cumsum(0) - sizes
    rank = torch.empty_like(classes)
    rank[order] = torch.arange(len(classes)).sub_(starts.repeat_interleave(sizes))
    return rank, sizes


def _number(count: int | None, fraction: float, num: int, part: str) -> int:
    if count is None:
        return max(1, round(fraction * num)) if fraction > 0 else 0
    if count >= num:
        raise ConfigError(
            f"data.{part}_count: got {count}; the data have {noun(num, 'example')}, some must be left for training"
        )
    return count


def _without(pool: Tensor, *parts: Tensor | None) -> Tensor:
    is_free = torch.ones(len(pool), dtype=torch.bool)
    for part in parts:
        if part is not None:
            is_free[part] = False
    return pool[is_free]
