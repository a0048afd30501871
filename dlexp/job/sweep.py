"""A sweep, new or gone on with: its search, then the winner, what it is worth, and the figures."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

import torch

from dlexp.build import build
from dlexp.error import RunError
from dlexp.job.crew import Crew
from dlexp.job.elsewhere import Elsewhere
from dlexp.job.figure import draw_figures
from dlexp.job.inquiry import Inquiry, prepare
from dlexp.job.interrupt import Interrupt
from dlexp.job.leaderboard import Standing, command
from dlexp.job.ready import check_destination, check_test
from dlexp.job.roster import Roster
from dlexp.job.searching import Searching, SweepEvent, TrialDone
from dlexp.job.train import Outcome, tell_nobody
from dlexp.job.verdict import summarize
from dlexp.report.attempt import attempt
from dlexp.tracker import mlflow, name, scan
from dlexp.tracker.folder import MANIFEST, RunFolder
from dlexp.tracker.manifest import environment, now
from dlexp.tracker.plain import plain


@dataclass(frozen=True)
class Announcement:
    """What is known when a search is about to begin, for the console.

    Attributes:
        inquiry: What is asked for.
        folder: Where the sweep is written.
        is_new: False when it goes on.
    """

    inquiry: Inquiry
    folder: RunFolder
    is_new: bool


@dataclass(frozen=True)
class Found:
    """What a search found, for the console.

    Attributes:
        outcome: Result, exit code and notes.
        standings: The settings, best first.
        inquiry: What was asked for.
        command: Trains the winner anew; "" without one.
    """

    outcome: Outcome
    standings: list[Standing]
    inquiry: Inquiry
    command: str


class Listener(Protocol):
    """Hears of everything that happens in a search."""

    def listen(self, event: SweepEvent) -> None:
        """Take one event."""

    def close(self) -> None:
        """Take the end of events."""


Announce = Callable[[Announcement], Listener]
Tell = Callable[[Found], None]


def start(
    overrides: list[str],
    config_dir: Path | None,
    *,
    announce: Announce,
    tell: Tell = tell_nobody,
    open_test: bool = False,
    origin: dict[str, str] | None = None,
) -> Found:
    """Search; a sweep that asks for the same trials is gone on with.

    Args:
        overrides: Hydra overrides, some with sweep expressions.
        config_dir: A user's folder of YAML files.
        announce: Called before the first trial; returns what listens to the events and is closed at the end.
        tell: Called with what was found, which is there before MLflow has everything.
        open_test: Check that there is a test part, which the caller will open.
        origin: Ids of the sweep and the trial that it comes from.

    Raises:
        DlexpError: See its kinds.
    """
    with Interrupt(can_wait=False) as interrupt:
        inquiry = prepare(overrides, config_dir)
        check_test(inquiry.first.dataset, open_test)
        runs_dir = Path(inquiry.config["runs_dir"])
        check_destination(runs_dir)
        scan.close_dead(runs_dir)
        folder = find_folder(inquiry)
        is_new = folder is None
        if folder is None:
            folder = create_folder(inquiry, overrides, origin)
        else:
            folder.lock()
            folder.update_manifest(status="running", end=None, resumes=folder.manifest["resumes"] + 1)
        interrupt.can_wait = True
        try:
            with Crew(folder, interrupt, build(inquiry.config["launcher"])) as crew:
                listener = announce(Announcement(inquiry, folder, is_new))
                return _carry_out(inquiry, folder, listener, tell, interrupt, crew)
        finally:
            folder.unlock()


def resume(ref: str, runs_dir: Path, config_dir: Path | None, *, announce: Announce, tell: Tell = tell_nobody) -> Found:
    """Go on with a sweep: give its command again.

    Raises:
        RunError: No such sweep.
    """
    folder = scan.find(runs_dir, ref)
    kind = folder.manifest["kind"]
    if kind != "sweep":
        raise RunError(f"{ref}: got a {kind}; go on with `dlexp {kind} --resume {ref}`")
    overrides = [text for text in folder.overrides if not text.startswith("runs_dir=")]
    found = start([*overrides, f"runs_dir='{folder.runs_dir}'"], config_dir, announce=announce, tell=tell)
    if found.outcome.result["run_id"] != folder.run_id:
        raise RunError(f"{ref}: code or data changed since it began; its trials would not agree with new ones")
    return found


def find_folder(inquiry: Inquiry) -> RunFolder | None:
    """Return the folder of an earlier sweep that asked for the same trials, the newest."""
    experiment = Path(inquiry.config["runs_dir"]) / inquiry.experiment
    for path in sorted(experiment.glob(f"*-*/{MANIFEST}"), reverse=True):
        try:
            manifest = json.loads(path.read_bytes())
        except (OSError, ValueError):
            continue
        if manifest.get("kind") == "sweep" and manifest.get("key") == inquiry.key:
            return RunFolder(path.parent)
    return None


def create_folder(inquiry: Inquiry, overrides: list[str], origin: dict[str, str] | None = None) -> RunFolder:
    """Make a sweep's folder, locked."""
    strategy, dimensions = inquiry.composed.choices["search"], inquiry.space.dimensions
    searched = {d.key: d.text.partition("=")[2] for d in dimensions}
    described = {
        "kind": "sweep",
        "key": inquiry.key,
        "strategy": strategy,
        "task": inquiry.first.dataset.task,
        "seed": inquiry.config["seed"],
        "device": str(inquiry.first.device),
        "data": {"name": inquiry.first.dataset.name, "fingerprint": inquiry.first.dataset.fingerprint},
        "params": {"search": strategy, **inquiry.first_choices, **searched},
        "monitor": {"metric": inquiry.metric, "mode": "max" if inquiry.is_high_better else "min"},
        "test_openings": 0,
        **({} if origin is None else {"from": origin}),
    }
    slug = "-".join([strategy if dimensions else "seeds", *(d.key.rpartition(".")[2] for d in dimensions)])
    return RunFolder.create(
        Path(inquiry.config["runs_dir"]),
        inquiry.experiment,
        name.clean(slug),
        config=inquiry.config,
        overrides=overrides,
        manifest=described,
    )


