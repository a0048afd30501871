"""Trials that other sweeps of the experiment have finished: a search takes them instead of training them again."""

from dataclasses import dataclass, field
from pathlib import Path

from dlexp.error import RunError
from dlexp.execution.integrity import is_intact
from dlexp.job.sweep.trial import FOLDER, by_id, outcome
from dlexp.run.folder import RunFolder


@dataclass
class Elsewhere:
    """The trials of the neighbours of a sweep, each read when it is asked for.

    Attributes:
        metric: The objective.
        paths: Folders by the trial's id, those of later sweeps last.
    """

    metric: str
    paths: dict[str, list[Path]] = field(default_factory=dict)

    @classmethod
    def around(cls, sweep: RunFolder, metric: str) -> "Elsewhere":
        """Return the trials of the other sweeps in a sweep's experiment."""
        found: dict[str, list[Path]] = {}
        for place in sorted(sweep.path.parent.glob(f"*-*/{FOLDER}")):
            if place.parent != sweep.path:
                for id_, path in by_id(place.parent).items():
                    found.setdefault(id_, []).append(path)
        return cls(metric, found)

    def get(self, trial_id: str) -> Path | None:
        """Return the folder of a trial that is done and undamaged; one that failed is worth another attempt."""
        return next((path for path in reversed(self.paths.get(trial_id, [])) if self._is_finished(path)), None)

    def _is_finished(self, path: Path) -> bool:
        folder = RunFolder(path)
        try:
            found = outcome(folder, self.metric) if is_intact(folder) else None
        except RunError:  # killed while it was made
            return False
        return found is not None and found.status != "failed"
