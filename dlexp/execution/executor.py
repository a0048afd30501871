"""Carries groups out: trains trials or folds, concludes each and tells of it in plain events.

What is to be done and what is told can be sent to another process; this one function serves there and here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch

from dlexp.build.components import Components
from dlexp.build.dataset import Datasets
from dlexp.build.program import Program, make_program
from dlexp.config import trust
from dlexp.config.source.fault import user_fault
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, Event, TrialEnd
from dlexp.engine.snapshot import restore
from dlexp.error import DiskFault, DlexpError, first_line, is_broken_device, name_fault_of_device
from dlexp.execution import group as groups
from dlexp.execution import result
from dlexp.execution.assignment import Answer, Assignment, Begun, ExecutorEvent, Group, Halt, Superseded, Survey
from dlexp.execution.description import as_divided, write_parts
from dlexp.execution.fusion import SOLO, choose
from dlexp.execution.integrity import require_same_data
from dlexp.execution.result import conclude_trial
from dlexp.execution.save.stack_saver import recover
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder


@dataclass
class Executor:
    """What a process keeps from one group to the next; called with a group, it carries it out.

    Attributes:
        datasets: The data it has loaded.
    """

    datasets: Datasets = field(default_factory=Datasets)
    _evaluators: dict[str, Program] = field(default_factory=dict)
    _limits: dict[str, int] = field(default_factory=dict)  # trials at once by structure, where more did not fit

    def __call__(
        self, task: Group | Survey, should_stop: Callable[[], bool]
    ) -> Iterator[ExecutorEvent | Begun | Halt] | Iterator[Answer]:
        """Train a group and tell of its trials, or tell how those of a survey train best, or why that is unknown.

        Args:
            task: What to do.
            should_stop: Asked after every update; what has begun then ends as interrupted, with a checkpoint.
        """
        return self.train(task, should_stop) if isinstance(task, Group) else self.survey(task)

    def survey(self, survey: Survey) -> Iterator[Answer]:
        """Tell how the trials of a survey train best, or why that is unknown.

        Args:
            survey: The trials.

        Raises:
            RuntimeError: The device has failed.
        """
        torch.set_num_threads(survey.threads)
        trust.grant(survey.assignments[0].config["trusted"])
        try:
            built = [each.built or Components(each.config, self.datasets(each.config)) for each in survey.assignments]
            yield Answer(survey.number, choose(built, survey.cache, survey.record))
        except Exception as error:
            self._require_device(error)
            yield Answer(survey.number, explain(error))

    def train(self, group: Group, should_stop: Callable[[], bool]) -> Iterator[ExecutorEvent | Begun | Halt]:
        """Train; when a program of many fails, each of those left alone. Failures are recorded and told.

        A full disk is no failure of a trial, which waits at its last checkpoint for room.

        Args:
            group: What to train.
            should_stop: As of a call.

        Raises:
            RuntimeError: The device has failed: whatever is left is for another process.
        """
        try:
            yield from self._carry_out(group, should_stop)
        except DiskFault as fault:
            yield Halt(str(fault))
        except Superseded:
            return  # whoever came after tells of the trials

    def _carry_out(self, group: Group, should_stop: Callable[[], bool]) -> Iterator[ExecutorEvent | Begun]:
        torch.set_num_threads(group.threads)
        waiting = {assignment.path: assignment for assignment in group.assignments}
        try:
            for event in self._train(group, should_stop):
                if isinstance(event, ExecutorEvent) and isinstance(event.event, TrialEnd):
                    del waiting[event.path]
                yield event
            return
        except (DiskFault, Superseded):
            raise
        except Exception as error:
            self._require_device(error)
            if len(group.assignments) == 1:
                yield fail(group.assignments[0].path, explain(error))
                return
            _log_parting(list(waiting), error)
        # outside the handler, whose traceback would keep the program's tensors alive
        for single in replace(group, assignments=list(waiting.values())).apart(SOLO):
            if not should_stop():
                yield from self._carry_out(single, should_stop)

    def _train(self, group: Group, should_stop: Callable[[], bool]) -> Iterator[ExecutorEvent | Begun]:
        until = group.assignments[0].until
        begun = [self._begin(assignment) for assignment in group.assignments]
        for assignment in begun:
            if _stands_at(assignment, until):
                yield ExecutorEvent(assignment.path, self._pause(assignment), len(begun))
        waiting = [assignment for assignment in begun if not _stands_at(assignment, until)]
        pause = _Pause(until, should_stop)
        for assignment, event, program in groups.train_group(replace(group, assignments=waiting), pause, self._limits):
            told = self._told(assignment, event, program, pause)
            del program  # the next is to find its memory free
            if told is not None:
                yield told

    def _told(
        self, assignment: Assignment, event: Event | Begun, program: Program, pause: "_Pause"
    ) -> ExecutorEvent | Begun | None:
        """Return what the caller hears of an event, None for nothing; a trial's end is concluded first."""
        size = len(program.components)
        if isinstance(event, TrialEnd):
            assignment.require_current()
        if isinstance(event, EpochEnd):
            pause.epoch = event.epoch
            return ExecutorEvent(assignment.path, replace(event, record=None), size)  # saved: no need to send it on
        if isinstance(event, TrialEnd):
            pause.epoch = 0
            end = self._end(assignment, event, program)
            return None if end is None else ExecutorEvent(assignment.path, end, size)
        return event if isinstance(event, Begun) else None

    def _require_device(self, error: Exception) -> None:
        """Pass an error on where it means that the device has failed."""
        if is_broken_device(error):
            raise error

    def _begin(self, assignment: Assignment) -> Assignment:
        """Return what is to be trained with its components, its folder marked as in hand."""
        config, folder = assignment.config, assignment.folder
        trust.grant(config["trusted"])  # who asked for it has checked it
        built = assignment.built or Components(config, self.datasets(config))
        data, manifest = as_divided(folder, built.data), folder.manifest
        built = built if data is built.data else Components(config, data)
        require_same_data(folder, built.data)
        if assignment.kind == "fold":
            write_parts(folder, built.data)
        recover(folder)
        has_begun = manifest.get("paused_at") is None and checkpoint.exists(folder.checkpoints / "last")
        resumes = manifest["resumes"] + has_begun
        if has_begun or manifest["status"] != "running":
            folder.update_manifest(status="running", end=None, resumes=resumes)
        return replace(assignment, built=built)

    def _end(self, assignment: Assignment, end: TrialEnd, program: Program) -> TrialEnd | None:
        """Conclude what ended or paused; None for a trial that was interrupted, which tells nothing."""
        if end.status == "interrupted" and _stands_at(assignment, assignment.until):
            return self._pause(assignment, program)
        if assignment.kind == "fold":
            return self._end_fold(assignment, end, program)
        if end.status == "interrupted":
            return None
        return self._end_trial(assignment, end, None, program)

    def _pause(self, assignment: Assignment, program: Program | None = None) -> TrialEnd:
        reason = f"the search paused it at epoch {assignment.until}"
        return self._end_trial(assignment, TrialEnd(0, "stopped_early", reason, 0), assignment.until, program)

    def _end_trial(
        self, assignment: Assignment, end: TrialEnd, paused_at: int | None, program: Program | None
    ) -> TrialEnd:
        evaluator = program if program is not None and is_solo(program) else self._evaluator(assignment)
        conclude_trial(evaluator, assignment.folder, assignment.config, end.status, end.reason, paused_at)
        return end

    def _evaluator(self, assignment: Assignment) -> Program:
        """Return a program of one trial of the assignment's structure and data, made once for all of its kind."""
        components = assignment.components
        key = components.structure + components.data.fingerprint
        if key not in self._evaluators:
            self._evaluators = {key: make_program([components])}
        return self._evaluators[key]

    def _end_fold(self, assignment: Assignment, end: TrialEnd, program: Program) -> TrialEnd:
        """Evaluate what a fold ended with, as if it had been trained by itself."""
        folder = assignment.folder
        alone = program if is_solo(program) else make_program([assignment.components])
        if checkpoint.exists(last := folder.checkpoints / "last"):
            restore(alone.run, *checkpoint.load(last, alone.device))
        result.conclude_run(alone, folder, end, seed=assignment.config["seed"], open_test=False, has_figures=False)
        folder.log(f"{end.status} {end.reason}".rstrip())
        folder.update_manifest(status=end.status, reason=end.reason, end=now())
        return end


