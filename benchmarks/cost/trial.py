"""What a whole trial costs beyond its training, by launcher: ``python -m benchmarks.cost.trial``.

Sweeps of few and of more trials, trained one by one by one worker: seconds on the wall of each further trial, less
those that it trained, so that the start of the command, of Ray and of workers is left out. Slurm is one of this
benchmark's own where root, slurm-wlm and munge are there. Writes ``benchmarks/results/launcher_trial.json``; ``--page``
writes the table of a page.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.measure import replace_between, write
from tests.launcher.real_slurm import obstacle, real_slurm

DLEXP = str(Path(sys.executable).parent / "dlexp")
TRIAL = ["tracking=none", "data.limit=300", "trainer.epochs=3", "trainer.device=cpu", "trainer.fuse=off"]
LAUNCHERS = {
    "local, in the command": (["launcher.workers=1"], (8, 168)),
    "local, a worker process": (["launcher.workers=2"], (8, 168)),
    "ray": (["launcher=ray", "launcher.address=local", "launcher.workers=1"], (8, 168)),
    "slurm": (["launcher=slurm", "launcher.array_parallelism=1", "launcher.mem_gb=1"], (3, 9)),
}
NOTE = (
    "ms: of one further trial on the wall beyond its training, the median of rounds; training_ms: of one trial; "
    "first_s: the command with the fewest trials, less their training, the median of rounds"
)


def main() -> None:
    """Measure, write the record, print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--page", type=Path, help="write the table into this page")
    arguments = parser.parse_args()
    rows = [row for name in LAUNCHERS if (row := measure(name, arguments.rounds)) is not None]
    write("launcher_trial", rows, NOTE)
    print(table(rows))
    if arguments.page:
        arguments.page.write_text(replace_between(arguments.page.read_text(), "launcher_trial", table(rows)))


def measure(name: str, rounds: int) -> dict[str, Any] | None:
    """Return the row of a launcher; None where it is not there."""
    overrides, (few, more) = LAUNCHERS[name]
    if name == "ray" and find_spec("ray") is None:
        return None
    if name == "slurm" and obstacle() is not None:
        return None
    workers = 2 if name == "local, a worker process" else 1
    further, first, trained = [], [], []
    with _cluster(name):
        for _ in range(rounds):
            wall_few, trained_few = _sweep(overrides, few)
            wall_more, trained_more = _sweep(overrides, more)
            num = more - few
            further.append(1e3 * (workers * (wall_more - wall_few) - (trained_more - trained_few)) / num)
            first.append(wall_few - trained_few / workers)
            trained.append(1e3 * trained_more / more)
    medians = {"ms": further, "training_ms": trained, "first_s": first}
    return {"launcher": name, "rounds": rounds} | {
        key: round(statistics.median(values), 1) for key, values in medians.items()
    }


@contextmanager
def _cluster(name: str) -> Iterator[None]:
    if name != "slurm":
        yield
        return
    before = os.environ["PATH"]
    with real_slurm() as commands:
        os.environ["PATH"] = f"{commands}:{before}"
        try:
            yield
        finally:
            os.environ["PATH"] = before


def _sweep(overrides: list[str], num: int) -> tuple[float, float]:
    """Return the seconds of a sweep of so many trials on the wall, and those that its trials trained."""
    rates = ",".join(f"{0.01 * (1 + k):g}" for k in range(num))
    with tempfile.TemporaryDirectory() as place:
        command = [DLEXP, "sweep", *TRIAL, f"optimizer.lr={rates}", *overrides, "--json"]
        started = time.perf_counter()
        done = subprocess.run(command, cwd=place, capture_output=True, text=True, check=False)
        wall = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(done.stderr.strip().splitlines()[-1])
    return wall, sum(trial["seconds"] for trial in json.loads(done.stdout)["trials"])


def table(rows: list[dict[str, Any]]) -> str:
    """Return the rows as a table of a page."""
    titles = "| launcher | a further trial beyond its training, ms | its training, ms | start, s |"
    lines = [f"| {row['launcher']} | {row['ms']:g} | {row['training_ms']:g} | {row['first_s']:g} |" for row in rows]
    return "\n".join([titles, "|---|---:|---:|---:|", *lines])


if __name__ == "__main__":
    main()
