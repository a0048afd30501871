"""Reading a table of 200,000 rows against pyarrow's csv reader alone: CPU seconds, and the peak of memory.

Two tables are made: 6 numbers, a color and a class (11 MB), and 30 numbers, a color and a class (47 MB). Each is read
in processes of their own, in turns, after a short table has been read, which loads all code. What is measured is the
whole of ``data=csv``: text, types, classes, division into parts, warnings of leaks, inputs in float64. Required: at
most 3 times the CPU time of ``pyarrow.csv.read_csv``, at a peak of at most 3 times the file's size (the process's own
memory, RssAnon).

    python -m benchmarks.input.table
"""

import argparse
import gc
import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pyarrow
import pyarrow.csv

from benchmarks.measure import write

ROWS, NUMBERS, READERS, REPEATS, REQUIRED = 200_000, (6, 30), ("pyarrow", "dlexp"), 7, 3.0


def make(path: Path, numbers: int, rows: int) -> None:
    """Write a table."""
    draw = np.random.default_rng(0)
    x = draw.normal(size=(rows, numbers)).round(4)
    columns = {f"x{k}": x[:, k] for k in range(numbers)}
    columns |= {"color": pyarrow.array(["red", "green", "blue"]).take(draw.integers(0, 3, rows))}
    columns |= {"y": pyarrow.array(["no", "yes"]).take((x[:, 0] > 0).astype(int))}
    pyarrow.csv.write_csv(pyarrow.table(columns), path)


def measure(reader: str, path: Path, warm_up: Path) -> tuple[float, float]:
    """Return the CPU seconds of this process, and what its memory grew by at the peak, in units of the file."""
    from dlexp.data.table import Table

    def read(place: Path) -> object:
        if reader == "pyarrow":
            return pyarrow.csv.read_csv(place)
        return Table(path=str(place), target="y", cache=None).load()

    read(warm_up)
    gc.collect()
    process, peak, is_over = psutil.Process(), 0, threading.Event()

    def look() -> int:
        memory = process.memory_info()
        return memory.rss - memory.shared

    def watch() -> None:
        nonlocal peak
        while not is_over.is_set():
            peak = max(peak, look())
            time.sleep(0.002)

    before = look()
    started = time.process_time()
    result = read(path)
    seconds = time.process_time() - started
    watcher = threading.Thread(target=watch)
    watcher.start()
    del result
    again = read(path)
    is_over.set()
    watcher.join()
    del again
    return seconds, (peak - before) / path.stat().st_size


def main() -> int:
    """Measure, write ``results/table.json`` and return 1 if the requirement is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--alone", nargs=3, metavar=("READER", "FILE", "SHORT"), help="measure in this process")
    given = parser.parse_args()
    if given.alone:
        print(json.dumps(measure(given.alone[0], Path(given.alone[1]), Path(given.alone[2]))))
        return 0
    rows, is_met = [], True
    with tempfile.TemporaryDirectory() as scratch:
        for numbers in NUMBERS:
            path, short = Path(scratch) / f"{numbers}.csv", Path(scratch) / f"{numbers}-short.csv"
            make(path, numbers, ROWS)
            make(short, numbers, 2000)
            taken: dict[str, list[tuple[float, float]]] = {reader: [] for reader in READERS}
            for _ in range(REPEATS):
                for reader in READERS:
                    command = [sys.executable, "-m", "benchmarks.input.table", "--alone", reader, str(path), str(short)]
                    output = subprocess.run(command, capture_output=True, check=True, text=True).stdout
                    taken[reader].append(tuple(json.loads(output)))
            seconds = {name: statistics.median(cpu for cpu, _ in each) for name, each in taken.items()}
            peak = {name: statistics.median(grown for _, grown in each) for name, each in taken.items()}
            row = {"rows": ROWS, "columns": numbers + 2, "file_mb": round(path.stat().st_size / 1e6, 1)}
            row |= {f"{name}_cpu_seconds": round(value, 3) for name, value in seconds.items()}
            row |= {"time_ratio": round(seconds["dlexp"] / seconds["pyarrow"], 2)}
            row |= {f"{name}_peak_of_file": round(value, 2) for name, value in peak.items()}
            print(row, flush=True)
            rows.append(row)
            is_met &= max(row["time_ratio"], row["dlexp_peak_of_file"]) <= REQUIRED
    print(write("table", rows, "data=csv over pyarrow.csv.read_csv: CPU time; peak of own memory over the file's size"))
    return int(not is_met)


if __name__ == "__main__":
    sys.exit(main())
