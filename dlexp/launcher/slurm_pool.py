"""Jobs of a Slurm cluster as workers: a task is a job, those that are there at once are an array.

What a job says lies in its task's folder; see `dlexp.launcher.task_folder`. The driver reads on there twice a second
and asks the queue far less often: only whether a job that says nothing is still there.
"""

import hashlib
import logging
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dlexp.disk.durable import write_text
from dlexp.error import ConfigError
from dlexp.launcher import plain
from dlexp.launcher import slurm_client as client
from dlexp.launcher.launcher import Crew
from dlexp.launcher.pool import Detached, Lost, always
from dlexp.launcher.site import Site
from dlexp.launcher.slurm import Slurm
from dlexp.launcher.task_folder import CLOSED, SITE, STOP, Mark, TaskFolder, begin_batch, open_tasks

POLL_SECONDS = 0.5  # between two looks into the folders
QUEUE_SECONDS = 10.0  # between two questions to the queue, which all users of the cluster share
QUICK_SECONDS = 1.0  # the same, while little has been asked yet
NUM_QUICK = 10
MOST_LOOKS = 2  # at a job that has ended without a word, which a slow file system may still bring
_log = logging.getLogger(__name__)


@dataclass
class _Job:
    """A task with Slurm.

    Attributes:
        folder: Its folder.
        task: As it is told.
        offset: Of the events that were read.
        looks: How often the queue said that it has ended.
        state: What the queue said last; None before, and where Slurm has forgotten it.
        will_return: Whether it said that it was taken away, and nothing since.
        has_begun: Whether it said that it began.
    """

    folder: TaskFolder
    task: Any
    offset: int = 0
    looks: int = 0
    state: client.State | None = None
    will_return: bool = False
    has_begun: bool = False


