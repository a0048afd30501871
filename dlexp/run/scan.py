"""Finds runs under a runs folder: lists them, resolves what a user calls one, closes those whose process died."""

import json
import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dlexp.error import RunError, did_you_mean
from dlexp.run.document import RunRecord
from dlexp.run.folder import FOLDS, MANIFEST, METRICS, RESULT, SETTINGS, TRIALS, RunFolder
from dlexp.run.lock import Lock

_SHOWN = 5
_LINKS = True  # followed


def run_paths(runs_dir: Path) -> list[Path]:
    """Return the folders ``runs_dir/<experiment>/<run_id>-<slug>`` in order of their ids, manifest or not.

    Runs and experiments may be links to other places, such as an archive; a link to what is listed here anyway is not
    followed.
    """
    runs = [run for experiment in _linked(_folders(runs_dir, _LINKS), runs_dir) for run in _run_folders(experiment)]
    return sorted(_linked(runs, runs_dir), key=lambda path: path.name)


def _run_folders(experiment: Path) -> Iterator[os.DirEntry[str]]:
    return (entry for entry in _folders(experiment, _LINKS) if "-" in entry.name)


def _linked(entries: Iterable[os.DirEntry[str]], runs_dir: Path) -> list[Path]:
    """Return folders, and of links those that lead out of the runs folder, each place once."""
    paths, places, root = [], set(), None
    for entry in entries:
        if entry.is_symlink():
            root = root or os.path.realpath(runs_dir)
            place = os.path.realpath(entry.path)
            if place in places or os.path.commonpath([place, root]) in (place, root):
                continue
            places.add(place)
        paths.append(Path(entry.path))
    return paths


def find(runs_dir: Path, ref: str) -> RunFolder:
    """Return the run that a user means.

    Args:
        runs_dir: Folder of all runs.
        ref: A run id or a unique prefix of one, also of a trial, fold or setting inside a run; a folder; or `last`.

    Raises:
        RunError: Unknown or ambiguous; the message lists candidates.
    """
    if (Path(ref) / MANIFEST).is_file():
        return RunFolder.open(Path(ref))
    paths = [path for path in run_paths(runs_dir) if (path / MANIFEST).is_file()]
    if not paths:
        raise RunError(f"{ref}: got no runs in {runs_dir}; `dlexp train` makes one")
    if ref == "last":
        return RunFolder.open(paths[-1])
    matches = [path for path in paths if ref and path.name.startswith(ref)]
    if not matches:
        matches = [path for path in inner_paths(paths) if ref and path.name.startswith(ref)]
    if len(matches) == 1:
        return RunFolder.open(matches[0])
    if matches:
        names = ", ".join(path.name for path in matches[-_SHOWN:])
        raise RunError(f"{ref}: {len(matches)} runs begin so; write more of one of {names}")
    hint = did_you_mean(ref, [path.name.partition("-")[0] for path in paths])
    raise RunError(f"{ref}: no such run in {runs_dir}{hint or '; `dlexp runs` lists them'}")


def inner_paths(paths: list[Path]) -> list[Path]:
    """Return the folders of the trials, folds and settings inside runs, and of the folds inside settings."""
    children = [
        Path(entry.path) for path in paths for place in (TRIALS, FOLDS, SETTINGS) for entry in _folders(path / place)
    ]
    with_manifest = sorted(path for path in children if (path / MANIFEST).is_file())
    return [*with_manifest, *(inner_paths(with_manifest) if with_manifest else [])]


def scan(runs_dir: Path) -> list[RunRecord]:
    """Return a record of each run, oldest first and settings behind their cv, from its manifest and result alone.

    A record is the run's result where there is one, with `run_id`, `run_dir`, `experiment`, `kind`, `status`, `start`,
    `end`, `params` and `metrics` always present. A run that says it is running while no process has its lock is
    reported as killed. A damaged manifest gives the status "damaged".
    """
    records = []
    for path in run_paths(runs_dir):
        record = _record(path, path)
        if record is not None:
            records.append(record)
            records += [inner for setting in _settings(path) if (inner := _record(setting, path)) is not None]
    return records


def close_dead(runs_dir: Path) -> list[RunFolder]:
    """Write the status "killed" into the manifest of each run whose process died; return those runs."""
    closed = []
    for path in run_paths(runs_dir):
        manifest = _read(path / MANIFEST)
        if manifest is not None and manifest.get("status") == "running" and close(RunFolder(path)):
            closed.append(RunFolder(path))
    return closed


def close(folder: RunFolder) -> bool:
    """Write the status "killed" into the manifest of a run that says it is running while its process is gone."""
    if folder.is_locked():
        return False
    try:
        folder.lock()
    except RunError:
        return False
    try:
        if folder.manifest["status"] != "running":
            return False
        newest = max(path.stat().st_mtime for path in folder.path.glob("*") if path.name in (MANIFEST, METRICS))
        end = datetime.fromtimestamp(newest, UTC).isoformat(timespec="milliseconds")
        folder.update_manifest(status="killed", end=end)
        return True
    except OSError:  # a folder that may only be read stays as it is; listings show it as killed all the same
        return False
    finally:
        folder.unlock()


def _settings(path: Path) -> list[Path]:
    return [Path(entry.path) for entry in sorted(_folders(path / SETTINGS), key=lambda entry: entry.name)]


def _record(path: Path, locked: Path) -> RunRecord | None:
    """Return what is known of a run; the lock of the folder `locked` says whether its process lives."""
    manifest = _read(path / MANIFEST)
    if manifest is None:
        return None
    result = _read(path / RESULT) or {}
    status = manifest.get("status", "damaged")
    if status == "running" and not Lock(locked / "lock").is_held():
        status = "killed"
    shown = {key: manifest.get(key) for key in ("kind", "experiment", "seed", "device", "task", "start", "end")}
    run_id = path.name.partition("-")[0]
    identity = {"run_id": run_id, "run_dir": str(path), "status": status, "slug": path.name.partition("-")[2]}
    params = manifest.get("params") or {}
    record: Any = {**shown, **result, **identity, "params": params, "metrics": result.get("metrics") or {}}
    return record


def _read(path: Path) -> dict[str, Any] | None:
    """Return a JSON object; None when the file is absent, an empty one when it is damaged."""
    try:
        content = json.loads(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _folders(path: Path | str, has_links: bool = False) -> Iterator[os.DirEntry[str]]:
    try:
        with os.scandir(path) as entries:
            yield from (entry for entry in entries if entry.is_dir(follow_symlinks=has_links))
    except (FileNotFoundError, NotADirectoryError):
        return
