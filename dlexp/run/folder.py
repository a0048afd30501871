"""A run's folder: everything that is known about a run, written so that a kill loses at most the epoch in hand.

config.yaml  overrides.txt  manifest.json  metrics.jsonl  epochs.{bits,losses,values}  result.json  log.txt  lock
checkpoints/{last,best}/  predictions/{val,test}.npz  figures/
"""

import os
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.config.rule.moved import overrides_now
from dlexp.disk.durable import disk_faults, sweep, write_text
from dlexp.disk.regular import open_in_place, require_inside
from dlexp.error import RunError
from dlexp.run import config_file, epoch_record, history, name, prediction
from dlexp.run.array import write_arrays
from dlexp.run.environment import environment, now
from dlexp.run.jsonable import read_document, sealed
from dlexp.run.lock import Lock

SPLIT = "split.npz"
TRIALS, FOLDS, SETTINGS, PROGRAMS = "trials", "folds", "settings", "programs"  # folders inside one of a sweep or cv
MANIFEST, CONFIG, OVERRIDES, METRICS, RESULT, LOG = (
    "manifest.json",
    "config.yaml",
    "overrides.txt",
    "metrics.jsonl",
    "result.json",
    "log.txt",
)


_INSIDE = ("checkpoints", "figures", "profile", prediction.FOLDER, TRIALS, FOLDS, SETTINGS, PROGRAMS)


