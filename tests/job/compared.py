"""Run folders with made-up predictions, for tests of comparisons; nothing is trained."""

from pathlib import Path

import numpy as np

from dlexp.tracker.folder import RunFolder


def logits(seed: int, targets: np.ndarray, accuracy: float, num_classes: int = 3) -> np.ndarray:
    """Return (N, K) whose largest entry is the target with this probability."""
    draw = np.random.default_rng(seed)
    noise = draw.normal(size=(len(targets), num_classes)).astype(np.float32)
    is_right = draw.random(len(targets)) < accuracy
    shown = np.where(is_right, targets, (targets + 1) % num_classes)
    noise[np.arange(len(targets)), shown] += 8
    return noise


def write_run(
    runs_dir: Path,
    output: np.ndarray,
    target: np.ndarray,
    *,
    ids: list[str] | None = None,
    status: str = "finished",
    task: str = "multiclass",
    fingerprint: str = "f",
    parent: RunFolder | None = None,
) -> RunFolder:
    manifest = {"kind": "train", "seed": 0, "device": "cpu", "task": task, "params": {}, "data": {"name": "made-up"}}
    manifest["data"]["fingerprint"] = fingerprint
    config = {"tracking": {"_target_": "dlexp.tracker.mlflow.NoTracking"}}
    place = (runs_dir, "made-up") if parent is None else (parent.path, "folds")
    folder = RunFolder.create(*place, "x", config=config, overrides=[], manifest=manifest)
    ids = [str(row) for row in range(len(target))] if ids is None else ids
    folder.write_predictions("val", ids, target, output)
    folder.write_split({"train": np.arange(4 * len(target)), "val": np.arange(len(target)), "test": np.arange(0)})
    folder.write_result({"kind": "train", "run_id": folder.run_id, "status": status, "metrics": {}})
    folder.update_manifest(status=status)
    folder.unlock()
    return folder


def write_cv(runs_dir: Path, seed: int, accuracy: float, *, k: int = 5, num: int = 500, complete: bool = True):
    """Return the folder of a cross-validation of k folds of the same targets, whatever the seed."""
    target = np.arange(num) % 3
    manifest = {"kind": "cv", "seed": 0, "device": "cpu", "task": "multiclass", "params": {}}
    manifest["data"] = {"name": "made-up", "fingerprint": "f"}
    cv = RunFolder.create(runs_dir, "made-up", "cv", config={"tracking": {}}, overrides=[], manifest=manifest)
    folds = []
    for fold, rows in enumerate(np.array_split(np.arange(num), k)):
        output = logits(seed + fold, target[rows], accuracy)
        child = write_run(runs_dir, output, target[rows], ids=[str(row) for row in rows], parent=cv)
        status = "finished" if complete or fold else "failed"
        folds.append({"fold": fold, "repeat": 0, "run_id": child.run_id, "status": status, "metrics": {}})
    cv.write_result({"kind": "cv", "run_id": cv.run_id, "status": "finished", "complete": complete, "folds": folds})
    cv.update_manifest(status="finished" if complete else "failed")
    cv.unlock()
    return cv
