"""A cross-validation, new or resumed: its trainings in as few programs as they fit, then what they say together.

One setting has its folds in its own folder; several settings have a complete cv each, inside one that compares them;
a nested cv has its inner trainings beside its folds.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from dlexp.build import build
from dlexp.config.override import yaml_value
from dlexp.error import DataError, RunError
from dlexp.job import tally
from dlexp.job.caution import warn_of_imbalance
from dlexp.job.crew import Crew
from dlexp.job.design import Design, Setting, prepare
from dlexp.job.fold import Cell, FoldEnd, configure, train_cells
from dlexp.job.interrupt import Interrupt
from dlexp.job.nested import Chosen, search, winners
from dlexp.job.ready import check_destination
from dlexp.job.tally import WHOLE
from dlexp.job.train import EXIT_CODES, Outcome, Tell, describe, tell_nobody
from dlexp.tracker import mlflow, name, scan
from dlexp.tracker.folder import RunFolder
from dlexp.tracker.manifest import now

SETTINGS = "settings"
Listener = Callable[[FoldEnd | Chosen], None]
_OWN = ("run_id", "slug", "status", "start", "end", "resumes", "form", "params")


@dataclass(frozen=True)
class Announcement:
    """What is known when the folds are about to be trained, for the console.

    Attributes:
        design: What was asked for.
        folder: Where the cv is written.
        warnings: One line each.
    """

    design: Design
    folder: RunFolder
    warnings: list[str]


Announce = Callable[[Announcement], Listener]


@dataclass(frozen=True)
class _Course:
    """A cv in progress."""

    design: Design
    folder: RunFolder
    crew: Crew
    interrupt: Interrupt
    listener: Listener

    def tell(self, event: FoldEnd | Chosen) -> None:
        """Log an event and pass it on."""
        if isinstance(event, FoldEnd):
            place = event.cell.cv.path.name if event.cell.cv.path != self.folder.path else ""
            self.folder.log(f"{place} {event.cell.name}: {event.record['status']} {event.error}".strip())
        else:
            chosen = "nothing" if event.setting is None else yaml_value(event.setting.values)
            self.folder.log(f"{event.fold.name}: chose {chosen} of {len(event.tried)}")
        self.listener(event)


def start(
    overrides: list[str], config_dir: Path | None = None, *, announce: Announce, tell: Tell = tell_nobody
) -> Outcome:
    """Cross-validate one configuration, or every setting that sweep expressions span, or a search.

    Args:
        overrides: Hydra overrides.
        config_dir: A user's folder of YAML files.
        announce: Called before the first fold; returns what is called with each training's end.
        tell: Called with the outcome, which is there before MLflow has everything.

    Raises:
        DlexpError: See its kinds.
    """
    with Interrupt(can_wait=False) as interrupt:
        design = prepare(overrides, config_dir)
        runs_dir = Path(design.config["runs_dir"])
        check_destination(runs_dir)
        scan.close_dead(runs_dir)
        interrupt.can_wait = True
        folder = _create(design, runs_dir)
        try:
            return _carry_out(design, folder, announce, tell, interrupt)
        finally:
            folder.unlock()


def resume(ref: str, runs_dir: Path, *, announce: Announce, tell: Tell = tell_nobody) -> Outcome:
    """Go on with a cross-validation: what is done is kept, what was cut off goes on inside.

    Raises:
        RunError: No such cv, or another process has it.
        DataError: The data are not those of the cv.
    """
    folder = scan.find(runs_dir, ref)
    manifest, parent = folder.manifest, folder.parent
    if manifest["kind"] != "cv":
        raise RunError(f"{ref}: got a {manifest['kind']}; go on with `dlexp {manifest['kind']} --resume {ref}`")
    if parent is not None:
        raise RunError(f"{ref}: got one setting of a cv; go on with `dlexp cv --resume {parent.run_id}`")
    folder.lock()
    try:
        result = folder.result
        if result is not None and result["status"] == manifest["status"] and manifest["status"] in WHOLE:
            return Outcome(result, 0, [f"cv {folder.run_id} is {manifest['status']}; there is nothing to resume"])
        with Interrupt(can_wait=False) as interrupt:
            design = _as_it_was(folder)
            if design.config["trainer"]["threads"] is None and manifest["threads"] is not None:
                torch.set_num_threads(manifest["threads"])
            interrupt.can_wait = True
            folder.update_manifest(status="running", end=None, resumes=manifest["resumes"] + 1)
            return _carry_out(design, folder, announce, tell, interrupt)
    finally:
        folder.unlock()


def _as_it_was(folder: RunFolder) -> Design:
    """Return what a cv's command asked for; configurations are those that were written when it began."""
    manifest = folder.manifest
    overrides = [text for text in folder.overrides if not text.startswith("runs_dir=")]
    config_dir = None if manifest["config_dir"] is None else Path(manifest["config_dir"])
    design = prepare([*overrides, f"runs_dir={yaml_value(str(folder.runs_dir))}"], config_dir)
    if design.dataset.fingerprint != manifest["data"]["fingerprint"]:
        raise DataError(f"{design.dataset.name}: the data changed since cv {folder.run_id} began; start a new one")
    if design.form != "plain":
        return design
    return replace(design, config=folder.config, settings=[replace(design.settings[0], config=folder.config)])


