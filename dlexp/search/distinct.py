"""Settings that differ: drawn as long as draws bring new ones, then listed until a finite space has no more."""

import itertools
from collections.abc import Callable, Iterator

from dlexp.config.dimension import Dimension
from dlexp.search.strategy import Problem, Proposal, Settings, signature, uniform

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


def unseen(problem: Problem, seen: set[str], count: int) -> list[Settings]:
    """Return up to `count` settings that were not seen, in an order that is the same for every search.

    None is returned of a space with more than `MOST_LISTED` settings, or with an interval of real numbers.
    """
    if count <= 0 or any(d.values is None and not d.is_int for d in problem.dimensions):
        return []
    settings = list(itertools.islice(every({}, problem.dimensions), MOST_LISTED + 1))
    if len(settings) > MOST_LISTED:
        return []
    left = [setting for setting in settings if signature(setting) not in seen]
    return sorted(left, key=lambda setting: uniform(0, 0, signature(setting)))[:count]


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
