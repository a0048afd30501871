"""The trash of a runs folder, `.trash/<experiment>/<run>`: runs go there, come back, or are deleted for good."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from typing_extensions import TypedDict

from dlexp.error import EnvironmentFault, RunError, did_you_mean
from dlexp.number import noun
from dlexp.run.folder import MANIFEST, RESULT, RunFolder
from dlexp.run.listing.record import read_object
from dlexp.run.name import identity, is_called, located
from dlexp.run.scan import find, run_paths

TRASH = ".trash"


class MovedRun(TypedDict):
    """A run that changed its place.

    Attributes:
        run_id: Names the run.
        run_dir: Where it is now; where it was when it was deleted for good.
    """

    run_id: str
    run_dir: str


def remove(runs_dir: Path, refs: list[str]) -> list[MovedRun]:
    """Move runs to the trash of the runs folder that they are in.

    Raises:
        RunError: A run is unknown, still runs, belongs to a sweep or cv, or holds trials that another sweep counts.
        EnvironmentFault: The folder cannot be moved.
    """
    folders = list({folder.path: folder for folder in (find(runs_dir, ref) for ref in refs)}.values())
    for folder in folders:
        if folder.parent is not None:
            holder = folder.parent
            raise RunError(
                f"{folder.run_id}: got a run inside {holder.run_id}; remove that whole: dlexp rm {holder.run_id}"
            )
    _check_borrowed(folders)
    return [_move(folder) for folder in folders]


def restore(runs_dir: Path, refs: list[str]) -> list[MovedRun]:
    """Move runs from the trash back to where they were.

    Raises:
        RunError: A run is not in the trash, or several begin so.
        EnvironmentFault: The folder cannot be moved.
    """
    return [_place(path, runs_dir / path.parent.name / path.name) for path in _chosen(runs_dir, refs)]


def trashed(runs_dir: Path) -> list[MovedRun]:
    """Return the runs in the trash, oldest first."""
    return [_moved(path) for path in _paths(runs_dir)]


def empty(runs_dir: Path) -> list[MovedRun]:
    """Delete the runs in the trash for good and return them.

    Raises:
        EnvironmentFault: One cannot be deleted.
    """
    gone = trashed(runs_dir)
    with _faults(runs_dir / TRASH):
        if (runs_dir / TRASH).exists():
            shutil.rmtree(runs_dir / TRASH)
    return gone


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise EnvironmentFault(
            f"{error.filename or path}: {error.strerror or error}; make it writable first"
        ) from error


def _check_borrowed(folders: list[RunFolder]) -> None:
    """Refuse to remove a sweep whose trials another sweep, which stays, counts among its own."""
    removed = {folder.path for folder in folders}
    for folder in folders:
        for path in run_paths(folder.runs_dir):
            borrowed = 0 if path.resolve() in removed else _trials_in(path, folder.path)
            if borrowed:
                rule = f"{path.name} counts {borrowed} of its trials, so remove both or neither"
                raise RunError(f"{folder.run_id}: got a sweep that is needed; {rule}")


def _trials_in(sweep: Path, place: Path) -> int:
    """Return how many trials of a sweep's result stand in another folder."""
    trials = located(read_object(sweep / RESULT) or {}, sweep).get("trials")
    places = [trial.get("run_dir") for trial in trials if isinstance(trial, dict)] if isinstance(trials, list) else []
    return sum(isinstance(text, str) and Path(text).is_relative_to(place) for text in places)


def _move(folder: RunFolder) -> MovedRun:
    folder.lock()
    try:
        return _place(folder.path, folder.runs_dir / TRASH / folder.path.parent.name / folder.path.name)
    finally:
        folder.unlock()


def _place(path: Path, target: Path) -> MovedRun:
    with _faults(target):
        target.parent.mkdir(parents=True, exist_ok=True)
        os.rename(path, target)
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    return _moved(target)


def _moved(path: Path) -> MovedRun:
    return {"run_id": identity(path)[0], "run_dir": str(path.resolve())}


def _paths(runs_dir: Path) -> list[Path]:
    return sorted((path.parent for path in (runs_dir / TRASH).glob(f"*/*/{MANIFEST}")), key=identity)


def _chosen(runs_dir: Path, refs: list[str]) -> list[Path]:
    paths, chosen = _paths(runs_dir), []
    for ref in refs:
        matches = [path for path in paths if ref == "last" or is_called(path, ref)]
        if ref == "last":
            matches = matches[-1:]
        if len(matches) != 1:
            names = [identity(path)[0] for path in paths]
            hint = did_you_mean(ref, names) or f"; there are {', '.join(names) or 'none'}"
            raise RunError(f"{ref}: got {noun(len(matches), 'run')} in the trash that begin so; name one{hint}")
        chosen += matches
    return chosen
