"""`dlexp wait`: waits until a run, sweep or cv has ended, wherever it trains; its exit code is the run's."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from ...argument import Debug, Json, Quiet, ResumeDir, Trust
from ...output import people, show_json
from ...text import escape, short_path

if TYPE_CHECKING:
    from dlexp.run.document import RunRecord
    from dlexp.run.folder import RunFolder
    from dlexp.run.status import Status

PAUSE = 0.5  # seconds between two looks at a run of another process
STOPPED = 130  # exit code of a run that a signal stopped: which one, its folder does not say


def wait(
    run: Annotated[str, typer.Argument(metavar="RUN", help="A run, sweep or cv: id, unique prefix, folder or last.")],
    runs_dir: ResumeDir = Path("runs"),
    json: Json = False,
    trust: Trust = None,
    quiet: Quiet = False,
    debug: Debug = False,
) -> int:
    """Wait until a run, sweep or cross-validation of another process has ended, and exit with its exit code.

    Of one that was left to jobs (launcher=slurm), begin what is missing, and show what they found.

    Example: `dlexp wait last`
    """
    from dlexp.run import scan

    folder = scan.find(runs_dir, run)
    console = people(json, is_quiet=quiet)
    if folder.is_locked():
        console.print(f"waiting for {escape(short_path(folder.path))}", soft_wrap=True)
        while folder.is_locked():
            time.sleep(PAUSE)
    if _has_jobs(folder):
        from ..cv import cv
        from ..sweep import sweep

        console.print(f"jobs    {escape(told_jobs(folder.path))}")
        job = sweep if folder.manifest["kind"] == "sweep" else cv
        return job(resume=str(folder.path), runs_dir=runs_dir, json=json, trust=trust, quiet=quiet, debug=debug)
    return _end(folder, console, is_json=json)


def _has_jobs(folder: "RunFolder") -> bool:
    """Say whether a sweep or cv that has not ended was left to jobs, by its user or by a command that died."""
    from dlexp.launcher.task_folder import PLACE
    from dlexp.run.status import Status

    return not Status(folder.manifest["status"]).has_ended and (folder.path / PLACE).is_dir()


def _end(folder: "RunFolder", console: Console, *, is_json: bool) -> int:
    """Say how a run ended that no process has; return its exit code.

    Raises:
        RunError: Its process died.
    """
    from dlexp.error import RunError
    from dlexp.job.again import resume_command
    from dlexp.run import scan
    from dlexp.run.status import Status

    scan.close(folder)
    status = Status(folder.manifest["status"])
    if status is Status.KILLED:
        raise RunError(f"{folder.run_id}: its process died; go on with: {resume_command(folder)}")
    console.print(f"{status} {escape(short_path(folder.path))}", soft_wrap=True)
    if is_json and folder.result is not None:
        show_json({key: value for key, value in folder.result.items() if key != "sha256"})
    return _exit_code(status, folder.result or {})


def _exit_code(status: "Status", result: dict[str, Any]) -> int:
    """Return the exit code of the command that ended so: a sweep has none of 0 without a winner."""
    if status.exit_code is None:
        return STOPPED
    is_lost = result.get("kind") == "sweep" and result.get("best") is None
    return int(is_lost) or status.exit_code


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
