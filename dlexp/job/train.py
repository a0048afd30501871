"""One training run, new or resumed: events to the run folder, MLflow and the console; then the result."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dlexp.config.compose import Composed
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, Event, TrialEnd
from dlexp.engine.snapshot import best_weights, restore, snapshot
from dlexp.engine.train import Run
from dlexp.error import DataError
from dlexp.job.assemble import Assembled, assemble
from dlexp.job.finish import describe, draw_figures, evaluate_best
from dlexp.job.interrupt import Interrupt
from dlexp.tracker import mlflow, name, scan
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.manifest import now

EXIT_CODES = {"finished": 0, "stopped_early": 0, "diverged": 3, "failed": 1}
Listener = Callable[[Event], None]


@dataclass(frozen=True)
class Announcement:
    """What is known when training is about to start, for the console.

    Attributes:
        built: Data, model, device.
        folder: Where the run is written.
        epochs_done: More than 0 when it goes on.
    """

    built: Assembled
    folder: RunFolder
    epochs_done: int


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its result (what ``--json`` prints), the exit code and lines for the user."""

    result: dict[str, Any]
    exit_code: int
    notes: list[str]


def start(composed: Composed, *, announce: Callable[[Announcement], Listener], open_test: bool = False) -> Outcome:
    """Train one configuration.

    Args:
        composed: Checked configuration.
        announce: Called before the first update; returns what is called with every event.
        open_test: Evaluate the test part at the end, which is counted.

    Raises:
        DlexpError: See its kinds.
    """
    config = composed.config
    with Interrupt() as interrupt:
        runs_dir = Path(config["runs_dir"])
        scan.close_dead(runs_dir)
        built = assemble(config)
        folder = _create_folder(composed, built, runs_dir)
        return _train(built, folder, config, announce, interrupt, open_test)


def resume(
    ref: str, runs_dir: Path, *, announce: Callable[[Announcement], Listener], open_test: bool = False
) -> Outcome:
    """Go on with a run where its last checkpoint is, or return its result when it is done.

    Raises:
        RunError: No such run, or another process has it.
        DataError: The data are not those of the run.
    """
    folder = scan.find(runs_dir, ref)
    folder.lock()
    with Interrupt() as interrupt:
        manifest = folder.manifest
        result = folder.result
        if result is not None and manifest["status"] in EXIT_CODES:
            note = f"run {folder.run_id} is {manifest['status']}; there is nothing to resume"
            return Outcome(result, EXIT_CODES[manifest["status"]], [note])
        config = folder.config
        if config["trainer"]["threads"] is None and manifest["threads"] is not None:
            torch.set_num_threads(manifest["threads"])
        built = assemble(config)
        if built.dataset.fingerprint != manifest["data"]["fingerprint"]:
            raise DataError(f"{built.dataset.name}: the data changed since run {folder.run_id} began; start a new run")
        last = folder.checkpoints / "last"
        if checkpoint.exists(last):
            restore(built.run, *checkpoint.load(last, built.device))
        folder.truncate_history(built.run.epoch)
        folder.update_manifest(status="running", end=None, resumes=manifest["resumes"] + 1)
        return _train(built, folder, config, announce, interrupt, open_test)


def _create_folder(composed: Composed, built: Assembled, runs_dir: Path) -> RunFolder:
    config = composed.config
    experiment = config["tracking"]["experiment"] or built.dataset.name
    described = {
        "kind": "train",
        "task": built.dataset.task,
        "seed": config["seed"],
        "device": built.device_line,
        "threads": torch.get_num_threads() if built.device.type == "cpu" else None,
        "data": {"name": built.dataset.name, "fingerprint": built.dataset.fingerprint},
        "params": logged_params(composed),
        "test_openings": 0,
    }
    slug = name.slug(composed.overrides)
    folder = RunFolder.create(
        runs_dir, experiment, slug, config=config, overrides=composed.overrides, manifest=described
    )
    data = built.dataset
    parts = {"train": data.train, "val": data.val, "test": data.test}
    folder.write_split({part: rows.numpy() for part, rows in parts.items()})
    return folder


