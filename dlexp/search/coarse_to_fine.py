"""Coarse to fine: an even first round, then rounds closer and closer around the best settings, trained longer."""

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace

from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError
from dlexp.search.density import Density
from dlexp.search.distinct import in_rounds
from dlexp.search.random import evenly
from dlexp.search.strategy import Problem, Proposal, Round, Rounds, Search, Settings, refuse_epochs, signature, uniform
from dlexp.type import Count, Fraction

EDGE = 0.05  # share of a range that counts as its edge
NEAR = 0.1  # share from which a range grows: of 33 draws all miss the outer twentieth once in five searches
CANDIDATES = 8  # settings drawn for one that is tried; in replays 4 and 16 did as well
Scored = list[tuple[Proposal, float | None]]
Widths = dict[str, float]  # of the kernels of each dimension, on its scale


@dataclass(frozen=True)
class CoarseToFine(Search):
    """Rounds of random search: the first even, the later ones closer around the best settings and trained longer.

    The first round is a scrambled Sobol sequence. A later one is drawn in `batches`, each after the scores of the one
    before. For each of its settings 8 candidates are drawn where the
    best `keep` of all settings so far are dense, and the one is tried for which this density is largest against that of
    the other settings. A density is a product over the dimensions of mixtures of normal kernels on the dimension's
    scale (logarithmic where tagged), in which better settings weigh more; a kernel's standard deviation is half of
    `zoom`, then of `zoom`^2, ... of the range. Listed values have no order: one is drawn as often as good settings have
    it, and any now and then. A best setting at an edge of a range that was searched lets the range grow beyond it, as
    far as the parameter allows, and the kernels keep their width.

    No setting is trained twice for as many epochs; the best of a round may be trained again in a longer one.

    Args:
        trials: Settings in all rounds together.
        rounds: Rounds.
        epochs: Epochs of each round; null halves them backwards from trainer.epochs.
        zoom: Width of a round's kernels as a share of those of the round before.
        keep: Share of all settings so far that count as good.
        batches: Batches of each round but the first; fewer can train more at once, more learn faster: on the 12 tables
            of `benchmarks.search` a budget of 50 ends at a regret of 0.092 with 1, 0.088 with 2, 0.077 with 4.

    References:
        A. Karpathy (2015), CS231n Convolutional Neural Networks for Visual Recognition, hyperparameter optimization
        J. Bergstra et al. (2011), Algorithms for hyper-parameter optimization, section 4 (the ratio of densities)
    """

    trials: Count = 100
    rounds: Count = 3
    epochs: list[Count] | None = None
    zoom: Fraction = 0.3
    keep: Fraction = 0.2
    batches: Count = 4

    def total(self, problem: Problem) -> int:
        """Return `trials`, whatever the space has: the best of a round may be trained again, longer."""
        return self.trials

    def propose(self, problem: Problem) -> Rounds:
        """Yield a round a stage.

        Raises:
            ConfigError: The numbers of rounds and epochs do not agree, or epochs are searched.
        """
        refuse_epochs(problem, "coarse_to_fine")
        epochs = self._epochs(problem.epochs)
        widths = {d.key: d.span[1] - d.span[0] for d in problem.dimensions if d.values is None}
        scored: Scored = []
        notes: list[str] = []
        seen: dict[int, set[str]] = {}
        first, number = 0, 0
        for stage in range(self.rounds):
            count = self.trials * (stage + 1) // self.rounds - self.trials * stage // self.rounds
            fresh: Scored = []
            for size in _shared(count, self.batches if stage else 1):
                before = seen.setdefault(epochs[stage], set())
                draw = self._draw(problem, scored + fresh, widths, before)
                for proposals in in_rounds(problem, draw, size, first=first, seen=before, epochs=epochs[stage]):
                    first, number = proposals[-1].number + 1, number + (not fresh)
                    scores = yield Round(number, proposals, [] if fresh else notes)
                    fresh += zip(proposals, scores, strict=True)
            if fresh:  # else fewer trials than rounds, or a small space that is searched
                scored += fresh
                problem, widths, notes = zoomed(problem, scored, widths, self.zoom)

    def _draw(self, problem: Problem, scored: Scored, widths: Widths, seen: set[str]) -> Callable[[int], Settings]:
        """Return what draws the setting of a number: near good ones, evenly as long as none has worked."""
        if all(score is None for _, score in scored):
            return evenly(problem, self.seed)
        return self._closer(problem, scored, widths, seen)

    def _closer(self, problem: Problem, scored: Scored, widths: Widths, seen: set[str]) -> Callable[[int], Settings]:
        """Return what draws the setting of a number near good ones."""
        good, others = divided(scored, self.keep)
        near = {d.key: _density(d, good, widths.get(d.key, 1.0), is_ranked=True) for d in problem.dimensions}
        far = {d.key: _density(d, others, widths.get(d.key, 1.0), is_ranked=False) for d in problem.dimensions}

        def candidate(number: int, turn: int) -> Settings:
            setting: Settings = {}
            for d in problem.dimensions:
                if d.exists(setting):
                    which, where = (uniform(self.seed, number, f"{d.key}:{turn}:{use}") for use in ("which", "where"))
                    setting[d.key] = near[d.key].draw(which, where)
            return setting

        def gain(setting: Settings) -> float:
            return sum(near[key].log(value) - far[key].log(value) for key, value in setting.items())

        def draw(number: int) -> Settings:
            drawn = [candidate(number, turn) for turn in range(CANDIDATES)]
            return max([s for s in drawn if signature(s) not in seen] or drawn, key=gain)

        return draw

    def _epochs(self, full: int) -> list[int]:
        if self.epochs is None:
            return [max(1, full >> (self.rounds - 1 - stage)) for stage in range(self.rounds)]
        if len(self.epochs) != self.rounds:
            raise ConfigError(f"search.epochs: got {self.epochs}; one number for each of the {self.rounds} rounds")
        return self.epochs


