"""A sweep, new or gone on with: its search, then the winner, what it is worth, and the figures."""

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from dlexp.build.check import check_destination, check_test
from dlexp.build.place import require_device
from dlexp.config import trust
from dlexp.config.override import override_of
from dlexp.config.source.folder import store_copy, stored_copy
from dlexp.config.wording import command_line
from dlexp.data.fact.positive import positive_fact
from dlexp.error import ConfigError, RunError
from dlexp.execution.description import identify
from dlexp.execution.dispatcher import Dispatcher
from dlexp.execution.threads import threads_of_many
from dlexp.figure.attempt import attempt
from dlexp.job.again import a_kind, resume_command
from dlexp.job.interrupt import Interrupt
from dlexp.job.outcome import Outcome, ignore, log_warnings, recorded
from dlexp.job.sweep.asynchronous.loop import FreeLoop
from dlexp.job.sweep.comparable import warn_of_search
from dlexp.job.sweep.document import SweepResult
from dlexp.job.sweep.figure import draw_figures
from dlexp.job.sweep.leaderboard import RankedSetting, command
from dlexp.job.sweep.loop import SearchLoop, SweepEvent, TrialDone
from dlexp.job.sweep.result import beside_a_guess, notes_of, summarize, why
from dlexp.job.sweep.spec import SweepSpec, prepare
from dlexp.job.sweep.trial_store import FinishedTrials, TrialStore
from dlexp.run import name, scan
from dlexp.run.environment import environment, now
from dlexp.run.folder import MANIFEST, RESULT, RunFolder
from dlexp.run.jsonable import plain
from dlexp.run.listing.record import read_object
from dlexp.run.status import Status
from dlexp.run.stored import overrides_here
from dlexp.tracking import mlflow


@dataclass(frozen=True)
class Announcement:
    """What is known when a search is about to begin, for the console.

    Attributes:
        spec: What is asked for.
        folder: Where the sweep is written.
        is_new: False when it goes on.
        warnings: Sentences for the user.
    """

    spec: SweepSpec
    folder: RunFolder
    is_new: bool
    warnings: list[str]


@dataclass(frozen=True)
class Findings:
    """What a search found, for the console.

    Attributes:
        outcome: Result, exit code and notes.
        ranking: The settings, best first.
        spec: What was asked for.
        command: Trains the winner anew; "" without one.
    """

    outcome: Outcome[SweepResult]
    ranking: list[RankedSetting]
    spec: SweepSpec
    command: str


class Listener(Protocol):
    """Hears of everything that happens in a search."""

    def listen(self, event: SweepEvent) -> None:
        """Take one event."""

    def close(self) -> None:
        """Take the end of events."""


OnStart = Callable[[Announcement], Listener]
OnFindings = Callable[[Findings], None]


def start(
    overrides: list[str],
    config_dir: Path | None,
    *,
    announce: OnStart,
    tell: OnFindings = ignore,
    open_test: bool = False,
    origin: dict[str, str] | None = None,
    again: str = "",
    has_figures: bool = True,
    resumed: RunFolder | None = None,
    detaches: bool = False,
) -> Findings:
    """Search; a sweep that asks for the same trials is gone on with.

    Args:
        overrides: Hydra overrides, some with sweep expressions.
        config_dir: A user's folder of YAML files.
        announce: Called before the first trial; returns what listens to the events and is closed at the end.
        tell: Called with what was found, which is there before MLflow has everything.
        open_test: Check that there is a test part, which the caller will open.
        origin: Ids of the sweep and the trial that it comes from.
        again: The command that goes on with the sweep, where it does more than search; "" for `--resume`.
        has_figures: Draw figures at the end.
        resumed: The sweep that is to be gone on with, if the user named it.
        detaches: Leave the trials to jobs that outlive this process.

    Raises:
        DlexpError: See its kinds.
        Detached: The trials are with such jobs.
    """
    with Interrupt(can_wait=False) as interrupt:
        spec = prepare(overrides, config_dir)
        if resumed is not None:
            _require_same_key(spec, resumed)
        check_test(spec.first.dataset, open_test)
        runs_dir = Path(spec.config["runs_dir"])
        check_destination(runs_dir)
        if detaches and not spec.launcher.outlives:
            raise ConfigError("--detach: got a launcher that ends with its command; choose launcher=slurm")
        if detaches and spec.adviser() is not None:
            raise ConfigError("--detach: got search.asynchronous=true; this command decides what each free job does")
        spec.launcher.require()
        scan.close_dead(runs_dir)
        folder = find_folder(spec)
        is_new = folder is None
        if folder is None:
            spec.threads = threads_of_many(spec.first, spec.config["trainer"])
            folder = create_folder(spec, overrides, origin)
            store_copy(config_dir, folder.path)
        else:
            folder.lock()
            spec.threads = folder.manifest.get("threads", spec.threads)
            folder.update_manifest(status="running", end=None, resumes=folder.manifest["resumes"] + 1)
        interrupt.can_wait = True
        try:
            with Dispatcher(folder, interrupt, spec.launcher, detaches=detaches) as dispatcher:
                warnings = warn_of_search(spec.space, spec.config, spec.first.dataset)
                log_warnings(warnings, folder)
                listener = announce(Announcement(spec, folder, is_new, warnings))
                command = again or resume_command(folder)
                return _carry_out(spec, folder, listener, tell, interrupt, dispatcher, command, has_figures=has_figures)
        finally:
            folder.unlock()


