"""What MLflow adds to a search, and where that goes: ``python -m benchmarks.cost.tracking``.

The same search without and with MLflow in a new folder, in turn, and a script that only imports mlflow's client and
opens a database: whole processes, CPU seconds with all that they start, also of what goes on after the command's end.
Then the trials of a finished search are sent by a process that books its CPU seconds by cause. What is done is in the
record, ``benchmarks/results/tracking.json``, so that the command, ended, goes on where it was. ``--page`` writes the
tables of a page.
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
from pathlib import Path
from typing import Any

from benchmarks.cost.process import adopt, measure
from benchmarks.measure import RESULTS, Account, replace_between, write
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
SHARES = "shares"
REQUESTS = ("create_run", "log_batch", "log_inputs", "set_terminated")
NOTE = (
    "cpu, wall: seconds of whole processes by round; shares: CPU seconds of a process that sends a finished search, by "
    "cause"
)
Row = dict[str, Any]


def search(trials: int, *overrides: str) -> list[str]:
    """Return the command of a search of 30 epochs a trial."""
    return [*SEARCH, f"search.trials={trials}", "trainer.epochs=30", *overrides]


def cases(sizes: list[int]) -> Iterator[tuple[str, int, list[str]]]:
    """Yield name, trials and command of what is measured, in the order of a round."""
    with tempfile.TemporaryDirectory(prefix="dlexp-tracking-") as place:
        for what in FLOOR:
            yield what, 0, [sys.executable, "-c", OPEN, f"{place}/mlflow.db"]
    for trials in sizes:
        yield "without", trials, search(trials, NONE)
        yield "with", trials, search(trials)


def of(rows: list[Row], what: str, trials: int) -> list[Row]:
    """Return the rows of a case, in the order of rounds."""
    return [row for row in rows if (row["what"], row["trials"]) == (what, trials)]


def shares(trials: int) -> Row:
    """Return the CPU seconds of sending a finished search, by cause."""
    with tempfile.TemporaryDirectory(prefix="dlexp-tracking-") as place:
        subprocess.run([*search(trials, NONE), "--quiet"], cwd=place, check=True, capture_output=True)
        command = [sys.executable, "-m", "benchmarks.cost.tracking", "--send", f"{place}/runs"]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
    return {"what": SHARES, "trials": trials, "seconds": json.loads(done.stdout)}


def send(runs_dir: Path) -> dict[str, float]:
    """Send the runs of a folder as the background process does; return CPU seconds by cause."""
    import dlexp.tracking.courier  # noqa: F401  # with it all that the background process imports of dlexp
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
    """Return what MLflow adds, as a Markdown table of medians over rounds."""
    lines = ["| what | rounds | CPU s | wall s | MLflow adds to the CPU s |", "|---|---:|---:|---:|---:|"]
    for what, trials in dict.fromkeys((row["what"], row["trials"]) for row in rows if row["what"] != SHARES):
        these = of(rows, what, trials)
        name = f"search of {trials} trials, {what} MLflow" if trials else what
        cpu, wall = (statistics.median(row[key] for row in these) for key in ("cpu", "wall"))
        adds = ""
        if what == "with":
            pairs = zip(these, of(rows, "without", trials), strict=False)
            adds = f"{100 * statistics.median(a['cpu'] / b['cpu'] - 1 for a, b in pairs):.0f} %"
        lines.append(f"| {name} | {len(these)} | {cpu:.1f} | {wall:.1f} | {adds} |")
    return "\n".join(lines)


def share_table(rows: list[Row]) -> str:
    """Return where it goes, as a Markdown table."""
    by_size = {row["trials"]: row["seconds"] for row in rows if row["what"] == SHARES}
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
    path = RESULTS / "tracking.json"
    rows: list[Row] = json.loads(path.read_text())["rows"] if path.is_file() else []
    for number in range(arguments.rounds):
        for what, trials, command in cases(arguments.sizes):
            if len(of(rows, what, trials)) <= number:
                taken = measure(command)
                rows.append({"what": what, "trials": trials, "cpu": taken["cpu"], "wall": taken["wall"]})
                print(rows[-1], flush=True)
                write("tracking", rows, NOTE)
    for trials in arguments.sizes:
        if not of(rows, SHARES, trials):
            rows.append(shares(trials))
            write("tracking", rows, NOTE)
    print(table(rows), share_table(rows), sep="\n\n")
    if arguments.page:
        text = f"{table(rows)}\n\n{share_table(rows)}"
        arguments.page.write_text(replace_between(arguments.page.read_text(), "tracking", text))


if __name__ == "__main__":
    main()
