"""What MLflow adds to a search, and where that goes: ``python -m benchmarks.cost.tracking``.

The same search without and with MLflow in a new folder, in turn, and a script that only imports mlflow's client and
opens a database: whole processes, CPU seconds with all that they start, also of what goes on after the command's end.
Then the trials of a finished search are sent by a process that books its CPU seconds by cause. Writes
``benchmarks/results/tracking.json`` and with ``--page`` the tables of a page.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.cost.process import adopt, measure
from benchmarks.measure import Account, replace_between, write
from benchmarks.peer.__main__ import NONE, SEARCH

SIZES = (32, 100)
OPEN = (
    "import os, sys; os.environ['MLFLOW_DISABLE_TELEMETRY'] = 'true'; from mlflow import MlflowClient; "
    "MlflowClient('sqlite:///' + sys.argv[1]).search_experiments(max_results=1)"
)
FLOOR = ("mlflow alone, makes its database", "mlflow alone, finds its database")
START = "start of Python and imports of dlexp"
IMPORT = "import of mlflow"
MAKE = "its new database"
REQUESTS = ("create_run", "log_batch", "log_inputs", "set_terminated")
NOTE = (
    "cpu, wall: seconds of whole processes, the median of rounds; shares: CPU seconds of a process that sends a "
    "finished search, by cause"
)
Row = dict[str, Any]


def search(trials: int, *overrides: str) -> list[str]:
    """Return the command of a search of 30 epochs a trial."""
    return [*SEARCH, f"search.trials={trials}", "trainer.epochs=30", *overrides]


def in_turn(rounds: int, sizes: list[int]) -> list[Row]:
    """Return what each command takes, as medians of rounds."""
    taken: dict[tuple[str, int], list[dict[str, float]]] = {}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="dlexp-tracking-") as place:
            for what in FLOOR:
                row = measure([sys.executable, "-c", OPEN, f"{place}/mlflow.db"])
                taken.setdefault((what, 0), []).append(row)
        for trials in sizes:
            for what, overrides in (("without", [NONE]), ("with", [])):
                row = measure(search(trials, *overrides))
                taken.setdefault((what, trials), []).append(row)
                print(what, trials, row, flush=True)
    return [
        {"what": what, "trials": trials, "rounds": rounds}
        | {key: round(statistics.median(row[key] for row in rows), 2) for key in ("cpu", "wall")}
        for (what, trials), rows in taken.items()
    ]


def shares(trials: int) -> Row:
    """Return the CPU seconds of sending a finished search, by cause."""
    with tempfile.TemporaryDirectory(prefix="dlexp-tracking-") as place:
        subprocess.run([*search(trials, NONE), "--quiet"], cwd=place, check=True, capture_output=True)
        command = [sys.executable, "-m", "benchmarks.cost.tracking", "--send", f"{place}/runs"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"what": "shares", "trials": trials, "seconds": json.loads(done.stdout)}


def send(runs_dir: Path) -> dict[str, float]:
    """Send the runs of a folder as the background process does; return CPU seconds by cause."""
    import dlexp.tracking.courier  # noqa: F401
    from dlexp.run.folder import RunFolder
    from dlexp.run.scan import run_paths
    from dlexp.tracking import outbox, sender, store
    from dlexp.tracking.request.load import exclude_pandas, load

    account = Account(time.process_time)
    started = time.process_time()
    os.environ.update(store.SETTINGS)
    exclude_pandas()
    with account.under(IMPORT):
        load(is_database=True)
    from mlflow import MlflowClient

    for name in REQUESTS:
        account.charge(MlflowClient, name, f"`{name}`")
    account.charge(store, "_prepare", MAKE)
    account.charge(sender, "write_points", "metrics")
    account.charge(sender, "log_files", "files")
    for path in run_paths(runs_dir):
        problem = outbox.send(RunFolder(path), {})
        if problem is not None:
            raise RuntimeError(problem)
    return {START: started, **account.spent()}


def table(rows: list[Row]) -> str:
    """Return what MLflow adds, as a Markdown table."""
    lines = ["| what | CPU s | wall s | MLflow adds |", "|---|---:|---:|---:|"]
    for row in rows:
        if row["what"] == "shares":
            continue
        name = f"search of {row['trials']} trials, {row['what']} MLflow" if row["trials"] else row["what"]
        bare = next((r for r in rows if (r["what"], r["trials"]) == ("without", row["trials"])), None)
        adds = f"{100 * (row['cpu'] / bare['cpu'] - 1):.0f} %" if bare is not None and row["what"] == "with" else ""
        lines.append(f"| {name} | {row['cpu']:.1f} | {row['wall']:.1f} | {adds} |")
    return "\n".join(lines)


def share_table(rows: list[Row]) -> str:
    """Return where it goes, as a Markdown table."""
    by_size = {row["trials"]: row["seconds"] for row in rows if row["what"] == "shares"}
    causes = list(dict.fromkeys(cause for seconds in by_size.values() for cause in seconds))
    lines = [
        "| CPU s of the sender | " + " | ".join(f"{size} trials" for size in by_size) + " |",
        "|---|" + "---:|" * len(by_size),
    ]
    for cause in causes:
        lines.append(f"| {cause} | " + " | ".join(f"{s.get(cause, 0.0):.2f}" for s in by_size.values()) + " |")
    total = " | ".join(f"{sum(seconds.values()):.2f}" for seconds in by_size.values())
    return "\n".join([*lines, f"| together | {total} |"])


def main() -> None:
    """Measure, write the record, print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--page", type=Path, help="write the tables into this page")
    parser.add_argument("--send", type=Path, help="what the process does that is timed by cause")
    arguments = parser.parse_args()
    if arguments.send:
        print(json.dumps({cause: round(seconds, 3) for cause, seconds in send(arguments.send).items()}))
        return
    adopt()
    rows = in_turn(arguments.rounds, arguments.sizes) + [shares(trials) for trials in arguments.sizes]
    write("tracking", rows, NOTE)
    print(table(rows), share_table(rows), sep="\n\n")
    if arguments.page:
        text = f"{table(rows)}\n\n{share_table(rows)}"
        arguments.page.write_text(replace_between(arguments.page.read_text(), "tracking", text))


if __name__ == "__main__":
    main()
