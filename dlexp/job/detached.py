"""A sweep whose trials are left to jobs that outlive the command: submitted here, collected by `dlexp wait`."""

from pathlib import Path

from dlexp.job.sweep import sweep
from dlexp.job.sweep.document import DetachedSweep
from dlexp.job.sweep.sweep import Announcement, Findings, Listener, OnStart
from dlexp.launcher.pool import Detached
from dlexp.launcher.task_folder import Progress
from dlexp.run.folder import RunFolder


def detach(overrides: list[str], config_dir: Path | None, *, announce: OnStart) -> DetachedSweep | Findings:
    """Submit the trials of a sweep's first round that are missing; return what it found where none is.

    Args:
        overrides: Hydra overrides, some with sweep expressions.
        config_dir: A user's folder of YAML files.
        announce: As of a sweep.

    Raises:
        DlexpError: See its kinds.
    """
    places: list[RunFolder] = []

    def note(about: Announcement) -> Listener:
        places.append(about.folder)
        return announce(about)

    try:
        return sweep.start(overrides, config_dir, announce=note, detaches=True)
    except Detached:
        folder = places[0]
        jobs = Progress.of(folder.path)
        return {"run_id": folder.run_id, "run_dir": str(folder.path), "status": "detached", "jobs": jobs.num_open}
