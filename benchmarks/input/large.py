"""Sets that exceed a stated memory: a table of 20 million rows as .csv and .parquet, and a folder of 200,000 pictures.

Each is made in a scratch folder, trained for one epoch by the command line within ``data.memory=4GiB``, and trained
again with what the first run left in its cache. Measured are wall seconds and the process's own memory (RssAnon; the
pages of mapped files are the system's, which takes them back at need). Required: at most the stated 4 GiB. Rows of the
record whose kind is not measured stay in it, each with the day that it was measured on.

    python -m benchmarks.input.large [--kind csv parquet pictures] [--rows 20000000] [--pictures 200000] [--folder F]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow
import pyarrow.csv
import pyarrow.parquet
from PIL import Image

from benchmarks.measure import RESULTS, machine, write

KINDS, MEMORY_GIB, CHUNK, SIDE = ("csv", "parquet", "pictures"), 4, 500_000, 64
NOTE = "one epoch by `dlexp train` on two shared cores; peak of the process's own memory"
COLORS, CLASSES = pyarrow.array(["red", "green", "blue"]), pyarrow.array(["no", "yes"])


def tables(num: int) -> Iterator[pyarrow.Table]:
    """Yield a table of six numbers, a color and a class in chunks."""
    draw = np.random.default_rng(0)
    for start in range(0, num, CHUNK):
        x = draw.normal(size=(min(CHUNK, num - start), 6)).round(4)
        color = draw.integers(0, 3, len(x))
        label = (x[:, 0] + x[:, 1] * (color - 1) + 0.3 * draw.normal(size=len(x)) > 0).astype(int)
        columns = {f"x{k}": x[:, k] for k in range(6)}
        yield pyarrow.table(columns | {"color": COLORS.take(color), "y": CLASSES.take(label)})


def make(kind: str, folder: Path, num: int) -> list[str]:
    """Write a set where it is not there already; return the overrides that name it."""
    path = folder / f"{kind}-{num}" if kind == "pictures" else folder / f"rows-{num}.{kind}"
    if kind == "pictures":
        overrides = [
            "data=image_folder",
            f"data.path={path}",
            f"data.size={SIDE}",
            "model=softmax",
            "optimizer.lr=1e-4",
        ]
    else:
        overrides = ["data=csv", f"data.path={path}", "data.target=y", f"data.memory={MEMORY_GIB}GiB"]
    if path.exists():
        return overrides
    if kind == "pictures":
        draw = np.random.default_rng(0)
        for number in range(num):
            place = path / str(number % 10) / f"{number:06d}.jpg"
            place.parent.mkdir(parents=True, exist_ok=True)
            noise = draw.integers(0, 25 * (number % 10 + 1), (SIDE, SIDE, 3), dtype=np.uint8)
            Image.fromarray(noise).save(place, quality=50)
        return overrides
    first = next(tables(1))
    writer = pyarrow.csv.CSVWriter if kind == "csv" else pyarrow.parquet.ParquetWriter
    with writer(path, first.schema) as file:
        for table in tables(num):
            file.write_table(table)
    return overrides


def train(overrides: list[str], folder: Path) -> tuple[float, float]:
    """Return the wall seconds and the peak of the process's own memory in GiB."""
    more = ["trainer.epochs=1", "trainer.batch_size=4096", "tracking=none"]
    places = [f"data.cache={folder / 'cache'}", f"runs_dir={folder / 'runs'}"]
    started, peak = time.perf_counter(), 0
    command = [str(Path(sys.executable).with_name("dlexp")), "train", *overrides, *more, *places]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    about = psutil.Process(process.pid)
    while process.poll() is None:
        try:
            memory: Any = about.memory_info()
            peak = max(peak, memory.rss - memory.shared)
        except psutil.NoSuchProcess:
            break
        time.sleep(0.05)
    if process.wait():
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}")
    return time.perf_counter() - started, peak / 2**30


def stored(path: Path) -> dict[str, dict[str, Any]]:
    """Return the rows of an earlier record by their kind; none where there is no record."""
    return {row["kind"]: row for row in json.loads(path.read_text())["rows"]} if path.exists() else {}


def main() -> int:
    """Measure, write ``results/large.json`` and return 1 if the requirement is missed."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--pictures", type=int, default=200_000)
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    rows = stored(RESULTS / "large.json")
    with tempfile.TemporaryDirectory() as scratch:
        folder = given.folder or Path(scratch)
        for kind in given.kind:
            num = given.pictures if kind == "pictures" else given.rows
            overrides = make(kind, folder, num)
            first, again = train(overrides, Path(scratch)), train(overrides, Path(scratch))
            row = {"kind": kind, "examples": num, "memory_gib": MEMORY_GIB}
            row |= {"first_seconds": round(first[0], 1), "again_seconds": round(again[0], 1)}
            row |= {"peak_gib": round(max(first[1], again[1]), 2), "date": machine()["date"]}
            print(row, flush=True)
            rows[kind] = row
            write("large", [rows[kind] for kind in KINDS if kind in rows], NOTE)
    return int(any(rows[kind]["peak_gib"] > MEMORY_GIB for kind in given.kind))


if __name__ == "__main__":
    sys.exit(main())
