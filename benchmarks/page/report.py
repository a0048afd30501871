"""How large pages are and how long they take; `python -m benchmarks.page.report` writes ``results/report.json``.

A small project is trained in a folder of its own. The page of each kind of run is then written in this process, which
has imported what it needs: seconds are those beyond start-up.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.measure import command_line, write
from dlexp.job.report.page import report

DLEXP = str(Path(sys.executable).parent / "dlexp")
REPEATS = 3
PAGE, PICTURES, MANY = 300_000, 1_500_000, 1_000_000  # bytes
SECONDS = 2.0
SPACE = (
    *("optimizer.lr=tag(log,interval(1e-4,1))", "optimizer.weight_decay=tag(log,interval(1e-6,1e-2))"),
    *("model.widths=[16],[32]", "activation=relu,tanh", "trainer.epochs=3"),
)
RUNS: dict[str, tuple[list[str], int]] = {
    "training, a table": (["train", "data=breast_cancer", "trainer.epochs=20"], PAGE),
    "training, pictures": (["train", "data=digits", "model=cnn", "trainer.epochs=12"], PICTURES),
    "training, values": (["train", "data=diabetes", "trainer.epochs=60"], PAGE),
    "sweep of 60": (["sweep", "data=digits", "search=coarse_to_fine", "search.trials=60", *SPACE], PAGE),
    "sweep of 500": (["sweep", "data=iris", "search=random", "search.trials=500", *SPACE], MANY),
    "cv of 5 folds": (["cv", "data=digits", "cv.k=5", "trainer.epochs=5"], PAGE),
    "cv of 6 settings": (["cv", "data=iris", "optimizer.lr=0.003,0.01,0.03", "activation=relu,tanh"], PAGE),
}


def train(project: Path) -> dict[str, str]:
    """Train the runs; return their ids."""
    ids = {}
    for name, (words, _) in RUNS.items():
        command = [DLEXP, *words, "tracking=none", "--quiet", "--json"]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True)
        ids[name] = json.loads(done.stdout)["run_id"]
    return ids


def measure(name: str, refs: list[str], runs_dir: Path, most: int) -> dict[str, Any]:
    """Return one line of the record: the first writing imports what is left, the quickest of the others counts."""
    size, times = 0, []
    for _ in range(1 + REPEATS):
        started, spent = time.perf_counter(), time.process_time()
        size = report(refs, runs_dir)["bytes"]
        times.append((time.process_time() - spent, time.perf_counter() - started))
    cpu, wall = min(times[1:])
    row = {"page": name, "bytes": size, "most_bytes": most}
    return {**row, "cpu_s": round(cpu, 2), "wall_s": round(wall, 2), "most_s": SECONDS}


def main() -> None:
    """Train, write each page and record what it takes."""
    with tempfile.TemporaryDirectory() as place:
        project = Path(place)
        ids = train(project)
        runs_dir = project / "runs"
        rows = [measure(name, [ids[name]], runs_dir, most) for name, (_, most) in RUNS.items()]
        pair = [f"{ids['sweep of 500']}:1", f"{ids['sweep of 500']}:2"]
        rows.append(measure("comparison of two", pair, runs_dir, PAGE))
        rows.append(measure("project", [], runs_dir, PAGE))
    for row in rows:
        print(f"{row['page']:20} {row['bytes']:9,} B {row['cpu_s']:6.2f} s of CPU {row['wall_s']:6.2f} s")
    note = "seconds beyond start-up in one process; wall seconds say how busy the machine was"
    print(write("report", rows, note))


if __name__ == "__main__":
    command_line(__doc__).parse_args()
    main()
