"""A cross-validation, new or resumed: its trainings in as few programs as they fit, then what they say together.

One setting has its folds in its own folder; several settings have a complete cv each, inside one that compares them;
a nested cv has its inner trainings beside its folds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from dlexp.build.check import check_destination
from dlexp.build.place import require_device
from dlexp.config import trust
from dlexp.config.override import override_of
from dlexp.config.source.folder import store_copy, stored_copy
from dlexp.config.wording import setting_text
from dlexp.data.quality import warn_of_folds
from dlexp.error import RunError
from dlexp.execution.description import describe_run, warn_of_device
from dlexp.execution.dispatcher import Dispatcher
from dlexp.execution.integrity import require_same_data
from dlexp.execution.threads import threads_of_many
from dlexp.job.again import notes_of_done, resume_command
from dlexp.job.cv.baseline import why
from dlexp.job.cv.document import AnyCVResult, CVResult, CVSettingsResult
from dlexp.job.cv.fold_run import FoldEpoch, FoldResult, train_fold_runs
from dlexp.job.cv.nested import InnerChoice, is_retrying, search, winners
from dlexp.job.cv.recorded import with_recorded_folds
from dlexp.job.cv.result import Searched, conclude_cv, conclude_settings
from dlexp.job.cv.setting_run import conclude_setting, create_setting, fold_runs
from dlexp.job.cv.spec import CVSpec, prepare
from dlexp.job.interrupt import Interrupt
from dlexp.job.outcome import OnOutcome, Outcome, exit_code, ignore, log_warnings, recorded
from dlexp.number import noun
from dlexp.run import name, scan
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder
from dlexp.run.status import Status
from dlexp.run.stored import overrides_here, require_same_files, stored_config
from dlexp.tracking import mlflow

IDLE_ONCE = ("data.val_fraction=", "data.val_count=")  # taken by earlier versions, which did nothing with them

CVEvent = FoldEpoch | FoldResult | InnerChoice
Listener = Callable[[CVEvent], None]


@dataclass(frozen=True)
class Announcement:
    """What is known when the folds are about to be trained, for the console.

    Attributes:
        spec: What was asked for.
        folder: Where the cv is written.
        warnings: One line each.
    """

    spec: CVSpec
    folder: RunFolder
    warnings: list[str]


OnStart = Callable[[Announcement], Listener]


@dataclass(frozen=True)
class _Progress:
    """A cv in progress."""

    spec: CVSpec
    folder: RunFolder
    dispatcher: Dispatcher
    interrupt: Interrupt
    listener: Listener
    has_figures: bool

    def tell(self, event: CVEvent) -> None:
        """Log an event, but for epochs, and pass it on."""
        if isinstance(event, FoldResult):
            place = event.fold_run.cv.path.name if event.fold_run.cv.path != self.folder.path else ""
            self.folder.log(f"{place} {event.fold_run.words}: {event.record['status']} {event.error}".strip())
        elif isinstance(event, InnerChoice):
            chosen = "nothing" if event.setting is None else setting_text(event.setting.values)
            self.folder.log(f"{event.fold.words}: chose {chosen} of {len(event.tried)}")
        self.listener(event)


def start(
    overrides: list[str],
    config_dir: Path | None = None,
    *,
    announce: OnStart,
    tell: OnOutcome = ignore,
    has_figures: bool = True,
) -> Outcome[AnyCVResult]:
    """Cross-validate one configuration, or every setting that sweep expressions span, or a search.

    Args:
        overrides: Hydra overrides.
        config_dir: A user's folder of YAML files.
        announce: Called before the first fold; returns what is called with each training's end.
        tell: Called with the outcome, which is there before MLflow has everything.
        has_figures: Draw figures at the end.

    Raises:
        DlexpError: See its kinds.
    """
    with Interrupt(can_wait=False) as interrupt:
        spec = prepare(overrides, config_dir)
        runs_dir = Path(spec.config["runs_dir"])
        check_destination(runs_dir)
        spec.launcher.require()
        scan.close_dead(runs_dir)
        interrupt.can_wait = True
        folder = _create(spec, runs_dir)
        try:
            return _carry_out(spec, folder, announce, tell, interrupt, has_figures=has_figures)
        finally:
            folder.unlock()


def resume(
    ref: str, runs_dir: Path, *, announce: OnStart, tell: OnOutcome = ignore, has_figures: bool = True
) -> Outcome[AnyCVResult]:
    """Go on with a cross-validation: what is done is kept, what was cut off goes on inside.

    Raises:
        RunError: No such cv, or another process has it.
        DataError: The data are not those of the cv.
    """
    folder = scan.find(runs_dir, ref)
    manifest, parent = folder.manifest, folder.parent
    if manifest["kind"] != "cv" or parent is not None:
        what = "one setting of a cv" if manifest["kind"] == "cv" else f"a {manifest['kind']}"
        raise RunError(f"{ref}: got {what}; go on with `{resume_command(folder)}`")
    folder.lock()
    try:
        result, status = folder.result, Status(manifest["status"])
        if result is not None and result["status"] == status and status.has_value and not is_retrying(folder):
            return Outcome(result, 0, notes_of_done(folder))
        with Interrupt(can_wait=False) as interrupt:
            spec = _as_it_was(folder)
            spec.launcher.require()
            interrupt.can_wait = True
            folder.update_manifest(status="running", end=None, resumes=manifest["resumes"] + 1)
            return _carry_out(spec, folder, announce, tell, interrupt, has_figures=has_figures)
    finally:
        folder.unlock()


def _as_it_was(folder: RunFolder) -> CVSpec:
    """Return what a cv's command asked for; configurations are those that were written when it began."""
    overrides = [text for text in folder.overrides if not text.startswith(("runs_dir=", *IDLE_ONCE))]
    recorded = folder.manifest["config_dir"]  # of a cv of an older version, which kept no copy
    config_dir = stored_copy(folder.path) or (Path(recorded) if recorded else None)
    require_device(folder.config)
    with trust.words_of(folder.run_id):
        here = [*overrides_here(folder, overrides), override_of("runs_dir", str(folder.runs_dir))]
        spec = prepare(here, config_dir)
    require_same_data(folder, spec.dataset)
    require_same_files(folder)
    spec = with_recorded_folds(spec, folder)
    if spec.form != "plain":
        return spec
    config = stored_config(folder)
    return replace(spec, config=config, settings=[replace(spec.settings[0], config=config)])


