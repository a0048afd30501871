"""Settings that differ: drawn as long as draws bring new ones, then listed until a finite space has no more."""

import math
from collections.abc import Callable, Iterator

from dlexp.config.dimension import Dimension
from dlexp.search.strategy import ROUND, Problem, Proposal, Settings, signature, uniform

ATTEMPTS = 50  # draws in a row that bring nothing new, after which what is left is listed
MOST_LISTED = 100_000  # settings of a space that are listed; of a larger one draws keep bringing new ones


def distinct(
    problem: Problem,
    draw: Callable[[int], Settings],
    count: int,
    *,
    first: int = 0,
    seen: set[str] | None = None,
    epochs: int | None = None,
) -> list[Proposal]:
    """Return `count` settings that differ; fewer when the space has no more.

    Args:
        problem: What is searched.
        draw: Returns the setting of a number.
        count: Settings wanted.
        first: Number of the first draw.
        seen: Signatures that are not drawn again; the new ones are added.
        epochs: Length of their training.
    """
    seen = set() if seen is None else seen
    proposals: list[Proposal] = []
    number, misses = first, 0
    while len(proposals) < count and misses < ATTEMPTS:
        setting = draw(number)
        misses += 1
        if signature(setting) not in seen:
            misses = 0
            seen.add(signature(setting))
            proposals.append(Proposal(number, setting, epochs))
        number += 1
    for setting in unseen(problem, seen, count - len(proposals)):
        seen.add(signature(setting))
        proposals.append(Proposal(number, setting, epochs))
        number += 1
    return proposals


def in_rounds(
    problem: Problem,
    draw: Callable[[int], Settings],
    count: int,
    *,
    first: int = 0,
    seen: set[str] | None = None,
    epochs: int | None = None,
) -> Iterator[list[Proposal]]:
    """Yield up to `count` settings that differ, `ROUND` at a time, each drawn when it is asked for.

    Args:
        problem: What is searched.
        draw: Returns the setting of a number.
        count: Settings wanted.
        first: Number of the first draw.
        seen: Signatures that are not drawn again; the new ones are added.
        epochs: Length of their training.
    """
    seen = set() if seen is None else seen
    while count > 0 and (
        proposals := distinct(problem, draw, min(count, ROUND), first=first, seen=seen, epochs=epochs)
    ):
        yield proposals
        count, first = count - len(proposals), proposals[-1].number + 1


def unseen(problem: Problem, seen: set[str], count: int) -> list[Settings]:
    """Return up to `count` settings that were not seen, in an order that is the same for every search.

    None is returned of a space with more than `MOST_LISTED` settings, or with an interval of real numbers that counts.
    """
    if count <= 0 or size(problem) > MOST_LISTED:
        return []
    left = [setting for setting in every({}, problem.dimensions) if signature(setting) not in seen]
    return sorted(left, key=lambda setting: uniform(0, 0, signature(setting)))[:count]


def size(problem: Problem) -> float:
    """Return the number of settings, by a product for each choice of options; infinite with an interval of reals."""
    owners = {d.owner for d in problem.dimensions}
    counts: dict[tuple[tuple[str, str], ...], float] = {(): 1}
    for d in problem.dimensions:
        fresh: dict[tuple[tuple[str, str], ...], float] = {}
        for chosen, count in counts.items():
            if not d.exists(dict(chosen)):
                fresh[chosen] = count
            elif d.key in owners:
                fresh |= {(*chosen, (d.key, value)): count for value in d.values or []}
            else:
                fresh[chosen] = count * _num_values(d)
        counts = fresh
    return sum(counts.values())


def _num_values(d: Dimension) -> float:
    if d.values is not None:
        return len(d.values)
    return int(d.high) - int(d.low) + 1 if d.is_int else math.inf


def every(setting: Settings, dimensions: list[Dimension]) -> Iterator[Settings]:
    """Yield a setting with each combination of values of the finite dimensions that are to come."""
    if not dimensions:
        yield setting
        return
    d, *others = dimensions
    if not d.exists(setting):
        yield from every(setting, others)
        return
    for value in range(int(d.low), int(d.high) + 1) if d.values is None else d.values:
        yield from every({**setting, d.key: value}, others)
