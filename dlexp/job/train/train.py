"""One training run, new or resumed: events to the run folder, MLflow and the console; then the result."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from dlexp.build.check import check_destination
from dlexp.build.place import require_device
from dlexp.build.program import Program
from dlexp.config.compose import Composed, logged_params
from dlexp.config.source.folder import store_copy
from dlexp.data.quality import warn
from dlexp.device import given_threads
from dlexp.diagnose.watch import Watch
from dlexp.engine import checkpoint
from dlexp.engine.answer.choice import record_kind
from dlexp.engine.event import EpochEnd, Event, TrialEnd
from dlexp.engine.snapshot import restore
from dlexp.engine.train import Run
from dlexp.error import EnvironmentFault, RunError, name_fault_of_device
from dlexp.execution.description import describe_run, warn_of_device, write_parts
from dlexp.execution.integrity import has_records
from dlexp.execution.origin.ancestry import warn_of_seen
from dlexp.execution.result import conclude_run
from dlexp.execution.save import saved_model
from dlexp.execution.save.saver import require_space, save_end, save_epoch
from dlexp.execution.threads import settle_threads
from dlexp.job.again import a_kind, notes_of_done, resume_command
from dlexp.job.interrupt import Interrupt
from dlexp.job.outcome import OnOutcome, Outcome, exit_code, ignore, log_warnings, recorded
from dlexp.job.train import devices
from dlexp.job.train.evidence import Candidate
from dlexp.job.train.finding import explain
from dlexp.job.train.optimism import Setting, optimism_of
from dlexp.job.train.profile import write_profile
from dlexp.launcher.devices.world import SINGLE, World
from dlexp.run import history, name, scan
from dlexp.run.document import TrainResult
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.jsonable import plain
from dlexp.run.status import Status
from dlexp.run.stored import stored_config
from dlexp.tracking import mlflow


@dataclass(frozen=True)
class Announcement:
    """What is known when training is about to start, for the console.

    Attributes:
        built: Data, model, device.
        folder: Where the run is written.
        epochs_done: More than 0 when it goes on.
        warnings: One line each.
    """

    built: Program
    folder: RunFolder
    epochs_done: int
    warnings: list[str]


Listener = Callable[[Event], None]
OnStart = Callable[[Announcement], Listener]


def start(
    composed: Composed,
    *,
    announce: OnStart,
    tell: OnOutcome = ignore,
    open_test: bool = False,
    origin: dict[str, str] | None = None,
    world: World = SINGLE,
) -> Outcome[TrainResult]:
    """Train one configuration; over many devices, as the first of their processes.

    Args:
        composed: Checked configuration.
        announce: Called before the first update; returns what is called with every event.
        tell: Called with the outcome, which is there before MLflow has everything.
        open_test: Evaluate the test part at the end, which is counted.
        origin: Ids of the sweep and the trial that it comes from.
        world: The processes of a training over many devices.

    Raises:
        DlexpError: See its kinds.
    """
    config = composed.config
    runs_dir = Path(config["runs_dir"])
    if begun := devices.run_of_before(world, runs_dir):
        return resume(begun, runs_dir, announce=announce, tell=tell, open_test=open_test, world=world)
    world.together(lambda: check_destination(runs_dir))
    world.share(devices.NEW)
    with Interrupt(can_wait=False) as interrupt:
        scan.close_dead(runs_dir)
        built = devices.assemble_all(config, world, open_test)
        require_space(built.run, runs_dir)
        built = settle_threads(built)
        interrupt.can_wait = True
        folder = _create_folder(composed, built, runs_dir, origin, world)
        try:
            return carry_out(built, folder, announce, tell, interrupt, open_test)
        finally:
            folder.unlock()


def resume(
    ref: str,
    runs_dir: Path,
    *,
    announce: OnStart,
    tell: OnOutcome = ignore,
    open_test: bool = False,
    world: World = SINGLE,
) -> Outcome[TrainResult]:
    """Go on with a run where its last checkpoint is, or return its result when it is done.

    Raises:
        RunError: No such run, or another process has it.
        DataError: The data are not those of the run.
    """
    folder, done = world.together(lambda: _open(ref, runs_dir, open_test))
    world.share(str(folder.path) if done is None else devices.OVER)
    try:
        return done or _go_on(folder, announce, tell, open_test, world)
    finally:
        folder.unlock()


def _open(ref: str, runs_dir: Path, open_test: bool) -> tuple[RunFolder, Outcome[TrainResult] | None]:
    """Return a run's folder, locked, and its outcome where there is nothing left to do."""
    folder = scan.find(runs_dir, ref)
    kind = folder.manifest["kind"]
    if kind not in ("train", "fold", "trial"):
        raise RunError(f"{ref}: got {a_kind(folder)}; go on with `{resume_command(folder)}`")
    folder.lock()
    try:
        return folder, _result_of(folder, open_test)
    except BaseException:
        folder.unlock()
        raise


def _result_of(folder: RunFolder, open_test: bool) -> Outcome[TrainResult] | None:
    """Return the outcome of a run that is done; None when there is something to do."""
    result, status = folder.result, folder.manifest["status"]
    is_done = result is not None and result["status"] == status and Status(status).has_ended
    if result is None or not is_done or (open_test and status != "diverged"):
        return None
    return Outcome(result, Status(status).exit_code or 0, notes_of_done(folder))


