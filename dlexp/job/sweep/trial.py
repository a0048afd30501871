"""One trial of a sweep: what was asked, and how it ended, read from its folder alone."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexp.build.components import Components
from dlexp.config.compose import Composed
from dlexp.data.dataset import Dataset
from dlexp.execution.result import best_record
from dlexp.run.folder import TRIALS, RunFolder
from dlexp.run.status import Status
from dlexp.search.strategy import Proposal


@dataclass(frozen=True)
class Trial:
    """One training run that a search asked for.

    Attributes:
        id: Names it and its folder.
        proposal: What was asked.
        seed: The replicate; None for the configuration's seed.
        composed: Its configuration.
        components: What that names.
    """

    id: str
    proposal: Proposal
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
class Outcome:
    """How a trial ended, or where it paused.

    Attributes:
        status: finished, stopped_early (by itself or by the search), diverged or failed.
        value: The metric at its best epoch; None where there is none.
        metrics: All metrics of that epoch.
        epochs: Epochs done.
        seconds: Of training.
        folder: Where it is.
        reason: Why it failed.
    """

    status: str
    value: float | None
    metrics: dict[str, float]
    epochs: int
    seconds: float
    folder: RunFolder
    reason: str = ""


def outcome(folder: RunFolder, metric: str, until: int | None = None) -> Outcome | None:
    """Return how a trial ended, from its folder alone; None when there is something left to train.

    Args:
        folder: The trial's.
        metric: The objective.
        until: Epoch at which it was to pause: what came later, if it went on, is not looked at.
    """
    manifest, history = folder.manifest, folder.history()
    status, paused_at = manifest["status"], manifest.get("paused_at")
    if until is not None and len(history) >= until and (Status(status).has_ended or (paused_at or 0) >= until):
        status, history = ("stopped_early" if status != "finished" else status), history[:until]
    elif not Status(status).has_ended or paused_at is not None:
        return None
    best = best_record(history, manifest["monitor"])
    value = None if best is None else best.get(metric)
    seconds = sum(record["seconds"] for record in history)
    metrics = {} if best is None else {key: number for key, number in best.items() if "/" in key}
    return Outcome(status, value, metrics, len(history), seconds, folder, manifest.get("reason", ""))


def by_id(sweep: Path) -> dict[str, Path]:
    """Return the trial folders of a sweep by the id that their names begin with."""
    return {path.name.partition("-")[0]: path for path in sorted((sweep / TRIALS).glob("*-*"))}
