"""What a sweep costs beside training, where it goes, and whether memory grows; how long listings of many runs take.

Run with ``python -m benchmarks.bookkeeping`` (``--trials 200`` for a short one); writes
``benchmarks/results/bookkeeping.json``. Trials of a small MLP on digits, on the disk and in memory (tmpfs), one after
another and stacked. Each sweep has a process of its own, which accounts for every second of the loop.
"""

import argparse
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import psutil

from benchmarks import measure

MEMORY = Path("/dev/shm")  # a tmpfs, where there is one
EARLY = 200  # trials after which memory is looked at first
DLEXP = str(Path(sys.executable).parent / "dlexp")
OVERRIDES = [
    "data=digits",
    "model.widths=[32]",
    "optimizer.lr=tag(log,interval(1e-4,1))",
    "search=random",
    "trainer.threads=1",
    "launcher.workers=1",
]
ONE_THREAD = {"OMP_NUM_THREADS": "1"}
NOTE = (
    "Wall milliseconds a trial of sweeps' loops, by the innermost of the named causes; training is left out of "
    "bookkeeping, and so is choosing an engine, which is done once. Memory is the process's resident set after 200 "
    "trials, after the last, and when result and figures (matplotlib, 40 MB) are written. Flushes are fsyncs. "
    "Commands are whole processes."
)


def charge_everything(account: measure.Account) -> Callable[[], int]:
    """Name the causes; return a function that says how often the disk was waited for."""
    from dlexp.build import components
    from dlexp.engine import checkpoint
    from dlexp.engine.train import Run
    from dlexp.execution import dispatcher, executor, group, result
    from dlexp.execution.save import saved_model, stack_saver
    from dlexp.job.sweep import trial_store
    from dlexp.job.sweep.spec import SweepSpec
    from dlexp.run import epoch_record
    from dlexp.run.folder import RunFolder

    account.charge_steps(Run, "events", "training")
    account.charge(dispatcher, "choose", "choosing the engine")
    account.charge(components, "structure_key", "grouping by structure")
    account.charge(SweepSpec, "trials", "composing settings")
    account.charge(RunFolder, "create", "making folders")
    account.charge(group, "make_program", "building programs")
    account.charge(executor, "make_program", "building programs")
    account.charge(saved_model, "write", "describing models")
    account.charge(stack_saver, "_stacked_weights", "copying weights")
    account.charge(checkpoint, "save", "writing checkpoints")
    account.charge(RunFolder, "append_epoch", "writing histories")
    account.charge(epoch_record, "append", "writing records of examples")
    account.charge(RunFolder, "log", "writing logs")
    account.charge(RunFolder, "write_result", "writing results")
    account.charge(RunFolder, "update_manifest", "writing manifests")
    account.charge(result, "store_predictions", "predictions")
    account.charge(result, "checksums", "sealing")
    account.charge(trial_store, "outcome", "reading outcomes")
    flushes: list[int] = []
    flush = os.fsync

    def counted(descriptor: int) -> None:
        flushes.append(descriptor)
        flush(descriptor)

    os.fsync = counted
    return lambda: len(flushes)


class Watch:
    """Listens to a sweep: what the loop cost until its last trial, and memory by the number of trials done."""

    def __init__(self, account: measure.Account) -> None:
        self.account, self.process = account, psutil.Process()
        self.account.restart()
        self.spent: dict[str, float] = {}
        self.memory: dict[int, int] = {}
        self.done = 0
        self.ended = 0.0

    def listen(self, event: Any) -> None:
        """Take an event."""
        if type(event).__name__ == "TrialDone":
            self.done += 1
            self.spent, self.ended = self.account.spent(), time.perf_counter()
            if self.done % EARLY == 0:
                self.memory[self.done] = self.process.memory_info().rss

    def close(self) -> None:
        """Take the end."""
        self.memory[-1] = self.process.memory_info().rss


@dataclass(frozen=True)
class Case:
    """One sweep to be measured."""

    place: str
    trials: int
    epochs: int = 1
    fuse: str = "auto"
    tracking: str = "none"

    def overrides(self, runs_dir: str) -> list[str]:
        """Return what is asked of `dlexp sweep`."""
        settings = {"search.trials": self.trials, "trainer.epochs": self.epochs, "trainer.fuse": self.fuse}
        values = {**settings, "tracking": self.tracking, "runs_dir": runs_dir}
        return [*OVERRIDES, *(f"{key}={value}" for key, value in values.items())]


def sweep(case: Case, runs_dir: str) -> dict[str, Any]:
    """Run one sweep in this process and account for it."""
    from dlexp.job.sweep import sweep as job

    account, watches = measure.Account(), []
    count_flushes = charge_everything(account)

    def announce(_about: Any) -> Watch:
        watches.append(Watch(account))
        return watches[0]

    started = job.start(case.overrides(runs_dir), None, announce=announce)
    ended, watch = time.perf_counter(), watches[0]
    result = started.outcome.result
    assert len(result["trials"]) == case.trials
    return {
        "by_cause": watch.spent,
        "after_last_trial": ended - watch.ended,
        "flushes": count_flushes(),
        "memory": watch.memory,
        "engine": "solo" if result["groups"][0]["engine"] == "solo" else f"stacks of {result['groups'][0]['size']}",
        "tracking": _drain(Path(result["run_dir"]), watch.ended) if case.tracking == "mlflow" else None,
    }


def _drain(folder: Path, last_trial: float) -> dict[str, float]:
    """Wait for the process that fills MLflow; return when it was done after the last trial, and what it took."""
    from dlexp.run.folder import RunFolder
    from dlexp.tracking.sent import Sent

    while Sent.read(RunFolder(folder)).status is None:
        time.sleep(0.2)
    drained = time.perf_counter() - last_trial
    psutil.wait_procs(psutil.Process().children(), timeout=60)
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return {"seconds_after_last_trial": round(drained, 1), "cpu_seconds": round(used.ru_utime + used.ru_stime, 1)}


