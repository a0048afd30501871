"""What a comparison knows of each side: its held-out predictions by fold and by seed.

Shapes: N examples, K classes.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from dlexp.config.override import override_of
from dlexp.data.joint.head import Head, of_target
from dlexp.error import RunError
from dlexp.job.again import a_kind, resume_command
from dlexp.job.sweep.document import SweepResult
from dlexp.job.sweep.recorded import rank_records, trial_folder
from dlexp.number import noun
from dlexp.run import scan
from dlexp.run.division import read_division
from dlexp.run.document import FoldRecord
from dlexp.run.folder import RunFolder
from dlexp.run.measure import read_heads, read_measure
from dlexp.run.status import Status
from dlexp.run.stored import require_unedited
from dlexp.statistic.measure import Measure

Ranked = TypeVar("Ranked")
Split = tuple[int, int]  # repeat and fold; (0, 0) for the only split of a run


@dataclass(frozen=True)
class Predictions:
    """Outputs on the validation part of one split, sorted by sample id.

    Attributes:
        ids: (N,) sample ids.
        targets: (N,) classes or values; (N, J) of several targets.
        outputs: (N, K) logits or (N,) values.
        num_train: Examples that the model was trained on; 0 where no test asks for it.
        measure: Constants of the run's metrics.
        heads: What each of several targets is; empty for one.
        user_metric: The user's metric that is compared, alone in its `dlexp.metric.choice.Metrics`; None for others.
    """

    ids: np.ndarray
    targets: np.ndarray
    outputs: np.ndarray
    num_train: int
    measure: Measure = field(default_factory=Measure)
    heads: Sequence[Head] = ()
    user_metric: Any = None

    def of_target(self, place: int) -> "Predictions":
        """Return those of one of several targets, for the examples that have it."""
        stored = of_target({"id": self.ids, "target": self.targets, "output": self.outputs}, self.heads, place)
        measure = replace(self.measure, positive=self.heads[place].positive)
        return Predictions(stored["id"], stored["target"], stored["output"], self.num_train, measure)


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        run_id: Of the run, sweep or cv that the user named; of the first of several runs that differ in seed only.
        overrides: What sets it apart: the user's settings, or those of the setting that was picked.
        kind: "train" (one split) or "cv".
        folder: Of the run, sweep or cv.
        task: "multiclass", "binary", "regression", "several", "reconstruct" or "pairs".
        fingerprint: Of the data.
        seeds: The seeds, as text, in the order of the predictions of each split.
        splits: Predictions by repeat and fold, one for each seed.
        picked_among: Settings of which this one was picked by the very scores that are compared; 0 if it was not.
        run_ids: Of all runs of this side.
        averages: Models that it is the mean of; 0 of a run, a sweep or a cv.
    """

    run_id: str
    overrides: list[str]
    kind: str
    folder: RunFolder
    task: str
    fingerprint: str
    seeds: list[str]
    splits: dict[Split, list[Predictions]]
    picked_among: int = 0
    run_ids: list[str] = field(default_factory=list)
    averages: int = 0

    def of_target(self, place: int) -> "Side":
        """Return the side with the predictions of one of several targets."""
        splits = {split: [each.of_target(place) for each in by_seed] for split, by_seed in self.splits.items()}
        return replace(self, splits=splits)

    def with_metric(self, metric: Any) -> "Side":
        """Return the side with a user's metric beside its predictions."""
        splits = {
            split: [replace(each, user_metric=metric) for each in by_seed] for split, by_seed in self.splits.items()
        }
        return replace(self, splits=splits)


def has_user_metrics(side: Side) -> bool:
    """Say whether a side was trained with metrics of the user's; nothing of them is built."""
    return bool(side.folder.config.get("metric", {}).get("extra"))


def load_side(runs_dir: Path, ref: str) -> Side:
    """Return one side of a comparison.

    Args:
        runs_dir: Folder of all runs.
        ref: A run as users name it; ``SWEEP:3`` is the setting in the third place of a sweep, or of a cv of several
            settings, which enter by their best otherwise.

    Raises:
        RunError: No such run, or it did not come to its end.
    """
    name, place = parse_place(ref)
    folder = scan.find(runs_dir, name)
    manifest, result = folder.manifest, folder.result
    kind = manifest["kind"]
    is_lacking = result is not None and (result.get("complete") is False or result.get("best", "") is None)
    if result is None or is_lacking or not Status(manifest["status"]).has_value:
        raise RunError(f"{folder.run_id}: got {a_kind(folder)} that is {_state(manifest, result)}; {_cure(folder)}")
    if kind == "sweep":
        return _load_setting(ref, folder, manifest, result, place)
    if result.get("settings"):
        return _load_cv_setting(ref, folder, result["settings"], place)
    if place is not None:
        raise RunError(f"{ref}: got {a_kind(folder)}; only sweeps and cvs of several settings have places")
    if kind == "ensemble":
        side = _enter(folder, manifest, result["paired"], [str(manifest["seed"])], _read_splits(folder, result))
        return replace(side, averages=len(result["members"]))
    if kind == "cv":
        splits, seeds = _read_folds(folder, result["folds"], manifest)
        return _enter(folder, manifest, "cv", seeds, splits)
    return _enter(folder, manifest, "train", [str(manifest["seed"])], {(0, 0): [_read(folder)]})


