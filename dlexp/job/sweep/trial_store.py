"""The trials of a sweep: found in their folders, and those that are missing trained.

A trial's folder is named by the hash of all that its numbers depend on, so that looking a trial up and going on with
it are the same: whatever a kill left behind is found again, and nothing finished is trained twice.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexp.config.wording import yaml_value
from dlexp.data.fact.positive import positive_fact
from dlexp.engine.event import EpochEnd
from dlexp.execution.assignment import Assignment, ExecutorEvent
from dlexp.execution.description import identify
from dlexp.execution.dispatcher import Dispatcher
from dlexp.execution.integrity import checksums, is_intact
from dlexp.job.sweep.trial import Trial, TrialResult, by_id, read_result
from dlexp.job.train.document import PlannedGroup
from dlexp.run import name
from dlexp.run.folder import MANIFEST, TRIALS, RunFolder
from dlexp.run.jsonable import sealed
from dlexp.run.status import Status

UNSHARED = ("lock", "mlflow.json")  # of the sweep that a trial is taken from
REPLACED = (".safetensors", ".pt", ".npz")  # large files that are never written in place


@dataclass
class FinishedTrials:
    """The trials of the neighbours of a sweep, each read when it is asked for.

    Attributes:
        paths: Folders by the trial's id, those of later sweeps last.
    """

    paths: dict[str, list[Path]] = field(default_factory=dict)

    @classmethod
    def around(cls, sweep: RunFolder) -> "FinishedTrials":
        """Return the trials of the other sweeps in a sweep's experiment."""
        paths: dict[str, list[Path]] = {}
        for place in sorted(sweep.path.parent.glob(f"*-*/{TRIALS}")):
            if place.parent != sweep.path:
                for id_, path in by_id(place.parent).items():
                    paths.setdefault(id_, []).append(path)
        return cls(paths)

    def get(self, trial_id: str) -> Path | None:
        """Return the folder of a trial that is done and undamaged; one that failed is worth another attempt."""
        return next((path for path in reversed(self.paths.get(trial_id, [])) if self._is_finished(path)), None)

    def _is_finished(self, path: Path) -> bool:
        folder = RunFolder(path)
        if not is_intact(folder):  # killed while it was made, or damaged by a power cut
            return False
        manifest = folder.manifest
        return Status(manifest["status"]).is_over and manifest.get("paused_at") is None


