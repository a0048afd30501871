"""The trials of a sweep as points, and the settings that they are seeds of."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlexp.statistic.spread import deviation


@dataclass(frozen=True)
class Point:
    """One trial.

    Attributes:
        settings: Its searched values.
        value: The objective; None where it failed.
        round: The round that asked for it.
        run_id: Names it.
    """

    settings: dict[str, Any]
    value: float | None
    round: int
    run_id: str = ""


@dataclass(frozen=True)
class Spot:
    """One setting over its seeds.

    Attributes:
        settings: The setting.
        values: Of its seeds, without those that failed.
        round: Of its first trial.
        is_failed: Whether a seed failed, so that it has no mean.
        run_id: Of its first trial.
    """

    settings: dict[str, Any]
    values: list[float]
    round: int
    is_failed: bool
    run_id: str = ""

    @property
    def mean(self) -> float | None:
        """Mean over seeds; None where one failed."""
        return None if self.is_failed else statistics.fmean(self.values)

    @property
    def std(self) -> float:
        """Standard deviation over seeds; 0 for one."""
        return deviation(self.values) if len(self.values) > 1 else 0.0


def spots(points: Sequence[Point]) -> list[Spot]:
    """Return the settings in the order of their first points."""
    groups: dict[str, list[Point]] = {}
    for point in points:
        groups.setdefault(repr(sorted(point.settings.items())), []).append(point)
    return [
        Spot(
            group[0].settings,
            [point.value for point in group if point.value is not None],
            group[0].round,
            any(point.value is None for point in group),
            group[0].run_id,
        )
        for group in groups.values()
    ]
