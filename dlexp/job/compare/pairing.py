"""Who stands against whom: runs that differ in the seed only become one side; what cannot be paired is refused."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np

from dlexp.config.metric import OF_POSITIVE
from dlexp.config.relevance import IRRELEVANT, relevant
from dlexp.config.wording import short_value
from dlexp.error import RunError
from dlexp.job.compare.side import Predictions, Side, load_side
from dlexp.number import noun
from dlexp.statistic.score import MEANS_OVER_EXAMPLES

SET_BY = {"beta": "metric.beta", "delta": "loss.delta and training part", "positive": "data.positive"}
LONG_NUMBER = re.compile(r"-?\d+\.\d{6,}(e[-+]?\d+)?|-?\d\.\d{4,}e[-+]?\d+")  # as a search draws one
FEWEST_GROUPED = 4  # runs: two settings of two seeds


def pair_sides(refs: list[str], runs_dir: Path) -> list[Side]:
    """Return the sides of a comparison, fit to be paired.

    Runs that differ in nothing but seeds become one side where every side then has equally many seeds, two or more.

    Args:
        refs: At least two runs as users name them.
        runs_dir: Folder of all runs.

    Raises:
        RunError: Fewer than two, one twice, or measured on different things.
    """
    sides = [load_side(runs_dir, ref) for ref in refs]
    named = [side.run_id for side in sides]
    if len(set(named)) < len(named) or len(named) < 2:
        raise RunError(f"compare: got {', '.join(named)}; at least two different runs are needed")
    if len({tuple(side.run_ids) for side in sides}) < len(sides):
        raise RunError(f"compare: got {', '.join(named)}, of which two are the same runs; different ones are needed")
    for other in sides[1:]:
        require_same(sides[0], other)
    sides = _join_seeds(sides)
    for other in sides[1:]:
        _require_seeds(sides[0], other)
    return [_in_order(sides[0], side) for side in sides]


def labels(sides: list[Side]) -> list[str]:
    """Return a name for each: its id and those of its settings that not all of them share, places and servers aside."""
    typed = [set(side.overrides) for side in sides if not side.averages]
    shared = set.intersection(*typed) if len(typed) > 1 else set()
    names = []
    for side in sides:
        if side.averages:
            names.append(f"{side.run_id} mean of {noun(side.averages, 'model')}")
            continue
        differing = [override for override in side.overrides if override not in shared]
        relevant = [
            override for override in differing if override.lstrip("+").split("=")[0].split(".")[0] not in IRRELEVANT
        ]
        seeds = f" ({noun(len(side.seeds), 'seed')})" if len(side.seeds) > 1 else ""
        names.append(f"{side.run_id} {' '.join(map(_shortened, relevant)) or 'default'}{seeds}")
    return names


def _shortened(override: str) -> str:
    """Return an override with a number that was drawn in three digits: lr=8.59e-03."""
    key, _, value = override.partition("=")
    return f"{key}={short_value(float(value))}" if LONG_NUMBER.fullmatch(value) else override


def _join_seeds(sides: list[Side]) -> list[Side]:
    """Join the runs of each setting, where that leaves two or more sides of equally many seeds."""
    if sides[0].kind != "train" or len(sides) < FEWEST_GROUPED:
        return sides
    groups: dict[str, list[tuple[str, Side]]] = {}
    for side in sides:
        setting, seed = setting_and_seed(side)
        groups.setdefault(setting, []).append((seed, side))
    joined = [_join(members) for members in groups.values()]
    counts = {len(set(side.seeds)) for side in joined}
    repeated = any(len(set(side.seeds)) < len(side.seeds) for side in joined)
    is_fit = len(joined) > 1 and len(counts) == 1 and counts != {1} and not repeated
    return joined if is_fit else sides


def setting_and_seed(side: Side) -> tuple[str, str]:
    """Return what a run was trained with but for its seeds, and these; of a sweep or cv its own name and ""."""
    if len(side.seeds) > 1 or side.folder.manifest["kind"] not in ("train", "trial"):
        return side.run_id, ""
    config = relevant(side.folder.config)
    seed, seeds = config.pop("seed"), config.pop("seeds")
    apart = [f"{name}={value}" for name, value in seeds.items() if name != "_target_" and value is not None]
    return json.dumps(config, sort_keys=True), " ".join([str(seed), *apart])


def _join(members: list[tuple[str, Side]]) -> Side:
    first = members[0][1]
    if len(members) == 1:
        return first
    shared = set.intersection(*(set(side.overrides) for _, side in members))
    return replace(
        first,
        overrides=[override for override in first.overrides if override in shared],
        seeds=[seed for seed, _ in members],
        splits={(0, 0): [side.splits[0, 0][0] for _, side in members]},
        run_ids=[side.run_id for _, side in members],
    )


def _in_order(first: Side, other: Side) -> Side:
    """Return a side with its seeds in the first one's order; seeds that the first lacks fill the gaps."""
    if other.kind != "train" or other.seeds == first.seeds:
        return other
    spare = iter([row for row, seed in enumerate(other.seeds) if seed not in first.seeds])
    rows = [other.seeds.index(seed) if seed in other.seeds else next(spare) for seed in first.seeds]
    splits = {(0, 0): [other.splits[0, 0][row] for row in rows]}
    return replace(other, seeds=[other.seeds[row] for row in rows], splits=splits)