def row(case: Case, told: dict[str, Any]) -> dict[str, Any]:
    """Return one line of the record: milliseconds a trial by cause, memory in MB."""
    spent = dict(told["by_cause"])
    training, choosing = spent.pop("training"), spent.pop("choosing the engine", 0.0)
    memory = {int(done): size / 2**20 for done, size in told["memory"].items()}
    early, late, end = memory.get(EARLY), memory[max(memory)], memory[-1]

    def each(seconds: float) -> float:
        return round(1e3 * seconds / case.trials, 3)

    return {
        **asdict(case),
        "engine": told["engine"],
        "bookkeeping_ms": each(sum(spent.values())),
        "training_ms": each(training),
        "choosing_s": round(choosing, 2),
        "after_last_trial_s": round(told["after_last_trial"], 2),
        "flushes": round(told["flushes"] / case.trials, 2),
        "memory_mb": {"early": early and round(early, 1), "late": round(late, 1), "end": round(end, 1)},
        "memory_growth": early and round(late / early - 1, 4),
        "memory_growth_at_end": early and round(end / early - 1, 4),
        "mlflow": told["tracking"],
        "by_cause_ms": {cause: each(spent[cause]) for cause in sorted(spent, key=lambda name: -spent[name])},
    }


def measure_sweep(case: Case, runs_dir: Path) -> dict[str, Any]:
    """Run a sweep in a process of its own; return its line of the record."""
    command = [sys.executable, "-m", "benchmarks.bookkeeping", "--case", json.dumps(asdict(case)), str(runs_dir)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env={**os.environ, **ONE_THREAD})
    entry = row(case, json.loads(done.stdout))
    print(
        f"{case.place:6} {entry['engine']:13} {case.tracking:6} {case.trials:5} x {case.epochs:2}: "
        f"{entry['bookkeeping_ms']:6.2f} ms a trial beside {entry['training_ms']:.2f} of training, "
        f"memory {entry['memory_growth'] or 0:+.1%}, at the end {entry['memory_growth_at_end'] or 0:+.1%}",
        flush=True,
    )
    return entry


def measure_listings(runs_dir: Path, num_runs: int) -> list[dict[str, Any]]:
    """Time commands on a folder that holds sweeps, and many copies of one training run."""
    subprocess.run(
        [DLEXP, "train", "--quiet", *OVERRIDES[:2], "trainer.epochs=1", "tracking=none", f"runs_dir={runs_dir}"],
        check=True,
        env={**os.environ, **ONE_THREAD},
    )
    sweeps = sorted(path.parent for path in runs_dir.glob("*/*/trials"))
    (run,) = [path.parent for path in runs_dir.glob("*/*/result.json") if path.parent not in sweeps]
    copies = [copy_of(run) for _ in range(num_runs - 1)]
    here = ["--runs-dir", str(runs_dir)]
    commands = {
        "dlexp runs": ["runs", *here],
        "dlexp runs --filter --sort": ["runs", *here, "--filter", "metrics.val/accuracy > 0.1", "--sort", "seconds"],
        "dlexp compare RUN RUN": ["compare", run.name, copies[-1].name, *here],
        "dlexp compare SWEEP RUN": ["compare", sweeps[0].name, run.name, *here],
    }
    rows = []
    for name, command in commands.items():
        times = []
        for _ in range(5):
            started = time.perf_counter()
            subprocess.run([DLEXP, *command], check=True, capture_output=True)
            times.append(time.perf_counter() - started)
        rows.append({"command": name, "runs": num_runs, "median_s": round(statistics.median(times), 3)})
        print(f"{name:27} of {num_runs} runs: {rows[-1]['median_s']:.2f} s", flush=True)
    return rows


def copy_of(run: Path) -> Path:
    """Return a run with another id; the files that say nothing of it are shared."""
    from dlexp.run.name import new_run_id

    run_id = new_run_id()
    copy = run.with_name(f"{run_id}-{run.name.partition('-')[2]}")
    shutil.copytree(run, copy, copy_function=os.link)
    for name in ("manifest.json", "result.json"):
        fields = json.loads((run / name).read_text())
        (copy / name).unlink()
        (copy / name).write_text(json.dumps({**fields, "run_id": run_id, "run_dir": str(copy)}))
    return copy


def main() -> None:
    """Measure everything and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--trials", type=int, default=2000, help="trials of each sweep, and runs that are listed")
    parser.add_argument("--case", nargs=2, metavar=("CASE", "RUNS_DIR"), help="what the processes of sweeps are given")
    args = parser.parse_args()
    if args.case:
        print(json.dumps(sweep(Case(**json.loads(args.case[0])), args.case[1])))
        return
    places = {"disk": None} | ({"tmpfs": str(MEMORY)} if MEMORY.is_dir() else {})
    rows: list[dict[str, Any]] = []
    for place, folder in places.items():
        cases = [Case(place, args.trials, fuse="off"), Case(place, args.trials), Case(place, EARLY, epochs=10)]
        if place == "disk":
            cases.append(Case(place, args.trials, tracking="mlflow"))
        with tempfile.TemporaryDirectory(prefix="dlexp-", dir=folder) as runs_dir:
            rows += [measure_sweep(case, Path(runs_dir) / str(number)) for number, case in enumerate(cases)]
            if place == "disk":
                rows += measure_listings(Path(runs_dir) / "1", args.trials)
    print(measure.write("bookkeeping", rows, NOTE))


if __name__ == "__main__":
    main()
