"""Kills at random instants: what was killed goes on to the bits of what was left alone."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from tests.fault.bits import bits_of_run, require_equal, result_of, run_folder
from tests.fault.process import Command, dlexp
from tests.fault.promise import Attempt, Row

COMMON = ["tracking=none", "trainer.threads=1", "runs_dir=runs"]
NUM_EPOCHS = 40
TRAIN = ["train", *COMMON, f"trainer.epochs={NUM_EPOCHS}", "optimizer=adam", "schedule=cosine", "dropout=inverted"]
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
    "off": ["trainer.epochs=14", "cv.k=4", "cv.repeats=2", "trainer.fuse=off"],
    "fused": ["trainer.epochs=14", "cv.k=4", "cv.repeats=2", "trainer.fuse=4"],
    "nested": ["trainer.epochs=6", "cv=nested", "cv.k=3", "cv.inner_k=2", "optimizer.lr=0.01,0.1", "trainer.fuse=4"],
}
CVS = [(form, workers) for form in FORMS for workers in ("1", "2")]


def undisturbed(attempt: Attempt, name: str, words: list[str], read: Any) -> Any:
    """Return what `read` makes of the runs of a command that is left alone; trained once for all attempts."""
    place = attempt.shared / name
    stored = place / "expected.json"
    if not stored.exists():
        place.mkdir(exist_ok=True)
        os.chdir(place)
        assert dlexp(*words).code == 0, name
        stored.write_text(json.dumps(read(place / "runs")))
        os.chdir(attempt.place)
    return json.loads(stored.read_text())


def begin_or_go_on(words: list[str]) -> Command:
    """Start a command, or go on with what it left behind."""
    has_run = any(Path("runs").glob("*/*/manifest.json"))
    return Command(*([words[0], "--resume", "last", "--runs-dir", "runs"] if has_run else words))


def kill_in(command: Command, moment: float, signum: int = signal.SIGKILL, made: Callable[[], int] = lambda: 0) -> int:
    """Send a signal and return the exit code.

    Args:
        command: To be killed.
        moment: How many epochs, trials or folds it shall have made before, and of the next one the share in a second.
        signum: The signal.
        made: Counts epochs, trials or folds.
    """
    command.wait_for(lambda: made() >= int(moment))
    time.sleep(moment % 1)
    command.signal(signum)
    code = command.done().code
    assert code in (0, -signum, 128 + signum), code
    return code


def epochs() -> int:
    """Return how many epochs have been recorded."""
    return sum(path.read_bytes().count(b"\n") for path in Path("runs").glob("*/*/metrics.jsonl"))


def parts() -> int:
    """Return how many trials or folds have a result."""
    return len(list(Path("runs").glob("*/*/*/*/result.json")))


def moment(attempt: Attempt, most: int) -> float:
    """Return a random instant: a number of epochs, trials or folds, and milliseconds after it."""
    return attempt.chance.randint(0, most) + attempt.chance.choice([0.03, 0.1, 0.4]) * attempt.chance.random()


def kill_training(attempt: Attempt, fewest: int, most: int) -> None:
    """Kill a training once it has some epochs, a number drawn between two."""
    command, after = Command(*TRAIN), attempt.chance.randint(fewest, most)
    assert command.wait_for(lambda: epochs() >= after)
    command.signal(signal.SIGKILL)
    command.done()


def trained(runs_dir: Path) -> dict[str, Any]:
    return bits_of_run(run_folder(runs_dir))


def train_killed(attempt: Attempt) -> None:
    """Kill a training one to four times, by three signals, and compare the bits."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    for _ in range(attempt.chance.randint(1, 4)):
        signum = attempt.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        if kill_in(begin_or_go_on(TRAIN), moment(attempt, NUM_EPOCHS - 1), signum, epochs) == 0:
            break
    finish(TRAIN)
    require_equal(expected, trained(Path("runs")))


def finish(words: list[str]) -> None:
    done = begin_or_go_on(words).done()
    assert done.code == 0, done.err[-400:]


def resume_killed(attempt: Attempt) -> None:
    """Kill a training after its first checkpoint, then three resumes in a row, the first hardly begun."""
    expected = undisturbed(attempt, "train", TRAIN, trained)
    assert kill_in(Command(*TRAIN), moment(attempt, 20) + 1, made=epochs) == -signal.SIGKILL
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
    words, before = sweep_words(strategy, fuse, workers), {}
    for _ in range(3):
        code = kill_in(Command(*words), moment(attempt, 6), made=parts)
        after = finished_trials()
        again = [trial for trial, moment in before.items() if after.get(trial) != moment]
        assert not again, f"trained again: {again}"
        before = after
        if code == 0:
            break
    else:
        done = dlexp(*words)
        assert done.code == 0, done.err[-400:]
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
    assert command.wait_for(lambda: workers_here() and list(Path("runs").glob("*/*/trials/*/metrics.jsonl")))
    time.sleep(attempt.chance.uniform(0, 0.3))
    for worker in attempt.chance.sample(workers_here(), 1):
        worker.kill()
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
    for _ in range(3):
        signum = attempt.chance.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
        command = begin_or_go_on([*words, f"launcher.workers={workers}"])
        if kill_in(command, moment(attempt, 5), signum, parts) == 0:
            break
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
        fast=2,
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
        "SIGKILL, SIGTERM or SIGINT up to three times; folds alone, stacked and nested, one process or workers",
        cv_killed,
        fast=1,
        full=len(CVS) * 2,
        has_workers=True,
    ),
]