def _shared(count: int, num: int) -> list[int]:
    """Return `count` in `num` shares that differ by 1 at most."""
    return [count * (i + 1) // num - count * i // num for i in range(num)]


def divided(scored: Scored, keep: float) -> tuple[list[Settings], list[Settings]]:
    """Return the best `keep` of the settings, at least two, best first, and the others; failed ones are never good."""
    worked = sorted(
        ((proposal, score) for proposal, score in scored if score is not None),
        key=lambda pair: (-pair[1], pair[0].number),
    )
    settings = [proposal.settings for proposal, _ in worked]
    failed = [proposal.settings for proposal, score in scored if score is None]
    num_good = max(2, math.ceil(keep * len(scored)))
    return settings[:num_good], settings[num_good:] + failed


def _density(d: Dimension, settings: list[Settings], width: float, *, is_ranked: bool) -> Density:
    """Return the density of a dimension in settings, best first: of weights that fall linearly to 1 / n, or equal."""
    values = [(rank, setting[d.key]) for rank, setting in enumerate(settings) if d.key in setting]
    size = len(settings)
    # both add up to the number of settings where all have the dimension
    weights = [2 * (size - rank) / (size + 1) if is_ranked else 1.0 for rank, _ in values]
    return Density(d, [value for _, value in values], weights, width / 2)


def zoomed(problem: Problem, scored: Scored, widths: Widths, zoom: float) -> tuple[Problem, Widths, list[str]]:
    """Return the problem with ranges that grew, the next round's widths, and what to say about ranges that grew.

    Args:
        problem: What was searched.
        scored: All settings so far with their scores.
        widths: Of the kernels so far.
        zoom: The factor of those of dimensions whose best value lies at no edge.
    """
    (best, *_), _ = divided(scored, 1.0) if any(score is not None for _, score in scored) else ([None], [])
    if best is None:
        return problem, widths, ["no setting so far worked; the next ones are drawn as the first were"]
    dimensions, notes, widths = [], [], dict(widths)
    for d in problem.dimensions:
        edge = edge_of(d, best[d.key], NEAR) if d.values is None and d.key in best else None
        if edge is not None and has_room(d, edge):
            wider = _grown(d, best[d.key], edge)
            old, new = f"[{d.low:.3g}, {d.high:.3g}]", f"[{wider.low:.3g}, {wider.high:.3g}]"
            notes.append(
                f"{d.key}: the best value {best[d.key]:.3g} lies at the {edge} edge of {old}; the range grows to {new}"
            )
            d = wider
        elif d.values is None:
            widths[d.key] *= zoom
        dimensions.append(d)
    return Problem(dimensions, problem.epochs), widths, notes


def edge_of(d: Dimension, value: float, margin: float = EDGE) -> str | None:
    """Return "lower" or "upper" where a value lies at an edge of an interval, else None."""
    low, high = d.span
    place, margin = d.place(value), margin * (high - low)
    if d.is_int:
        return "lower" if value == d.low else "upper" if value == d.high else None
    return "lower" if place < low + margin else "upper" if place > high - margin else None


def has_room(d: Dimension, edge: str) -> bool:
    """Say whether the parameter allows values beyond an edge."""
    return d.limits[0] < d.low if edge == "lower" else d.limits[1] > d.high


def _grown(d: Dimension, best: float, edge: str) -> Dimension:
    """Return the dimension with half its width more beyond the best value, within what the parameter allows."""
    low, high = d.span
    half = (high - low) / 2
    if edge == "lower":
        return replace(d, low=max(_number(d, d.place(best) - half), d.limits[0]))
    return replace(d, high=min(_number(d, d.place(best) + half), d.limits[1]))


def _number(d: Dimension, place: float) -> float:
    """Return the number at a place on a dimension's scale; of integers the nearest one."""
    if d.is_log:
        place = math.exp(min(max(place, math.log(sys.float_info.min)), math.log(sys.float_info.max)))
    if d.is_int:
        return max(round(place), 1) if d.is_log else round(place)
    return place