def _require_seeds(first: Side, other: Side) -> None:
    if first.kind == "train" and len(first.seeds) != len(other.seeds):
        raise RunError(
            f"{first.run_id} and {other.run_id}: got {len(first.seeds)} and "
            f"{noun(len(other.seeds), 'seed')}; equally many are "
            "needed: dlexp sweep seed='range(0,N)' trains N seeds of a setting"
        )


def require_same(first: Side, other: Side) -> None:
    """Refuse to compare what was measured on different things.

    Raises:
        RunError: Another kind, other data, another task, other folds or other examples.
    """
    pair = f"{first.run_id} and {other.run_id}"
    if first.kind != other.kind:
        raise RunError(f"{pair}: got a {first.kind} and a {other.kind}; two of one kind are needed")
    if first.fingerprint != other.fingerprint:
        raise RunError(f"{pair}: got different data; only results on the same examples can be paired")
    if first.task != other.task:
        raise RunError(f"{pair}: got the tasks {first.task} and {other.task}; the same task is needed")
    if first.splits.keys() != other.splits.keys():
        raise RunError(f"{pair}: got {_shape(first)} and {_shape(other)}; the same cv.k and cv.repeats are needed")
    for split in first.splits:
        for theirs in other.splits[split]:
            _require_same_examples(pair, first.splits[split][0], theirs)


def is_pooled(side: Side, name: str) -> bool:
    """Whether a metric has to be taken of the pooled predictions: a fold of one example has none, or another."""
    is_single = side.kind == "cv" and any(len(by_seed[0].ids) == 1 for by_seed in side.splits.values())
    return is_single and name not in MEANS_OVER_EXAMPLES


def pool_folds(side: Side) -> Side:
    """Return a cv whose held-out predictions are those of one split, for each seed."""
    pooled = []
    for of_seed in zip(*side.splits.values(), strict=True):
        ids, targets, outputs = (
            np.concatenate([getattr(predictions, name) for predictions in of_seed])
            for name in ("ids", "targets", "outputs")
        )
        pooled.append(replace(of_seed[0], ids=ids, targets=targets, outputs=outputs))
    return replace(side, splits={(0, 0): pooled})


def require_same_constants(name: str, sides: list[Side]) -> None:
    """Refuse to compare by a metric that is not the same function for all.

    Raises:
        RunError: Another beta of fbeta, another delta of huber, or another positive class.
    """
    of_positive = dict.fromkeys(OF_POSITIVE, "positive")
    constant = ({"fbeta_macro": "beta", "huber": "delta"} | of_positive).get(name)
    if constant is None:
        return
    for split in sides[0].splits:
        values = {
            float(f"{getattr(predictions.measure, constant):.6g}")
            for side in sides
            for predictions in side.splits[split]
        }
        if len(values) > 1:
            what = "positive class" if constant == "positive" else constant
            shown = ", ".join(f"{value:g}" for value in sorted(values))
            cure = f"choose another --metric, or train with the same {SET_BY[constant]}"
            raise RunError(f"--metric: got {name}, whose {what} is {shown}; {cure}")


def _require_same_examples(pair: str, mine: Predictions, theirs: Predictions) -> None:
    if not np.array_equal(mine.ids, theirs.ids):
        common = len(np.intersect1d(mine.ids, theirs.ids))
        raise RunError(
            f"{pair}: got different validation examples ({common} of {len(mine.ids)} and {len(theirs.ids)} in "
            "common); the same split is needed: data.split_seed, fractions and counts as in the other run"
        )
    if not _are_equal(mine.targets, theirs.targets):
        raise RunError(f"{pair}: got different targets for the same examples; the same task is needed")
    if mine.outputs.shape[1:] != theirs.outputs.shape[1:] and min(mine.outputs.ndim, theirs.outputs.ndim) < 2:
        raise RunError(f"{pair}: got values and classes; the same task is needed")


def _are_equal(mine: np.ndarray, theirs: np.ndarray) -> bool:
    """Say whether targets are the same, gaps where the other has gaps."""
    return np.array_equal(mine, theirs, equal_nan=mine.dtype.kind == "f" and theirs.dtype.kind == "f")


def _shape(side: Side) -> str:
    splits = list(side.splits)
    return f"{1 + max(repeat for repeat, _ in splits)} x {noun(1 + max(fold for _, fold in splits), 'fold')}"
