"""Successive halving and hyperband: many settings for few epochs, the best of them go on from where they are."""

import math
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from fractions import Fraction
from typing import Annotated

from annotated_types import Ge

from dlexp.search.asha import Asha
from dlexp.search.distinct import in_rounds
from dlexp.search.random import independently
from dlexp.search.strategy import ROUND, Adviser, Problem, Proposal, Round, Rounds, Scores, Search, refuse_epochs
from dlexp.type import Count


@dataclass(frozen=True)
class Hyperband(Search):
    """Successive halving: many settings for few epochs, the best of them train on; in brackets, hyperband.

    In a bracket each rung keeps the best 1/eta of its settings and trains them eta times as long, from their
    checkpoints and under the schedule of the full length R = trainer.epochs. Bracket s of s_max, ..., 0, where
    s_max = floor(log_eta(R / min_epochs)), judges its settings at R eta^-s, R eta^(1-s), ..., R epochs, rounded to the
    nearest integer, halves up. The settings are shared out in proportion to eta^s / (s + 1), so that each bracket takes
    about as many epochs.

    Args:
        trials: Settings in all brackets together.
        eta: A rung keeps the best 1/eta of its settings.
        min_epochs: Shortest training before a setting is judged.
        brackets: 1 is successive halving; more hedge against settings that start slowly; null takes all.
        asynchronous: Whether a free worker takes the next setting at once, each trained by itself: which settings go on
            then depends on which trainings ended first (`dlexp.search.asha`).

    References:
        L. Li et al. (2018), Hyperband: a novel bandit-based approach to hyperparameter optimization, algorithm 1
        L. Li et al. (2020), A system for massively parallel hyperparameter tuning, algorithm 2
    """

    trials: Count = 60
    eta: Annotated[int, Ge(2)] = 3
    min_epochs: Count = 1
    brackets: Count | None = 1
    asynchronous: bool = False

    def adviser(self, problem: Problem) -> Adviser | None:
        """Return what promotes settings without waiting for a rung; None where it waits.

        Raises:
            ConfigError: Epochs are searched.
        """
        if not self.asynchronous:
            return None
        refuse_epochs(problem, "hyperband")
        rungs = _rungs(self.min_epochs, self.eta, problem.epochs)
        starts = self._starts(rungs)
        ends = [None if rung == problem.epochs else rung for rung in rungs]
        shares = _shares(self.trials, self.eta, len(rungs), starts)
        return Asha(_draws(problem, self.seed, shares), [ends[start:] for start in starts], self.eta)

    def propose(self, problem: Problem) -> Rounds:
        """Yield a round a rung, bracket after bracket.

        Raises:
            ConfigError: Epochs are searched.
        """
        refuse_epochs(problem, "hyperband")
        rungs = _rungs(self.min_epochs, self.eta, problem.epochs)
        starts = self._starts(rungs)
        first, number = 0, 0
        draw, seen = independently(problem, self.seed), set[str]()
        for start, count in zip(starts, _shares(self.trials, self.eta, len(rungs), starts), strict=True):
            batches = in_rounds(problem, draw, count, first=first, seen=seen)
            for rung in rungs[start:]:
                begun, scores = yield from _judge(batches, number + 1, rung, problem.epochs)
                if not begun:
                    break
                first, number = max(first, begun[-1].number + 1), number + 1
                best = survivors(begun, scores, self.eta)
                batches = iter([best[at : at + ROUND] for at in range(0, len(best), ROUND)])

    def _starts(self, rungs: list[int]) -> list[int]:
        """Return the number of each bracket's first rung."""
        return list(range(len(rungs)))[: self.brackets][: self.trials]


def _draws(problem: Problem, seed: int, shares: list[int]) -> Iterator[tuple[int, Proposal]]:
    """Yield each bracket's number with the settings that begin in it."""
    draw, seen, first = independently(problem, seed), set[str](), 0
    for bracket, count in enumerate(shares):
        for batch in in_rounds(problem, draw, count, first=first, seen=seen):
            yield from ((bracket, proposal) for proposal in batch)
            first = batch[-1].number + 1


def _judge(
    batches: Iterator[list[Proposal]], number: int, rung: int, longest: int
) -> Generator[Round, Scores, tuple[list[Proposal], list[float | None]]]:
    """Ask for the settings of a rung, batch by batch; return them and their scores."""
    until = None if rung == longest else rung
    begun: list[Proposal] = []
    scores: list[float | None] = []
    for batch in batches:
        paused = [replace(proposal, until=until) for proposal in batch]
        scores += yield Round(number, paused, [] if begun else [f"to epoch {rung}"])
        begun += batch
    return begun, scores


def survivors(proposals: list[Proposal], scores: Scores, eta: int) -> list[Proposal]:
    """Return the best 1/eta of the settings, at least one that did not fail; of equal scores the first drawn."""
    ranked = sorted(
        ((proposal, score) for proposal, score in zip(proposals, scores, strict=True) if score is not None),
        key=lambda pair: (-pair[1], pair[0].number),
    )
    best = [proposal for proposal, _ in ranked[: max(1, len(proposals) // eta)]]
    return sorted(best, key=lambda proposal: proposal.number)


def _rungs(shortest: int, eta: int, longest: int) -> list[int]:
    """Return the epochs at which settings are judged: `longest` and its eta-ths, as far as they reach `shortest`.

    Rounding gives no epoch twice and none below `shortest`: unrounded, each is at least 1 more than the one before.
    """
    powers = [1]
    while powers[-1] * eta * shortest <= longest:
        powers.append(powers[-1] * eta)
    return [(2 * longest + power) // (2 * power) for power in reversed(powers)]


def _shares(trials: int, eta: int, num_rungs: int, starts: list[int]) -> list[int]:
    """Return the number of settings of each bracket, at least 1 each, `trials` in all.

    Rounded by largest remainder, so that as many settings as algorithm 1 takes are shared out as it does; what the
    least of 1 takes too much comes from the largest ones.
    """
    depths = [num_rungs - 1 - start for start in starts]
    weights = [Fraction(eta**depth, depth + 1) for depth in depths]
    exact = [trials * weight / sum(weights) for weight in weights]
    shares = [max(1, math.floor(share)) for share in exact]
    while sum(shares) > trials:
        shares[shares.index(max(shares))] -= 1
    by_remainder = sorted(range(len(exact)), key=lambda i: shares[i] - exact[i])
    for i in by_remainder[: trials - sum(shares)]:
        shares[i] += 1
    return shares
