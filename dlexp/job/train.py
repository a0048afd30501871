"""One training run, new or resumed: events to the run folder, MLflow and the console; then the result."""

import shlex
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from dlexp.config.compose import Composed
from dlexp.config.signature import import_path_of_user_code
from dlexp.data.dataset import Dataset
from dlexp.engine import checkpoint
from dlexp.engine.event import EpochEnd, Event, TrialEnd
from dlexp.engine.snapshot import restore, snapshot
from dlexp.engine.train import Run
from dlexp.error import DataError, DlexpError, EnvironmentFault, RunError
from dlexp.job import stored
from dlexp.job.assemble import Assembled, assemble
from dlexp.job.baseline import no_better_than_guessing
from dlexp.job.caution import examine, warn
from dlexp.job.finish import conclude
from dlexp.job.interrupt import Interrupt
from dlexp.job.memory import is_out_of_memory
from dlexp.job.ready import check_destination, check_model, check_test
from dlexp.job.record import save_epoch
from dlexp.metric import is_better_high
from dlexp.tracker import mlflow, name, scan
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.manifest import now

EXIT_CODES = {"finished": 0, "stopped_early": 0, "diverged": 3, "failed": 1}


@dataclass(frozen=True)
class Announcement:
    """What is known when training is about to start, for the console.

    Attributes:
        built: Data, model, device.
        folder: Where the run is written.
        epochs_done: More than 0 when it goes on.
        warnings: One line each.
    """

    built: Assembled
    folder: RunFolder
    epochs_done: int
    warnings: list[str]


@dataclass(frozen=True)
class Outcome:
    """How a run ended: its result (what ``--json`` prints), the exit code and lines for the user."""

    result: dict[str, Any]
    exit_code: int
    notes: list[str]

    def warned(self, warning: str | None) -> "Outcome":
        """Return the outcome with one more line for the user, if there is one."""
        return replace(self, notes=[*self.notes, warning]) if warning else self


Listener = Callable[[Event], None]
Announce = Callable[[Announcement], Listener]
Tell = Callable[[Outcome], None]


def tell_nobody(_outcome: Any) -> None:
    """Take what came of a run, sweep or cv and keep it to oneself."""


def start(
    composed: Composed,
    *,
    announce: Announce,
    tell: Tell = tell_nobody,
    open_test: bool = False,
    origin: dict[str, str] | None = None,
) -> Outcome:
    """Train one configuration.

    Args:
        composed: Checked configuration.
        announce: Called before the first update; returns what is called with every event.
        tell: Called with the outcome, which is there before MLflow has everything.
        open_test: Evaluate the test part at the end, which is counted.
        origin: Ids of the sweep and the trial that it comes from.

    Raises:
        DlexpError: See its kinds.
    """
    config = composed.config
    runs_dir = Path(config["runs_dir"])
    check_destination(runs_dir)
    with Interrupt(can_wait=False) as interrupt:
        scan.close_dead(runs_dir)
        built = assemble(config)
        check_test(built.dataset, open_test)
        check_model(built)
        interrupt.can_wait = True
        folder = _create_folder(composed, built, runs_dir, origin)
        try:
            return carry_out(built, folder, announce, tell, interrupt, open_test)
        finally:
            folder.unlock()


def resume(
    ref: str, runs_dir: Path, *, announce: Announce, tell: Tell = tell_nobody, open_test: bool = False
) -> Outcome:
    """Go on with a run where its last checkpoint is, or return its result when it is done.

    Raises:
        RunError: No such run, or another process has it.
        DataError: The data are not those of the run.
    """
    folder = scan.find(runs_dir, ref)
    kind = folder.manifest["kind"]
    if kind not in ("train", "fold", "trial"):
        raise RunError(f"{ref}: got a {kind}; go on with `dlexp {kind} --resume {ref}`")
    folder.lock()
    try:
        return _result_of(folder, open_test) or _go_on(folder, announce, tell, open_test)
    finally:
        folder.unlock()


def _result_of(folder: RunFolder, open_test: bool) -> Outcome | None:
    """Return the outcome of a run that is done; None when there is something to do."""
    result, status = folder.result, folder.manifest["status"]
    is_done = result is not None and result["status"] == status and status in EXIT_CODES
    if result is None or not is_done or (open_test and status != "diverged"):
        return None
    return Outcome(result, EXIT_CODES[status], [f"run {folder.run_id} is {status}; there is nothing to resume"])


def _go_on(folder: RunFolder, announce: Announce, tell: Tell, open_test: bool) -> Outcome:
    config, manifest = folder.config, folder.manifest
    with Interrupt(can_wait=False) as interrupt:
        if config["trusted"]:
            import_path_of_user_code()
        if config["trainer"]["threads"] is None and manifest["threads"] is not None:
            torch.set_num_threads(manifest["threads"])
        built = assemble(config)
        if built.dataset.fingerprint != manifest["data"]["fingerprint"]:
            raise DataError(f"{built.dataset.name}: the data changed since run {folder.run_id} began; start a new run")
        check_test(built.dataset, open_test)
        interrupt.can_wait = True
        rewind(built, folder)
        return carry_out(built, folder, announce, tell, interrupt, open_test)


