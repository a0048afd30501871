"""A sweep as a page needs it: what was searched, its settings in order, its trials as points."""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from dlexp.config import dimension, override
from dlexp.config.dimension import Dimension
from dlexp.error import ConfigError, RunError
from dlexp.job.sweep.document import BestSetting, SweepResult, TrialRecord
from dlexp.job.sweep.recorded import rank_records
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status

if TYPE_CHECKING:
    from dlexp.figure.point import Point


@dataclass(frozen=True)
class Sweep:
    """A sweep that is over, as its folder records it.

    Attributes:
        folder: Its own.
        result: Of the search, with a best setting.
    """

    folder: RunFolder
    result: SweepResult

    @property
    def best(self) -> BestSetting:
        """The winner, without which there is no page."""
        best = self.result["best"]
        assert best is not None, "a sweep without one has no page of this form"
        return best

    @property
    def is_high_better(self) -> bool:
        """Direction of the objective."""
        return self.result["mode"] == "max"

    @cached_property
    def ranked(self) -> list[list[TrialRecord]]:
        """The settings that have a value, best first: the trials of each."""
        return rank_records(self.result)

    @cached_property
    def dimensions(self) -> dict[str, Dimension]:
        """What was searched, by key, as far as the command line says it."""
        try:
            typed = override.parse(self.folder.overrides)
            return {each.key: dimension.read(each, may_repeat=True) for each in typed if each.sweep is not None}
        except (ConfigError, RunError):
            return {}

    @cached_property
    def keys(self) -> list[str]:
        """The dimensions in the order of their importance."""
        shares = self.result["importances"]
        settings = [trial["overrides"] for trial in self.result["trials"]]
        keys = dict.fromkeys(key for setting in settings for key in setting if key != "seed")
        return sorted(keys, key=lambda key: -shares.get(key, 0.0))

    @cached_property
    def log_keys(self) -> set[str]:
        """The dimensions on a logarithmic scale."""
        from dlexp.figure.style.scale import are_geometric

        return {key for key, d in self.dimensions.items() if d.is_log or are_geometric(d.values or [])}

    @cached_property
    def points(self) -> "list[Point]":
        """All trials, those of the best setting first, those without a value last."""
        from dlexp.figure.point import Point

        ordered = [trial for trials in self.ranked for trial in trials]
        seen = {id(trial) for trial in ordered}
        ordered += [trial for trial in self.result["trials"] if id(trial) not in seen]
        return [
            Point(
                {key: value for key, value in trial["overrides"].items() if key != "seed"},
                trial["value"] if Status(trial["status"]).has_value else None,
                trial["round"],
                str(trial["number"]),
            )
            for trial in ordered
            if trial["status"] != "invalid"
        ]
