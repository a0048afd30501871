"""The settings of a sweep in order: means over seeds, ties within their noise, edges, and the winner's command."""

import math
import statistics
from dataclasses import dataclass, replace
from typing import Any

from dlexp.config.dimension import Dimension
from dlexp.config.wording import command_line
from dlexp.job.sweep.document import TrialRecord
from dlexp.job.sweep.trial import Outcome, Trial
from dlexp.run.status import Status
from dlexp.search.coarse_to_fine import edge_of

FEWEST_LISTED = 3  # of two listed values each is at an edge
TIE_LEVEL = 0.95


@dataclass(frozen=True)
class RankedTrial:
    """One trial and how it ended.

    Attributes:
        trial: What was asked.
        outcome: What came of it.
        round: The round that asked last.
    """

    trial: Trial
    outcome: Outcome
    round: int

    @property
    def is_whole(self) -> bool:
        """Whether it has a value that counts."""
        value = self.outcome.value
        return Status(self.outcome.status).has_value and value is not None and math.isfinite(value)

    def record(self) -> TrialRecord:
        """Return the trial as a sweep's result has it."""
        record: TrialRecord = {
            "run_id": self.trial.id,
            "run_dir": str(self.outcome.folder.path),
            "number": self.trial.proposal.number,
            "round": self.round,
            "status": self.outcome.status,
            "overrides": self.trial.overrides,
            "value": self.outcome.value,
            "metrics": self.outcome.metrics,
            "epochs": self.outcome.epochs,
            "seconds": round(self.outcome.seconds, 3),
        }
        if self.outcome.reason and not self.is_whole:
            record["error"] = self.outcome.reason
        return record


@dataclass(frozen=True)
class RankedSetting:
    """One setting over its seeds.

    Attributes:
        entries: A trial for each seed.
        value: Mean of the metric; None when a trial has no value.
        std: Standard deviation over seeds; None for one seed.
        is_tied: Whether the difference to the best lies within the noise of seeds.
    """

    entries: list[RankedTrial]
    value: float | None
    std: float | None
    is_tied: bool = False

    @property
    def settings(self) -> dict[str, Any]:
        """The values that the search set for it."""
        return self.entries[0].trial.proposal.settings

    @property
    def number(self) -> int:
        """Its number within the search."""
        return self.entries[0].trial.proposal.number


def rank(entries: list[RankedTrial], *, is_high_better: bool) -> list[RankedSetting]:
    """Return the settings, best first; those with a failed trial come last, and equal ones in the order asked."""
    by_number: dict[int, list[RankedTrial]] = {}
    for entry in entries:
        by_number.setdefault(entry.trial.proposal.number, []).append(entry)
    ranking = [_ranked(of_setting) for of_setting in by_number.values()]
    sign = -1.0 if is_high_better else 1.0
    ranking.sort(key=lambda s: (s.value is None, 0.0 if s.value is None else sign * s.value, s.number))
    return _with_ties(ranking)


def _ranked(entries: list[RankedTrial]) -> RankedSetting:
    values = [entry.outcome.value for entry in entries if entry.is_whole]
    numbers = [value for value in values if value is not None]
    if len(numbers) < len(entries):
        return RankedSetting(entries, None, None)
    return RankedSetting(entries, statistics.fmean(numbers), statistics.stdev(numbers) if len(numbers) > 1 else None)


def _with_ties(ranking: list[RankedSetting]) -> list[RankedSetting]:
    """Mark settings whose mean differs from the best by less than the noise of seeds explains.

    Student's t-test of equal means with the variance pooled over the two settings: seeds of bad settings scatter more
    and say nothing about good ones. One comparison with the best each, not corrected for many.
    """
    if not ranking or ranking[0].std is None:
        return ranking
    return [ranking[0], *(replace(s, is_tied=_is_tied(ranking[0], s)) for s in ranking[1:])]


def _is_tied(best: RankedSetting, other: RankedSetting) -> bool:
    from scipy.stats import t

    if best.value is None or other.value is None or best.std is None or other.std is None:
        return False
    counts = [len(best.entries), len(other.entries)]
    degrees = sum(counts) - 2
    variance = sum(s.std**2 * (n - 1) for s, n in zip((best, other), counts, strict=True) if s.std) / degrees
    spread = math.sqrt(variance * sum(1 / n for n in counts))
    return abs(best.value - other.value) <= float(t.ppf(0.5 + TIE_LEVEL / 2, degrees)) * spread


def edges(best: RankedSetting, dimensions: list[Dimension], ranking: list[RankedSetting]) -> list[str]:
    """Return "key: lower" or "key: upper" where the best setting lies at the edge of what was searched."""
    at_edge = []
    for d in dimensions:
        value = best.settings.get(d.key)
        if not isinstance(value, int | float) or isinstance(value, bool):
            continue
        tried = [s.settings[d.key] for s in ranking if d.key in s.settings]
        edge = _edge(d, value, [float(v) for v in tried if isinstance(v, int | float)])
        at_edge += [f"{d.key}: {edge}"] if edge else []
    return at_edge


def _edge(d: Dimension, value: float, tried: list[float]) -> str | None:
    if d.values is not None:
        numbers = [v for v in d.values if isinstance(v, int | float) and not isinstance(v, bool)]
        if len(numbers) < FEWEST_LISTED:
            return None
        return "lower" if value == min(numbers) else "upper" if value == max(numbers) else None
    low, high = min([d.low, *tried]), max([d.high, *tried])
    return edge_of(Dimension(d.key, "", low=low, high=high, is_log=d.is_log, is_int=d.is_int), value)


def command(best: RankedSetting) -> str:
    """Return the command that trains the best setting anew."""
    composed = best.entries[0].trial.composed
    return command_line("train", composed.overrides, composed.config_dir)