def _create(spec: CVSpec, runs_dir: Path) -> RunFolder:
    described = {
        **describe_run(spec.first, spec.config),
        "kind": "cv",
        "validated_on": spec.dataset.digest_folds(fold.val for fold in spec.folds),
        "threads": threads_of_many(spec.first, spec.config["trainer"]),
        "form": spec.form,
        "params": spec.params,
        "seeds": spec.seeds,
        "monitor": {"metric": spec.metric, "mode": "max" if spec.is_high_better else "min"},
        "config_dir": None if spec.config_dir is None else str(spec.config_dir.resolve()),
    }
    config, overrides = spec.config, spec.overrides
    labels = (config["tracking"]["experiment"] or spec.dataset.name, name.slug(overrides))
    folder = RunFolder.create(runs_dir, *labels, config=config, overrides=overrides, manifest=described)
    store_copy(spec.config_dir, folder.path)
    return folder


def _carry_out(
    spec: CVSpec, folder: RunFolder, announce: OnStart, tell: OnOutcome, interrupt: Interrupt, *, has_figures: bool
) -> Outcome[AnyCVResult]:
    outbox = mlflow.start(folder, spec.config["tracking"])
    forms = {"plain": _one_setting, "settings": _several_settings, "nested": _nested}
    with recorded(folder):
        with Dispatcher(folder, interrupt, spec.launcher) as dispatcher:
            warnings = [*warn_of_folds(folder.manifest["data"], spec.config), *spec.warnings]
            warnings += warn_of_device(folder.manifest["device"], spec.first.device)
            log_warnings(warnings, folder)
            listener = announce(Announcement(spec, folder, warnings))
            progress = _Progress(spec, folder, dispatcher, interrupt, listener, has_figures)
            result, ends = forms[spec.form](progress)
        folder.log(result["status"])
        folder.update_manifest(status=result["status"], end=now())
    code = exit_code(result["status"], interrupt.exit_code)
    notes = [*dispatcher.notes, *why(spec.dataset, spec.launcher, result, ends), *_notes(spec, result, ends)]
    outcome = Outcome(result, code, notes)
    tell(outcome)
    return outcome.warned(outbox.finish(should_stop=interrupt))