class RunFolder:
    """One run's folder.

    Args:
        path: The folder.

    Attributes:
        is_synced: Whether what is written waits for the disk, milliseconds a file, so that it survives a power cut.
            Trials of a sweep do not wait; `dlexp.execution.integrity` finds those that a power cut damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = Path(os.path.abspath(path))  # links stay: a linked run belongs where the link is
        self.is_synced = self.path.parent.name != TRIALS
        self._lock = Lock(self.path / "lock")
        self._epochs = history.Chain(self.path / METRICS, is_synced=self.is_synced)

    @classmethod
    def create(
        cls,
        runs_dir: Path,
        experiment: str,
        slug: str,
        *,
        config: dict[str, Any],
        overrides: list[str],
        manifest: dict[str, Any],
        run_id: str | None = None,
    ) -> "RunFolder":
        """Make ``runs_dir/experiment/<run_id>-<slug>``, lock it, and write what is known at the start.

        Args:
            runs_dir: Folder of all runs.
            experiment: What groups runs, such as the data's name.
            slug: What tells this run from its neighbours; see `dlexp.run.name.slug`.
            config: The resolved configuration.
            overrides: What the user wrote.
            manifest: `kind`, `seed`, `device`, `params` (changed settings and group choices by config path) and
                whatever else is known; run id, start and status are added, and the environment unless it has
                `packages`.
            run_id: What the folder's name begins with; None makes one up.

        Raises:
            EnvironmentFault: The disk is full.
        """
        run_id = run_id or name.new_run_id()
        path = name.place(runs_dir, experiment, slug, run_id)
        with disk_faults(path):
            path.mkdir(parents=True)
        folder = cls(path)
        folder.lock()
        text, typed = config_file.text(config), config_file.join_lines(overrides)
        folder.write(CONFIG, text)
        folder.write(OVERRIDES, typed)
        around = {} if "packages" in manifest else environment()
        start = {"run_id": run_id, "experiment": experiment, "slug": slug, "status": "running", "start": now()}
        seal = {"config_sha256": config_file.digest(text), "overrides_sha256": config_file.digest(typed)}
        paths = config_file.paths_of(config)
        folder._write_manifest({**start, "end": None, "resumes": 0, **paths, **manifest, **around, **seal})
        return folder

    @classmethod
    def open(cls, path: Path) -> "RunFolder":
        """Return the run in an existing folder.

        Raises:
            RunError: The folder holds no run.
        """
        if (path / MANIFEST).is_file():
            return cls(path)
        if is_run(path):
            raise RunError(f"{path / MANIFEST}: missing; restore it from a copy, or delete the run's folder")
        raise RunError(f"{path}: no {MANIFEST} in it; a run folder is needed")

    @property
    def run_id(self) -> str:
        """The run's id, the beginning of the folder's name unless a user renamed it."""
        return name.identity(self.path)[0]

    @property
    def parent(self) -> "RunFolder | None":
        """The sweep or cv that this run is a trial or fold of; None for a run by itself."""
        holder = self.path.parent.parent
        return RunFolder(holder) if (holder / MANIFEST).is_file() else None

    @property
    def runs_dir(self) -> Path:
        """The folder of all runs that this one, or the sweep or cv it belongs to, is in."""
        parent = self.parent
        return self.path.parent.parent if parent is None else parent.runs_dir

    def children(self) -> list["RunFolder"]:
        """Return the trials or folds, ``<folder>/<run_id>-<slug>`` inside this one, in order of their ids."""
        manifests = sorted(self.path.glob(f"*/*/{MANIFEST}"), key=lambda path: path.parent.name)
        return [RunFolder(path.parent) for path in manifests if "-" in path.parent.name]

    def child(self, run_id: str) -> "RunFolder":
        """Return one trial or fold.

        Raises:
            RunError: It is not there.
        """
        matches = [folder for folder in self.children() if folder.run_id == run_id]
        if not matches:
            raise RunError(f"{self.path}: its run {run_id} is missing; restore it from a copy")
        return matches[0]

    @property
    def checkpoints(self) -> Path:
        """Folder of the checkpoints `last` and `best`."""
        return self.path / "checkpoints"

    @property
    def figures(self) -> Path:
        """Folder of the figures."""
        return self.path / "figures"

    def lock(self) -> None:
        """Become the only process that writes to this folder, until release or death.

        Raises:
            RunError: A living process has the run; the message names its pid and host.
        """
        require_inside(*(self.path / inner for inner in _INSIDE))
        self._lock.acquire()
        for folder in (self.path, self.path / prediction.FOLDER):
            sweep(folder)

    def unlock(self) -> None:
        """Let other processes write to this folder."""
        self._lock.release()

    @property
    def lock_descriptor(self) -> int | None:
        """The open lock file, for workers that keep the folder locked until they are gone; None without the lock."""
        return self._lock.descriptor

    def is_locked(self) -> bool:
        """Say whether a living process has the run."""
        return self._lock.is_held()

    @property
    def manifest(self) -> dict[str, Any]:
        """The manifest as it is on the disk.

        Raises:
            RunError: The file is damaged.
        """
        manifest = read_document(self.path / MANIFEST, "delete the run's folder", "kind", "status")
        if "engine" in manifest:
            manifest["engine"] = manifest["engine"].replace("folded", "batched")  # what older versions call it
        return manifest

    @property
    def result(self) -> Any | None:
        """What `write_result` wrote, with its paths where they are now; None before the run's end.

        Raises:
            RunError: The file is damaged.
        """
        cure = "delete it and go on with the run by --resume, which makes it anew"
        path = self.path / RESULT
        return name.located(read_document(path, cure, "status"), self.path) if path.exists() else None

    @property
    def config(self) -> dict[str, Any]:
        """The resolved configuration.

        Raises:
            RunError: The file is damaged.
        """
        return config_file.read(self.path / CONFIG)

    @property
    def overrides(self) -> list[str]:
        """What the user wrote on the command line.

        Raises:
            RunError: The file is damaged.
        """
        lines = config_file.read_lines(self.path / OVERRIDES, self.manifest.get("overrides_sha256"))
        return overrides_now(lines, lambda: self.config)

    def update_manifest(self, **fields: Any) -> None:
        """Change fields of the manifest atomically; for the process that has the lock.

        A status that ends the run should come together with ``end=now()``.
        """
        with disk_faults(self.path):
            (self.path / MANIFEST).stat()  # a folder that was moved away is not a damaged manifest
        self._write_manifest({**self.manifest, **fields})

    def append_epoch(self, record: dict[str, Any]) -> None:
        """Add an epoch to `metrics.jsonl`: keys `epoch` (from 1), `step`, `lr`, `seconds`, ``split/name`` metrics."""
        self._epochs.append(record)

    def history(self) -> list[dict[str, Any]]:
        """Return the epochs recorded so far; see `dlexp.run.history.read`."""
        return history.read(self.path / METRICS, self.checkpoints)

    def truncate_history(self, last_epoch: int) -> None:
        """Drop the epochs after the checkpoint's, `last_epoch`, the history's atomically.

        Raises:
            RunError: The history is not that which the checkpoint was saved after.
        """
        epoch_record.truncate(self.path, last_epoch)
        seal = history.seal(self.checkpoints, last_epoch)
        history.truncate(self.path / METRICS, last_epoch, seal, is_synced=self.is_synced)
        self._epochs = history.Chain(self.path / METRICS, is_synced=self.is_synced)

    def history_digest(self, last_epoch: int) -> str:
        """Return what a checkpoint is sealed with: the hash of the history up to its epoch."""
        return self._epochs.digest(last_epoch)

    def saved_epoch(self) -> int | None:
        """Return how many epochs the last checkpoint holds, the point where a resumed run goes on; None without one."""
        return history.saved_epoch(self.checkpoints)

    def write_predictions(self, split: str, id: Any, target: Any, output: Any) -> None:
        """Write ``predictions/<split>.npz`` atomically, and its hash into the manifest; see `dlexp.run.prediction`."""
        digest = prediction.write(self.path, split, id, target, output, is_synced=self.is_synced)
        self.update_manifest(predictions={**self.manifest.get("predictions", {}), split: digest})

    def write_split(self, parts: dict[str, np.ndarray]) -> None:
        """Write ``split.npz``: the row numbers of each part of the data."""
        write_arrays(self.path / SPLIT, parts, is_synced=self.is_synced)

    def predictions(self, split: str) -> dict[str, np.ndarray]:
        """Return the arrays `id`, `target` and `output` of a split.

        Raises:
            RunError: There are none, or they are damaged.
        """
        manifest = self.manifest
        is_pooled = split == "val" and manifest["kind"] == "cv"
        cure = "restore it from a copy" if is_pooled else f"`dlexp eval {self.run_id} --split {split}` makes it anew"
        return prediction.read(self.path, split, cure, manifest.get("predictions", {}).get(split))

    def write_result(self, result: Mapping[str, Any]) -> None:
        """Write `result.json`, what ``--json`` prints, atomically."""
        self.write(RESULT, sealed(result))

    def write(self, name: str, content: str) -> None:
        """Replace a text file of the folder atomically."""
        write_text(self.path / name, content, is_synced=self.is_synced)

    def log(self, entry: str) -> None:
        """Add a line with the time (UTC) to `log.txt`."""
        with open_in_place(self.path / LOG, "ab") as file:
            file.write(f"{datetime.now(UTC):%Y-%m-%d %H:%M:%S} {entry}\n".encode(errors="backslashreplace"))

    def _write_manifest(self, fields: dict[str, Any]) -> None:
        self.write(MANIFEST, sealed(fields))


def is_run(path: Path) -> bool:
    """Say whether a folder holds a run, if only one whose manifest is lost."""
    return any(os.path.lexists(path / name) for name in (MANIFEST, METRICS, "checkpoints", TRIALS, FOLDS, SETTINGS))