@dataclass
class _Pause:
    """The wish to stop a program: the user's, or that all of its trials have reached an epoch."""

    until: int | None
    is_wanted: Callable[[], bool]
    epoch: int = 0

    def __call__(self) -> bool:
        return self.is_wanted() or (self.until is not None and self.epoch >= self.until)


def _log_parting(paths: list[Path], error: Exception) -> None:
    for path in paths:
        RunFolder(path).log(f"trained together with others: {explain(error)}; now alone")


def is_solo(program: Program) -> bool:
    """Say whether a program is the plain module of one trial, which can evaluate what it has trained."""
    return program.run.step.forward.engine == "solo"


def fail(path: Path, reason: str) -> ExecutorEvent:
    """Record that the trial or fold of a folder failed."""
    folder = RunFolder(path)
    folder.log(f"failed: {reason}")
    folder.update_manifest(status="failed", reason=reason, end=now())
    return ExecutorEvent(path, TrialEnd(0, "failed", reason, 0), 1)


def explain(error: Exception) -> str:
    """Return an error in one line."""
    if fault := name_fault_of_device(error) or user_fault(error):
        return fault
    return str(error) if isinstance(error, DlexpError) else f"{type(error).__name__}: {first_line(error)}"


def _stands_at(assignment: Assignment, until: int | None) -> bool:
    """Say whether the checkpoint is where the assignment is to pause."""
    return until is not None and (assignment.folder.saved_epoch() or 0) >= until
