"""Sends to MLflow what run folders hold and MLflow lacks: the outbox's own code, in the foreground."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from typing_extensions import TypedDict

from dlexp.error import RunError
from dlexp.run.folder import RunFolder
from dlexp.run.scan import close_dead, find, run_paths, scan
from dlexp.tracking import outbox
from dlexp.tracking.sent import Sent

if TYPE_CHECKING:
    from mlflow import MlflowClient


class SentRun(TypedDict):
    """What came of sending a run.

    Attributes:
        run_id: Names the run.
        run_dir: The run's folder.
        sent: Whether MLflow has everything.
        problem: Why it has not; None where it has.
    """

    run_id: str
    run_dir: str
    sent: bool
    problem: str | None


def sync(
    runs_dir: Path,
    refs: list[str],
    progress: Callable[[str], None] = lambda line: None,
    uri: str | None = None,
    timeout: float | None = None,
) -> list[SentRun]:
    """Send runs.

    Args:
        runs_dir: Folder of all runs.
        refs: The runs; empty takes every run that ended, was tracked and is not complete in MLflow.
        progress: Called with a line before each run.
        uri: Another store to send to; None sends each run to the store that it was meant for.
        timeout: Seconds that a store may take to answer; None takes each run's `tracking.timeout`.

    Returns:
        What came of each run.

    Raises:
        RunError: A run is unknown.
    """
    close_dead(runs_dir)
    folders = [find(runs_dir, ref) for ref in refs] if refs else unsent(runs_dir, uri)
    clients: dict[str, MlflowClient] = {}
    done: list[SentRun] = []
    for folder in folders:
        progress(f"sending {folder.path.name}")
        try:
            patience = outbox.PATIENCE if folder.manifest["status"] != "running" else 0.0
            problem = outbox.send(folder, clients, patience, other=uri, timeout=timeout)
        except RunError as error:
            problem = str(error)
        done.append({"run_id": folder.run_id, "run_dir": str(folder.path), "sent": problem is None, "problem": problem})
    return done


def unsent(runs_dir: Path, uri: str | None = None) -> list[RunFolder]:
    """Return the runs that ended, were tracked, and are not complete in MLflow, or in another store at `uri`."""
    ended = {  # of a damaged manifest nothing can be said; any other damage is told by the attempt
        Path(record["run_dir"]).name
        for record in scan(runs_dir)
        if record["status"] != "running" and record["kind"] is not None
    }
    folders = [RunFolder.open(path) for path in run_paths(runs_dir) if path.name in ended]
    return [folder for folder in folders if _is_incomplete(folder, uri)]


def _is_incomplete(folder: RunFolder, uri: str | None) -> bool:
    manifest = folder.manifest
    if manifest.get("params", {}).get("tracking") == "none":
        return False
    sent = Sent.read(folder, uri)
    return sent.problem is not None or sent.status != manifest["status"]
