"""A task on a node of Slurm: `python -m dlexp.launcher.job BATCH`, an element of a job array.

Plain `sbatch`, no submitit: that asks `sacct` alone, which clusters without accounting lack, and raises inside of the
training when a time limit nears, which records the trial as failed. Here a signal is a wish to stop: what has begun
saves a checkpoint, and the job puts itself back into the queue.

SIGUSR2 comes before a time limit or a preemption; SIGTERM when somebody takes the job away. Until the handlers below
are there the script has them ignored: a signal during imports would end the process.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

LOOK_SECONDS = 1.0  # between two looks for the file that is the driver's wish to stop
MOST_VAIN = 3  # starts in a row in which a job was taken away before its work began


class Wish:
    """The wish to stop, and whose it is."""

    def __init__(self) -> None:
        self.signum: int | None = None
        self.stop: Path | None = None  # the driver's
        self._looked, self._is_there = 0.0, False

    def listen(self) -> "Wish":
        """Take the signals from here on."""
        for signum in (signal.SIGUSR2, signal.SIGTERM):
            signal.signal(signum, self._note)
        return self

    def __call__(self) -> bool:
        """Say whether to stop."""
        if self.signum is not None:
            return True
        now = time.monotonic()
        if self.stop is not None and now - self._looked >= LOOK_SECONDS:
            self._looked, self._is_there = now, self.stop.exists()
        return self._is_there

    def _note(self, signum: int, _frame: Any) -> None:
        self.signum = self.signum or signum


def main(batch: Path, index: int, wish: Wish) -> int:
    """Do a task; return the exit code."""
    from dlexp.launcher.task_folder import CLOSED, SITE, STOP, Mark, TaskFolder

    folder = TaskFolder(batch / str(index))
    wish.stop = batch / STOP
    entry = _read(batch / SITE)
    if obstacle := entry["site"].enter():
        folder.add(Mark("refused", obstacle))
        return 1
    task = folder.task
    if task is None:
        folder.add(Mark("seen"))
        return 0
    before, _ = folder.read()
    if not before and (batch / CLOSED).exists():
        folder.add(Mark("done"))
        return 0
    vain = _num_vain(before)
    folder.add(Mark("begun", os.uname().nodename))
    mark = _work(folder, entry, task, before, wish)
    if wish.signum == signal.SIGTERM:
        folder.add(Mark("taken"))  # Slurm queues it again, or the driver gives its task to another
        return 0
    if wish.signum == signal.SIGUSR2 and mark.kind == "done" and not wish.stop.exists():
        if vain + 1 >= MOST_VAIN and not _events(folder, before):
            folder.add(
                Mark("broken", f"taken away {MOST_VAIN} times before it began to work; raise launcher.timeout_min")
            )
            return 1
        folder.add(Mark("again"))
        return _requeue()
    folder.add(mark)
    return int(mark.kind != "done")


def _work(folder: Any, entry: dict[str, Any], task: Any, before: list[Any], wish: Callable[[], bool]) -> Any:
    """Do what is left of a task; return the last mark."""
    from dlexp.error import first_line, is_broken_device
    from dlexp.launcher import plain, site
    from dlexp.launcher.task_folder import Mark

    site.preload(entry["preload"])
    told = [event for event in before if not isinstance(event, Mark)]
    rest = plain.resolve(entry["rest"])(task, told) if told else task
    if rest is None:
        return Mark("done")
    work = plain.resolve(entry["make_work"])()
    try:
        for event in work(rest, wish):
            folder.add(event)
    except Exception as error:
        if not is_broken_device(error):
            raise
        return Mark("broken", first_line(error))
    return Mark("done")


def _read(path: Path) -> dict[str, Any]:
    from dlexp.launcher import plain

    return plain.loads(path.read_text())


def _events(folder: Any, before: list[Any]) -> list[Any]:
    """Return what work told since the job began."""
    from dlexp.launcher.task_folder import Mark

    return [event for event in folder.read()[0][len(before) :] if not isinstance(event, Mark)]


def _num_vain(before: list[Any]) -> int:
    """Return how often in a row the job was taken away before any work told of itself."""
    from dlexp.launcher.task_folder import Mark

    count = 0
    for event in reversed(before):
        if not isinstance(event, Mark):
            break
        count += event.kind == "again"
    return count


def _requeue() -> int:
    """Put this job back into the queue, which ends it here."""
    array, index = os.environ["SLURM_ARRAY_JOB_ID"], os.environ["SLURM_ARRAY_TASK_ID"]
    return subprocess.run(["scontrol", "requeue", f"{array}_{index}"], check=False).returncode


if __name__ == "__main__":
    listening = Wish().listen()  # first of all
    sys.exit(main(Path(sys.argv[1]), int(os.environ["SLURM_ARRAY_TASK_ID"]), listening))
