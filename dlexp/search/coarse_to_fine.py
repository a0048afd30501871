"""Coarse to fine: rounds of random search, each zoomed around the best region of the one before and trained longer."""

import math
from dataclasses import dataclass, replace

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.random import distinct
from dlexp.search.strategy import Problem, Proposal, Round, Rounds, Search, uniform
from dlexp.type import Count, Fraction

EDGE = 0.05  # share of a range that counts as its edge
NEAR = 0.1  # share from which the next range moves: of 33 draws all miss the outer twentieth once in five searches
Scored = list[tuple[Proposal, float]]


@dataclass(frozen=True)
class CoarseToFine(Search):
    """Rounds of random search, each zoomed around the best region of the one before and trained longer.

    On the scale of each dimension (logarithmic where tagged) the next range has `zoom` times the width and its centre
    amid the best settings, and contains the best one. A best setting at an edge of the range that was searched moves
    the range beyond it at full width instead, as far as the parameter allows. Listed values that no good setting has
    are dropped.

    Args:
        trials: Settings in all rounds together.
        rounds: Rounds.
        epochs: Epochs of each round; null halves them backwards from trainer.epochs.
        zoom: Width of the next range as a share of this one.
        keep: Share of a round's settings that count as its best region.

    References:
        A. Karpathy (2015), CS231n Convolutional Neural Networks for Visual Recognition, hyperparameter optimization
    """

    trials: Count = 100
    rounds: Count = 3
    epochs: list[Count] | None = None
    zoom: Fraction = 0.3
    keep: Fraction = 0.1

    @property
    def is_total_known(self) -> bool:
        """Yes."""
        return True

    def propose(self, problem: Problem) -> Rounds:
        """Yield a round a stage.

        Raises:
            ConfigError: The numbers of rounds and epochs do not agree.
        """
        epochs = self._epochs(problem.epochs)
        notes: list[str] = []
        first = 0
        for stage in range(self.rounds):
            count = self.trials * (stage + 1) // self.rounds - self.trials * stage // self.rounds
            proposals = distinct(
                problem,
                lambda number, key: uniform(self.seed, number, key),
                count,
                first=first,
                epochs=epochs[stage],
            )
            first = proposals[-1].number + 1 if proposals else first
            scores = yield Round(stage + 1, proposals, notes)
            scored = [(p, s) for p, s in zip(proposals, scores, strict=True) if s is not None]
            problem, notes = narrow(problem, scored, self.zoom, self.keep)

    def _epochs(self, full: int) -> list[int]:
        if self.epochs is None:
            return [max(1, full >> (self.rounds - 1 - stage)) for stage in range(self.rounds)]
        if len(self.epochs) != self.rounds:
            raise ConfigError(f"search.epochs: got {self.epochs}; one number for each of the {self.rounds} rounds")
        return self.epochs


def narrow(problem: Problem, scored: Scored, zoom: float, keep: float) -> tuple[Problem, list[str]]:
    """Return the next round's problem, and what to say about ranges that moved.

    Args:
        problem: What was searched.
        scored: The settings that did not fail, with their scores.
        zoom: Width of the next range as a share of this one.
        keep: Share of the settings that count as the best region.
    """
    if not scored:
        return problem, ["no setting of this round worked; the ranges stay as they are"]
    ranked = sorted(scored, key=lambda pair: (-pair[1], pair[0].number))
    top = [proposal.settings for proposal, _ in ranked[: max(2, math.ceil(keep * len(ranked)))]]
    dimensions, notes = [], []
    for d in problem.dimensions:
        kept = [setting[d.key] for setting in top if d.key in setting]
        if not kept:
            dimensions.append(d)
        elif d.values is not None:
            dimensions.append(replace(d, values=[value for value in d.values if value in kept]))
        else:
            has_best = d.key in top[0]
            moved, note = _zoom(d, [float(value) for value in kept], zoom, has_best)
            dimensions.append(moved)
            notes += [note] if note else []
    return Problem(dimensions, problem.epochs), notes


def _zoom(d: Dimension, kept: list[float], zoom: float, has_best: bool) -> tuple[Dimension, str]:
    low, high = d.span
    width, best = high - low, d.place(kept[0])
    edge = edge_of(d, kept[0], NEAR) if has_best else None
    edge = edge if edge is not None and _has_room(d, edge) else None
    if edge is not None:
        centre, half = best, width / 2
    else:
        half = zoom * width / 2
        places = [d.place(value) for value in kept]
        centre = min(max((min(places) + max(places)) / 2, best - half), best + half)
        centre = min(max(centre, low + half), high - half)  # nothing speaks for the outside
    moved = _limited(d, centre - half, centre + half)
    if edge is None:
        return moved, ""
    old, new = f"[{d.low:.3g}, {d.high:.3g}]", f"[{moved.low:.3g}, {moved.high:.3g}]"
    return moved, f"{d.key}: the best value {kept[0]:.3g} lies at the {edge} edge of {old}; the range moves to {new}"


def edge_of(d: Dimension, value: float, margin: float = EDGE) -> str | None:
    """Return "lower" or "upper" where a value lies at an edge of an interval, else None."""
    low, high = d.span
    place, margin = d.place(value), margin * (high - low)
    if d.is_int:
        return "lower" if value == d.low else "upper" if value == d.high else None
    return "lower" if place < low + margin else "upper" if place > high - margin else None


def _has_room(d: Dimension, edge: str) -> bool:
    """Say whether the parameter allows values beyond an edge."""
    return d.limits[0] < d.low if edge == "lower" else d.limits[1] > d.high


def _limited(d: Dimension, low: float, high: float) -> Dimension:
    """Return the dimension between two places, within what the parameter allows."""
    ends = [math.exp(end) if d.is_log else end for end in (low, high)]
    if d.is_int:
        # the upper end of an integer's share lies one above it
        ends = [math.floor(ends[0] + 1e-9), max(math.ceil(ends[1] - 1e-9) - 1, math.floor(ends[0] + 1e-9))]
        ends[0] = max(ends[0], 1) if d.is_log else ends[0]
    clipped = [min(max(end, d.limits[0]), d.limits[1]) for end in ends]
    return replace(d, low=clipped[0], high=clipped[1])