def _create(design: Design, runs_dir: Path) -> RunFolder:
    described = {
        **describe(design.first, design.config),
        "kind": "cv",
        "form": design.form,
        "params": design.params,
        "seeds": design.seeds,
        "monitor": {"metric": design.metric, "mode": "max" if design.is_high_better else "min"},
        "config_dir": None if design.config_dir is None else str(design.config_dir.resolve()),
    }
    return RunFolder.create(
        runs_dir,
        design.config["tracking"]["experiment"] or design.dataset.name,
        name.slug(design.overrides),
        config=design.config,
        overrides=design.overrides,
        manifest=described,
    )


def _carry_out(design: Design, folder: RunFolder, announce: Announce, tell: Tell, interrupt: Interrupt) -> Outcome:
    outbox = mlflow.start(folder, design.config["tracking"])
    forms = {"plain": _one_setting, "settings": _several_settings, "nested": _nested}
    try:
        with Crew(folder, interrupt, build(design.config["launcher"])) as crew:
            warnings = warn_of_imbalance(folder.manifest["data"], design.config)
            listener = announce(Announcement(design, folder, warnings))
            course = _Course(design, folder, crew, interrupt, listener)
            result, ends = forms[design.form](course)
        folder.log(result["status"])
        folder.update_manifest(status=result["status"], end=now())
    except BaseException as error:
        is_stopped = isinstance(error, SystemExit | KeyboardInterrupt)
        folder.log(f"stopped: {type(error).__name__}: {error}")
        folder.update_manifest(status="interrupted" if is_stopped else "failed", end=now())
        raise
    code = EXIT_CODES.get(result["status"], interrupt.exit_code)
    outcome = Outcome(result, code, _notes(design, result, ends))
    tell(outcome)
    return outcome.warned(outbox.finish(should_stop=interrupt))


def cells(design: Design, setting: Setting, folder: RunFolder) -> list[Cell]:
    """Return the trainings of one setting: every fold under every seed."""
    return [
        Cell(folder, fold, seed, configure(setting.config, fold, seed), params=_shown(design, setting, seed))
        for fold in design.folds
        for seed in design.seeds
    ]


def _shown(design: Design, setting: Setting, seed: int) -> dict[str, Any]:
    return setting.values | ({"seed": seed} if len(design.seeds) > 1 else {})


def _one_setting(course: _Course) -> tuple[dict[str, Any], list[FoldEnd]]:
    design, folder = course.design, course.folder
    ends = []
    for end in train_cells(cells(design, design.settings[0], folder), design.dataset, course.crew):
        ends.append(end)
        course.tell(end)
    return tally.conclude(folder, design, ends, is_interrupted=course.interrupt()), ends


