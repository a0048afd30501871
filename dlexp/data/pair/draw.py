"""Pairs drawn from examples with classes: two of one class are the same, two of different classes are different.

Every part has pairs of its own examples alone. Shapes: N examples, M pairs.
"""

from dataclasses import dataclass, replace
from itertools import pairwise

import torch
from torch import Tensor

from dlexp.data.dataset import Dataset
from dlexp.error import ConfigError, DataError
from dlexp.number import noun
from dlexp.random import generator
from dlexp.type import Count

CLASS_NAMES = ["different", "same"]
PARTS = ("train", "val", "test")


@dataclass(frozen=True)
class Pairs:
    """How many pairs each part has, for task=pairs where the data are no pairs; half are the same, half different.

    They are drawn once, by `data.split_seed`, without replacement: every trial learns the same pairs, and the threshold
    is chosen on what was learnt. A part with fewer pairs of a kind has so many of each.

    Args:
        train: Pairs of the training part, at least 2.
        held_out: Pairs of the validation part, and of the test part, at least 2.
    """

    train: Count = 10_000
    held_out: Count = 5_000

    def draw(self, examples: Dataset, seed: int) -> Dataset:
        """Return pairs of examples with classes, each part's from its own examples.

        Args:
            examples: With their parts.
            seed: Of the draws.

        Raises:
            ConfigError: The data have values, or are pairs; a number below 2.
            DataError: A part has no two of one class, or none of different classes.
        """
        if not examples.num_classes:
            raise ConfigError("task: got pairs; the data have values, and classes say which two are the same")
        for name in ("train", "held_out"):
            if getattr(self, name) < 2:
                raise ConfigError(f"pairs.{name}: got {getattr(self, name)}; at least 2, a pair of each kind")
        drawn, notes = [], []
        for part in PARTS:
            rows: Tensor = getattr(examples, part)
            wanted = self.train if part == "train" else self.held_out
            pairs_M2, num = _of_part(examples.targets[rows], wanted, generator(seed, "pairs", PARTS.index(part)), part)
            drawn.append(rows[pairs_M2])
            if len(rows) and num < wanted // 2:
                notes.append(
                    f"{part}: {noun(2 * num, 'pair')} instead of {wanted:,}: its {noun(len(rows), 'example')} have no "
                    "more of one kind"
                )
        sizes = [len(pairs_M2) for pairs_M2 in drawn]
        ends = torch.tensor([0, *sizes]).cumsum(0).tolist()
        parts = [torch.arange(start, end) for start, end in pairwise(ends)]
        return replace(
            examples,
            task="pairs",
            targets=torch.cat([torch.arange(num) < num // 2 for num in sizes]).long(),
            **dict(zip(PARTS, parts, strict=True)),
            class_names=CLASS_NAMES,
            positive=1,
            groups=None,
            times=None,
            notes=[*examples.notes, *notes],
            pairs=torch.cat(drawn),
            origin=Drawn(examples, self, seed),
        )


@dataclass(frozen=True)
class Drawn:
    """What pairs were drawn from; see `dlexp.data.dataset.Origin`.

    Attributes:
        examples: With classes and parts.
        rule: How many pairs each part has.
        seed: Of the draws.
    """

    examples: Dataset
    rule: Pairs
    seed: int

    @property
    def label(self) -> str:
        """What tells the pairs of a held-out part from others that can be drawn from it."""
        return f"held_out={self.rule.held_out}, seed={self.seed}"

    def with_parts(self, train: Tensor, val: Tensor) -> Dataset:
        """Return pairs drawn anew, from other parts of the examples."""
        return self.of_examples(self.examples.with_parts(train, val))

    def of_examples(self, examples: Dataset) -> Dataset:
        """Return pairs drawn anew, in the same way, from others in the place of the examples."""
        return self.rule.draw(examples, self.seed)


def _of_part(classes_N: Tensor, wanted: int, draw: torch.Generator, part: str) -> tuple[Tensor, int]:
    """Return pairs (M, 2) as places among the examples of a part, the same first, and how many each kind has.

    With the examples in order of their classes, example i has the later ones of its class as partners of one kind,
    and all later ones of other classes as those of the other: every pair has a number, and numbers are drawn.
    """
    if not len(classes_N):
        return torch.empty(0, 2, dtype=torch.int64), 0
    order_N = classes_N.argsort(stable=True)
    ends_N = torch.searchsorted(classes_N[order_N], classes_N[order_N], right=True)
    place_N = torch.arange(len(order_N))
    first_partner = {"same": place_N + 1, "different": ends_N}
    partners = {"same": ends_N - place_N - 1, "different": len(order_N) - ends_N}
    totals = {kind: int(counts_N.sum()) for kind, counts_N in partners.items()}
    for kind, of in (("same", "two examples of one class"), ("different", "examples of two classes")):
        if not totals[kind]:
            raise DataError(
                f"task=pairs, {part} part: got {noun(len(classes_N), 'example')} without {of}; pairs of both kinds are "
                "needed: use more examples, or a larger share (data.val_fraction, data.test_fraction)"
            )
    num = min(wanted // 2, *totals.values())
    pairs = []
    for kind, counts_N in partners.items():
        number_M = draw_distinct(totals[kind], num, draw)
        until_N = counts_N.cumsum(0)
        place_M = torch.searchsorted(until_N, number_M, right=True)
        partner_M = first_partner[kind][place_M] + number_M - (until_N - counts_N)[place_M]
        pairs.append(torch.stack([order_N[place_M], order_N[partner_M]], 1).sort(1).values)
    return torch.cat(pairs), num


def draw_distinct(total: int, count: int, draw: torch.Generator) -> Tensor:
    """Draw `count` different whole numbers from 0 to total - 1, int64; each set is equally likely.

    Args:
        total: At least `count`; only where it is below twice that a list of all is made.
        count: How many.
        draw: The generator.
    """
    if total <= 2 * count:
        return torch.randperm(total, generator=draw)[:count]
    chosen = torch.empty(0, dtype=torch.int64)
    while len(chosen) < count:
        more = torch.randint(total, (2 * (count - len(chosen)),), generator=draw)
        candidates = torch.cat([chosen, more])
        names, inverse = candidates.unique(return_inverse=True)
        first = torch.full((len(names),), len(candidates)).scatter_reduce(
            0, inverse, torch.arange(len(candidates)), "amin"
        )
        chosen = candidates[first.sort().values]
    return chosen[:count]
