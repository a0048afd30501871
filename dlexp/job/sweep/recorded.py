"""A sweep as its result records it: its settings in order, and the folders of its trials."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlexp.job.sweep.document import SweepResult, TrialRecord
from dlexp.job.sweep.leaderboard import best_first
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status


def rank_records(result: SweepResult) -> list[list[TrialRecord]]:
    """Return the settings of a sweep that have a value for each of their seeds, best first: lists of trials."""
    by_number: dict[int, list[TrialRecord]] = {}
    for trial in result["trials"]:
        by_number.setdefault(trial["number"], []).append(trial)
    scores = {
        number: [t["value"] if Status(t["status"]).has_value else None for t in trials]
        for number, trials in by_number.items()
    }
    ranked = best_first(scores, is_high_better=result["mode"] == "max")
    return [by_number[number] for number in ranked if None not in scores[number]]


def trial_folder(sweep: RunFolder, trial: Mapping[str, Any]) -> RunFolder:
    """Return a trial's folder, which may stand in an earlier sweep's, or where the whole sweep was moved to."""
    path = Path(trial["run_dir"])
    moved = sweep.path / path.parent.name / path.name
    return RunFolder.open(moved if moved.is_dir() else path)
