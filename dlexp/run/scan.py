"""Finds runs under a runs folder: lists them, resolves what a user calls one, closes those whose process died."""

import os
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from dlexp.error import RunError, did_you_mean
from dlexp.number import noun
from dlexp.run.document import RunRecord
from dlexp.run.folder import FOLDS, MANIFEST, METRICS, SETTINGS, TRIALS, RunFolder, is_run
from dlexp.run.listing.record import read_object, read_record
from dlexp.run.name import identity, is_called

_SHOWN = 5
_LINKS = True  # followed


def run_paths(runs_dir: Path) -> list[Path]:
    """Return the folders ``runs_dir/<experiment>/<run_id>-<slug>`` in order of their ids, manifest or not.

    A folder that a user renamed counts by its manifest. Runs and experiments may be links to other places, such as an
    archive; a link to what is listed here anyway is not followed.
    """
    return list(map(Path, run_places(runs_dir)))


def run_places(runs_dir: Path) -> list[str]:
    """Return what `run_paths` does as texts: of 100,000 runs paths take longer to make than folders to find."""
    runs = [run for experiment in _linked(_folders(runs_dir, _LINKS), runs_dir) for run in _run_folders(experiment)]
    return sorted(_linked(runs, runs_dir), key=identity)


def _run_folders(experiment: str) -> Iterator[os.DirEntry[str]]:
    entries = _folders(experiment, _LINKS)
    return (entry for entry in entries if "-" in entry.name or os.path.isfile(f"{entry.path}/{MANIFEST}"))


def _linked(entries: Iterable[os.DirEntry[str]], runs_dir: Path) -> list[str]:
    """Return folders, and of links those that lead out of the runs folder, each place once."""
    paths, places, root = [], set(), None
    for entry in entries:
        if entry.is_symlink():
            root = root or os.path.realpath(runs_dir)
            place = os.path.realpath(entry.path)
            if place in places or os.path.commonpath([place, root]) in (place, root):
                continue
            places.add(place)
        paths.append(entry.path)
    return paths


def find(runs_dir: Path, ref: str) -> RunFolder:
    """Return the run that a user means.

    Args:
        runs_dir: Folder of all runs.
        ref: A run id or a unique prefix of one, also of a trial, fold or setting inside a run; a folder; or `last`.

    Raises:
        RunError: Unknown or ambiguous; the message lists candidates.
    """
    if ref and is_run(Path(ref)):
        return RunFolder.open(Path(ref))
    paths = [path for path in run_paths(runs_dir) if is_run(path)]
    if not paths:
        raise RunError(f"{ref}: got no runs in {runs_dir}; `dlexp train` makes one")
    if ref == "last":
        return RunFolder.open(next((path for path in reversed(paths) if (path / MANIFEST).is_file()), paths[-1]))
    matches = [path for path in paths if is_called(path, ref)]
    if not matches:
        matches = [path for path in inner_paths(paths) if is_called(path, ref)]
    if len(matches) == 1:
        return RunFolder.open(matches[0])
    if matches:
        names = ", ".join(path.name for path in matches[-_SHOWN:])
        raise RunError(f"{ref}: {noun(len(matches), 'run')} begin so; write more of one of {names}")
    hint = did_you_mean(ref, [identity(path)[0] for path in paths])
    raise RunError(f"{ref}: no such run in {runs_dir}{hint or '; `dlexp runs` lists them'}")


def find_sweep(ref: str, runs_dir: Path) -> RunFolder:
    """Return what a user calls a sweep; the caller says what it needs where that is a run of another kind.

    Args:
        ref: As `find` takes it, but for ``last``: the newest sweep that is not itself one over the
            seeds of a winner or of a run.
        runs_dir: Folder of all runs.

    Raises:
        RunError: Unknown or ambiguous, or there is no sweep.
    """
    if ref != "last" or (Path(ref) / MANIFEST).is_file():
        return find(runs_dir, ref)
    for path in reversed(run_paths(runs_dir)):
        folder = RunFolder(path)
        if (path / MANIFEST).is_file() and folder.manifest.get("kind") == "sweep" and "from" not in folder.manifest:
            return folder
    raise RunError(f"last: got no sweeps in {runs_dir}; `dlexp sweep` makes one")


def inner_paths(paths: list[Path]) -> list[Path]:
    """Return the folders of the trials, folds and settings inside runs, and of the folds inside settings."""
    children = [
        Path(entry.path) for path in paths for place in (TRIALS, FOLDS, SETTINGS) for entry in _folders(path / place)
    ]
    with_manifest = sorted(path for path in children if (path / MANIFEST).is_file())
    return [*with_manifest, *(inner_paths(with_manifest) if with_manifest else [])]


def scan(runs_dir: Path) -> list[RunRecord]:
    """Return a record of each run, oldest first and settings behind their cv, from its manifest and result alone.

    See `dlexp.run.listing.record`. A run that says it is running while no process has its lock is reported as killed; a
    damaged manifest gives the status "damaged".
    """
    records = []
    for path in run_paths(runs_dir):
        record = read_record(path, path)
        if record is not None:
            records.append(record)
            records += [inner for setting in setting_paths(path) if (inner := read_record(setting, path)) is not None]
    return records


def close_dead(runs_dir: Path) -> list[RunFolder]:
    """Write the status "killed" into the manifest of each run whose process died; return those runs."""
    closed = []
    for path in run_paths(runs_dir):
        manifest = read_object(path / MANIFEST)
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


def setting_paths(path: Path) -> list[Path]:
    """Return the folders of the settings inside a cv, in order."""
    return [Path(entry.path) for entry in sorted(_folders(path / SETTINGS), key=lambda entry: entry.name)]


def _folders(path: Path | str, has_links: bool = False) -> Iterator[os.DirEntry[str]]:
    """Yield the folders in a folder; hidden ones, such as the trash, are not looked at."""
    try:
        with os.scandir(path) as entries:
            yield from (e for e in entries if e.is_dir(follow_symlinks=has_links) and not e.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return
