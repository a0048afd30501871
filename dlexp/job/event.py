"""What happens while a command trains, as documents: a line each of ``--events``."""

from collections.abc import Iterator
from typing import Any, Literal, NotRequired

from typing_extensions import TypedDict

from dlexp.engine.event import EpochEnd
from dlexp.error import ErrorLine
from dlexp.job.cv import cv
from dlexp.job.cv.fold_run import FoldEpoch, FoldResult, FoldRun
from dlexp.job.cv.nested import InnerChoice
from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import RoundBegin, SweepEvent, TrialDone, TrialEpoch
from dlexp.job.train import train
from dlexp.type import Metrics, Real


class StartEvent(TypedDict):
    """A run, sweep or cross-validation begins, or goes on.

    Attributes:
        event: What it is.
        kind: Of the command.
        run_id: Of the run.
        run_dir: Its folder.
        metric: What epochs or settings are chosen by.
        epochs: Of one training, at most.
        epochs_done: Of a training run that goes on, those before.
        total: Trainings expected, as far as known; those inside the searches of a nested cv are not counted.
        is_resumed: Whether it goes on with what an earlier command began.
    """

    event: Literal["start"]
    kind: Literal["train", "sweep", "cv"]
    run_id: str
    run_dir: str
    metric: str
    epochs: int
    epochs_done: int
    total: int | None
    is_resumed: bool


class Place(TypedDict, total=False):
    """Which fold of a cross-validation it is; counted from 0, as in the result.

    Attributes:
        repeat: Of the fold.
        fold: Number in its repeat.
        seed: The replicate's.
        inner: Number of a fold inside a search.
        setting: What is searched, or tried inside the fold.
    """

    repeat: int
    fold: int
    seed: int
    inner: int
    setting: dict[str, Any]


class EpochEvent(Place):
    """An epoch and its evaluation are over.

    Attributes:
        event: What it is.
        run_id: Of the training run or trial; of a fold that of its cv.
        epoch: Epochs done.
        metrics: Its values by name.
        is_best: Whether the metric that chooses the epoch improved; absent of a fold.
        lr: Learning rate of the last update; absent of a fold.
        seconds: Wall time; absent of a fold.
    """

    event: Literal["epoch"]
    run_id: str
    epoch: int
    metrics: Metrics
    is_best: NotRequired[bool]
    lr: NotRequired[Real]
    seconds: NotRequired[float]


class TrialEvent(TypedDict):
    """A trial of a sweep ended, or was there already.

    Attributes:
        event: What it is.
        run_id: Of the trial.
        run_dir: Its folder.
        number: Of the setting.
        round: Of the search.
        status: How it ended.
        setting: What was searched.
        value: The objective at its best epoch; null where there is none.
        epochs: Epochs done.
        is_new: False when an earlier command had trained it.
        done: Trials over, this one included.
        total: Trials expected, as far as known.
        error: Why it failed; "" where it did not.
    """

    event: Literal["trial"]
    run_id: str
    run_dir: str
    number: int
    round: int
    status: str
    setting: dict[str, Any]
    value: Real | None
    epochs: int
    is_new: bool
    done: int
    total: int
    error: str


class FoldEvent(Place):
    """A training of a cross-validation ended, or was there already.

    Attributes:
        event: What it is.
        run_id: Of the fold's run.
        status: How it ended.
        metrics: Of the part held out.
        is_new: False when an earlier command had trained it.
        error: Why it failed; "" where it did not.
    """

    event: Literal["fold"]
    run_id: str
    status: str
    metrics: Metrics
    is_new: bool
    error: str


class EndEvent(TypedDict):
    """The command ends; no line comes after it.

    Attributes:
        event: What it is.
        exit_code: The command's.
        status: Of the result; "failed" where there is none, "interrupted" where a signal ended the command.
        result: The document that `--json` prints; null where there is none.
        error: What went wrong; null where nothing did.
    """

    event: Literal["end"]
    exit_code: int
    status: str
    result: dict[str, Any] | None
    error: ErrorLine | None


