"""Carries programs out: trains trials or folds, concludes each and tells of it in plain events.

What is to be done and what is told can be sent to another process; this one function serves there and here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import torch

from dlexp.build.program import Assembled, assemble
from dlexp.build.structure import structure_key
from dlexp.config.signature import import_path_of_user_code
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import restore
from dlexp.error import DataError
from dlexp.execution import group as groups
from dlexp.execution import result
from dlexp.execution.fusion import SOLO, Choice
from dlexp.execution.stack_saver import settle
from dlexp.job.loaded import Datasets
from dlexp.job.memory import is_out_of_memory
from dlexp.job.sweep import trial
from dlexp.job.train.train import write_parts
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder


@dataclass(frozen=True)
class Assignment:
    """One trial or fold to be trained from where its checkpoint is.

    Attributes:
        config: Checked; says which data, a fold's parts included.
        path: Its run folder, which exists.
        kind: How it is concluded.
        until: Epoch at which it pauses; None trains to the end.
    """

    config: dict[str, Any]
    path: Path
    kind: Literal["trial", "fold"]
    until: int | None = None


@dataclass(frozen=True)
class Program:
    """Assignments that are trained at once.

    Attributes:
        assignments: Of equal structure, with one epoch to pause at.
        choice: Engine and size.
        threads: CPU threads of a trial whose configuration leaves them to torch.
    """

    assignments: list[Assignment]
    choice: Choice
    threads: int

    def apart(self, choice: Choice) -> list["Program"]:
        """Return a program for each of the assignments."""
        return [Program([assignment], choice, self.threads) for assignment in self.assignments]


@dataclass(frozen=True)
class Epoch:
    """An epoch ended and is saved."""

    path: Path
    event: EpochEnd


@dataclass(frozen=True)
class End:
    """A trial or fold ended, paused or was interrupted; its folder says everything else.

    Attributes:
        path: Its folder.
        status: finished, stopped_early, diverged, failed or interrupted.
        reason: For the user, "" when it simply finished.
        size: How many the program had.
    """

    path: Path
    status: str
    reason: str
    size: int


Heard = Epoch | End


@dataclass
class Executor:
    """What a process keeps from one program to the next; called with a program, it carries it out.

    Attributes:
        datasets: The data it has loaded.
    """

    datasets: Datasets = field(default_factory=Datasets)
    _evaluators: dict[str, Assembled] = field(default_factory=dict)

    def __call__(self, program: Program, should_stop: Callable[[], bool]) -> Iterator[Heard]:
        """Train; when a program of several fails, each of those left alone. Failures are recorded and told.

        Args:
            program: What to train.
            should_stop: Asked after every update; what has begun then ends as interrupted, with a checkpoint.
        """
        torch.set_num_threads(program.threads)
        waiting = {assignment.path: assignment for assignment in program.assignments}
        try:
            for heard in self._train(program, should_stop):
                if isinstance(heard, End):
                    del waiting[heard.path]
                yield heard
            return
        except Exception as error:
            if len(program.assignments) == 1:
                yield fail(program.assignments[0], explain(error))
                return
            for path in waiting:
                RunFolder(path).log(f"trained together with others: {explain(error)}; now alone")
        # outside the handler, whose traceback would keep the program's tensors alive
        for single in replace(program, assignments=list(waiting.values())).apart(SOLO):
            if not should_stop():
                yield from self(single, should_stop)

    def _train(self, program: Program, should_stop: Callable[[], bool]) -> Iterator[Heard]:
        size, until = len(program.assignments), program.assignments[0].until
        members = {assignment.path: self._begin(assignment) for assignment in program.assignments}
        kinds = {assignment.path: assignment.kind for assignment in program.assignments}
        there = [path for path in members if _stands_at(members[path], until)]
        for path in there:
            yield self._pause(members[path], until, size)
        waiting = [member for path, member in members.items() if path not in there]
        pause = _Pause(until, should_stop)
        for told in groups.train_group(groups.Group(waiting, program.choice), pause):
            member, path = told.member, told.member.folder.path
            if isinstance(told.event, EpochEnd):
                pause.epoch = told.event.epoch
                yield Epoch(path, told.event)
            elif isinstance(told.event, TrialEnd):
                pause.epoch = 0
                if told.event.status == "interrupted" and _stands_at(member, until):
                    yield self._pause(member, until, size)
                elif kinds[path] == "fold":
                    yield self._end_fold(member, told.event, size)
                elif told.event.status != "interrupted":
                    yield self._end_trial(member, told.event.status, told.event.reason, None, size)

    def _begin(self, assignment: Assignment) -> groups.Member:
        """Return what is to be trained, its folder marked as in hand."""
        config, folder = assignment.config, RunFolder(assignment.path)
        if config["trusted"]:
            import_path_of_user_code()
        dataset, manifest = self.datasets(config), folder.manifest
        if dataset.fingerprint != manifest["data"]["fingerprint"]:
            raise DataError(f"{dataset.name}: the data changed since {folder.run_id} was asked for")
        if assignment.kind == "fold":
            write_parts(folder, dataset)
        settle(folder)
        has_begun = manifest.get("paused_at") is None and checkpoint.exists(folder.checkpoints / "last")
        resumes = manifest["resumes"] + has_begun
        if has_begun or manifest["status"] != "running":
            folder.update_manifest(status="running", end=None, resumes=resumes)
        return groups.Member(config, dataset, folder)

    def _pause(self, member: groups.Member, until: int | None, size: int) -> End:
        return self._end_trial(member, "stopped_early", f"the search paused it at epoch {until}", until, size)

    def _end_trial(self, member: groups.Member, status: str, reason: str, paused_at: int | None, size: int) -> End:
        trial.conclude(self._evaluator(member), member.folder, member.config, status, reason, paused_at)
        return End(member.folder.path, status, reason, size)

    def _evaluator(self, member: groups.Member) -> Assembled:
        """Return a program of one trial of the member's structure and data, made once for all of its kind."""
        key = structure_key(member.config, member.dataset) + member.dataset.fingerprint
        if key not in self._evaluators:
            self._evaluators = {key: assemble(member.config, member.dataset)}
        return self._evaluators[key]

    def _end_fold(self, member: groups.Member, end: TrialEnd, size: int) -> End:
        """Evaluate what a fold ended with, as if it had been trained by itself."""
        folder, built = member.folder, assemble(member.config, member.dataset)
        if checkpoint.exists(last := folder.checkpoints / "last"):
            restore(built.run, *checkpoint.load(last, built.device))
        result.conclude(built, folder, end, seed=member.config["seed"], open_test=False, has_figures=False)
        folder.log(f"{end.status} {end.reason}".rstrip())
        folder.update_manifest(status=end.status, reason=end.reason, end=now())
        return End(folder.path, end.status, end.reason, size)


@dataclass
class _Pause:
    """The wish to stop a program: the user's, or that all of its trials have reached an epoch."""

    until: int | None
    is_wanted: Callable[[], bool]
    epoch: int = 0

    def __call__(self) -> bool:
        return self.is_wanted() or (self.until is not None and self.epoch >= self.until)


def fail(assignment: Assignment, reason: str) -> End:
    """Record that a trial or fold failed."""
    folder = RunFolder(assignment.path)
    folder.log(f"failed: {reason}")
    folder.update_manifest(status="failed", reason=reason, end=now())
    return End(assignment.path, "failed", reason, 1)


def explain(error: Exception) -> str:
    """Return an error in one line."""
    if is_out_of_memory(error):
        return "out of memory; choose a smaller trainer.batch_size or trainer.eval_batch_size"
    lines = str(error).strip().splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}"


def _stands_at(member: groups.Member, until: int | None) -> bool:
    """Say whether a member's checkpoint is where it is to pause."""
    return until is not None and (member.folder.saved_epoch() or 0) >= until
