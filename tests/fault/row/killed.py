"""Kills at random instants: what was killed goes on to the bits of what was left alone."""

import json
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import psutil

from tests.fault.bits import bits_of_run, require_equal, result_of, run_folder
from tests.fault.moment import draw, epochs, halt, kill_in, moment, parts
from tests.fault.process import Command, dlexp
from tests.fault.promise import Attempt, Row, TooLate

COMMON = ["tracking=none", "trainer.threads=1", "runs_dir=runs"]
NUM_EPOCHS = 40
SIGNALS = (signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT)
BRIEF = ["data.limit=300", f"trainer.epochs={NUM_EPOCHS}"]
TRAIN = ["train", *COMMON, *BRIEF, "optimizer=adam", "schedule=cosine", "dropout=inverted"]
LR = "optimizer.lr=tag(log,interval(1e-3,1e4))"  # the upper end diverges
STRATEGIES = {
    "grid": ["optimizer.lr=0.01,0.1,1e9", "seed=0,1", "trainer.epochs=4"],
    "random": [LR, "search=random", "search.trials=8", "trainer.epochs=4"],
    "coarse_to_fine": [LR, "search=coarse_to_fine", "search.trials=9", "trainer.epochs=4"],
    "hyperband": [LR, "search=hyperband", "search.trials=9", "trainer.epochs=9"],
    "tpe": [LR, "search=tpe", "search.trials=8", "search.startup=3", "trainer.epochs=3"],
}
HOW = [(fuse, workers) for fuse in ("off", "3", "auto") for workers in ("1", "2")]
SWEEPS = [(name, fuse, workers) for name in STRATEGIES for fuse, workers in HOW]
FORMS = {
    "off": ["data.limit=300", "trainer.epochs=14", "cv.k=4", "cv.repeats=2", "trainer.fuse=off"],
    "fused": ["data.limit=300", "trainer.epochs=14", "cv.k=4", "cv.repeats=2", "trainer.fuse=4"],
    "images": [
        "trainer.epochs=3",
        "data.limit=120",
        "model=cnn",
        "model.widths=[4]",
        "augment=flip_crop",
        "cv=nested",
        "cv.k=3",
        "cv.inner_k=2",
        "optimizer.lr=0.01,0.1",
        "trainer.fuse=auto",
    ],
    "nested": [
        "data.limit=300",
        "trainer.epochs=6",
        "cv=nested",
        "cv.k=3",
        "cv.inner_k=2",
        "optimizer.lr=0.01,0.1",
        "trainer.fuse=4",
    ],
}
NUM_GRID = 6
NUM_FOLDS = {"off": 8, "fused": 8, "images": 3, "nested": 3}
CVS = [(form, workers) for form in FORMS for workers in ("1", "2")]


def undisturbed(attempt: Attempt, name: str, words: list[str], read: Any) -> Any:
    """Return what `read` makes of the runs of a command that is left alone; trained once for all attempts."""
    place = attempt.shared / name
    stored = place / "expected.json"
    if not stored.exists():
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        os.chdir(place)
        assert dlexp(*words).code == 0, name
        stored.write_text(json.dumps(read(place / "runs")))
        os.chdir(attempt.place)
    return json.loads(stored.read_text())


def begin_or_go_on(words: list[str]) -> Command:
    """Start a command, or go on with what it left behind."""
    has_run = any(Path("runs").glob("*/*/manifest.json"))
    return Command(*([words[0], "--resume", "last", "--runs-dir", "runs"] if has_run else words))


def kill_training(attempt: Attempt, fewest: int, most: int) -> None:
    """Kill a training once it has some epochs, a number drawn between two."""
    if not kill_in(Command(*TRAIN), draw(attempt, most, fewest), made=epochs):
        raise TooLate("the training had ended")


def trained(runs_dir: Path) -> dict[str, Any]:
    return bits_of_run(run_folder(runs_dir))


def train_killed(attempt: Attempt) -> None:
    """Kill a training one to four times, by three signals, and compare the bits."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    kills = 0
    for _ in range(attempt.chance.randint(1, 4)):
        signum = attempt.chance.choice(SIGNALS)
        if not kill_in(begin_or_go_on(TRAIN), moment(attempt, NUM_EPOCHS - 1), signum, epochs, NUM_EPOCHS):
            break
        kills += 1
    require_kills(kills)
    finish(TRAIN)
    require_equal(expected, trained(Path("runs")))


def require_kills(kills: int) -> None:
    if not kills:
        raise TooLate("the command had ended before it was killed once")


def finish(words: list[str]) -> None:
    done = begin_or_go_on(words).done()
    assert done.code == 0, done.err[-400:]


def resume_killed(attempt: Attempt) -> None:
    """Kill a training after its first checkpoint, then three resumes in a row, the first hardly begun."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    require_kills(kill_in(Command(*TRAIN), moment(attempt, 21, 1), made=epochs))
    for longest in (0.1, 0.3, 0.6):
        kill_in(begin_or_go_on(TRAIN), attempt.chance.uniform(0, longest))
    finish(TRAIN)
    require_equal(expected, trained(Path("runs")))


def finished_trials() -> dict[str, int]:
    """Return when each finished trial's result was written."""
    results = Path("runs").glob("*/*/trials/*/result.json")
    ended = ("finished", "diverged", "failed")
    return {
        path.parent.name: path.stat().st_mtime_ns
        for path in results
        if json.loads((path.parent / "manifest.json").read_text())["status"] in ended
    }