def resume(
    ref: str,
    runs_dir: Path,
    config_dir: Path | None,
    *,
    announce: OnStart,
    tell: OnFindings = ignore,
    has_figures: bool = True,
) -> Findings:
    """Go on with a sweep: give its command again.

    Raises:
        RunError: No such sweep, or code or data changed since it began.
    """
    folder = scan.find_sweep(ref, runs_dir)
    kind = folder.manifest["kind"]
    if kind != "sweep":
        raise RunError(f"{ref}: got {a_kind(folder)}; go on with `{resume_command(folder)}`")
    overrides = [text for text in folder.overrides if not text.startswith("runs_dir=")]
    here = [*overrides_here(folder, overrides), override_of("runs_dir", str(folder.runs_dir))]
    config_dir = config_dir or stored_copy(folder.path)
    require_device(folder.config)
    with trust.words_of(folder.run_id):
        return start(here, config_dir, announce=announce, tell=tell, resumed=folder, has_figures=has_figures)


def _require_same_key(spec: SweepSpec, folder: RunFolder) -> None:
    """Refuse to go on with a sweep whose new trials would not agree with its own.

    Raises:
        RunError: Code, data or device changed since it began.
    """
    manifest = folder.manifest
    if manifest["key"] == spec.key:
        return
    if Status(manifest["status"]).has_value:
        raise RunError(
            f"{folder.run_id}: is {manifest['status']}, and code, data or device changed since; see "
            f"{folder.path / RESULT}"
        )
    begin = command_line("sweep", folder.overrides, spec.space.config_dir)
    raise RunError(
        f"{folder.run_id}: code, data or device changed since it began, so new trials would not agree with its own; "
        f"begin anew with: {begin}"
    )


def find_folder(spec: SweepSpec) -> RunFolder | None:
    """Return the folder of an earlier sweep that asked for the same trials, the newest."""
    experiment = Path(spec.config["runs_dir"]) / name.experiment_folder(spec.experiment)
    for path in sorted(experiment.glob(f"*-*/{MANIFEST}"), reverse=True):
        manifest = read_object(path) or {}
        if manifest.get("kind") == "sweep" and manifest.get("key") == spec.key:
            return RunFolder(path.parent)
    return None


def create_folder(spec: SweepSpec, overrides: list[str], origin: dict[str, str] | None = None) -> RunFolder:
    """Make a sweep's folder, locked."""
    strategy, dimensions = spec.composed.choices["search"], spec.space.dimensions
    searched = {d.key: d.text.partition("=")[2] for d in dimensions}
    described = {
        "kind": "sweep",
        "key": spec.key,
        "strategy": strategy,
        "task": spec.first.dataset.task,
        "seed": spec.config["seed"],
        "device": str(spec.first.device),
        "threads": spec.threads,
        "validated_on": spec.validated_on,
        "data": {**identify(spec.first.dataset), **positive_fact(spec.first.dataset)},
        "params": {"search": strategy, **spec.first_choices, **searched},
        "monitor": {"metric": spec.metric, "mode": "max" if spec.is_high_better else "min"},
        "test_openings": 0,
        **({} if origin is None else {"from": origin}),
    }
    slug = "-".join([strategy if dimensions else "seeds", *(d.key.rpartition(".")[2] for d in dimensions)])
    return RunFolder.create(
        Path(spec.config["runs_dir"]),
        spec.experiment,
        name.clean(slug),
        config=spec.config,
        overrides=overrides,
        manifest=described,
    )


def _carry_out(
    spec: SweepSpec,
    folder: RunFolder,
    listener: Listener,
    tell: OnFindings,
    interrupt: Interrupt,
    dispatcher: Dispatcher,
    again: str,
    *,
    has_figures: bool,
) -> Findings:
    started = time.monotonic() - _seconds_before(folder)
    outbox = mlflow.start(folder, spec.config["tracking"])
    around = {**environment(), "device": str(spec.first.device), "threads": spec.threads}
    elsewhere, is_retrying = FinishedTrials.around(folder), spec.search.retry_failed
    trials = TrialStore(folder, spec.metric, dispatcher, elsewhere, around, is_retrying)
    adviser = spec.adviser()
    loop = (
        SearchLoop(spec, trials, interrupt) if adviser is None else FreeLoop(spec, trials, interrupt, adviser=adviser)
    )
    with recorded(folder), closing(listener):
        for event in loop.events():
            if isinstance(event, TrialDone):
                _log(folder, event)
            listener.listen(event)
        ranking = loop.ranking()
        result = summarize(spec, folder, loop, ranking, time.monotonic() - started)
        guessing = beside_a_guess(ranking, result)
        if result["best"] is not None:
            result["best"]["is_guess"] = bool(guessing)
        folder.write_result(plain(result))
        if ranking and has_figures:
            attempt(lambda: draw_figures(spec, folder, ranking, result["importances"]), folder.log)
        folder.log(f"{result['status']} {loop.why}".rstrip())
        folder.update_manifest(status=result["status"], end=now())
    code = interrupt.exit_code if result["status"] == "interrupted" else int(result["best"] is None)
    best = ranking[0] if result["best"] is not None else None
    notes = [*dispatcher.notes, *notes_of(loop, again), *guessing, *why(ranking, guessing, spec.launcher)]
    outcome = Outcome(plain(result), code, notes)
    findings = Findings(outcome, ranking, spec, command(best) if best else "")
    tell(findings)
    return replace(findings, outcome=outcome.warned(outbox.finish(should_stop=interrupt)))


def _seconds_before(folder: RunFolder) -> float:
    """Return what the searches that this one goes on with took, as far as they came to a result."""
    result = folder.result
    return 0.0 if result is None else float(result["seconds"])


def _log(folder: RunFolder, event: TrialDone) -> None:
    ended = event.result
    value = "none" if ended.value is None else f"{ended.value:.4g}"
    origin = "" if event.is_new else " (was there)"
    folder.log(f"trial {event.result.trial.id}: {ended.status} {value}{origin} {ended.reason}".rstrip())