def _nested(course: _Course) -> tuple[dict[str, Any], list[FoldEnd]]:
    design, folder, crew = course.design, course.folder, course.crew
    chosen: list[Chosen] = []
    inner: list[FoldEnd] = []
    ends: list[FoldEnd] = []
    for event in search(design, folder, crew):
        if isinstance(event, Chosen):
            chosen.append(event)
        else:
            inner.append(event)
        course.tell(event)
    for end in train_cells(winners(design, folder, chosen), design.dataset, crew):
        ends.append(end)
        course.tell(end)
    searched = tally.Searched(chosen, sum(end.seconds for end in inner))
    return tally.conclude(folder, design, ends, is_interrupted=course.interrupt(), searched=searched), ends


def _several_settings(course: _Course) -> tuple[dict[str, Any], list[FoldEnd]]:
    """Train all settings' folds as one plan; each setting is concluded as soon as its last fold is there."""
    design = course.design
    known = {child.manifest["number"]: child for child in course.folder.children()}
    for folder in known.values():
        if folder.manifest["status"] not in WHOLE:
            folder.update_manifest(status="running", end=None, resumes=folder.manifest["resumes"] + 1)
    folders = [known.get(number) or _create_setting(course, number) for number in range(len(design.settings))]
    settings = [replace(one, config=folder.config) for one, folder in zip(design.settings, folders, strict=True)]
    numbers = {folder.path: number for number, folder in enumerate(folders)}
    ends: list[list[FoldEnd]] = [[] for _ in settings]
    results: dict[int, dict[str, Any]] = {}
    planned = [cells(design, one, folder) for one, folder in zip(settings, folders, strict=True)]
    for end in train_cells([cell for some in planned for cell in some], design.dataset, course.crew):
        number = numbers[end.cell.cv.path]
        ends[number].append(end)
        course.tell(end)
        if len(ends[number]) == len(planned[number]):
            results[number] = _conclude_setting(course, folders[number], ends[number])
    for number, folder in enumerate(folders):
        if number not in results:
            results[number] = _conclude_setting(course, folder, ends[number])
    found = [(one, results[number]) for number, one in enumerate(settings)]
    result = tally.conclude_settings(course.folder, design, found, is_interrupted=course.interrupt())
    return result, [end for some in ends for end in some]


def _create_setting(course: _Course, number: int) -> RunFolder:
    one, parent, seeds = course.design.settings[number], course.folder, course.design.seeds
    about = {key: value for key, value in parent.manifest.items() if key not in _OWN}
    folder = RunFolder.create(
        parent.path,
        SETTINGS,
        name.slug([f"{key}={yaml_value(value)}" for key, value in one.values.items()]),
        config=one.config,
        overrides=one.overrides,
        manifest={
            **about,
            "form": "plain",
            "cv": parent.run_id,
            "number": number,
            "params": one.params | ({"seed": seeds} if len(seeds) > 1 else {}),
        },
    )
    folder.unlock()
    return folder


def _conclude_setting(course: _Course, folder: RunFolder, ends: list[FoldEnd]) -> dict[str, Any]:
    result = folder.result
    if result is not None and result["complete"] and folder.manifest["status"] == result["status"]:
        return result
    result = tally.conclude(folder, course.design, ends, is_interrupted=course.interrupt())
    folder.update_manifest(status=result["status"], end=now())
    return result


def _notes(design: Design, result: dict[str, Any], ends: list[FoldEnd]) -> list[str]:
    notes = [f"{end.cell.name}: {end.error}" for end in ends if end.error]
    monitor = design.config["trainer"]["monitor"]
    if not monitor.startswith("train/"):
        notes.append(f"trainer.monitor={monitor}: the held-out part chose the epoch, so the scores are optimistic")
    if result["complete"]:
        return notes
    cure = f"go on with: dlexp cv --resume {result['run_id']}"
    if design.form == "settings":
        done = sum(one["complete"] for one in result["settings"])
        return [*notes, f"incomplete: {done} of {len(result['settings'])} settings are whole; {cure}"]
    done = sum(record["status"] in WHOLE for record in result["folds"])
    num = len(design.folds) * len(design.seeds)
    return [*notes, f"incomplete: {done} of {num} folds, so there is no mean; {cure}"]
