"""Carries programs out: trains trials or folds, concludes each and tells of it in plain events.

What is to be done and what is told can be sent to another process; this one function serves there and here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

import torch

from dlexp.build.dataset import Datasets
from dlexp.build.program import Assembled, assemble
from dlexp.build.structure import structure_key
from dlexp.config import trust
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.engine.snapshot import restore
from dlexp.error import first_line, is_out_of_memory
from dlexp.execution import group as groups
from dlexp.execution import result
from dlexp.execution.assignment import Assignment, End, Epoch, ExecutorEvent, Program
from dlexp.execution.description import write_parts
from dlexp.execution.fusion import SOLO
from dlexp.execution.integrity import require_same_data
from dlexp.execution.result import conclude_trial
from dlexp.execution.stack_saver import recover
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder


@dataclass
class Executor:
    """What a process keeps from one program to the next; called with a program, it carries it out.

    Attributes:
        datasets: The data it has loaded.
    """

    datasets: Datasets = field(default_factory=Datasets)
    _evaluators: dict[str, Assembled] = field(default_factory=dict)

    def __call__(self, program: Program, should_stop: Callable[[], bool]) -> Iterator[ExecutorEvent]:
        """Train; when a program of several fails, each of those left alone. Failures are recorded and told.

        Args:
            program: What to train.
            should_stop: Asked after every update; what has begun then ends as interrupted, with a checkpoint.
        """
        torch.set_num_threads(program.threads)
        waiting = {assignment.path: assignment for assignment in program.assignments}
        try:
            for event in self._train(program, should_stop):
                if isinstance(event, End):
                    del waiting[event.path]
                yield event
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

    def _train(self, program: Program, should_stop: Callable[[], bool]) -> Iterator[ExecutorEvent]:
        size, until = len(program.assignments), program.assignments[0].until
        members = {assignment.path: self._begin(assignment) for assignment in program.assignments}
        kinds = {assignment.path: assignment.kind for assignment in program.assignments}
        there = [path for path in members if _stands_at(members[path], until)]
        for path in there:
            yield self._pause(members[path], until, size)
        waiting = [member for path, member in members.items() if path not in there]
        pause = _Pause(until, should_stop)
        for group_event in groups.train_group(groups.Group(waiting, program.choice), pause):
            member, path = group_event.member, group_event.member.folder.path
            if isinstance(group_event.event, EpochEnd):
                pause.epoch = group_event.event.epoch
                yield Epoch(path, replace(group_event.event, record=None))  # saved: no need to send it on
            elif isinstance(group_event.event, TrialEnd):
                pause.epoch = 0
                if group_event.event.status == "interrupted" and _stands_at(member, until):
                    yield self._pause(member, until, size)
                elif kinds[path] == "fold":
                    yield self._end_fold(member, group_event.event, size)
                elif group_event.event.status != "interrupted":
                    yield self._end_trial(member, group_event.event.status, group_event.event.reason, None, size)

    def _begin(self, assignment: Assignment) -> groups.Member:
        """Return what is to be trained, its folder marked as in hand."""
        config, folder = assignment.config, RunFolder(assignment.path)
        trust.grant(config["trusted"])  # who asked for it has checked it
        dataset, manifest = self.datasets(config), folder.manifest
        require_same_data(folder, dataset)
        if assignment.kind == "fold":
            write_parts(folder, dataset)
        recover(folder)
        has_begun = manifest.get("paused_at") is None and checkpoint.exists(folder.checkpoints / "last")
        resumes = manifest["resumes"] + has_begun
        if has_begun or manifest["status"] != "running":
            folder.update_manifest(status="running", end=None, resumes=resumes)
        return groups.Member(config, dataset, folder)

    def _pause(self, member: groups.Member, until: int | None, size: int) -> End:
        return self._end_trial(member, "stopped_early", f"the search paused it at epoch {until}", until, size)

    def _end_trial(self, member: groups.Member, status: str, reason: str, paused_at: int | None, size: int) -> End:
        conclude_trial(self._evaluator(member), member.folder, member.config, status, reason, paused_at)
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
        result.conclude_run(built, folder, end, seed=member.config["seed"], open_test=False, has_figures=False)
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
    return f"{type(error).__name__}: {first_line(error)}"


def _stands_at(member: groups.Member, until: int | None) -> bool:
    """Say whether a member's checkpoint is where it is to pause."""
    return until is not None and (member.folder.saved_epoch() or 0) >= until
