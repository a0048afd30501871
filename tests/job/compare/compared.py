"""Run folders with made-up predictions, for tests of comparisons; nothing is trained."""

import itertools
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.job.compare.side import Predictions, Side
from dlexp.run.folder import RunFolder
from dlexp.statistic.measure import Measure

_MODELS = itertools.count()  # runs whose settings are not said have different ones
_APART = ("init", "order", "augment", "dropout")


def logits(seed: int, targets: np.ndarray, accuracy: float, num_classes: int = 3) -> np.ndarray:
    """Return (N, K) whose largest entry is the target with this probability."""
    draw = np.random.default_rng(seed)
    noise = draw.normal(size=(len(targets), num_classes)).astype(np.float32)
    is_right = draw.random(len(targets)) < accuracy
    shown = np.where(is_right, targets, (targets + 1) % num_classes)
    noise[np.arange(len(targets)), shown] += 8
    return noise


def side(run_id: str, side: list[Predictions], *overrides: str) -> Side:
    """Return one side of a comparison of runs, a seed for each of its predictions."""
    seeds = [str(seed) for seed in range(len(side))]
    return Side(
        run_id, list(overrides), "train", RunFolder(Path(run_id)), "multiclass", "f", seeds, {(0, 0): side}, 0, [run_id]
    )


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
    seed: int = 0,
    settings: dict[str, Any] | None = None,
    kind: str = "train",
) -> RunFolder:
    manifest: dict[str, Any] = {"kind": kind, "seed": seed, "device": "cpu", "task": task, "params": {}}
    manifest["data"] = {"name": "made-up", "fingerprint": fingerprint}
    config = {
        "tracking": {"_target_": "dlexp.tracking.mlflow.NoTracking"},
        "trainer": {},
        "data": {},
        "seed": seed,
        "seeds": dict.fromkeys(_APART),
        **(settings or {"model": next(_MODELS)}),
    }
    place = (runs_dir, "made-up") if parent is None else (parent.path, "trials" if kind == "trial" else "folds")
    overrides = [f"{key}={value}" for key, value in {**(settings or {}), **({"seed": seed} if seed else {})}.items()]
    folder = RunFolder.create(*place, "x", config=config, overrides=overrides, manifest=manifest)
    ids = [str(row) for row in range(len(target))] if ids is None else ids
    folder.write_predictions("val", ids, target, output)
    folder.write("model.json", json.dumps({"measure": asdict(Measure())}))
    folder.write_split({"train": np.arange(4 * len(target)), "val": np.arange(len(target)), "test": np.arange(0)})
    folder.write_result({"kind": kind, "run_id": folder.run_id, "status": status, "metrics": {}})
    folder.update_manifest(status=status)
    folder.unlock()
    return folder


def write_cv(
    runs_dir: Path,
    seed: int,
    accuracy: float,
    *,
    k: int = 5,
    num: int = 500,
    complete: bool = True,
    seeds: int = 1,
    parent: RunFolder | None = None,
) -> RunFolder:
    """Return the folder of a cross-validation of k folds of the same targets, whatever the seed."""
    target = np.arange(num) % 3
    manifest = {"kind": "cv", "seed": 0, "device": "cpu", "task": "multiclass", "params": {}}
    manifest["data"] = {"name": "made-up", "fingerprint": "f"}
    place = (runs_dir, "made-up") if parent is None else (parent.path, "settings")
    cv = RunFolder.create(*place, "cv", config={"tracking": {}}, overrides=[], manifest=manifest)
    folds = []
    for again in range(seeds):
        for fold, rows in enumerate(np.array_split(np.arange(num), k)):
            output = logits(seed + fold + 50 * again, target[rows], accuracy)
            child = write_run(runs_dir, output, target[rows], ids=[str(row) for row in rows], parent=cv)
            status = "finished" if complete or fold else "failed"
            record = {"fold": fold, "repeat": 0, "run_id": child.run_id, "status": status, "metrics": {}}
            folds.append(record | ({"seed": again} if seeds > 1 else {}))
    cv.write_result({"kind": "cv", "run_id": cv.run_id, "status": "finished", "complete": complete, "folds": folds})
    cv.update_manifest(status="finished" if complete else "failed")
    cv.unlock()
    return cv


def write_settings(runs_dir: Path, accuracies: list[float]) -> RunFolder:
    """Return a cross-validation of several settings, best first."""
    manifest = {"kind": "cv", "seed": 0, "device": "cpu", "task": "multiclass", "params": {}}
    manifest["data"] = {"name": "made-up", "fingerprint": "f"}
    parent = RunFolder.create(runs_dir, "made-up", "cv", config={"tracking": {}}, overrides=[], manifest=manifest)
    settings = []
    for number, accuracy in enumerate(accuracies):
        cv = write_cv(runs_dir, 100 * number, accuracy, parent=parent)
        about = {"run_id": cv.run_id, "run_dir": str(cv.path), "status": "finished"}
        settings.append(about | {"overrides": {"optimizer.lr": number}})
    result = {"kind": "cv", "run_id": parent.run_id, "status": "finished", "complete": True, "settings": settings}
    parent.write_result(result)
    parent.update_manifest(status="finished")
    parent.unlock()
    return parent


def write_sweep(runs_dir: Path, target: np.ndarray, accuracies: list[float], seeds: int, first: int) -> RunFolder:
    """Return a sweep over optimizer.lr = 0.1, 0.2, ... with a trial for each seed."""
    manifest = {"kind": "sweep", "seed": 0, "device": "cpu", "task": "multiclass", "params": {}}
    manifest["data"] = {"name": "made-up", "fingerprint": "f"}
    sweep = RunFolder.create(runs_dir, "made-up", "grid", config={"tracking": {}}, overrides=[], manifest=manifest)
    trials = []
    for number, accuracy in enumerate(accuracies):
        for seed in range(seeds):
            setting = {"optimizer.lr": (number + 1) / 10}
            output = logits(first + seeds * number + seed, target, accuracy)
            trial = write_run(runs_dir, output, target, parent=sweep, seed=seed, settings=setting, kind="trial")
            about = {"run_id": trial.run_id, "run_dir": str(trial.path), "number": number, "status": "finished"}
            value = float((output.argmax(1) == target).mean())
            overrides = setting | ({"seed": seed} if seeds > 1 else {})
            trials.append(about | {"value": value, "overrides": overrides})
    result = {"kind": "sweep", "run_id": sweep.run_id, "status": "finished", "mode": "max", "trials": trials}
    sweep.write_result(result | {"best": max(trials, key=lambda trial: trial["value"])})
    sweep.update_manifest(status="finished")
    sweep.unlock()
    return sweep