def _carry_out(
    inquiry: Inquiry, folder: RunFolder, listener: Listener, tell: Tell, interrupt: Interrupt, crew: Crew
) -> Found:
    started = time.monotonic() - _seconds_before(folder)
    outbox = mlflow.start(folder, inquiry.config["tracking"])
    around = {**environment(), "device": str(inquiry.first.device), "threads": torch.get_num_threads()}
    trials = Roster(folder, inquiry.metric, crew, Elsewhere.around(folder, inquiry.metric), around)
    searching = Searching(inquiry, trials, interrupt)
    try:
        for event in searching.events():
            if isinstance(event, TrialDone):
                _log(folder, event)
            listener.listen(event)
        standings = searching.standings()
        result = summarize(inquiry, folder, searching, standings, time.monotonic() - started)
        folder.write_result(plain(result))
        if standings:
            attempt(lambda: draw_figures(inquiry, folder, standings, result["importances"]), folder.log)
        folder.log(f"{result['status']} {searching.why}".rstrip())
        folder.update_manifest(status=result["status"], end=now())
    except BaseException as error:
        is_stopped = isinstance(error, SystemExit | KeyboardInterrupt)
        folder.log(f"stopped: {type(error).__name__}: {error}")
        folder.update_manifest(status="interrupted" if is_stopped else "failed", end=now())
        raise
    finally:
        listener.close()
    code = interrupt.exit_code if result["status"] == "interrupted" else int(result["best"] is None)
    best = standings[0] if result["best"] is not None else None
    outcome = Outcome(plain(result), code, _notes(folder, searching))
    found = Found(outcome, standings, inquiry, command(best) if best else "")
    tell(found)
    return replace(found, outcome=outcome.warned(outbox.finish(should_stop=interrupt)))


def _seconds_before(folder: RunFolder) -> float:
    """Return what the searches that this one goes on with took, as far as they came to a result."""
    result = folder.result
    return 0.0 if result is None else float(result["seconds"])


def _log(folder: RunFolder, event: TrialDone) -> None:
    found = event.entry.outcome
    value = "none" if found.value is None else f"{found.value:.4g}"
    kept = "" if event.is_new else " (was there)"
    folder.log(f"trial {event.entry.trial.id}: {found.status} {value}{kept} {found.reason}".rstrip())


def _notes(folder: RunFolder, searching: Searching) -> list[str]:
    if not searching.why:
        return []
    cure = "the same command again" if searching.why == "interrupted" else "raise the limit and give the command again"
    return [f"{searching.why}: {len(searching.entries)} trials are kept; go on with {cure}"]
