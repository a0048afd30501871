"""Finds the sweep that a user means; ``last`` is the newest sweep, whatever was run since."""

from pathlib import Path

from dlexp.error import RunError
from dlexp.run import scan
from dlexp.run.folder import MANIFEST, RunFolder


def find_sweep(ref: str, runs_dir: Path) -> RunFolder:
    """Return what a user calls a sweep; the caller says what it needs where that is a run of another kind.

    Args:
        ref: As `dlexp.run.scan.find` takes it, but for ``last``: the newest sweep that is not itself one over the
            seeds of a winner or of a run.
        runs_dir: Folder of all runs.

    Raises:
        RunError: Unknown or ambiguous, or there is no sweep.
    """
    if ref != "last" or (Path(ref) / MANIFEST).is_file():
        return scan.find(runs_dir, ref)
    for path in reversed(scan.run_paths(runs_dir)):
        folder = RunFolder(path)
        if (path / MANIFEST).is_file() and folder.manifest.get("kind") == "sweep" and "from" not in folder.manifest:
            return folder
    raise RunError(f"last: got no sweeps in {runs_dir}; `dlexp sweep` makes one")
