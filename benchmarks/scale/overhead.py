"""What a task costs beyond its work, by launcher: tasks that do nothing, one worker, torch imported as for trials."""

import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from dlexp.error import DlexpError
from dlexp.launcher import hello
from dlexp.launcher.launcher import Crew, Launcher
from dlexp.launcher.local import Local
from dlexp.launcher.ray import Ray
from dlexp.launcher.slurm import Slurm

PRELOAD = ["dlexp.execution.executor"]
LAUNCHERS: dict[str, tuple[Launcher, int]] = {
    "local": (Local(workers=1), 200),
    "ray": (Ray(address="local", workers=1, cpus_per_worker=1), 200),
    "slurm": (Slurm(array_parallelism=1, cpus_per_task=1), 3),  # each is a job with a Python of its own
}


def measure_launchers() -> Iterator[dict[str, Any]]:
    """Yield a row for each launcher that is there."""
    for name, (launcher, num) in LAUNCHERS.items():
        if name == "slurm" and shutil.which("sbatch") is None:
            continue
        with suppress(DlexpError):
            yield {"what": f"a task that does nothing, launcher={name}", "tasks": num, **_time(launcher, num)}


def _time(launcher: Launcher, num: int) -> dict[str, float]:
    with tempfile.TemporaryDirectory() as place:
        launcher.require()
        pool = launcher.pool(Crew(hello.make, [{}], PRELOAD, Path(place)), 1)
        try:
            first = _run(pool.run, 1)  # with the start of the worker
            (wall, cpu) = _run(pool.run, num)
        finally:
            pool.close()
    return {"first_s": round(first[0], 2), "ms": round(1e3 * wall / num, 2), "driver_cpu_ms": round(1e3 * cpu / num, 2)}


def _run(run: Callable[..., Iterator[Any]], num: int) -> tuple[float, float]:
    """Return the seconds of so many tasks, on the wall and of this process."""
    tasks = list(range(num))
    started, spent = time.perf_counter(), time.process_time()
    told = list(run(lambda: tasks.pop() if tasks else None, lambda: False))
    assert len(told) == num
    return time.perf_counter() - started, time.process_time() - spent
