"""Whether a trial's files agree with one another: they are written without waiting for the disk.

A kill leaves every file old or new. A power cut may leave any mixture, of which nothing may be taken for a result: a
trial in doubt is trained anew.
"""

import hashlib
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.data.dataset import Dataset
from dlexp.disk.regular import read_bytes
from dlexp.engine import checkpoint
from dlexp.engine.answer.choice import record_kind
from dlexp.error import DataError, RunError
from dlexp.run import epoch_record, history
from dlexp.run.division import read_division
from dlexp.run.folder import METRICS, RESULT, RunFolder
from dlexp.run.status import Status

SEALED = ("model.json", METRICS, RESULT, "predictions/val.npz", *epoch_record.NAMES)
STACK_POINTER = "together.json"  # in a trial's folder while it trains in a stack; see `dlexp.execution.save`


def checksums(folder: RunFolder) -> dict[str, str]:
    """Return the SHA-256 of each file that a concluded trial's numbers are read from, for its manifest."""
    return {name: digest for name in SEALED if (digest := _digest(folder.path / name)) is not None}


def update_checksum(folder: RunFolder, name: str) -> None:
    """Seal one file anew, after it was written again."""
    sealed = folder.manifest.get("sealed", {})
    if name in sealed:
        folder.update_manifest(sealed={**sealed, name: _digest(folder.path / name)})


def is_intact(folder: RunFolder) -> bool:
    """Say whether a trial can be believed and gone on with; False also for one that was killed while it was made."""
    try:
        manifest, records, config = folder.manifest, folder.history(), folder.config
    except (RunError, ValueError, AttributeError):
        return False
    if Status(manifest["status"]).is_over:
        return bool(config) and manifest.get("sealed") == checksums(folder) and _has_checkpoints(folder)
    return bool(config) and (manifest["status"] == "failed" or _can_go_on(folder, records))


def _has_checkpoints(folder: RunFolder) -> bool:
    """Say whether the checkpoints of the epochs that were done are there, by the sizes of their files."""
    last, best = (checkpoint.epoch(folder.checkpoints / name) for name in ("last", "best"))
    return not folder.checkpoints.exists() if last is None else last == 0 or best is not None


def _can_go_on(folder: RunFolder, records: list[dict[str, Any]]) -> bool:
    """Say whether the last checkpoint has its whole history, and the best one is the one it speaks of."""
    last, best = folder.checkpoints / "last", folder.checkpoints / "best"
    if not checkpoint.exists(last):
        return True
    if (folder.path / STACK_POINTER).exists():
        return True  # both are about to be written again, or dropped
    try:
        state = checkpoint.load(last)[1]
        epochs = [record["epoch"] for record in records[: state["epoch"]]]
        is_whole = epochs == list(range(1, state["epoch"] + 1)) and _is_sealed(folder, state["epoch"])
        if not is_whole or not has_records(folder, state["epoch"]):
            return False
        # a best one that is ahead belongs to the epoch that is about to be repeated
        wanted = state["stopping"]["best_epoch"]
        return not wanted or checkpoint.load(best)[1]["epoch"] in (wanted, state["epoch"] + 1)
    except (RunError, OSError):
        return False


def has_records(folder: RunFolder, epoch: int) -> bool:
    """Say whether what is kept of the examples of each epoch is there: how far the pick flatters is told from it."""
    manifest = folder.manifest
    metric = manifest.get("monitor", {}).get("metric", "")  # a fold has none: nothing is picked among folds
    kind = record_kind(metric, manifest.get("task", "multiclass"))
    if kind is None:
        return True
    records = epoch_record.read(folder.path, kind)[:epoch]
    return len(records) == epoch and None not in records


def _is_sealed(folder: RunFolder, epoch: int) -> bool:
    """Say whether the history up to an epoch is that which the checkpoint was saved after."""
    seal = history.seal(folder.checkpoints, epoch)
    return seal is None or seal == folder.history_digest(epoch)


def _digest(path: Path) -> str | None:
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest()
    except OSError:
        return None


def require_same_data(folder: RunFolder, dataset: Dataset) -> None:
    """Check that data are those that a run was trained on, divided as they were.

    Raises:
        DataError: They changed since, or an earlier version divided them otherwise.
        RunError: The record of their division is damaged.
    """
    if dataset.fingerprint != folder.manifest["data"]["fingerprint"]:
        raise DataError(
            f"{_source(folder, dataset)}: the data changed since run {folder.run_id} began; start a new run"
        )
    rows = read_division(folder)
    if rows and not all(np.array_equal(rows[part], getattr(dataset.dealt, part).numpy()) for part in ("train", "val")):
        raise DataError(
            f"{_source(folder, dataset)}: an earlier version of dlexp divided the examples of run {folder.run_id} "
            "otherwise; start a new run"
        )


def _source(folder: RunFolder, dataset: Dataset) -> str:
    """Return the file or folder that a run's data were read from; their name where there is none."""
    return folder.config.get("data", {}).get("path") or dataset.name
