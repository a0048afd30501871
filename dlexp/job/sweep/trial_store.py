"""The trials of a sweep: found in their folders, and those that are missing trained.

A trial's folder is named by the hash of all that its numbers depend on, so that looking a trial up and going on with
it are the same: whatever a kill left behind is found again, and nothing finished is trained twice.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexp.engine.event import EpochEnd
from dlexp.error import RunError
from dlexp.execution.assignment import Assignment, Epoch
from dlexp.execution.dispatcher import Dispatcher
from dlexp.execution.integrity import is_intact
from dlexp.job.sweep.trial import Outcome, Trial, by_id, outcome
from dlexp.job.train.document import PlannedGroup
from dlexp.run import name
from dlexp.run.folder import TRIALS, RunFolder


@dataclass
class FinishedTrials:
    """The trials of the neighbours of a sweep, each read when it is asked for.

    Attributes:
        metric: The objective.
        paths: Folders by the trial's id, those of later sweeps last.
    """

    metric: str
    paths: dict[str, list[Path]] = field(default_factory=dict)

    @classmethod
    def around(cls, sweep: RunFolder, metric: str) -> "FinishedTrials":
        """Return the trials of the other sweeps in a sweep's experiment."""
        paths: dict[str, list[Path]] = {}
        for place in sorted(sweep.path.parent.glob(f"*-*/{TRIALS}")):
            if place.parent != sweep.path:
                for id_, path in by_id(place.parent).items():
                    paths.setdefault(id_, []).append(path)
        return cls(metric, paths)

    def get(self, trial_id: str) -> Path | None:
        """Return the folder of a trial that is done and undamaged; one that failed is worth another attempt."""
        return next((path for path in reversed(self.paths.get(trial_id, [])) if self._is_finished(path)), None)

    def _is_finished(self, path: Path) -> bool:
        folder = RunFolder(path)
        try:
            ended = outcome(folder, self.metric) if is_intact(folder) else None
        except RunError:  # killed while it was made
            return False
        return ended is not None and ended.status != "failed"


@dataclass
class TrialStore:
    """The trials of one sweep.

    Attributes:
        sweep: The sweep's folder.
        metric: The objective.
        dispatcher: Trains what is missing.
        elsewhere: Trials that other sweeps have finished.
        environment: What manifests say of code, machine and packages, found out once.
    """

    sweep: RunFolder
    metric: str
    dispatcher: Dispatcher
    elsewhere: FinishedTrials
    environment: dict[str, Any]
    _known: dict[str, Path] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._known = by_id(self.sweep.path)

    @property
    def programs(self) -> list[PlannedGroup]:
        """Size and engine of each program that was begun."""
        return self.dispatcher.programs

    def look_up(self, trial: Trial) -> Outcome | None:
        """Return how a trial ended; None when it has to be trained, from its beginning or its checkpoint."""
        path = self._known.get(trial.id)
        if path is not None and is_intact(RunFolder(path)):
            return outcome(RunFolder(path), self.metric, trial.proposal.until)
        other = self.elsewhere.get(trial.id)
        return None if other is None else outcome(RunFolder(other), self.metric, trial.proposal.until)

    def train(self, trials: list[Trial], stop_reason: Callable[[], str]) -> Iterator[tuple[Trial, EpochEnd | Outcome]]:
        """Train trials, together where that is faster; yield epochs and ends.

        A trial that fails is recorded and the others go on.

        Args:
            trials: Missing ones.
            stop_reason: Asked before each program; whatever it says but "" begins no more.
        """
        by_folder = {self._folder(trial): trial for trial in {trial.id: trial for trial in trials}.values()}
        for event in self.dispatcher.train(
            [self._assign(trial, path) for path, trial in by_folder.items()], lambda: not stop_reason()
        ):
            trial = by_folder[event.path]
            if isinstance(event, Epoch):
                yield trial, event.event
            else:
                ended = outcome(RunFolder(event.path), self.metric, trial.proposal.until)
                assert ended is not None
                yield trial, ended

    def _assign(self, trial: Trial, path: Path) -> Assignment:
        config = trial.composed.config
        self.dispatcher.datasets.keep(config, trial.dataset)
        return Assignment(config, path, "trial", trial.proposal.until)

    def _folder(self, trial: Trial) -> Path:
        """Return a trial's folder, made when it is not there."""
        path = self._known.get(trial.id)
        if path is not None and not is_intact(RunFolder(path)):
            shutil.rmtree(path)  # killed while it was made, or damaged by a power cut
            path = None
        self._known[trial.id] = folder = self._create(trial).path if path is None else path
        return folder

    def _create(self, trial: Trial) -> RunFolder:
        described = {
            "kind": "trial",
            "experiment": self.sweep.manifest["experiment"],
            "sweep": self.sweep.run_id,
            "seed": trial.composed.config["seed"],
            "task": trial.dataset.task,
            "data": {"name": trial.dataset.name, "fingerprint": trial.dataset.fingerprint},
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
        slug = name.slug([f"{key}={_short(value)}" for key, value in trial.overrides.items()])
        folder = RunFolder.create(
            self.sweep.path,
            TRIALS,
            slug,
            config=trial.composed.config,
            overrides=trial.composed.overrides,
            manifest=described,
            run_id=trial.id,
        )
        folder.unlock()  # the sweep's lock covers its trials; one descriptor for each would run out
        return folder


def _short(value: Any) -> Any:
    return f"{value:.3g}" if isinstance(value, float) else value
