"""Successive halving without rounds: a free worker gets a setting that earned more epochs, else a new setting.

A rung is an epoch at which settings are judged; rung k + 1 takes the best 1/eta of rung k so far.
"""

import heapq
from bisect import bisect_left, insort
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from dlexp.search.strategy import Proposal, Round

Place = tuple[float, int]  # minus the score, then the number: the best comes first, of equal scores the first drawn


@dataclass
class _Rung:
    """The settings that were judged at an epoch.

    Attributes:
        until: The epoch; None for the last, whose settings train to the end.
        num_judged: All of them, those that failed too.
        ranked: Those that did not fail, best first.
        staying: Those of `ranked` that did not go on, a heap.
    """

    until: int | None
    num_judged: int = 0
    ranked: list[Place] = field(default_factory=list)
    staying: list[Place] = field(default_factory=list)

    def judge(self, number: int, score: float | None) -> None:
        """Add a setting, whose score is None where it failed: that counts as worse than all."""
        self.num_judged += 1
        if score is not None:
            insort(self.ranked, (-score, number))
            heapq.heappush(self.staying, (-score, number))

    def promote(self, eta: int) -> int | None:
        """Take the best setting that did not go on yet, if it is among the best 1/eta; None without one."""
        if self.staying and bisect_left(self.ranked, self.staying[0]) < self.num_judged // eta:
            return heapq.heappop(self.staying)[1]
        return None

    def promote_first(self) -> int | None:
        """Take the best setting where none has gone on; None without one."""
        return heapq.heappop(self.staying)[1] if self.staying and len(self.staying) == len(self.ranked) else None


class Asha:
    """What a free worker does next, from what is known by then.

    Rungs are looked at from the last to the first, bracket after bracket. The end differs from the paper's, where new
    settings come for ever: when all were drawn and nothing is in hand, the best of a rung from which none went on is
    promoted, so that a setting is trained to the end, as successive halving does.

    Args:
        draws: Brackets, by number from 0, and the settings that begin in them, each drawn when it is asked for.
        rungs: The epochs of each bracket's rungs, None for the end of the training.
        eta: A rung promotes the best 1/eta.

    References:
        L. Li et al. (2020), A system for massively parallel hyperparameter tuning, MLSys, algorithm 2
    """

    def __init__(self, draws: Iterator[tuple[int, Proposal]], rungs: list[list[int | None]], eta: int) -> None:
        self._draws, self._eta = draws, eta
        self._rungs = [[_Rung(until) for until in bracket] for bracket in rungs]
        self._drawn: dict[int, Proposal] = {}
        self._bracket: dict[int, int] = {}
        self._level: dict[int, int] = {}  # of settings in hand

    def ask(self) -> Round | None:
        """Return what is to be trained next, under the number of its rung; None for nothing now."""
        for bracket, rungs in enumerate(self._rungs):
            for level in reversed(range(len(rungs) - 1)):
                if (number := rungs[level].promote(self._eta)) is not None:
                    return self._begin(bracket, level + 1, number)
        return self._draw() or (None if self._level else self._promote_last())

    def tell(self, proposal: Proposal, score: float | None) -> None:
        """Tell a score, higher is better, None for a failure; in whatever order trainings end."""
        level = self._level.pop(proposal.number)
        self._rungs[self._bracket[proposal.number]][level].judge(proposal.number, score)

    def _draw(self) -> Round | None:
        for bracket, proposal in self._draws:
            self._drawn[proposal.number], self._bracket[proposal.number] = proposal, bracket
            return self._begin(bracket, 0, proposal.number)
        return None

    def _promote_last(self) -> Round | None:
        for bracket, rungs in enumerate(self._rungs):
            for level in reversed(range(len(rungs) - 1)):
                if (number := rungs[level].promote_first()) is not None:
                    return self._begin(bracket, level + 1, number)
        return None

    def _begin(self, bracket: int, level: int, number: int) -> Round:
        self._level[number] = level
        until = self._rungs[bracket][level].until
        return Round(level + 1, [replace(self._drawn[number], until=until)])
