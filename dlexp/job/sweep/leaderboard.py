"""The settings of a sweep in order: means over seeds, ties within their noise, edges, and the winner's command."""

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from dlexp.config.dimension import Dimension
from dlexp.config.wording import command_line
from dlexp.job.sweep.trial import TrialResult
from dlexp.search.coarse_to_fine import edge_of, has_room
from dlexp.statistic.against_best import p_against_best
from dlexp.statistic.spread import deviation

FEWEST_LISTED = 3  # of two listed values each is at an edge
ALPHA = 0.05  # chance that any of settings that are equal is not called tied
WITHOUT_ORDER = ("seed", "split_seed")  # last words of keys whose numbers are names


@dataclass(frozen=True)
class RankedSetting:
    """One setting over its seeds.

    Attributes:
        results: A trial for each seed.
        value: Mean of the metric; None when a trial has no value.
        std: Standard deviation over seeds; None for one seed.
        is_tied: Whether the difference to the best lies within the noise of seeds.
    """

    results: list[TrialResult]
    value: float | None
    std: float | None
    is_tied: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """The values that the search set for it."""
        return self.results[0].trial.proposal.settings

    @property
    def number(self) -> int:
        """Its number within the search."""
        return self.results[0].trial.proposal.number


def rank(results: list[TrialResult], *, is_high_better: bool) -> list[RankedSetting]:
    """Return the settings, best first; those with a failed trial come last, and equal ones in the order asked."""
    by_number: dict[int, list[TrialResult]] = {}
    for result in results:
        by_number.setdefault(result.trial.proposal.number, []).append(result)
    scores = {number: [r.value if r.is_whole else None for r in trials] for number, trials in by_number.items()}
    return _with_ties([_ranked(by_number[n]) for n in best_first(scores, is_high_better=is_high_better)])


def best_first(scores: Mapping[int, Sequence[float | None]], *, is_high_better: bool) -> list[int]:
    """Return the numbers of settings by the mean over their trials, the best first.

    Those of which a trial has no score come last; equal ones stand in the order of their numbers.

    Args:
        scores: Of the trials of each setting.
        is_high_better: Whether a larger score is better.
    """
    sign = -1.0 if is_high_better else 1.0

    def place(number: int) -> tuple[bool, float, int]:
        values = [value for value in scores[number] if value is not None]
        is_broken = len(values) < len(scores[number])
        return is_broken, 0.0 if is_broken else sign * statistics.fmean(values), number

    return sorted(scores, key=place)


def _ranked(results: list[TrialResult]) -> RankedSetting:
    values = [result.value for result in results if result.is_whole]
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(results):
        return RankedSetting(results, None, None)
    return RankedSetting(results, statistics.fmean(numbers), deviation(numbers) if len(numbers) > 1 else None)


def _with_ties(ranking: list[RankedSetting]) -> list[RankedSetting]:
    """Mark settings that cannot be told from the best by the noise of seeds: see `dlexp.statistic.against_best`."""
    tested = [(s, s.value, s.std) for s in ranking if s.value is not None and s.std is not None]
    if not tested or tested[0][0] is not ranking[0]:
        return ranking
    means_M, deviations_M = (np.array([result[column] for result in tested]) for column in (1, 2))
    counts_M = np.array([len(s.results) for s, _, _ in tested])
    p_values_M = p_against_best(means_M, deviations_M**2, counts_M)
    tied = {s.number for (s, _, _), p in zip(tested[1:], p_values_M[1:], strict=True) if p >= ALPHA}
    return [replace(s, is_tied=s.number in tied) for s in ranking]


def edges(best: RankedSetting, dimensions: list[Dimension], ranking: list[RankedSetting]) -> list[str]:
    """Return "key: lower" or "key: upper" where the best setting lies at an edge beyond which more may be searched.

    Of settings of one and the same score none is the best: all of them have to lie at the edge.
    """
    at_edge = []
    equal = [s for s in ranking if s.value == best.value]
    for d in dimensions:
        if d.group == "seeds" or d.key.rpartition(".")[2] in WITHOUT_ORDER:
            continue
        tried = [s.settings[d.key] for s in ranking if d.key in s.settings]
        numbers = [float(v) for v in tried if _is_number(v)]
        sides = {_edge(d, s.settings.get(d.key), numbers) for s in equal}
        edge = sides.pop() if len(sides) == 1 else None
        at_edge += [f"{d.key}: {edge}"] if edge else []
    return at_edge


def _edge(d: Dimension, value: Any, tried: list[float]) -> str | None:
    if not _is_number(value):
        return None
    if d.values is not None:
        numbers = [v for v in d.values if _is_number(v)]
        searched = replace(d, low=min(numbers), high=max(numbers))
        side = "lower" if value == searched.low else "upper" if value == searched.high else None
        side = side if len(numbers) >= FEWEST_LISTED else None
    else:
        searched = replace(d, low=min([d.low, *tried]), high=max([d.high, *tried]))
        side = edge_of(searched, value)
    return side if side and has_room(searched, side) else None


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def command(best: RankedSetting) -> str:
    """Return the command that trains the best setting anew."""
    composed = best.results[0].trial.composed
    return command_line("train", composed.overrides, composed.config_dir)