def load_trained(runs_dir: Path, ref: str) -> RunFolder:
    """Return the folder of the one training run that a user means: a run, a trial, or a sweep's best.

    Raises:
        RunError: No such run, it did not come to its end, or it is a fold or a cv.
    """
    folder = load_side(runs_dir, ref).folder
    kind = folder.manifest["kind"]
    if kind == "sweep" and folder.result is not None:
        return trial_folder(folder, rank_records(folder.result)[0][0])
    if kind not in ("train", "trial"):
        why = "is several models" if kind == "ensemble" else "differs from others in its data too"
        raise RunError(f"{ref}: got {a_kind(folder)}, which {why}; a training run or a sweep is needed")
    return folder


def parse_place(ref: str) -> tuple[str, int | None]:
    """Return what a user calls a run without the place of a setting behind it, and that place; None without one."""
    match = re.fullmatch(r"(.+):(\d+)", ref)
    if match is None or Path(ref).is_dir():
        return ref, None
    return match[1], int(match[2])


def _enter(
    folder: RunFolder, manifest: dict[str, Any], kind: str, seeds: list[str], splits: dict[Split, list[Predictions]]
) -> Side:
    require_unedited(folder)
    fingerprint = manifest["data"]["fingerprint"]
    run_id = folder.run_id
    return Side(run_id, folder.overrides, kind, folder, manifest["task"], fingerprint, seeds, splits, run_ids=[run_id])


def _load_setting(
    ref: str, folder: RunFolder, manifest: dict[str, Any], result: SweepResult, place: int | None
) -> Side:
    """Return a setting of a sweep with all of its seeds."""
    ranked = rank_records(result)
    trials = _at(ref, ranked, place)
    folders = [trial_folder(folder, trial) for trial in trials]
    seeds = [str(trial["overrides"].get("seed", manifest["seed"])) for trial in trials]
    is_one = len(trials) == 1
    side = _enter(folder, manifest, "train", seeds, {(0, 0): [_read(trial) for trial in folders]})
    return replace(
        side,
        run_id=folder.run_id if place is None else f"{folder.run_id}:{place}",
        overrides=[text for text in folders[0].overrides if is_one or not text.startswith("seed=")],
        folder=folder if place is None else folders[0],
        picked_among=len(ranked) if place is None and len(ranked) > 1 else 0,
        run_ids=[trial.run_id for trial in folders],
    )


def _at(ref: str, ranked: list[Ranked], place: int | None) -> Ranked:
    index = 0 if place is None else place - 1
    if not 0 <= index < len(ranked):
        raise RunError(f"{ref}: got the place {index + 1} of {noun(len(ranked), 'setting')} with a value")
    return ranked[index]


def _load_cv_setting(ref: str, folder: RunFolder, settings: list[Mapping[str, Any]], place: int | None) -> Side:
    """Return a setting of a cv over several."""
    picked = _at(ref, settings, place)
    side = load_side(folder.runs_dir, str(trial_folder(folder, picked).path))
    overrides = picked["overrides"]
    shown = [override_of(key, value) for key, value in overrides.items()] if isinstance(overrides, dict) else overrides
    run_id = folder.run_id if place is None else f"{folder.run_id}:{place}"
    return replace(side, run_id=run_id, overrides=shown, picked_among=0 if place is not None else len(settings))


def _read_folds(
    cv: RunFolder, folds: list[FoldRecord], manifest: dict[str, Any]
) -> tuple[dict[Split, list[Predictions]], list[str]]:
    places = {child.run_id: child for child in cv.children()}
    splits: dict[Split, list[Predictions]] = {}
    seeds: list[str] = []
    for record in folds:
        if record["run_id"] not in places:
            raise RunError(f"{cv.path}: its fold {record['run_id']} is missing; restore it from a copy")
        fold = places[record["run_id"]]
        rows = read_division(fold)
        if rows is None:
            raise RunError(f"{fold.path}: no split.npz; restore it from a copy")
        splits.setdefault((record["repeat"], record["fold"]), []).append(_read(fold, len(rows["train"])))
        seeds.append(str(record.get("seed", manifest["seed"])))
    return splits, list(dict.fromkeys(seeds))


def _read_splits(ensemble: RunFolder, result: dict[str, Any]) -> dict[Split, list[Predictions]]:
    """Return the predictions of an ensemble by split, each example by what was chosen without it."""
    stored, measure = ensemble.predictions("val"), read_measure(ensemble)
    splits: dict[Split, list[Predictions]] = {}
    start = 0
    for record in result["splits"]:
        rows = slice(start, start := start + record["num"])
        ids, targets, outputs = (stored[name][rows] for name in ("id", "target", "output"))
        splits[record["repeat"], record["fold"]] = [Predictions(ids, targets, outputs, record["num_train"], measure)]
    return splits


def _read(folder: RunFolder, num_train: int = 0) -> Predictions:
    stored = folder.predictions("val")
    order = np.argsort(stored["id"], kind="stable")
    ids, targets, outputs = (stored[name][order] for name in ("id", "target", "output"))
    return Predictions(ids, targets, outputs, num_train, read_measure(folder), read_heads(folder))


def _state(manifest: dict[str, Any], result: dict[str, Any] | None) -> str:
    if result is not None and result.get("complete") is False:
        done = sum(Status(fold["status"]).has_value for fold in result["folds"])
        return f"incomplete ({done} of {noun(len(result['folds']), 'fold')})"
    return manifest["status"] if not Status(manifest["status"]).has_value else "without a result"


def _cure(folder: RunFolder) -> str:
    return f"finish it with `{resume_command(folder)}`, or leave it out"
