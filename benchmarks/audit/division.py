"""Splits and folds against their definitions: nothing in two parts, class shares, groups, nesting, no leak.

Shapes: N examples, K classes.
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations, product

import numpy as np
import torch
from torch import Tensor

from benchmarks.audit.row import Row, share
from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold, KFold, LeaveOneOut, Nested, Rolling
from dlexp.data.split import Split
from dlexp.engine.event import TrialEnd
from dlexp.engine.snapshot import snapshot

SECTION = "division"
WEIGHTS = (0.5, 0.3, 0.15, 0.05)


def _targets(num: int, seed: int) -> Tensor:
    chance = np.random.default_rng(seed)
    classes = chance.choice(len(WEIGHTS), num, p=WEIGHTS)
    classes[:12] = np.arange(12) % 4
    return torch.tensor(classes)


def _groups(num: int, seed: int) -> Tensor:
    return torch.tensor(np.random.default_rng(seed + 99).integers(num // 6, size=num))


def _data(num: int, seed: int, *, groups: bool = False, times: bool = False) -> Dataset:
    order = torch.randperm(num, generator=torch.Generator().manual_seed(seed))
    test, rest = order[: num // 5].sort().values, order[num // 5 :].sort().values
    names = [str(k) for k in range(len(WEIGHTS))]
    data = Dataset("made-up", "multiclass", torch.rand(num, 2), _targets(num, seed), rest[9:], rest[:9], test, names)
    more = {"groups": _groups(num, seed) if groups else None, "times": torch.arange(num) // 2 if times else None}
    return replace(data, **more)


def _is_partition(parts: list[Tensor], whole: Tensor) -> bool:
    return sorted(torch.cat(parts).tolist()) == sorted(whole.tolist())


def _shares_hold(part: Tensor, whole: Tensor, classes: Tensor) -> bool:
    """Whether each class has its share of a part, within one example."""
    exact = torch.bincount(classes[whole], minlength=4) * len(part) / len(whole)
    return bool(((torch.bincount(classes[part], minlength=4) - exact).abs() <= 1).all())


def _overlap(a: Tensor, b: Tensor, labels: Tensor | None = None) -> bool:
    first, second = (set((part if labels is None else labels[part]).tolist()) for part in (a, b))
    return bool(first & second)


def _splits(num_seeds: int) -> Iterator[Row]:
    cases = list(product((60, 97, 400), range(num_seeds)))
    plain = [(_targets(*case), Split(split_seed=case[1])) for case in cases]
    parts = [(y, split.divide(y)) for y, split in plain]
    yield _none(
        "random split",
        "an example in two parts or in none",
        (not _is_partition(list(three), torch.arange(len(y))) for y, three in parts),
    )
    yield _none(
        "random split",
        "a class more than one example from its share",
        (not _shares_hold(part, torch.arange(len(y)), y) for y, three in parts for part in three[1:]),
    )
    grouped = [
        (_groups(*case), Split(split_seed=case[1]).divide(_targets(*case), groups=_groups(*case))) for case in cases
    ]
    yield _none(
        "split by group",
        "a group in two parts",
        (_overlap(a, b, groups) for groups, (x, y, z) in grouped for a, b in ((x, y), (y, z), (x, z))),
    )
    timed = [Split().divide(_targets(*case), times=torch.arange(case[0]) // 3) for case in cases]
    yield _none(
        "split by time",
        "training after validation, or validation after test",
        (not (int(x.max()) // 3 < int(y.min()) // 3 and int(y.max()) // 3 < int(z.min()) // 3) for x, y, z in timed),
    )
    limits = [
        [set(Split(split_seed=s, limit=k).divide(_targets(400, s))[0].tolist()) for k in (20, 50, 100)]
        for s in range(num_seeds)
    ]
    yield _none(
        "limit",
        "a larger limit that does not hold the smaller one, or another number of examples",
        (not (a < b < c and (len(a), len(b), len(c)) == (20, 50, 100)) for a, b, c in limits),
    )


def _folds(num_seeds: int) -> Iterator[Row]:
    made = [
        (data, KFold(k, 2).folds(data, seed), k)
        for k, seed in product((2, 5, 10), range(num_seeds))
        for data in [_data(200, seed)]
    ]
    yield from _partitioned("k-fold", [(data, folds) for data, folds, _ in made])
    yield _none(
        "k-fold",
        "sizes of folds more than one apart",
        (max(len(f.val) for f in folds) - min(len(f.val) for f in folds) > 1 for _, folds, _ in made),
    )
    yield _none(
        "k-fold",
        "a class more than one example from its share of a fold",
        (
            not _shares_hold(fold.val, torch.cat([data.train, data.val]), data.targets)
            for data, folds, _ in made
            for fold in folds
        ),
    )
    grouped = [(data, KFold(5).folds(data, s)) for s in range(num_seeds) for data in [_data(300, s, groups=True)]]
    yield from _partitioned("k-fold by group", grouped)
    yield _none(
        "k-fold by group",
        "a group on both sides of a fold",
        (_overlap(fold.train, fold.val, data.groups) for data, folds in grouped for fold in folds),
    )
    single = [(data, LeaveOneOut().folds(data, s)) for s in range(num_seeds) for data in [_data(40, s)]]
    yield from _partitioned("leave-one-out", single)
    rolling = [
        (data, Rolling(4, gap=2).folds(data, 0)) for s in range(num_seeds) for data in [_data(120, s, times=True)]
    ]
    yield _none(
        "rolling",
        "training less than the gap of two moments before validation",
        (
            int(data.times[fold.val].min() - data.times[fold.train].max()) <= 2
            for data, folds in rolling
            for fold in folds
            if data.times is not None
        ),
    )


def _nested(num_seeds: int) -> Iterator[Row]:
    made = []
    for seed in range(num_seeds):
        data, cv = _data(200, seed), Nested(4, inner_k=3)
        made += [(data, outer, cv.inner(data, outer, seed)) for outer in cv.folds(data, seed)]
    yield _none(
        "nested",
        "an example that the outer fold holds out within its search",
        (_overlap(outer.val, torch.cat([fold.train, fold.val])) for _, outer, inner in made for fold in inner),
    )
    yield _none(
        "nested",
        "an example of the outer training part in two inner folds or in none",
        (not _is_partition([fold.val for fold in inner], outer.train) for _, outer, inner in made),
    )


def _partitioned(name: str, made: list[tuple[Dataset, list[Fold]]]) -> Iterator[Row]:
    yield _none(
        name,
        "an example held out twice or never, or one of the test part",
        (
            not _is_partition([f.val for f in folds if f.repeat == repeat], torch.cat([data.train, data.val]))
            for data, folds in made
            for repeat in {fold.repeat for fold in folds}
        ),
    )
    yield _none(
        name,
        "an example on both sides of a fold",
        (_overlap(fold.train, fold.val) or _overlap(fold.train, data.test) for data, folds in made for fold in folds),
    )


def _drawn_pairs(num_seeds: int) -> Iterator[Row]:
    """Look at the inputs of the pairs of each part, of the split and of folds."""
    crossing, wrong, uneven = [], [], []
    for seed in range(num_seeds):
        overrides = ["data=digits", f"data.split_seed={seed}", "task=pairs", "pairs.train=300", "pairs.held_out=100"]
        whole = load_data(resolve(["tracking=none", *overrides]).config)
        for data in (whole, *(whole.with_parts(fold.train, fold.val) for fold in KFold(5).folds(whole.dealt, seed))):
            assert data.pairs is not None
            parts = (data.train, data.val, data.test)
            sets = [set(data.pairs[rows].flatten().tolist()) for rows in parts]
            crossing.append(any(a & b for a, b in combinations(sets, 2)))
            is_same_N = torch.eq(*data.dealt.targets[data.pairs].unbind(1))
            wrong.append(not torch.equal(is_same_N, data.targets == 1))
            uneven.append(any(2 * int(data.targets[rows].sum()) != len(rows) for rows in parts))
    yield _none("pairs", "an input in pairs of two parts, of the split or a fold", crossing)
    yield _none("pairs", "a pair that is not what the classes of its inputs say", wrong)
    yield _none("pairs", "a part of which one half is not of the same class", uneven)


def _leaks(num_folds: int) -> Iterator[Row]:
    """Train a fold with the held-out examples as they are, and with others in their place."""
    overrides = ["tracking=none", "trainer.epochs=2", "trainer.threads=1", "trainer.device=cpu", "model.widths=[8]"]
    for name, more in (
        ("digits", ["data=digits", "loss=cross_entropy", "loss.class_weight=balanced"]),
        ("diabetes", ["data=diabetes"]),
        ("pairs", ["data=digits", "data.limit=300", "task=pairs", "pairs.train=200", "pairs.held_out=50"]),
        ("reconstruct", ["data=digits", "task=reconstruct", "model.code=4"]),
        ("several targets", ["data=linnerud", "trainer.batch_size=4"]),
        ("frozen", ["data=digits", "freeze=[hidden.0]"]),
    ):
        config = resolve([*overrides, *more, "trainer.monitor=train/loss"]).config
        data = load_data(config)
        moved = []
        examples = data.dealt  # of drawn pairs those that they were drawn from
        for fold in KFold(5).folds(examples, 0)[:num_folds]:
            outside = torch.cat([fold.val, examples.test])
            inputs, targets = examples.inputs.clone(), examples.targets.clone()
            inputs[outside] = 7 - 3 * inputs[outside]
            targets[outside] = targets[outside].flip(0)
            others = replace(examples, inputs=inputs, targets=targets)
            changed = others if data.origin is None else data.origin.of_examples(others)
            first, second = (_weights(config, each.with_parts(fold.train, fold.val)) for each in (data, changed))
            moved.append(any(not torch.equal(first[key], second[key]) for key in first))
        yield _none(f"leak, {name}", "a fold whose weights change by a bit with examples that it holds out", moved)


def _weights(config: dict, data: Dataset) -> dict[str, Tensor]:
    run = make_program(components_of([config], [data]), "solo").run
    return next(snapshot(run)[0] for event in run.events() if isinstance(event, TrialEnd))


def _none(name: str, violation: str, cases) -> Row:
    return Row(SECTION, name, f"share of cases with {violation}", share(cases), 0.0)


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield a row for each promise of splits and folds."""
    num_seeds = 2 if is_quick else 20
    yield from _splits(num_seeds)
    yield from _folds(num_seeds)
    yield from _nested(num_seeds)
    yield from _drawn_pairs(num_seeds)
    yield from _leaks(1 if is_quick else 5)