def rewind(built: Assembled, folder: RunFolder) -> None:
    """Bring run and folder to the run's last checkpoint, or to its beginning where there is none."""
    last = folder.checkpoints / "last"
    if checkpoint.exists(last):
        restore(built.run, *checkpoint.load(last, built.device))
    folder.truncate_history(built.run.epoch)
    folder.update_manifest(status="running", end=None, resumes=folder.manifest["resumes"] + 1)


def _create_folder(
    composed: Composed, built: Assembled, runs_dir: Path, origin: dict[str, str] | None = None
) -> RunFolder:
    config = composed.config
    experiment = config["tracking"]["experiment"] or built.dataset.name
    described = {"kind": "train", "params": logged_params(composed), **describe(built, config)}
    described |= {} if origin is None else {"from": origin}
    slug = name.slug(composed.overrides)
    folder = RunFolder.create(
        runs_dir, experiment, slug, config=config, overrides=composed.overrides, manifest=described
    )
    write_parts(folder, built.dataset)
    return folder


def describe(built: Assembled, config: dict[str, Any]) -> dict[str, Any]:
    """Return what a run's manifest says of data, model, device and seed."""
    return {
        "task": built.dataset.task,
        "seed": config["seed"],
        "device": str(built.device),
        "threads": torch.get_num_threads() if built.device.type == "cpu" else None,
        "data": {"name": built.dataset.name, "fingerprint": built.dataset.fingerprint, **examine(built.dataset)},
        "test_openings": 0,
        "model": type(built.model).__name__,
        "num_params": sum(p.numel() for p in built.model.parameters()),
        "in_shape": list(built.dataset.in_shape),
        "num_outputs": built.run.step.rules.loss.num_outputs,
        "monitor": {"metric": built.run.monitor, "mode": "max" if is_better_high(built.run.monitor) else "min"},
    }


def write_parts(folder: RunFolder, data: Dataset) -> None:
    """Write which rows of the data each part has."""
    parts = {"train": data.train, "val": data.val, "test": data.test}
    folder.write_split({part: rows.numpy() for part, rows in parts.items()})


def logged_params(composed: Composed) -> dict[str, Any]:
    """Return the group choices and the settings that the user changed, under their config path."""
    changed: dict[str, Any] = {}
    for override in composed.changed:
        if override.key not in composed.choices and override.action != "delete":
            changed[override.key] = override.value
    return {**composed.choices, "seed": composed.config["seed"], **changed}


def carry_out(
    built: Assembled,
    folder: RunFolder,
    announce: Announce,
    tell: Tell,
    interrupt: Interrupt,
    open_test: bool = False,
) -> Outcome:
    """Train an assembled run from where it is to its result, in a folder that this process has locked."""
    config = folder.config
    folder.log(f"device: {built.device_line}")
    stored.write(folder, built.dataset, built.affine, built.run.task, built.run.step.rules.loss)
    warnings = [*built.warnings, *warn(folder.manifest["data"], config)]
    for warning in warnings:
        folder.log(f"warning: {warning}")
    outbox = mlflow.start(folder, config["tracking"])
    try:
        listener = announce(Announcement(built, folder, built.run.epoch, warnings))
        built.run.should_stop = interrupt
        end = _follow(built.run, folder, listener)
        result = conclude(built, folder, end, seed=config["seed"], open_test=open_test)
        folder.log(f"{end.status} {end.reason}".rstrip())
        folder.update_manifest(status=end.status, end=now())
    except BaseException as error:
        _record_failure(folder, error)
        if is_out_of_memory(error):
            cure = "choose a smaller trainer.batch_size or trainer.eval_batch_size"
            raise EnvironmentFault(f"{built.device}: out of memory; {cure}") from error
        raise
    notes = [end.reason] if end.reason else []
    if end.status in ("finished", "stopped_early"):
        notes += [line for line in [no_better_than_guessing(built.dataset, result["metrics"])] if line]
    if end.status == "interrupted":
        notes.append(f"checkpoint written; go on with: dlexp train --resume {_name_for_user(folder)}")
    outcome = Outcome(result, EXIT_CODES.get(end.status, interrupt.exit_code), notes)
    tell(outcome)
    return outcome.warned(outbox.finish(should_stop=interrupt))


def _record_failure(folder: RunFolder, error: BaseException) -> None:
    """Write how the run ended; a disk that cannot take even that must not hide the error itself."""
    is_stopped = isinstance(error, SystemExit | KeyboardInterrupt)
    with suppress(OSError, DlexpError):
        folder.log(f"stopped at once by {error!r}" if is_stopped else f"failed: {type(error).__name__}: {error}")
        folder.update_manifest(status="interrupted" if is_stopped else "failed", end=now())


def _name_for_user(folder: RunFolder) -> str:
    """Return what --resume finds the run by: its id where that is looked for by default, else its folder."""
    is_default = folder.runs_dir == Path("runs").resolve()
    return folder.run_id if is_default else shlex.quote(str(folder.path))


def _follow(run: Run, folder: RunFolder, listener: Listener) -> TrialEnd:
    """Pass the events on; save what an epoch brought before anyone hears of it."""
    for event in run.events():
        if isinstance(event, EpochEnd):
            save_epoch(run, folder, event)
        listener(event)
        if isinstance(event, TrialEnd):
            if event.status == "interrupted":
                checkpoint.save(folder.checkpoints / "last", *snapshot(run))
            return event
    raise AssertionError("an engine's last event is TrialEnd")
