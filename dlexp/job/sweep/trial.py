"""One trial of a sweep: what was asked, and how it ended, read from its folder alone."""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexp.build.components import Components
from dlexp.config.compose import Composed
from dlexp.data.dataset import Dataset
from dlexp.execution.result import best_record
from dlexp.job.sweep.document import TrialRecord
from dlexp.run.folder import TRIALS, RunFolder
from dlexp.run.status import Status
from dlexp.search.strategy import Proposal


@dataclass(frozen=True)
class Trial:
    """One training run that a search asked for.

    Attributes:
        id: Names it and its folder.
        proposal: What was asked.
        round: The round of the search that asked.
        seed: The replicate; None for the configuration's seed.
        composed: Its configuration.
        components: What that names.
    """

    id: str
    proposal: Proposal
    round: int
    seed: int | None
    composed: Composed
    components: Components

    @property
    def dataset(self) -> Dataset:
        """The data that it trains on, with their parts."""
        return self.components.data

    @property
    def overrides(self) -> dict[str, Any]:
        """The setting, with the seed where seeds are replicates."""
        return self.proposal.settings | ({} if self.seed is None else {"seed": self.seed})


@dataclass(frozen=True)
class TrialResult:
    """A trial and how it ended, or where it paused.

    Attributes:
        trial: What was asked.
        folder: Where it is.
        status: finished, stopped_early (by itself or by the search), diverged or failed.
        value: The metric at its best epoch; None where there is none.
        metrics: All metrics of that epoch.
        epochs: Epochs done.
        seconds: Of training.
        reason: Why it failed.
    """

    trial: Trial
    folder: RunFolder
    status: str
    value: float | None
    metrics: dict[str, float]
    epochs: int
    seconds: float
    reason: str = ""

    @property
    def is_whole(self) -> bool:
        """Whether it has a value that counts."""
        return Status(self.status).has_value and self.value is not None and math.isfinite(self.value)

    def record(self) -> TrialRecord:
        """Return it as a sweep's result has trials."""
        record: TrialRecord = {
            "run_id": self.trial.id,
            "run_dir": str(self.folder.path),
            "number": self.trial.proposal.number,
            "round": self.trial.round,
            "status": self.status,
            "overrides": self.trial.overrides,
            "value": self.value,
            "metrics": self.metrics,
            "epochs": self.epochs,
            "seconds": round(self.seconds, 3),
        }
        if self.reason and not self.is_whole:
            record["error"] = self.reason
        return record


def read_result(trial: Trial, folder: RunFolder, metric: str) -> TrialResult | None:
    """Return how a trial ended, from its folder alone; None when there is something left to train.

    Of a trial that was to pause, what came after the pause, if it went on, is not looked at.

    Args:
        trial: What was asked.
        folder: The trial's.
        metric: The objective.
    """
    manifest, history, until = folder.manifest, folder.history(), trial.proposal.until
    status, paused_at = manifest["status"], manifest.get("paused_at")
    if until is not None and len(history) >= until and (Status(status).has_ended or (paused_at or 0) >= until):
        status, history = ("stopped_early" if status != "finished" else status), history[:until]
    elif not Status(status).has_ended or paused_at is not None:
        return None
    best = best_record(history, manifest["monitor"])
    value = None if best is None else best.get(metric)
    seconds = sum(record["seconds"] for record in history)
    metrics = {} if best is None else {key: number for key, number in best.items() if "/" in key}
    return TrialResult(trial, folder, status, value, metrics, len(history), seconds, manifest.get("reason", ""))


def by_id(sweep: Path) -> dict[str, Path]:
    """Return the trial folders of a sweep by the id that their names begin with."""
    return {path.name.partition("-")[0]: path for path in sorted((sweep / TRIALS).glob("*-*"))}