Event = StartEvent | EpochEvent | TrialEvent | FoldEvent | EndEvent


def train_start(about: train.Announcement) -> StartEvent:
    """Return the first line of a training run."""
    run = about.built.run
    return {
        "event": "start",
        "kind": "train",
        "run_id": about.folder.run_id,
        "run_dir": str(about.folder.path),
        "metric": run.monitor,
        "epochs": run.trainer.epochs,
        "epochs_done": about.epochs_done,
        "total": 1,
        "is_resumed": about.folder.manifest["resumes"] > 0,
    }


def sweep_start(about: sweep.Announcement) -> StartEvent:
    """Return the first line of a sweep."""
    spec = about.spec
    planned = spec.search.total(spec.problem)
    return {
        "event": "start",
        "kind": "sweep",
        "run_id": about.folder.run_id,
        "run_dir": str(about.folder.path),
        "metric": spec.metric,
        "epochs": spec.first.run.trainer.epochs,
        "epochs_done": 0,
        "total": None if planned is None else planned * max(1, len(spec.space.seeds)),
        "is_resumed": not about.is_new,
    }


def cv_start(about: cv.Announcement) -> StartEvent:
    """Return the first line of a cross-validation."""
    spec = about.spec
    return {
        "event": "start",
        "kind": "cv",
        "run_id": about.folder.run_id,
        "run_dir": str(about.folder.path),
        "metric": spec.metric,
        "epochs": spec.config["trainer"]["epochs"],
        "epochs_done": 0,
        "total": len(spec.folds) * len(spec.seeds) * len(spec.settings),
        "is_resumed": about.folder.manifest["resumes"] > 0,
    }


def epoch(event: EpochEnd, run_id: str) -> EpochEvent:
    """Return the line of an epoch of a training run or trial."""
    return {
        "event": "epoch",
        "run_id": run_id,
        "epoch": event.epoch,
        "metrics": event.metrics,
        "is_best": event.is_best,
        "lr": event.lr,
        "seconds": round(event.seconds, 4),
    }


def of_sweep(event: SweepEvent) -> Iterator[Event]:
    """Yield the line of an event of a sweep; none of a round, which says nothing that its trials do not."""
    if isinstance(event, TrialEpoch):
        yield epoch(event.event, event.trial.id)
    elif isinstance(event, TrialDone):
        result, trial = event.result, event.result.trial
        yield {
            "event": "trial",
            "run_id": trial.id,
            "run_dir": str(result.folder.path),
            "number": trial.proposal.number,
            "round": trial.round,
            "status": result.status,
            "setting": trial.overrides,
            "value": result.value,
            "epochs": result.epochs,
            "is_new": event.is_new,
            "done": event.done,
            "total": event.total,
            "error": "" if result.is_whole else result.reason,
        }
    else:
        assert isinstance(event, RoundBegin)


def of_cv(event: cv.CVEvent, run_id: str) -> Iterator[Event]:
    """Yield the line of an event of a cross-validation; none of a choice, which the result has with all that was tried.

    Args:
        event: Of the cv.
        run_id: Of the cv.
    """
    if isinstance(event, FoldEpoch):
        place = _place(event.fold_run)
        yield {"event": "epoch", "run_id": run_id, **place, "epoch": event.epoch, "metrics": event.metrics}
    elif isinstance(event, FoldResult):
        yield {
            "event": "fold",
            "run_id": event.record["run_id"],
            **_place(event.fold_run),
            "status": event.record["status"],
            "metrics": event.record["metrics"],
            "is_new": event.is_new,
            "error": event.error,
        }
    else:
        assert isinstance(event, InnerChoice)


def _place(run: FoldRun) -> Place:
    place: Place = {"repeat": run.fold.repeat, "fold": run.fold.fold, "seed": run.seed}
    if run.inner is not None:
        place["inner"] = run.inner
    if setting := {key: value for key, value in run.params.items() if key != "seed"}:
        place["setting"] = setting
    return place
