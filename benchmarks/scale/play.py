"""A search on many GPUs, played: the real strategies, dispatcher, ledger and run folders, and no training.

A pool with a clock of its own gives each worker the next program when the one before has ended. A training takes the
recorded seconds of an update of one of four networks on an H100 (`benchmarks/results/gpu.json`), times the updates of
an epoch of CIFAR-10, and reaches what recorded trainings reached (`benchmarks/curves.npz`). What the driver computes is
timed, what a worker writes is timed apart.
"""

import heapq
import json
import tempfile
import time
from collections.abc import Callable, Iterator
from typing import Any
from unittest.mock import patch

from benchmarks import measure
from benchmarks.search_table import curves
from dlexp.engine.event import TrialEnd
from dlexp.execution.assignment import Assignment, ExecutorEvent, Group
from dlexp.execution.integrity import checksums
from dlexp.job.sweep import sweep
from dlexp.job.sweep.loop import SweepEvent
from dlexp.job.sweep.spec import SweepSpec
from dlexp.launcher.local import Local
from dlexp.launcher.pool import always
from dlexp.run.environment import now
from dlexp.run.folder import RunFolder

UPDATES = 50_000 // 32  # of an epoch of CIFAR-10
EPOCHS = 27


def recorded_seconds() -> list[float]:
    """Return the seconds of an update of each network that was timed alone."""
    rows = json.loads((measure.RESULTS / "gpu.json").read_text())["rows"]
    speeds = [row for row in rows if row["section"] == "speed" and row["engine"] == "solo"]
    return [row["us"] / 1e6 for row in speeds]


class Played(Local):
    """So many GPUs on other machines.

    Attributes:
        num_gpus: How many.
        played: The pool, once there is one.
    """

    num_gpus: int
    played: "PlayedPool"

    @property
    def is_distant(self) -> bool:
        """Workers are on other machines."""
        return True

    def places(self, device: str, threads: int) -> list[dict[str, str]]:
        """Return a place for each GPU."""
        return [{} for _ in range(self.num_gpus)]

    def pool(self, crew: Any, threads: int) -> Any:
        """Return the pool."""
        object.__setattr__(self, "played", PlayedPool(len(crew.places)))
        return self.played


class PlayedPool:
    """Workers on a clock of their own.

    Args:
        num: How many.

    Attributes:
        clock: Seconds since the first task.
        num_done: Trainings.
        spans: Begin and end of each.
        writing: Seconds of this process's CPU that stand for the workers'.
    """

    def __init__(self, num: int) -> None:
        self.detaches, self.places = False, range(num)
        self.clock = self.writing = 0.0
        self.num_done = 0
        self.spans: list[tuple[float, float]] = []
        self._updates, self._curves = recorded_seconds(), curves().regret.reshape(-1, 30)

    def adopt(self, choose: Callable[[Any], Any]) -> None:
        """Do nothing: there is no earlier driver."""

    def close(self) -> None:
        """Do nothing: there is no process."""

    def run(
        self, take: Callable[[], Group | None], should_stop: Callable[[], bool], may_begin: Callable[[], bool] = always
    ) -> Iterator[ExecutorEvent]:
        """Yield the end of each training when the clock has come to it."""
        at_work: list[tuple[float, int, Group]] = []
        while True:
            while len(at_work) < len(self.places) and (group := take()) is not None:
                taken = sum(self._seconds(assignment) for assignment in group.assignments)
                self.spans.append((self.clock, self.clock + taken))
                heapq.heappush(at_work, (self.clock + taken, self.num_done + len(at_work) * 10**6, group))
            if not at_work:
                return
            self.clock, _, group = heapq.heappop(at_work)
            for assignment in group.assignments:
                self.num_done += 1
                started = time.process_time()
                end = self._write(assignment)
                self.writing += time.process_time() - started
                yield ExecutorEvent(assignment.path, end, 1)

    def idle(self, share: float) -> float:
        """Return the share of all workers' seconds in which they had nothing, until a share of trainings has ended."""
        until = sorted(end for _, end in self.spans)[int(share * len(self.spans)) - 1]
        busy = sum(min(end, until) - min(begin, until) for begin, end in self.spans)
        return 1 - busy / (until * len(self.places))

    def _number(self, assignment: Assignment) -> int:
        return RunFolder(assignment.path).manifest["number"]

    def _seconds(self, assignment: Assignment) -> float:
        """Return how long a worker trains from where the trial stands."""
        started = time.process_time()
        folder = RunFolder(assignment.path)
        left = (assignment.until or assignment.config["trainer"]["epochs"]) - len(folder.history())
        number = folder.manifest["number"]
        self.writing += time.process_time() - started
        return left * UPDATES * self._updates[number % len(self._updates)]

    def _write(self, assignment: Assignment) -> TrialEnd:
        """Write what a worker writes: epochs, result, status."""
        folder = RunFolder(assignment.path)
        curve = self._curves[self._number(assignment) * 7919 % len(self._curves)]
        longest = assignment.config["trainer"]["epochs"]
        last = assignment.until or longest
        for epoch in range(len(folder.history()) + 1, last + 1):
            value = 1 / (1 + float(curve[epoch - 1]))
            folder.append_epoch({"epoch": epoch, "step": epoch * UPDATES, "seconds": 1.0, "val/accuracy": value})
        status = "finished" if last == longest else "stopped_early"
        folder.write_result({"kind": "trial", "status": status, "epochs": last, "run_dir": str(folder.path)})
        folder.update_manifest(
            status=status, reason="", paused_at=assignment.until, end=now(), sealed=checksums(folder)
        )
        return TrialEnd(0, status, "", last)


class Deaf:
    """Listens to nothing."""

    def listen(self, event: SweepEvent) -> None:
        """Take one event."""

    def close(self) -> None:
        """Take the end of events."""


def play(num_gpus: int, num_trials: int, overrides: list[str]) -> dict[str, Any]:
    """Search in a new folder; return what it took."""
    launcher = Played()
    object.__setattr__(launcher, "num_gpus", num_gpus)
    shared = ["tracking=none", "trainer.fuse=off", "data.limit=100", "model.widths=[8]"]
    searched = ["optimizer.lr=tag(log,interval(1e-3,1))", f"search.trials={num_trials}"]
    with patch.object(SweepSpec, "launcher", launcher), tempfile.TemporaryDirectory() as runs_dir:
        arguments = [*shared, *searched, *overrides, f"runs_dir={runs_dir}"]
        started, wall = time.process_time(), time.perf_counter()
        search = sweep.start(arguments, None, announce=lambda _about: Deaf(), has_figures=False)
        spent, wall = time.process_time() - started, time.perf_counter() - wall
    result = search.outcome.result
    assert result["status"] == "finished", "a search that was told to stop is no measurement"
    pool = launcher.played
    per_training = (spent - pool.writing) / pool.num_done
    return {
        "gpus": num_gpus,
        "trials": len(result["trials"]),
        "trainings": pool.num_done,
        "played_s": round(pool.clock, 1),
        "idle_percent": round(100 * pool.idle(1.0), 1),
        "idle_90_percent": round(100 * pool.idle(0.9), 1),
        "driver_ms_per_training": round(1e3 * per_training, 2),
        "shortest_training_s": round(per_training * num_gpus, 1),
        "cpu_s": round(spent, 1),
        "wall_s": round(wall, 1),
    }
