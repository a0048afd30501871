"""What the driver and a job say to each other, as files: `slurm/BATCH/INDEX/` in the folder of the sweep or cv.

    slurm/1/site.json     what the job must find on its node, and what does the work
    slurm/1/stop          the wish to stop, for all jobs of the batch
    slurm/1/closed        jobs of the batch that have not begun do not begin
    slurm/1/job.sh        what sbatch was given
    slurm/1/0/task.json   what is to be done; null for a probe
    slurm/1/0/events      a line each, only ever added to: marks of the job itself and events of its work
    slurm/1/0/collected   no driver needs to look at it again
    slurm/1/0.log         what the job printed

A driver that died needs no other memory: its jobs are those whose tasks are not collected.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexp.disk.durable import write_text
from dlexp.launcher import plain

PLACE = "slurm"
TASK, EVENTS, COLLECTED, STOP, SITE = "task.json", "events", "collected", "stop", "site.json"
CLOSED = "closed"


@dataclass(frozen=True)
class Mark:
    """What a job says of itself.

    Attributes:
        kind: "begun" on a node; "seen" by a probe; "refused" by a node that lacks what is needed; "done" with the task;
            "broken" where the device failed; "taken" by somebody; "again" when it puts itself back into the queue.
        why: For the user: the node of "begun", else the reason.
    """

    kind: str
    why: str = ""


@dataclass(frozen=True)
class TaskFolder:
    """A task's folder within that of its batch.

    Attributes:
        path: The folder.
    """

    path: Path

    @property
    def batch(self) -> Path:
        """Folder of the array that it belongs to."""
        return self.path.parent

    @property
    def index(self) -> int:
        """Number in the array."""
        return int(self.path.name)

    @property
    def log(self) -> Path:
        """What the job printed."""
        return self.path.with_name(f"{self.path.name}.log")

    @classmethod
    def create(cls, batch: Path, index: int, task: Any) -> "TaskFolder":
        """Write down what is to be done."""
        made = cls(batch / str(index))
        made.path.mkdir()
        write_text(made.path / TASK, plain.dumps(task))
        return made

    @property
    def task(self) -> Any:
        """What is to be done.

        Raises:
            OSError: It is not there.
            ValueError: It is damaged.
        """
        return plain.loads((self.path / TASK).read_text())

    def add(self, event: Any) -> None:
        """Add a line to the events; it begins anew, for an earlier writer may have been killed within its own."""
        line = f"\n{plain.dumps(event)}\n".encode()
        descriptor = os.open(self.path / EVENTS, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            os.write(descriptor, line)
        finally:
            os.close(descriptor)

    def read(self, offset: int = 0) -> tuple[list[Any], int]:
        """Return the events from an offset on whose lines are whole, and the offset behind them."""
        try:
            with open(self.path / EVENTS, "rb") as file:
                file.seek(offset)
                text = file.read()
        except FileNotFoundError:
            return [], offset
        whole = text[: text.rfind(b"\n") + 1]
        return [event for line in whole.splitlines() for event in _event(line)], offset + len(whole)

    @property
    def is_collected(self) -> bool:
        """Whether a driver knows the end of it."""
        return (self.path / COLLECTED).exists()

    def collect(self) -> None:
        """Note that a driver knows the end of it."""
        (self.path / COLLECTED).touch()

    def last_words(self) -> str:
        """Return the last line of what the job printed; "" where it printed nothing."""
        try:
            lines = self.log.read_text(errors="replace").split("\n")
        except OSError:
            return ""
        told = [line.strip() for line in lines if line.strip() and not line.startswith("slurmstepd")]
        return told[-1][:200] if told else ""


def _event(line: bytes) -> Iterator[Any]:
    """Yield the event of a line; none of a line that a killed job wrote by half."""
    try:
        yield plain.loads(line.decode())
    except ValueError:
        return


def begin_batch(holder: Path) -> Path:
    """Make the folder of one more array."""
    place = holder / PLACE
    place.mkdir(exist_ok=True)
    number = 1 + max((int(path.name) for path in place.iterdir() if path.name.isdecimal()), default=0)
    batch = place / str(number)
    batch.mkdir()
    return batch


def open_tasks(holder: Path) -> list[TaskFolder]:
    """Return the tasks of earlier drivers whose end none of them knows, in order."""
    paths = [path for path in (holder / PLACE).glob("*/*") if path.name.isdecimal() and path.parent.name.isdecimal()]
    ordered = sorted(paths, key=lambda path: (int(path.parent.name), int(path.name)))
    return [folder for path in ordered if not (folder := TaskFolder(path)).is_collected]


@dataclass(frozen=True)
class Progress:
    """How far the jobs of a sweep or cv are, as they say themselves.

    Attributes:
        num_waiting: Jobs that have not begun, or were taken away and wait again.
        num_running: Jobs that have begun.
        num_ended: Jobs that came to an end.
    """

    num_waiting: int
    num_running: int
    num_ended: int

    @property
    def num_open(self) -> int:
        """Jobs that have not ended."""
        return self.num_waiting + self.num_running

    @classmethod
    def of(cls, holder: Path) -> "Progress":
        """Count the jobs of the last array; those before it are over, or were submitted anew with it."""
        batches = [int(path.name) for path in (holder / PLACE).glob("*") if path.name.isdecimal()]
        place = holder / PLACE / str(max(batches, default=0))
        kinds = [_last_mark(TaskFolder(path)) for path in place.glob("*") if path.name.isdecimal()]
        ended = sum(kind in ("done", "broken", "refused", "seen") for kind in kinds)
        running = kinds.count("begun")
        return cls(len(kinds) - ended - running, running, ended)


def _last_mark(folder: TaskFolder) -> str:
    marks = [event.kind for event in folder.read()[0] if isinstance(event, Mark)]
    return marks[-1] if marks else ""