def sweep_words(strategy: str, fuse: str, workers: str) -> list[str]:
    special = STRATEGIES[strategy]
    return ["sweep", *COMMON, "data.limit=400", *special, f"trainer.fuse={fuse}", f"launcher.workers={workers}"]


def sweep_killed(attempt: Attempt) -> None:
    """Kill a sweep's driver up to three times; the table is that of the sweep left alone, no trial trained twice."""
    strategy, fuse, workers = SWEEPS[attempt.case]
    name = f"sweep-{strategy}-{fuse}"
    expected = undisturbed(attempt, name, sweep_words(strategy, fuse, "1"), table_of)
    take_engines(attempt.shared / name)
    words, before, kills = sweep_words(strategy, fuse, workers), {}, 0
    for _ in range(3):
        is_killed = kill_in(Command(*words), moment(attempt, 6), made=parts)
        after = finished_trials()
        again = [trial for trial, moment in before.items() if after.get(trial) != moment]
        assert not again, f"trained again: {again}"
        before = after
        kills += is_killed
        if not is_killed:
            break
    else:
        done = dlexp(*words)
        assert done.code == 0, done.err[-400:]
    require_kills(kills)
    require_equal(expected, table_of(Path("runs")))


def table_of(runs_dir: Path) -> dict[str, Any]:
    """Return what a sweep says of its trials, without how they were grouped for training."""
    result = result_of(runs_dir)
    return {name: result[name] for name in ("status", "trials", "best", "metrics")}


def take_engines(place: Path) -> None:
    """Take over what `auto` measured there: another engine may round otherwise."""
    Path("runs").mkdir(exist_ok=True)
    for name in ("fuse.json", "engines.json"):
        if (place / "runs" / name).exists():
            (Path("runs") / name).write_bytes((place / "runs" / name).read_bytes())


def worker_killed(attempt: Attempt) -> None:
    """Kill a worker of a sweep; its trials are trained once more and the table is the same."""
    expected = undisturbed(attempt, "sweep-grid-off", sweep_words("grid", "off", "1"), table_of)
    command = Command(*sweep_words("grid", "off", "2"))
    fewest, after = draw(attempt, NUM_GRID // 2), attempt.chance.uniform(0, 0.3) * attempt.haste
    halt(command, lambda: workers_here() and parts() >= fewest, after)
    workers = workers_here()
    if parts() == NUM_GRID or not workers:
        raise TooLate("all trials were trained")
    attempt.chance.choice(workers).kill()
    command.signal(signal.SIGCONT)
    done = command.done()
    assert done.code == 0, done.err[-400:]
    require_equal(expected, table_of(Path("runs")))


def workers_here() -> list[psutil.Process]:
    """Return the worker processes of the command that runs in this folder."""
    holders = [
        process for process in psutil.process_iter(["pid", "cwd", "cmdline"]) if process.info["cwd"] == os.getcwd()
    ]
    return [process for process in holders if "forkserver" in " ".join(process.info["cmdline"] or [])]


def cv_killed(attempt: Attempt) -> None:
    """Kill a cross-validation inside its folds; folds and pooled predictions are those of the one left alone."""
    form, workers = CVS[attempt.case % len(CVS)]
    words = ["cv", *COMMON, "dropout=inverted", *FORMS[form]]
    expected = undisturbed(attempt, f"cv-{form}", [*words, "launcher.workers=1"], pooled)
    kills = 0
    # two programs that train beside each other come to their ends together: with the first fold nothing is left to stop
    most = 2 if (form, workers) == ("fused", "2") else NUM_FOLDS[form]
    for _ in range(3):
        command = begin_or_go_on([*words, f"launcher.workers={workers}"])
        if not kill_in(command, moment(attempt, 5), attempt.chance.choice(SIGNALS), parts, most):
            break
        kills += 1
    require_kills(kills)
    finish([*words, f"launcher.workers={workers}"])
    require_equal(expected, pooled(Path("runs")))


def pooled(runs_dir: Path) -> dict[str, Any]:
    """Return the result and the digest of the pooled predictions' content."""
    import numpy as np

    with np.load(run_folder(runs_dir) / "predictions" / "val.npz") as stored:
        return {"result": result_of(runs_dir), "pooled": {key: stored[key].tolist() for key in stored}}


ROWS = [
    Row(
        "train-killed",
        "A training that is killed goes on to the bits of the one left alone: history, weights, predictions, result",
        "SIGKILL, SIGTERM or SIGINT at one to four random instants, `--resume` after each",
        train_killed,
        fast=1,
        full=50,
    ),
    Row(
        "resume-killed",
        "Killing a resume, three times in a row, changes nothing either",
        "SIGKILL after the first checkpoint, then at a random instant of each of three resumes",
        resume_killed,
        fast=1,
        full=30,
    ),
    Row(
        "sweep-killed",
        "A sweep that is killed ends with the table of the one left alone; no finished trial is trained again",
        "SIGKILL of the driver, up to three times; five strategies; trials alone, stacked, by choice; 0 or 2 workers",
        sweep_killed,
        fast=1,
        full=len(SWEEPS),
        has_workers=True,
    ),
    Row(
        "worker-killed",
        "A worker that dies costs its trials a second training, not the sweep",
        "SIGKILL of one of two workers at a random instant",
        worker_killed,
        fast=1,
        full=10,
        has_workers=True,
    ),
    Row(
        "cv-killed",
        "A cross-validation that is killed in its folds ends with the numbers of the one left alone",
        "SIGKILL, SIGTERM or SIGINT up to three times; folds alone, stacked, nested, augmented; one process or workers",
        cv_killed,
        fast=1,
        full=len(CVS) * 2,
        has_workers=True,
    ),
]
