"""The trials of a sweep: found in their folders, and those that are missing trained in groups.

A trial's folder is named by the hash of all that its numbers depend on, so that looking a trial up and going on with
it are the same: whatever a kill left behind is found again, and nothing finished is trained twice.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexp.engine.event import EpochEnd, TrialEnd
from dlexp.error import RunError
from dlexp.job import group as groups
from dlexp.job.assemble import Assembled, assemble
from dlexp.job.fuse import SOLO
from dlexp.job.structure import structure_key
from dlexp.job.trial import FOLDER, Outcome, Trial, by_id, conclude, outcome
from dlexp.tracker import name
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.manifest import now


@dataclass
class Roster:
    """The trials of one sweep.

    Attributes:
        sweep: The sweep's folder.
        metric: The objective.
        should_stop: Asked after every update: the wish to stop.
        elsewhere: Folders of finished trials of other sweeps, by id.
        environment: What manifests say of code, machine and packages, found out once.
        programs: Size and engine of each program that was trained.
    """

    sweep: RunFolder
    metric: str
    should_stop: Callable[[], bool]
    elsewhere: dict[str, Path]
    environment: dict[str, Any]
    programs: list[dict[str, Any]] = field(default_factory=list)
    _known: dict[str, Path] = field(default_factory=dict)
    _evaluators: dict[str, Assembled] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = by_id(self.sweep.path)

    def look_up(self, trial: Trial) -> Outcome | None:
        """Return how a trial ended; None when it has to be trained, from its beginning or its checkpoint."""
        path = self._known.get(trial.id)
        if path is not None and _is_readable(path):
            return outcome(RunFolder(path), self.metric, trial.proposal.until)
        other = self.elsewhere.get(trial.id)
        return None if other is None else outcome(RunFolder(other), self.metric, trial.proposal.until)

    def train(self, trials: list[Trial], stop_reason: Callable[[], str]) -> Iterator[tuple[Trial, EpochEnd | Outcome]]:
        """Train trials that are to pause at the same epoch, together where that is faster; yield epochs and ends.

        A trial that fails is recorded and the others go on.

        Args:
            trials: Missing ones.
            stop_reason: Asked before each program; whatever it says but "" begins no more.
        """
        members = [self._member(trial) for trial in {trial.id: trial for trial in trials}.values()]
        by_folder = {self._known[trial.id]: trial for trial in trials}
        parts: dict[str, list[groups.Member]] = {}
        for member in members:
            parts.setdefault(structure_key(member.config, member.dataset), []).append(member)
        for part in parts.values():
            for planned in self._plan(part):
                size = planned.choice.size
                for start in range(0, len(planned.members), size):
                    if stop_reason():
                        return
                    chunk = groups.Group(planned.members[start : start + size], planned.choice)
                    engine = "solo" if planned.choice.engine == "solo" else "fused"
                    self.programs.append({"size": len(chunk.members), "engine": engine})
                    for folder, event in self._train_chunk(chunk, by_folder):
                        yield by_folder[folder], event

    def _plan(self, part: list[groups.Member]) -> list[groups.Group]:
        """Choose how trials of one structure train; where that fails, one by one, so that each says why."""
        try:
            return groups.plan_groups(part, self.sweep.runs_dir / "fuse.json")
        except Exception:
            return [groups.Group([member], SOLO) for member in part]

    def _member(self, trial: Trial) -> groups.Member:
        path = self._known.get(trial.id)
        if path is not None and not _is_readable(path):
            shutil.rmtree(path)  # killed while it was made
            path = None
        folder = RunFolder(path) if path is not None else self._create(trial)
        if path is not None:
            folder.update_manifest(status="running", end=None)
        self._known[trial.id] = folder.path
        return groups.Member(trial.composed.config, trial.dataset, folder)

    def _create(self, trial: Trial) -> RunFolder:
        described = {
            "kind": "trial",
            "experiment": self.sweep.manifest["experiment"],
            "sweep": self.sweep.run_id,
            "seed": trial.composed.config["seed"],
            "task": trial.dataset.task,
            "data": {"name": trial.dataset.name, "fingerprint": trial.dataset.fingerprint},
            "params": _logged(trial),
            "number": trial.proposal.number,
            "test_openings": 0,
            "monitor": self.sweep.manifest["monitor"],
            **self.environment,
        }
        slug = name.slug([f"{key}={_short(value)}" for key, value in trial.overrides.items()])
        folder = RunFolder.create(
            self.sweep.path,
            FOLDER,
            slug,
            config=trial.composed.config,
            overrides=trial.composed.overrides,
            manifest=described,
            run_id=trial.id,
            is_synced=False,  # one that a power cut damages is made anew
        )
        folder.unlock()  # the sweep's lock covers its trials; one descriptor for each would run out
        return folder

    def _train_chunk(
        self, chunk: groups.Group, by_folder: dict[Path, Trial]
    ) -> Iterator[tuple[Path, EpochEnd | Outcome]]:
        """Train a few members as one program; when that fails, each alone."""
        until = by_folder[chunk.members[0].folder.path].proposal.until
        try:
            yield from self._train_program(chunk, until)
        except Exception as error:
            left = [member for member in chunk.members if member.folder.manifest["status"] == "running"]
            if len(chunk.members) == 1:
                yield chunk.members[0].folder.path, self._fail(chunk.members[0], error)
                return
        else:
            return
        for member in left:  # outside the handler, whose traceback would keep the program's tensors alive
            if self.should_stop():
                return
            yield from self._train_chunk(groups.Group([member], SOLO), by_folder)

    def _train_program(self, chunk: groups.Group, until: int | None) -> Iterator[tuple[Path, EpochEnd | Outcome]]:
        there = [member for member in chunk.members if _stands_at(member, until)]
        for member in there:
            yield member.folder.path, self._pause(member, until)
        waiting = [member for member in chunk.members if member not in there]
        pause = _Pause(until, self.should_stop)
        for told in groups.train_group(groups.Group(waiting, chunk.choice), pause):
            if isinstance(told.event, EpochEnd):
                pause.epoch = told.event.epoch
                yield told.member.folder.path, told.event
            elif isinstance(told.event, TrialEnd):
                pause.epoch = 0
                path, status, reason = told.member.folder.path, told.event.status, told.event.reason
                if status == "interrupted" and _stands_at(told.member, until):
                    yield path, self._pause(told.member, until)
                elif status != "interrupted":
                    yield path, self._end(told.member, status, reason, None)

    def _pause(self, member: groups.Member, until: int | None) -> Outcome:
        return self._end(member, "stopped_early", f"the search paused it at epoch {until}", until)

    def _end(self, member: groups.Member, status: str, reason: str, paused_at: int | None) -> Outcome:
        conclude(self._evaluator(member), member.folder, member.config, status, reason, paused_at)
        return _known_outcome(member.folder, self.metric, paused_at)

    def _fail(self, member: groups.Member, error: Exception) -> Outcome:
        reason = f"{type(error).__name__}: {str(error).strip().splitlines()[0] if str(error).strip() else 'no message'}"
        member.folder.log(f"failed: {reason}")
        member.folder.update_manifest(status="failed", reason=reason, end=now())
        return _known_outcome(member.folder, self.metric, None)

    def _evaluator(self, member: groups.Member) -> Assembled:
        """Return a program of one trial of the member's structure and data, made once for all of its kind."""
        key = structure_key(member.config, member.dataset) + member.dataset.fingerprint
        if key not in self._evaluators:
            self._evaluators = {key: assemble(member.config, member.dataset)}
        return self._evaluators[key]


@dataclass
class _Pause:
    """The wish to stop a program: the user's, or that all of its trials have reached an epoch."""

    until: int | None
    is_wanted: Callable[[], bool]
    epoch: int = 0

    def __call__(self) -> bool:
        return self.is_wanted() or (self.until is not None and self.epoch >= self.until)


def _is_readable(path: Path) -> bool:
    try:
        return bool(RunFolder.open(path).manifest)
    except RunError:
        return False


def _stands_at(member: groups.Member, until: int | None) -> bool:
    """Say whether a member's checkpoint is where it is to pause."""
    return until is not None and (member.folder.saved_epoch() or 0) >= until


def _known_outcome(folder: RunFolder, metric: str, until: int | None) -> Outcome:
    found = outcome(folder, metric, until)
    assert found is not None
    return found


def _logged(trial: Trial) -> dict[str, Any]:
    """Return the options and what the search set: MLflow's parallel coordinates draw every number that is logged."""
    epochs = {} if trial.proposal.epochs is None else {"trainer.epochs": trial.proposal.epochs}
    return {**trial.composed.choices, **trial.overrides, **epochs}


def _short(value: Any) -> Any:
    return f"{value:.3g}" if isinstance(value, float) else value
