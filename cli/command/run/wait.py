"""`dlexp wait`: waits for the jobs of a sweep or cross-validation and collects what they found."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ...argument import Debug, Json, Quiet, ResumeDir, Trust
from ...output import people
from ...text import escape

if TYPE_CHECKING:
    from dlexp.run.document import RunRecord


def wait(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A sweep or cv: id, unique prefix, folder or last.")],
    runs_dir: ResumeDir = Path("runs"),
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Wait for the jobs of a sweep or cross-validation, begin what is missing, and show what they found.

    Example: `dlexp wait last`
    """
    from dlexp.error import RunError
    from dlexp.run import scan

    from ..cv import cv
    from ..sweep import sweep

    folder = scan.find(runs_dir, run)
    kind = folder.manifest["kind"]
    if kind not in ("sweep", "cv") or folder.parent is not None:
        raise RunError(f"{run}: got a {kind}; only sweeps and cross-validations have jobs to wait for")
    console = people(json, is_quiet=quiet)
    console.print(f"jobs    {escape(told_jobs(folder.path))}")
    job = sweep if kind == "sweep" else cv
    return job(resume=str(folder.path), runs_dir=runs_dir, json=json, trust=trust, quiet=quiet, debug=debug)


def told_jobs(path: Path) -> str:
    """Return in words how far the jobs of a sweep or cv are."""
    from dlexp.launcher.task_folder import Progress

    jobs = Progress.of(path)
    return f"{jobs.num_running} running, {jobs.num_waiting} waiting, {jobs.num_ended} ended"


def count_jobs(records: "list[RunRecord]") -> None:
    """Add to the records of detached runs how far their jobs are."""
    detached = [record for record in records if record["status"] == "detached"]
    if not detached:
        return
    from dlexp.launcher.task_folder import Progress

    for record in detached:
        jobs = Progress.of(Path(record["run_dir"]))
        record["jobs"] = {"waiting": jobs.num_waiting, "running": jobs.num_running, "ended": jobs.num_ended}
