"""The models that an ensemble may be chosen from: what each said of the same held-out examples.

Shapes: M models, N held-out predictions (each example once in every repeat of a cv), K classes (1 for values).
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlexp.error import RunError
from dlexp.job.compare.pairing import labels, require_same
from dlexp.job.compare.side import Predictions, Side, Split, load_side
from dlexp.job.ensemble.member import candidates
from dlexp.number import noun
from dlexp.statistic.measure import Measure
from dlexp.statistic.score import log_probabilities

TASKS = ("multiclass", "binary", "regression")  # of which the answers can be averaged
MOST_BYTES = 2**31  # that all models' predictions may take at once


@dataclass(frozen=True)
class Library:
    """What each model said of the same examples.

    Attributes:
        sides: The models, a run or a cv each.
        names: Of the models: id and what tells its setting from the others'.
        splits: Where the held-out predictions of each split begin and end: one split, or the folds of every repeat.
        ids_N: Sample ids.
        targets_N: Classes or values.
        said_MNK: Log probabilities, or values.
        measure: Constants of the metrics; its link is that of the log probabilities.
    """

    sides: list[Side]
    names: list[str]
    splits: dict[Split, slice]
    ids_N: np.ndarray
    targets_N: np.ndarray
    said_MNK: np.ndarray
    measure: Measure

    @property
    def is_classes(self) -> bool:
        """Whether the targets are classes."""
        return self.sides[0].task != "regression"

    @property
    def is_cv(self) -> bool:
        """Whether the predictions are those of folds."""
        return self.sides[0].kind == "cv"

    @property
    def answers_MNK(self) -> np.ndarray:
        """Probabilities, or values: what is averaged."""
        return np.exp(self.said_MNK) if self.is_classes else self.said_MNK

    def together(self, weights_M: np.ndarray) -> np.ndarray:
        """Return what an ensemble says: log probabilities (N, K), or values (N, 1)."""
        members = np.flatnonzero(weights_M)
        said_MNK, weights_M = self.said_MNK[members], weights_M[members]
        if not self.is_classes:
            return np.tensordot(weights_M, said_MNK, 1)
        shifted_MNK = said_MNK + np.log(weights_M)[:, None, None]
        return np.logaddexp.reduce(shifted_MNK, axis=0)

    def as_side(self, name: str, said_NK: np.ndarray) -> Side:
        """Return what was said of every example as a side that can be compared.

        Args:
            name: Of the side.
            said_NK: Log probabilities or values.
        """
        outputs = said_NK if self.is_classes else said_NK[:, 0]
        splits = {
            split: [
                Predictions(
                    self.ids_N[rows],
                    self.targets_N[rows],
                    outputs[rows],
                    self.sides[0].splits[split][0].num_train,
                    self.measure,
                )
            ]
            for split, rows in self.splits.items()
        }
        first = self.sides[0]
        return Side(name, [], first.kind, first.folder, first.task, first.fingerprint, ["0"], splits, run_ids=[name])


def read(refs: list[str], runs_dir: Path) -> Library:
    """Return the library of the runs that a user names.

    Args:
        refs: Runs, sweeps, cvs, and places of these.
        runs_dir: Folder of all runs.

    Raises:
        RunError: Fewer than two models, or models that were validated on different examples.
    """
    folders = {folder.path: folder for ref in refs for folder in candidates(ref, runs_dir)}
    if len(folders) < 2:
        raise RunError(f"ensemble: got {noun(len(folders), 'model')}; at least two are needed: runs, SWEEP:1-5, or cvs")
    sides = [load_side(runs_dir, str(path)) for path in folders]
    for other in sides:
        _require_usable(other)
        require_same(sides[0], other)
    first = next(iter(sides[0].splits.values()))[0]
    num = sum(len(by_seed[0].ids) for by_seed in sides[0].splits.values())
    width = max(2, first.outputs.shape[1]) if first.outputs.ndim == 2 else 1
    if 8 * len(sides) * num * width > MOST_BYTES:
        raise RunError(
            f"ensemble: got {noun(len(sides), 'model')} on {noun(num, 'example')} of {noun(width, 'class')}, which "
            f"take {8 * len(sides) * num * width / 2**30:.1f} GiB; {MOST_BYTES / 2**30:.0f} are allowed: name fewer"
        )
    said_MNK = np.stack([np.concatenate([_said(side.splits[split]) for split in sides[0].splits]) for side in sides])
    ids, targets, splits, start = [], [], {}, 0
    for split, by_seed in sides[0].splits.items():
        ids.append(by_seed[0].ids)
        targets.append(by_seed[0].targets)
        splits[split] = slice(start, start := start + len(by_seed[0].ids))
    names = labels(sides)
    ids_N, targets_N = np.concatenate(ids), np.concatenate(targets)
    return Library(sides, names, splits, ids_N, targets_N, said_MNK, _constants(first.measure))


def _require_usable(side: Side) -> None:
    if side.task not in TASKS:
        raise RunError(f"{side.run_id}: got the task {side.task}; ensembles are chosen for {', '.join(TASKS)}")
    if not all(np.isfinite(each.outputs).all() for by_seed in side.splits.values() for each in by_seed):
        raise RunError(f"{side.run_id}: got predictions that are no numbers; leave it out")


def _constants(measure: Measure) -> Measure:
    return Measure("softmax", measure.beta, measure.delta, measure.positive)


def _said(by_seed: list[Predictions]) -> np.ndarray:
    """Return what a model says of a split: log probabilities (N, K) or values (N, 1), of several seeds their mean's."""
    if by_seed[0].outputs.ndim == 1:
        return np.mean([each.outputs.astype(np.float64) for each in by_seed], 0)[:, None]
    logs = np.stack([log_probabilities(each.outputs, each.measure.link) for each in by_seed])
    return np.logaddexp.reduce(logs, axis=0) - np.log(len(by_seed))
