"""Sweeps in one process and in two workers of one thread: seconds, their ratio, and whether the numbers are the same.

Run with ``python -m benchmarks.launcher [REPEATS]``; writes ``benchmarks/results/launcher.json``. The variants take
turns; each repeat begins a new sweep in a new folder. What the workers' server takes to start is a row of its own.
"""

import multiprocessing
import os
import statistics
import sys
import tempfile
import time
from functools import partial
from typing import Any

import psutil

from benchmarks import measure
from dlexp.execution.dispatcher import HEAVY
from dlexp.execution.executor import Executor
from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import SweepEvent
from dlexp.launcher.process_pool import ProcessPool

SHARED = ["tracking=none", "search=random", "optimizer.lr=tag(log,interval(1e-3,1))"]
IMAGES = ["data=fake", "data.shape=[1,28,28]", "data.num_train=2000", "data.num_val=500"]
SWEEPS = {
    "24 small CNNs, an epoch of 2,000 images each": ["model=cnn", *IMAGES, "search.trials=24", "trainer.epochs=1"],
    "64 MLPs on digits, 5 epochs, stacked": ["search.trials=64", "trainer.epochs=5", "trainer.fuse=16"],
    "64 MLPs on digits, 5 epochs, one by one": ["search.trials=64", "trainer.epochs=5", "trainer.fuse=off"],
}
WORKERS = (1, 2)


class Deaf:
    """Listens to nothing; notes in the end how long each worker had a core.

    Attributes:
        seconds: Of each worker.
    """

    seconds: list[float]

    def listen(self, event: SweepEvent) -> None:
        """Take one event."""

    def close(self) -> None:
        """Take the end of events: the workers still live."""
        servers = psutil.Process().children()
        workers = [worker for server in servers for worker in server.children()]
        self.seconds = [worker.cpu_times().user + worker.cpu_times().system for worker in workers]


def run(overrides: list[str], workers: int, values: dict[int, list[Any]], busy: dict[int, list[float]]) -> None:
    """Search in a new folder; keep the values of all trials, and the seconds of cores one after another."""
    listener, started = Deaf(), time.process_time()
    with tempfile.TemporaryDirectory() as runs_dir:
        arguments = [*SHARED, *overrides, f"launcher.workers={workers}", f"runs_dir={runs_dir}"]
        search = sweep.start(arguments, None, announce=lambda _about: listener, has_figures=False)
    values[workers] = [trial["metrics"] for trial in search.outcome.result["trials"]]
    busy.setdefault(workers, []).append(time.process_time() - started + max(listener.seconds, default=0.0))


def time_start() -> float:
    """Return the seconds until the first worker of a new server has done something."""
    started = time.perf_counter()
    pool = ProcessPool(Executor, [{}], [name for name in HEAVY if name in sys.modules] + [Executor.__module__])
    process = multiprocessing.get_context("forkserver").Process(target=time.perf_counter)
    process.start()
    process.join()
    pool.close()
    return time.perf_counter() - started


def main(repeats: int) -> None:
    """Time every sweep with every number of workers, in turn, and write the record."""
    import sklearn.datasets  # noqa: F401  # as a sweep over digits has it when its workers start

    rows: list[dict[str, Any]] = [{"what": "start of the server of workers, once", "s": round(time_start(), 2)}]
    for name, overrides in SWEEPS.items():
        values: dict[int, list[Any]] = {}
        busy: dict[int, list[float]] = {}
        load = os.getloadavg()[0]
        calls = {str(workers): partial(run, overrides, workers, values, busy) for workers in WORKERS}
        seconds = measure.interleave(calls, repeats)
        row = {"what": name, **{f"workers_{workers}_s": _median(times) for workers, times in seconds.items()}}
        row["ratio"] = round(measure.ratio(seconds, "2", "1"), 2)
        row |= {f"busy_{workers}_s": _median(times[1:]) for workers, times in busy.items()}
        row["ratio_busy"] = round(row["busy_1_s"] / row["busy_2_s"], 2)
        row |= {"same_numbers": values[1] == values[2], "load_before": round(load, 1)}
        rows.append(row)
    for row in rows:
        print(row)
    note = (
        "Wall seconds of sweeps in one process and in two workers; a ratio above 1: the workers are faster. Where "
        "load_before, the processes that wanted a core already, is not near 0, wall seconds say little: busy are those "
        "that this process had a core and then the busiest worker, the wall seconds of an idle machine at best."
    )
    print(measure.write("launcher", rows, note))


def _median(seconds: list[float]) -> float:
    return round(statistics.median(seconds), 2)


if __name__ == "__main__":
    parser = measure.command_line(__doc__)
    parser.add_argument("repeats", type=int, nargs="?", default=2)
    main(parser.parse_args().repeats)