def logged_params(composed: Composed) -> dict[str, Any]:
    """Return the group choices and the settings that the user changed, under their config path."""
    changed: dict[str, Any] = {}
    for override in composed.changed:
        if override.key not in composed.choices and override.action != "delete":
            changed[override.key] = override.value
    return {**composed.choices, "seed": composed.config["seed"], **changed}


def _train(
    built: Assembled,
    folder: RunFolder,
    config: dict[str, Any],
    announce: Callable[[Announcement], Listener],
    interrupt: Interrupt,
    open_test: bool,
) -> Outcome:
    folder.log(f"device: {built.device_line}")
    for warning in built.warnings:
        folder.log(f"warning: {warning}")
    outbox = mlflow.start(folder, config["tracking"])
    listener = announce(Announcement(built, folder, built.run.epoch))
    run = built.run
    run.should_stop = interrupt
    try:
        end = _follow(run, folder, listener)
        outcome = _conclude(built, folder, config, end, interrupt, open_test)
    except BaseException as error:
        folder.log(f"failed: {type(error).__name__}: {error}")
        folder.update_manifest(status="failed", end=now())
        raise
    warning = outbox.finish()
    return Outcome(outcome.result, outcome.exit_code, [*outcome.notes, *([warning] if warning else [])])


def _follow(run: Run, folder: RunFolder, listener: Listener) -> TrialEnd:
    """Pass the events on; save what an epoch brought before anyone hears of it."""
    for event in run.events():
        if isinstance(event, EpochEnd):
            _save_epoch(run, folder, event)
        listener(event)
        if isinstance(event, TrialEnd):
            if event.status == "interrupted":
                checkpoint.save(folder.checkpoints / "last", *snapshot(run))
            return event
    raise AssertionError("an engine's last event is TrialEnd")


def _save_epoch(run: Run, folder: RunFolder, event: EpochEnd) -> None:
    record = {"epoch": event.epoch, "step": event.step, "lr": event.lr, **event.metrics, "seconds": event.seconds}
    folder.append_epoch(record)
    if event.is_best:
        checkpoint.save(folder.checkpoints / "best", best_weights(run), {"epoch": event.epoch})
    checkpoint.save(folder.checkpoints / "last", *snapshot(run))
    shown = " ".join(f"{key} {value:.4g}" for key, value in event.metrics.items())
    folder.log(f"epoch {event.epoch}: {shown} lr {event.lr:.4g} ({event.seconds:.2f} s)")


def _conclude(
    built: Assembled, folder: RunFolder, config: dict[str, Any], end: TrialEnd, interrupt: Interrupt, open_test: bool
) -> Outcome:
    run = built.run
    result = describe(built, folder, config["seed"])
    result |= {
        "status": end.status,
        "epochs": run.epoch,
        "best_epoch": end.best_epoch,
        "seconds": round(run.elapsed, 3),
    }
    notes = [end.reason] if end.reason else []
    metrics: dict[str, Any] = {}
    if end.best_epoch:
        best = next(record for record in folder.history() if record["epoch"] == end.best_epoch)
        metrics = {key: value for key, value in best.items() if "/" in key}
    if end.best_epoch and end.status != "interrupted":
        metrics |= evaluate_best(built, folder, open_test=open_test)
        folder.update_manifest(test_openings=folder.manifest["test_openings"] + open_test)
        draw_figures(built, folder)
    result["metrics"] = metrics
    folder.write_result(result)
    folder.log(f"{end.status} {end.reason}".rstrip())
    folder.update_manifest(status=end.status, end=now())
    if end.status == "interrupted":
        return Outcome(
            result, interrupt.exit_code, [f"checkpoint written; go on with: dlexp train --resume {folder.run_id}"]
        )
    return Outcome(result, EXIT_CODES[end.status], notes)
