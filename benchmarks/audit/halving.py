"""Hyperband's brackets against algorithm 1 of Li et al. (2018), computed in fractions."""

import math
from collections.abc import Iterator
from fractions import Fraction

from benchmarks.audit.row import Row
from dlexp.config.dimension import Dimension
from dlexp.search.hyperband import Hyperband
from dlexp.search.strategy import Problem

SECTION = "hyperband"
Table = list[list[tuple[int, int]]]


def table(longest: int, eta: int) -> Table:
    """Return (settings, epochs) of each rung of each bracket; epochs rounded to the nearest, halves up."""
    s_max = 0
    while eta ** (s_max + 1) <= longest:
        s_max += 1
    brackets = []
    for s in range(s_max, -1, -1):
        num = math.ceil(Fraction(s_max + 1, s + 1) * eta**s)
        epochs = [Fraction(longest, eta ** (s - i)) for i in range(s + 1)]
        counts = [num // eta**i for i in range(s + 1)]
        brackets.append([(n, math.floor(r + Fraction(1, 2))) for n, r in zip(counts, epochs, strict=True)])
    return brackets


def driven(longest: int, eta: int) -> Table:
    """Return the same of the program, which gets as many settings as the algorithm takes."""
    trials = sum(bracket[0][0] for bracket in table(longest, eta))
    problem = Problem([Dimension("x", "", low=0.0, high=1.0)], longest)
    strategy = Hyperband(trials=trials, eta=eta, brackets=None).propose(problem)
    rungs: dict[int, list] = {}
    batch = next(strategy, None)
    while batch is not None:
        rungs.setdefault(batch.number, []).extend(batch.proposals)
        try:
            batch = strategy.send([float(p.settings["x"]) for p in batch.proposals])
        except StopIteration:
            batch = None
    brackets: Table = []
    seen: set[int] = set()
    for proposals in rungs.values():
        numbers = {p.number for p in proposals}
        if not numbers <= seen:
            brackets.append([])
        brackets[-1].append((len(proposals), proposals[0].until or longest))
        seen |= numbers
    return brackets


def rows(*, is_quick: bool) -> Iterator[Row]:
    """Yield a row for each budget: the paper's table, and others whose powers do not come out even."""
    cases = [(81, 3), (30, 3)] if is_quick else [(81, 3), (30, 3), (27, 3), (100, 3), (64, 4), (50, 2)]
    for longest, eta in cases:
        expected, ours = table(longest, eta), driven(longest, eta)
        wrong = sum(a != b for a, b in zip(expected, ours, strict=False)) + abs(len(expected) - len(ours))
        yield Row(SECTION, f"R = {longest}, eta = {eta}", "brackets that are not those of algorithm 1", wrong, 0.0)