class SlurmPool:
    """Jobs of a cluster.

    Args:
        crew: What they do.
        launcher: What each asks for.
        threads: CPU threads of a trial.

    Attributes:
        detaches: Whether `run` leaves the jobs to Slurm as soon as they are submitted.
    """

    def __init__(self, crew: Crew, launcher: Slurm, threads: int) -> None:
        self.detaches = False
        self._crew, self._launcher, self._threads = crew, launcher, threads
        self._jobs: list[_Job] = []
        self._probe: tuple[str, _Job] | None = None  # number and job, until it has said what it saw
        self._has_probed = False
        self._looked, self._num_asked = 0.0, 0
        self._told = ""

    @property
    def places(self) -> range:
        """As many numbers as jobs may run at once."""
        return range(self._launcher.array_parallelism)

    def adopt(self, choose: Callable[[Any], Any | None]) -> None:
        """Take on jobs of an earlier driver; see `dlexp.launcher.pool.Pool.adopt`."""
        present = {job.folder.path for job in self._jobs}
        for folder in open_tasks(self._crew.folder):
            try:
                written = None if folder.path in present else folder.task  # None for a probe too
            except (OSError, ValueError):  # it was killed while it wrote this down: no job has begun
                continue
            if written is not None and (task := choose(written)) is not None:
                self._jobs.append(_Job(folder, task))

    def run(
        self,
        take: Callable[[], Any | None],
        should_stop: Callable[[], bool],
        may_begin: Callable[[], bool] = always,
    ) -> Iterator[Any]:
        """Yield the events of tasks as they come; see `dlexp.launcher.pool.Pool.run`.

        Raises:
            ConfigError: Slurm refuses the jobs, or a node lacks what is needed.
            Detached: All are submitted, and nobody is to wait.
        """
        is_told = is_closed = False
        while True:
            is_stopping = should_stop()
            if is_open := may_begin() and not is_stopping:
                self._submit(take)
            if not self._jobs:
                return
            if self.detaches:
                self._jobs, self._probe = [], None  # for `close` to leave alone
                raise Detached
            if is_stopping and not is_told:
                is_told = True
                self._stop()
            if not is_open and not is_closed:
                is_closed = True
                self._withdraw()
            self._look(is_stopping=is_stopping)
            for job in list(self._jobs):
                yield from self._hear(job, is_stopping=is_stopping, is_closed=is_closed)
            time.sleep(POLL_SECONDS)

    def close(self) -> None:
        """Take all jobs away, at once."""
        names = {_name(job.folder.batch) for job in [*self._jobs, *([self._probe[1]] if self._probe else [])]}
        for name in names:
            client.cancel(name)
        self._jobs, self._probe = [], None

    def _submit(self, take: Callable[[], Any | None]) -> None:
        """Submit all tasks that there are as an array, after a job that looks whether nodes have what is needed."""
        tasks = []
        while (task := take()) is not None:
            tasks.append(task)
        if not tasks:
            return
        if not self._has_probed:
            self._has_probed = True
            number, (probe,) = self._array([None], [])
            self._probe = number, probe
        after = [] if self._probe is None else [f"--dependency=afterok:{self._probe[0]}", "--kill-on-invalid-dep=yes"]
        self._jobs += self._array(tasks, after)[1]

    def _array(self, tasks: list[Any], options: list[str]) -> tuple[str, list[_Job]]:
        """Submit an array; return its number and its jobs."""
        batch = begin_batch(self._crew.folder)
        entry = {
            "site": Site.here(batch, needs_gpu=self._launcher.gpus_per_node > 0),
            "make_work": plain.name_of(self._crew.make_work),
            "rest": plain.name_of(self._crew.rest),
            "preload": self._crew.preload,
        }
        write_text(batch / SITE, plain.dumps(entry))
        jobs = [_Job(TaskFolder.create(batch, index, task), task) for index, task in enumerate(tasks)]
        script = self._launcher.script(str(batch))
        write_text(batch / "job.sh", script)
        most = self._launcher.array_parallelism
        array = [f"--array=0-{len(tasks) - 1}%{most}", f"--job-name={_name(batch)}", f"--output={batch}/%a.log"]
        return client.submit([*self._launcher.options(self._threads), *array, *options], script), jobs

    def _stop(self) -> None:
        """Have jobs end with a checkpoint, and those that wait not begin."""
        for batch in {job.folder.batch for job in self._jobs}:
            (batch / STOP).touch()
            client.cancel(_name(batch), is_waiting=True)

    def _withdraw(self) -> None:
        """Take back what has not begun; what was taken away and is to go on waits on."""
        returning = {job.folder.batch for job in self._jobs if job.will_return}
        for batch in {job.folder.batch for job in self._jobs}:
            (batch / CLOSED).touch()
            if batch not in returning:
                client.cancel(_name(batch), is_waiting=True)

    def _look(self, *, is_stopping: bool) -> None:
        """Ask the queue, where that is due, what became of the jobs."""
        is_quick = is_stopping or self._num_asked < NUM_QUICK
        if time.monotonic() - self._looked < (min(QUICK_SECONDS, QUEUE_SECONDS) if is_quick else QUEUE_SECONDS):
            return
        self._looked, self._num_asked = time.monotonic(), self._num_asked + 1
        states = client.states()
        if states is None:
            return  # Slurm may be out of reach for a while; what jobs say is read all the same
        for job in [*self._jobs, *([self._probe[1]] if self._probe else [])]:
            job.state = states.get((_name(job.folder.batch), job.folder.index))
            has_ended = job.state is None or job.state.name in client.ENDED
            job.looks = job.looks + 1 if has_ended else 0
        self._tell()
        self._hear_probe()

    def _hear_probe(self) -> None:
        """Read what the probe says.

        Raises:
            ConfigError: A node lacks what is needed.
        """
        if self._probe is None:
            return
        job = self._probe[1]
        marks, job.offset = job.folder.read(job.offset)
        kinds = {mark.kind: mark.why for mark in marks}
        if "seen" in kinds:
            self._probe = None
            job.folder.collect()
        elif "refused" in kinds:
            raise ConfigError(f"launcher=slurm: {kinds['refused']}")
        elif job.looks >= MOST_LOOKS:
            if job.state is None or job.state.name not in ("NODE_FAIL", "BOOT_FAIL"):
                raise ConfigError(_unseen(job))
            self._probe, self._has_probed = None, False  # another is needed, and the jobs behind it too

    def _tell(self) -> None:
        """Log how many jobs wait and run, when that changes."""
        names = [job.state.name for job in self._jobs if job.state is not None]
        waiting, running = names.count("PENDING"), names.count("RUNNING")
        told = f"{running} running, {waiting} waiting"
        if told != self._told and (running or waiting):
            self._told = told
            _log.info("launcher=slurm: jobs %s", told)

    def _hear(self, job: _Job, *, is_stopping: bool, is_closed: bool) -> Iterator[Any]:
        """Yield what a job has told since, and that it was lost."""
        events, job.offset = job.folder.read(job.offset)
        for event in events:
            if not isinstance(event, Mark):
                yield event
                continue
            job.will_return = event.kind in ("again", "taken")
            job.has_begun |= event.kind == "begun"
            if event.kind == "refused":
                raise ConfigError(f"launcher=slurm: {event.why}")
            if event.kind == "done":
                self._drop(job)
                return
            if event.kind == "broken":
                self._drop(job)  # of the place, not of the device: nothing keeps a task off a node's bad device
                yield Lost(job.task, f"Slurm job {_where(job)}: {event.why}", "place")
                return
        if job.looks >= MOST_LOOKS and not events:
            self._drop(job)
            if not is_stopping and (job.has_begun or not is_closed):
                yield _lost(job)

    def _drop(self, job: _Job) -> None:
        self._jobs.remove(job)
        job.folder.collect()


def _lost(job: _Job) -> Lost:
    is_crash = job.state is not None and job.state.name in client.CRASHED and not job.will_return
    ended = f"Slurm job {_where(job)} ended ({job.state.name if job.state else 'Slurm has forgotten how'})"
    said = job.folder.last_words() if is_crash else ""
    return Lost(job.task, f"{ended}: {said}" if said else ended, "crash" if is_crash else "place")


def _where(job: _Job) -> str:
    node = f" on {job.state.node}" if job.state is not None and job.state.node else ""
    return f"{_name(job.folder.batch)}[{job.folder.index}]{node}"


def _name(batch: Path) -> str:
    """Return the name of an array's jobs."""
    run = batch.parent.parent.name.partition("-")[0]
    place = hashlib.sha256(str(batch).encode()).hexdigest()[:6]  # a copied runs folder has the same runs
    return f"dlexp-{run}-{batch.name}-{place}"


def _unseen(job: _Job) -> str:
    node = job.state.node if job.state is not None and job.state.node else "its node"
    state = job.state.name if job.state is not None else "gone"
    said = job.folder.last_words()
    if said:
        return f"launcher=slurm: the probe job on {node} could not start ({state}): {said}"
    cure = "runs_dir has to lie where all nodes see it"
    return f"launcher=slurm: node {node} does not see {job.folder.batch} (its probe job ended: {state}); {cure}"