def _one_setting(progress: _Progress) -> tuple[CVResult, list[FoldResult]]:
    spec, folder = progress.spec, progress.folder
    ends = []
    planned = fold_runs(spec, spec.settings[0], folder)
    for end in train_fold_runs(planned, spec.dataset, progress.dispatcher, progress.tell):
        ends.append(end)
        progress.tell(end)
    return conclude_cv(folder, spec, ends, is_interrupted=progress.interrupt(), has_figures=progress.has_figures), ends


def _nested(progress: _Progress) -> tuple[CVResult, list[FoldResult]]:
    spec, folder, dispatcher = progress.spec, progress.folder, progress.dispatcher
    chosen: list[InnerChoice] = []
    inner: list[FoldResult] = []
    ends: list[FoldResult] = []
    for event in search(spec, folder, dispatcher, progress.tell):
        if isinstance(event, InnerChoice):
            chosen.append(event)
        else:
            inner.append(event)
        progress.tell(event)
    for end in train_fold_runs(winners(spec, folder, chosen), spec.dataset, dispatcher, progress.tell):
        ends.append(end)
        progress.tell(end)
    searched = Searched(chosen, sum(end.seconds for end in inner))
    return conclude_cv(
        folder, spec, ends, is_interrupted=progress.interrupt(), has_figures=progress.has_figures, searched=searched
    ), ends


def _several_settings(progress: _Progress) -> tuple[CVSettingsResult, list[FoldResult]]:
    """Train all settings' folds as one plan; each setting is concluded as soon as its last fold is there."""
    spec = progress.spec

    def conclude(folder: RunFolder, ends: list[FoldResult]) -> CVResult:
        stopped = progress.interrupt()
        return conclude_setting(spec, folder, ends, is_interrupted=stopped, has_figures=progress.has_figures)

    known = {child.manifest["number"]: child for child in progress.folder.children()}
    for folder in known.values():
        if not Status(folder.manifest["status"]).has_value:
            folder.update_manifest(status="running", end=None, resumes=folder.manifest["resumes"] + 1)
    folders = [
        known.get(number) or create_setting(spec, progress.folder, number) for number in range(len(spec.settings))
    ]
    settings = [
        replace(setting, config=stored_config(folder)) for setting, folder in zip(spec.settings, folders, strict=True)
    ]
    numbers = {folder.path: number for number, folder in enumerate(folders)}
    ends: list[list[FoldResult]] = [[] for _ in settings]
    results: dict[int, CVResult] = {}
    planned = [fold_runs(spec, setting, folder) for setting, folder in zip(settings, folders, strict=True)]
    every = [fold_run for of_setting in planned for fold_run in of_setting]
    for end in train_fold_runs(every, spec.dataset, progress.dispatcher, progress.tell):
        number = numbers[end.fold_run.cv.path]
        ends[number].append(end)
        progress.tell(end)
        if len(ends[number]) == len(planned[number]):
            results[number] = conclude(folders[number], ends[number])
    for number, folder in enumerate(folders):
        if number not in results:
            results[number] = conclude(folder, ends[number])
    concluded = [(setting, results[number]) for number, setting in enumerate(settings)]
    result = conclude_settings(
        progress.folder, spec, concluded, is_interrupted=progress.interrupt(), has_figures=progress.has_figures
    )
    return result, [end for of_setting in ends for end in of_setting]


def _notes(spec: CVSpec, result: AnyCVResult, ends: list[FoldResult]) -> list[str]:
    notes = [f"{end.fold_run.words}: {end.error}" for end in ends if end.error]
    best = result["settings"][0] if "settings" in result else result
    if line := best.get("guess", {}).get("note"):
        notes.append(line)
    if not (monitor := spec.config["trainer"]["monitor"]).startswith("train/"):
        notes.append(f"trainer.monitor={monitor}: the held-out part chose the epoch, so the scores are optimistic")
    if result["complete"]:
        return notes
    cure = f"go on with: {resume_command(RunFolder(Path(result['run_dir'])))}"
    if "settings" in result:
        done = sum(entry["complete"] for entry in result["settings"])
        return [*notes, f"incomplete: {done} of {noun(len(result['settings']), 'setting')} are whole; {cure}"]
    done, num = sum(Status(fold["status"]).has_value for fold in result["folds"]), len(spec.folds) * len(spec.seeds)
    return [*notes, f"incomplete: {done} of {noun(num, 'fold')}, so there is no mean; {cure}"]
