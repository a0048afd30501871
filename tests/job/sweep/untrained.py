"""Trials that were never trained, for what is told from their results alone."""

from pathlib import Path
from typing import Any

import torch

from dlexp.build.components import Components
from dlexp.config.compose import Composed
from dlexp.data.dataset import Dataset
from dlexp.job.sweep.trial import Trial, TrialResult
from dlexp.run.folder import RunFolder
from dlexp.search.strategy import Proposal

NOWHERE = RunFolder(Path("nowhere"))
ROW = torch.zeros(1, dtype=torch.int64)
DATA = Dataset("dots", "binary", torch.zeros(1, 1), ROW, ROW, ROW, ROW, ["a", "b"])


def untrained(
    number: int,
    value: float | None,
    seed: int | None = None,
    status: str = "finished",
    folder: RunFolder = NOWHERE,
    **settings: Any,
) -> TrialResult:
    """Return a trial of the first round that ended with a value."""
    trial = Trial(
        f"{number}-{seed}", Proposal(number, settings), 1, seed, Composed({}, {}, [], []), Components({}, DATA)
    )
    return TrialResult(trial, folder, status, value, {}, 1, 0.0)
