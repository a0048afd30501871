"""What a comparison knows of a run: its predictions on one split, or on every fold of a cross-validation.

Shapes: N examples, K classes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp.error import RunError
from dlexp.tracker import scan
from dlexp.tracker.folder import RunFolder

WHOLE = ("finished", "stopped_early")
Part = tuple[int, int]  # repeat and fold; (0, 0) for the only split of a run


@dataclass(frozen=True)
class Predictions:
    """Outputs on the validation part of one split, sorted by sample id.

    Attributes:
        ids: (N,) sample ids.
        targets: (N,) classes or values.
        outputs: (N, K) logits or (N,) values.
        num_train: Examples that the model was trained on.
    """

    ids: np.ndarray
    targets: Tensor
    outputs: Tensor
    num_train: int


@dataclass(frozen=True)
class Entrant:
    """One side of a comparison.

    Attributes:
        run_id: Of the run, sweep or cv that the user named.
        overrides: What the user had set.
        kind: "train" or "cv"; a sweep enters by its best run.
        run_dir: Its folder.
        task: "multiclass", "binary" or "regression".
        fingerprint: Of the data.
        parts: Predictions by repeat and fold.
    """

    run_id: str
    overrides: list[str]
    kind: str
    run_dir: Path
    task: str
    fingerprint: str
    parts: dict[Part, Predictions]


def load(runs_dir: Path, ref: str) -> Entrant:
    """Return one side of a comparison.

    Raises:
        RunError: No such run, or it did not come to its end.
    """
    folder = scan.find(runs_dir, ref)
    manifest, result = folder.manifest, folder.result
    kind = manifest["kind"]
    is_lacking = result is not None and (result.get("complete") is False or result.get("best", "") is None)
    if result is None or is_lacking or manifest["status"] not in WHOLE:
        raise RunError(f"{folder.run_id}: got a {kind} that is {_state(manifest, result)}; {_cure(folder, kind)}")
    if kind == "cv":
        parts = {(f["repeat"], f["fold"]): _read(folder.child(f["run_id"])) for f in result["folds"]}
    elif kind == "sweep":
        best = RunFolder.open(Path(result["best"]["run_dir"]))  # a trial may stand in an earlier sweep's folder
        kind, parts = "train", {(0, 0): _read(best)}
    else:
        parts = {(0, 0): _read(folder)}
    data = manifest["data"]
    return Entrant(folder.run_id, folder.overrides, kind, folder.path, manifest["task"], data["fingerprint"], parts)


def labels(entrants: list[Entrant]) -> list[str]:
    """Return a name for each: its id and those of its settings that not all of them share."""
    shared = set.intersection(*(set(entrant.overrides) for entrant in entrants))
    own = [[override for override in entrant.overrides if override not in shared] for entrant in entrants]
    return [f"{entrant.run_id} {' '.join(some) or 'default'}" for entrant, some in zip(entrants, own, strict=True)]


def require_same(first: Entrant, other: Entrant) -> None:
    """Refuse to compare what was measured on different things.

    Raises:
        RunError: Kind, data, task or validation examples differ.
    """
    pair = f"{first.run_id} and {other.run_id}"
    if first.kind != other.kind:
        raise RunError(f"{pair}: got a {first.kind} and a {other.kind}; two of one kind are needed")
    if first.fingerprint != other.fingerprint:
        raise RunError(f"{pair}: got different data; only results on the same examples can be paired")
    if first.task != other.task:
        raise RunError(f"{pair}: got the tasks {first.task} and {other.task}; the same task is needed")
    if first.parts.keys() != other.parts.keys():
        raise RunError(f"{pair}: got {_shape(first)} and {_shape(other)}; the same cv.k and cv.repeats are needed")
    for part, mine in first.parts.items():
        theirs = other.parts[part]
        if not np.array_equal(mine.ids, theirs.ids):
            common = len(np.intersect1d(mine.ids, theirs.ids))
            raise RunError(
                f"{pair}: got different validation examples ({common} of {len(mine.ids)} and {len(theirs.ids)} in "
                "common); the same split is needed: data.split_seed, fractions and counts as in the other run"
            )
        if not mine.targets.equal(theirs.targets):
            raise RunError(f"{pair}: got different targets for the same examples; the same task is needed")


def _read(folder: RunFolder) -> Predictions:
    kept = folder.predictions("val")
    order = np.argsort(kept["id"], kind="stable")
    with np.load(folder.path / "split.npz", allow_pickle=False) as split:
        num_train = len(split["train"])
    targets, outputs = (torch.from_numpy(kept[name][order]) for name in ("target", "output"))
    return Predictions(kept["id"][order], targets, outputs, num_train)


def _state(manifest: dict[str, Any], result: dict[str, Any] | None) -> str:
    if result is not None and result.get("complete") is False:
        done = sum(fold["status"] in WHOLE for fold in result["folds"])
        return f"incomplete ({done} of {len(result['folds'])} folds)"
    return manifest["status"] if manifest["status"] not in WHOLE else "without a result"


def _cure(folder: RunFolder, kind: str) -> str:
    return f"finish it with `dlexp {kind} --resume {folder.run_id}`, or leave it out"


def _shape(entrant: Entrant) -> str:
    repeats = 1 + max(repeat for repeat, _ in entrant.parts)
    return f"{repeats} x {1 + max(fold for _, fold in entrant.parts)} folds"
