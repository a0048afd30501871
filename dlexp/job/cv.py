"""A cross-validation, new or resumed: its folds one after another, then what they say together."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from dlexp.build import build
from dlexp.config.compose import Composed
from dlexp.config.signature import import_path_of_user_code
from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.error import DataError, RunError
from dlexp.job import plan as plan_job
from dlexp.job import pool
from dlexp.job.assemble import assemble
from dlexp.job.component import deal_folds, load_data
from dlexp.job.fold import FoldEnd, configure, train_folds
from dlexp.job.interrupt import Interrupt
from dlexp.job.ready import check_destination, check_model
from dlexp.job.train import EXIT_CODES, Outcome, describe, logged_params
from dlexp.metric import is_better_high
from dlexp.tracker import mlflow, name, scan
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.manifest import now
from dlexp.tracker.plain import plain

WHOLE = ("finished", "stopped_early")
Listener = Callable[[FoldEnd], None]


@dataclass(frozen=True)
class Announcement:
    """What is known when the folds are about to be trained, for the console.

    Attributes:
        dataset: The data.
        folds: All of them.
        folder: Where the cv is written.
        metric: What folds are shown by.
        device_line: Which device and why.
    """

    dataset: Dataset
    folds: list[Fold]
    folder: RunFolder
    metric: str
    device_line: str


Announce = Callable[[Announcement], Listener]


def start(composed: Composed, *, announce: Announce) -> Outcome:
    """Cross-validate one configuration.

    Args:
        composed: Checked, composed for the job `cv`.
        announce: Called before the first fold; returns what is called with each fold's end.

    Raises:
        DlexpError: See its kinds.
    """
    config, runs_dir = composed.config, Path(composed.config["runs_dir"])
    check_destination(runs_dir)
    with Interrupt(can_wait=False) as interrupt:
        scan.close_dead(runs_dir)
        dataset = load_data(config)
        folds = deal_folds(config, dataset)
        first = assemble(configure(config, folds[0]), dataset.with_parts(folds[0].train, folds[0].val))
        check_model(first)
        interrupt.can_wait = True
        experiment = config["tracking"]["experiment"] or dataset.name
        metric = "val/accuracy" if dataset.num_classes else "val/rmse"
        described = {
            **describe(first, config),
            "kind": "cv",
            "params": logged_params(composed),
            "monitor": {"metric": metric, "mode": "max" if is_better_high(metric) else "min"},
        }
        folder = RunFolder.create(
            runs_dir,
            experiment,
            name.slug(composed.overrides),
            config=config,
            overrides=composed.overrides,
            manifest=described,
        )
        try:
            return _carry_out(folder, config, dataset, folds, announce, interrupt)
        finally:
            folder.unlock()


def resume(ref: str, runs_dir: Path, *, announce: Announce) -> Outcome:
    """Go on with a cross-validation: folds that are done are kept, the one that was cut off goes on inside.

    Raises:
        RunError: No such cv, or another process has it.
        DataError: The data are not those of the cv.
    """
    folder = scan.find(runs_dir, ref)
    manifest = folder.manifest
    if manifest["kind"] != "cv":
        raise RunError(f"{ref}: got a {manifest['kind']}; go on with `dlexp {manifest['kind']} --resume {ref}`")
    folder.lock()
    try:
        result = folder.result
        if result is not None and result["status"] == manifest["status"] and manifest["status"] in WHOLE:
            return Outcome(result, 0, [f"cv {folder.run_id} is {manifest['status']}; there is nothing to resume"])
        config = folder.config
        with Interrupt(can_wait=False) as interrupt:
            if config["trusted"]:
                import_path_of_user_code()
            if config["trainer"]["threads"] is None and manifest["threads"] is not None:
                torch.set_num_threads(manifest["threads"])
            dataset = load_data(config)
            if dataset.fingerprint != manifest["data"]["fingerprint"]:
                raise DataError(f"{dataset.name}: the data changed since cv {folder.run_id} began; start a new one")
            interrupt.can_wait = True
            folder.update_manifest(status="running", end=None, resumes=manifest["resumes"] + 1)
            return _carry_out(folder, config, dataset, deal_folds(config, dataset), announce, interrupt)
    finally:
        folder.unlock()


def plan(composed: Composed) -> dict[str, Any]:
    """Check a configuration against its first fold and estimate what all of them take, for `--dry-run`.

    Raises:
        ConfigError: See `dlexp.job.plan.plan`.
        DataError: Absent or unusable data.
    """
    config = composed.config
    folds = deal_folds(config, load_data(config))
    first = plan_job.plan(Composed(**{**vars(composed), "config": configure(config, folds[0])}))
    num = len(folds)
    total = {"steps": first["steps"] * num, "seconds": first["seconds"] * num}
    return {**first, **total, "kind": "cv", "trials": num, "groups": [{"size": 1, "engine": "solo"}] * num}


def _carry_out(
    folder: RunFolder,
    config: dict[str, Any],
    dataset: Dataset,
    folds: list[Fold],
    announce: Announce,
    interrupt: Interrupt,
) -> Outcome:
    outbox = mlflow.start(folder, config["tracking"])
    manifest = folder.manifest
    metric = manifest["monitor"]["metric"]
    ends: list[FoldEnd] = []
    try:
        listener = announce(Announcement(dataset, folds, folder, metric, manifest["device"]))
        for end in train_folds(folder, config, dataset, folds, interrupt):
            ends.append(end)
            folder.log(f"{end.fold.name}: {end.record['status']} {end.error}".rstrip())
            listener(end)
        result = _conclude(folder, dataset, folds, ends, metric, is_interrupted=interrupt())
        folder.log(result["status"])
        folder.update_manifest(status=result["status"], end=now())
    except BaseException as error:
        is_stopped = isinstance(error, SystemExit | KeyboardInterrupt)
        folder.log(f"stopped: {type(error).__name__}: {error}")
        folder.update_manifest(status="interrupted" if is_stopped else "failed", end=now())
        raise
    warning = outbox.finish(should_stop=interrupt)
    notes = [*_notes(folder, config, result, ends), *([warning] if warning else [])]
    return Outcome(result, EXIT_CODES.get(result["status"], interrupt.exit_code), notes)


def _conclude(
    folder: RunFolder,
    dataset: Dataset,
    folds: list[Fold],
    ends: list[FoldEnd],
    metric: str,
    *,
    is_interrupted: bool,
) -> dict[str, Any]:
    records = sorted((end.record for end in ends), key=lambda record: (record["repeat"], record["fold"]))
    complete = len(records) == len(folds) and all(record["status"] in WHOLE for record in records)
    repeats = 1 + folds[-1].repeat
    device, seed = folder.manifest["device"], folder.manifest["seed"]
    result: dict[str, Any] = {
        "kind": "cv",
        "run_id": folder.run_id,
        "run_dir": str(folder.path),
        "status": "finished" if complete else _status(records, len(folds), is_interrupted),
        "complete": complete,
        "task": dataset.task,
        "device": device.split()[0],
        "seed": seed,
        "k": len(folds) // repeats,
        "repeats": repeats,
        "folds": records,
        "mean": {},
        "std": {},
        "interval": {},
        "interval_corrected": {},
        "interval_note": pool.INTERVAL_NOTE,
        "out_of_fold": {},
        "metrics": {},
        "seconds": round(sum(end.seconds for end in ends), 3),
        "data": {
            "name": dataset.name,
            "num_examples": len(dataset.train) + len(dataset.val),
            "num_test": len(dataset.test),
            "fingerprint": dataset.fingerprint,
        },
    }
    if complete:
        result |= pool.summarize(records, len(folds[0].val) / len(folds[0].train))
        result["metrics"] = result["mean"]
        result["out_of_fold"] = pool.pool(folder, records, dataset)
        pool.draw_figures(folder, dataset, result, metric)
    result = plain(result)
    folder.write_result(result)
    return result


def _status(records: list[dict[str, Any]], num_folds: int, is_interrupted: bool) -> str:
    """Return the status of a cv that is not complete."""
    if is_interrupted and (len(records) < num_folds or any(r["status"] == "interrupted" for r in records)):
        return "interrupted"
    return "failed" if any(record["status"] == "failed" for record in records) else "diverged"


def _notes(folder: RunFolder, config: dict[str, Any], result: dict[str, Any], ends: list[FoldEnd]) -> list[str]:
    notes = [f"{end.fold.name}: {end.error}" for end in ends if end.error]
    monitor = build(config["trainer"]).monitor
    if not monitor.startswith("train/"):
        notes.append(f"trainer.monitor={monitor}: the held-out part chose the epoch, so the scores are optimistic")
    if not result["complete"]:
        done = sum(record["status"] in WHOLE for record in result["folds"])
        cure = f"go on with: dlexp cv --resume {folder.run_id}"
        notes.append(f"incomplete: {done} of {result['k'] * result['repeats']} folds, so there is no mean; {cure}")
    return notes