def _go_on(
    folder: RunFolder, announce: OnStart, tell: OnOutcome, open_test: bool, world: World
) -> Outcome[TrainResult]:
    config, manifest = world.together(lambda: stored_config(folder)), folder.manifest
    if world.size == 1:
        require_device(config)
    with Interrupt(can_wait=False) as interrupt:
        if given_threads(config["trainer"]["threads"]) is None and manifest["threads"] is not None:
            torch.set_num_threads(manifest["threads"])
        built = devices.assemble_all(config, world, open_test, folder)
        interrupt.can_wait = True
        world.together(lambda: rewind(built, folder))
        require_space(built.run, folder.path)
        return carry_out(built, folder, announce, tell, interrupt, open_test)


def rewind(built: Program, folder: RunFolder) -> None:
    """Bring run and folder to the run's last checkpoint, or to its beginning where there is none."""
    last = folder.checkpoints / "last"
    if checkpoint.exists(last):
        restore(built.run, *checkpoint.load(last, built.device))
    kind = record_kind(built.run.monitor, built.dataset.task)
    records = folder.path / f"epochs.{kind}"
    is_recorded = history.seal(folder.checkpoints, built.run.epoch) is not None  # runs of version 0.1.0 are not
    if is_recorded and not has_records(folder, built.run.epoch):
        raise RunError(
            f"{records}: damaged, and how far choosing the best epoch flatters is told from it; "
            "restore it from a copy, or train anew"
        )
    folder.truncate_history(built.run.epoch)
    folder.update_manifest(status="running", end=None, resumes=folder.manifest["resumes"] + 1)


def _create_folder(
    composed: Composed, built: Program, runs_dir: Path, origin: dict[str, str] | None, world: World
) -> RunFolder:
    config = composed.config
    experiment = config["tracking"]["experiment"] or built.dataset.name
    described = {"kind": "train", "params": logged_params(composed), **describe_run(built, config)}
    described |= {} if origin is None else {"from": origin}
    described |= {devices.AGENT: world.agent} if world.agent else {}
    slug = name.slug(composed.overrides)
    folder = RunFolder.create(
        runs_dir, experiment, slug, config=config, overrides=composed.overrides, manifest=described
    )
    store_copy(composed.config_dir, folder.path)
    write_parts(folder, built.dataset)
    return folder


def carry_out(
    built: Program,
    folder: RunFolder,
    announce: OnStart,
    tell: OnOutcome,
    interrupt: Interrupt,
    open_test: bool = False,
) -> Outcome[TrainResult]:
    """Train a program of one trial from where it is to its result, in a folder that this process has locked."""
    config = folder.config
    folder.log(f"device: {built.device_line}")
    saved_model.write(folder, built.dataset, built.affine, built.run.task, built.run.step.rules.loss, built.model)
    warnings = [*built.warnings, *warn_of_device(folder.manifest["device"], built.device)]
    warnings += [*warn(folder.manifest["data"], config), *warn_of_seen(config, built.dataset)]
    log_warnings(warnings, folder)
    outbox = mlflow.start(folder, config["tracking"])
    with recorded(folder), _faults_named(built):
        profiled = _profiled(built, folder)
        listener = announce(Announcement(built, folder, built.run.epoch, warnings))
        built.run.should_stop = interrupt
        watch = None if built.run.trainer.diagnose == "off" else Watch(built, interrupt)
        end = _follow(built.run, folder, listener, watch)
        devices.leave(built.run)
        result = conclude_run(built, folder, end, seed=config["seed"], open_test=open_test)
        if Status(end.status).has_value:
            result = _with_selection(result, built, folder)
        folder.log(f"{end.status} {end.reason}".rstrip())
        folder.update_manifest(status=end.status, end=now())
    notes = [*profiled, *([end.reason] if end.reason else [])]
    notes += explain(built, folder, result, watch)
    if end.status == "interrupted":
        test = ["--test"] if open_test else []
        notes.append(f"checkpoint written; go on with: {resume_command(folder, *test, *devices.flags(built.run))}")
    outcome = Outcome(result, exit_code(end.status, interrupt.exit_code), notes)
    tell(outcome)
    return outcome.warned(outbox.finish(should_stop=interrupt))


def _profiled(built: Program, folder: RunFolder) -> list[str]:
    """Profile a run that is at its beginning, where its configuration says so; return what is to be told."""
    if not built.run.trainer.profile or built.run.number:
        return []
    line = f"{write_profile(built, folder.path / 'profile')} ({folder.path / 'profile'})"
    folder.log(line)
    return [line]


def _with_selection(result: TrainResult, built: Program, folder: RunFolder) -> TrainResult:
    """Add to a result, and to what is stored of it, how far the choice of the best epoch flatters it."""
    metric = folder.manifest["monitor"]["metric"]
    value = result["metrics"].get(metric)
    if value is None:
        return result
    candidate = Candidate(folder, stored_config(folder), built.dataset, result["epochs"], value)
    selection = optimism_of([Setting([candidate], value)], metric)
    if not selection:
        return result
    result["selection"] = {"metric": metric, "value": value, **selection}
    folder.write_result(plain(result))
    return result


@contextmanager
def _faults_named(built: Program) -> Iterator[None]:
    """Say in one line what the device could not do."""
    try:
        yield
    except Exception as error:
        fault = name_fault_of_device(error)
        if fault is None:
            raise
        raise EnvironmentFault(f"{built.device}: {fault}") from error


def _follow(run: Run, folder: RunFolder, listener: Listener, watch: Watch | None) -> TrialEnd:
    """Pass the events on; save what an epoch brought before anyone hears of it."""
    for event in run.events():
        if isinstance(event, EpochEnd):
            save_epoch(run, folder, event)
            if watch is not None:
                watch.end_epoch(event)
        listener(event)
        if isinstance(event, TrialEnd):
            save_end(run, folder, event)
            return event
    raise AssertionError("an engine's last event is TrialEnd")
