"""The folds of a cv that is gone on with: those that its trainings began with, whatever would be dealt today."""

from dataclasses import replace

import numpy as np
import torch

from dlexp.data.fold import Fold
from dlexp.error import RunError
from dlexp.execution.integrity import is_intact
from dlexp.job.cv.spec import CVSpec
from dlexp.run.division import read_division
from dlexp.run.folder import RunFolder


def with_recorded_folds(spec: CVSpec, cv: RunFolder) -> CVSpec:
    """Return a spec with the folds that a cv's trainings state.

    Versions before 0.2 took `data.limit` for a limit of the training part alone, so they dealt other examples.

    Raises:
        RunError: Folds were dealt otherwise, and not all of them are on record.
    """
    recorded = _recorded(cv)
    folds = [recorded.get((fold.repeat, fold.fold), fold) for fold in spec.folds]
    has_changed = not all(map(_are_equal, folds, spec.folds)) or not _has_inner_rows(cv, folds)
    if has_changed and (spec.inner is not None or len(recorded) < len(folds)):
        raise RunError(f"{cv.run_id}: an earlier version of dlexp dealt other examples to its folds; start the cv anew")
    return replace(spec, folds=folds)


def _trainings(cv: RunFolder, kind: str) -> list[RunFolder]:
    """Return the trainings of one kind, "fold" or "trial", of all settings, but for those that a power cut damaged."""
    children = [child for child in cv.children() if child.is_synced or is_intact(child)]
    inside = [training for child in children if child.manifest["kind"] == "cv" for training in child.children()]
    return [training for training in [*children, *inside] if training.manifest["kind"] == kind]


def _recorded(cv: RunFolder) -> dict[tuple[int, int], Fold]:
    folds = {}
    for training in _trainings(cv, "fold"):
        rows, manifest = read_division(training), training.manifest
        if rows is not None:
            place = manifest["repeat"], manifest["fold"]
            folds[place] = Fold(*place, torch.from_numpy(rows["train"]), torch.from_numpy(rows["val"]))
    return folds


def _has_inner_rows(cv: RunFolder, folds: list[Fold]) -> bool:
    """Say whether the inner trainings of a nested cv divided the training parts of its folds."""
    outer = {(fold.repeat, fold.fold): fold.train.numpy() for fold in folds}
    for training in _trainings(cv, "trial"):
        rows, manifest = read_division(training), training.manifest
        if rows is not None:
            together = np.sort(np.concatenate([rows["train"], rows["val"]]))
            return np.array_equal(together, outer[manifest["repeat"], manifest["fold"]])
    return True


def _are_equal(mine: Fold, theirs: Fold) -> bool:
    return torch.equal(mine.train, theirs.train) and torch.equal(mine.val, theirs.val)