@dataclass
class TrialStore:
    """The trials of one sweep.

    Attributes:
        sweep: The sweep's folder.
        metric: The objective.
        dispatcher: Trains what is missing.
        elsewhere: Trials that other sweeps have finished.
        environment: What manifests say of code, machine and packages, found out once.
        is_retrying: Whether a trial that failed in an earlier process is trained again.
    """

    sweep: RunFolder
    metric: str
    dispatcher: Dispatcher
    elsewhere: FinishedTrials
    environment: dict[str, Any]
    is_retrying: bool = True
    _known: dict[str, Path] = field(default_factory=dict)
    _tried: set[str] = field(default_factory=set)

    def __post_init__(self) -> None:
        self._known = by_id(self.sweep.path)

    @property
    def programs(self) -> list[PlannedGroup]:
        """Size and engine of each program that was begun."""
        return self.dispatcher.programs

    def look_up(self, trial: Trial) -> TrialResult | None:
        """Return how a trial ended; None when it has to be trained, from its beginning or its checkpoint.

        A trial of another sweep is copied into this one, which is whole by itself from then on.
        """
        path = self._known.get(trial.id)
        if path is None or not is_intact(RunFolder(path)):
            other = self.elsewhere.get(trial.id)
            if other is None:
                return None
            path = self._take_over(trial, other)
        result = read_result(trial, RunFolder(path), self.metric)
        is_failed = result is not None and result.status == Status.FAILED
        return None if is_failed and self.is_retrying and trial.id not in self._tried else result

    def train(
        self, trials: list[Trial], stop_reason: Callable[[], str]
    ) -> Iterator[tuple[Trial, EpochEnd | TrialResult]]:
        """Train trials, together where that is faster; yield epochs and ends.

        A trial that fails is recorded and the others go on. A folder is made when its trial begins.

        Args:
            trials: Missing ones.
            stop_reason: Asked before each program; whatever it says but "" begins no more.
        """
        by_folder = {self._place(trial): trial for trial in {trial.id: trial for trial in trials}.values()}
        assignments = [self._assign(trial, path) for path, trial in by_folder.items()]
        told = self.dispatcher.train(
            assignments, lambda: not stop_reason(), lambda each: self._begin(by_folder[each.path])
        )
        yield from self._read(told, by_folder)

    def feed(
        self, first: list[Trial], following: Callable[[], Trial | None], stop_reason: Callable[[], str]
    ) -> Iterator[tuple[Trial, EpochEnd | TrialResult]]:
        """Train whatever is next as soon as a worker is free; yield epochs and ends.

        Args:
            first: Those that an earlier process began.
            following: Returns the next; None when there is none until something ends, or none at all.
            stop_reason: As of `train`.
        """
        by_folder: dict[Path, Trial] = {}

        def assign(trial: Trial) -> Assignment:
            path = self._place(trial)
            by_folder[path] = trial
            return self._assign(trial, path)

        def draw() -> Assignment | None:
            return None if (trial := following()) is None else assign(trial)

        begun = [assign(trial) for trial in first]
        told = self.dispatcher.feed(
            begun, draw, lambda: not stop_reason(), lambda each: self._begin(by_folder[each.path])
        )
        yield from self._read(told, by_folder)

    def _read(
        self, told: Iterator[ExecutorEvent], by_folder: dict[Path, Trial]
    ) -> Iterator[tuple[Trial, EpochEnd | TrialResult]]:
        """Yield what is told with its trial, ends as the folders have them."""
        for event in told:
            trial = by_folder[event.path]
            if isinstance(event.event, EpochEnd):
                yield trial, event.event
            else:
                result = read_result(trial, RunFolder(event.path), self.metric)
                assert result is not None
                yield trial, result

    def _assign(self, trial: Trial, path: Path) -> Assignment:
        return Assignment(trial.composed.config, path, "trial", trial.proposal.until, trial.components)

    def _place(self, trial: Trial) -> Path:
        """Return where a trial's folder is, or will be."""
        if trial.id not in self._known:
            typed = {key: v if isinstance(v, str) else yaml_value(v) for key, v in trial.overrides.items()}
            slug = name.slug([f"{key}={value}" for key, value in typed.items()])
            self._known[trial.id] = name.place(self.sweep.path, TRIALS, slug, trial.id)
        return self._known[trial.id]

    def _begin(self, trial: Trial) -> None:
        """Have a folder for a trial that is about to train."""
        self._tried.add(trial.id)
        path = self._place(trial)
        if not is_intact(RunFolder(path)):
            shutil.rmtree(path, ignore_errors=True)  # killed while it was made, or damaged by a power cut
            self._create(trial)

    def _take_over(self, trial: Trial, other: Path) -> Path:
        """Copy the folder of another sweep's trial; what is only ever replaced whole is linked, which takes no room.

        The manifest comes last, so that a copy that a kill cut short is none.
        """
        path = self._place(trial)
        shutil.rmtree(path, ignore_errors=True)
        left_out = {str(other): {MANIFEST, *UNSHARED}}
        shutil.copytree(other, path, copy_function=_copy, ignore=lambda place, _names: left_out.get(str(place), set()))
        copy, source = RunFolder(path), RunFolder(other)
        copy.write_result({**(source.result or {}), "run_dir": str(path)})
        told = {
            "experiment": self.sweep.manifest["experiment"],
            "sweep": self.sweep.run_id,
            "taken_from": source.manifest["sweep"],
            "number": trial.proposal.number,
            "params": trial.overrides,
            "sealed": checksums(copy),
        }
        copy.write(MANIFEST, sealed({**source.manifest, **told}))
        return path

    def _create(self, trial: Trial) -> RunFolder:
        described = {
            "kind": "trial",
            "experiment": self.sweep.manifest["experiment"],
            "sweep": self.sweep.run_id,
            "seed": trial.composed.config["seed"],
            "task": trial.dataset.task,
            "data": {**identify(trial.dataset), **positive_fact(trial.dataset)},
            # nothing else: MLflow's parallel coordinates draw whatever params differ, and the sweep has the options
            "params": trial.overrides,
            "number": trial.proposal.number,
            "test_openings": 0,
            "monitor": {
                **self.sweep.manifest["monitor"],
                "min_delta": trial.composed.config["trainer"]["min_delta"],
            },
            **self.environment,
        }
        folder = RunFolder.create(
            self.sweep.path,
            TRIALS,
            self._place(trial).name.partition("-")[2],
            config=trial.composed.config,
            overrides=trial.composed.overrides,
            manifest=described,
            run_id=trial.id,
        )
        folder.unlock()  # the sweep's lock covers its trials; one descriptor for each would run out
        return folder


def _copy(source: str, target: str) -> None:
    if Path(source).suffix in REPLACED:
        with suppress(OSError):  # a file system without links
            os.link(source, target)
            return
    shutil.copy2(source, target)
