"""Runs folders of many runs, and how long `dlexp runs` takes over them."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dlexp.build.dataset import load_data
from dlexp.config.resolve import resolve
from dlexp.job.train import train
from dlexp.run.folder import MANIFEST, OVERRIDES, RESULT
from dlexp.run.jsonable import sealed
from dlexp.run.name import new_run_id

EXPERIMENTS = 10
SIZES = (1_000, 10_000, 100_000)


def measure_sizes(sizes: tuple[int, ...] = SIZES) -> Iterator[dict[str, Any]]:
    """Yield what listing the best 20 of so many runs takes: the first time, which makes the index, and with it."""
    with tempfile.TemporaryDirectory() as place:
        original = _train(Path(place) / "one")
        runs_dir, num = Path(place) / "runs", 0
        for size in sizes:
            _copy(original, runs_dir, size - num)
            num = size
            time.sleep(1.1)  # the index holds what was not written to within a second
            first, again = _list(runs_dir), _list(runs_dir)
            yield {
                "what": "dlexp runs --limit 20",
                "runs": size,
                "first_cpu_s": first,
                "cpu_s": again,
                "index_mb": round((runs_dir / ".index").stat().st_size / 1e6, 1),
            }


def _train(runs_dir: Path) -> Path:
    overrides = ["tracking=none", "data.limit=100", "model.widths=[8]", "trainer.epochs=1", f"runs_dir={runs_dir}"]
    composed = resolve(overrides)
    load_data(composed.config)
    train.start(composed, announce=lambda _about: lambda _event: None)
    return next(runs_dir.glob("*/*-*"))


def _copy(original: Path, runs_dir: Path, num: int) -> None:
    """Add runs like one that was trained, each with settings and metrics of its own."""
    manifest = json.loads((original / MANIFEST).read_text())
    result, overrides = json.loads((original / RESULT).read_text()), (original / OVERRIDES).read_bytes()
    for number in range(num):
        run_id, experiment = new_run_id(), f"experiment{number % EXPERIMENTS}"
        path = runs_dir / experiment / f"{run_id}-{original.name.partition('-')[2]}"
        path.mkdir(parents=True)
        about = {"run_id": run_id, "experiment": experiment, "params": {"optimizer.lr": 1 / (1 + number)}}
        (path / MANIFEST).write_text(sealed({**manifest, **about}))
        metrics = {**result["metrics"], "val/accuracy": number * 7919 % num / num}
        (path / RESULT).write_text(json.dumps({**result, "run_id": run_id, "run_dir": str(path), "metrics": metrics}))
        (path / OVERRIDES).write_bytes(overrides)


def _list(runs_dir: Path) -> float:
    """Return the CPU seconds of the command, its start included."""
    before = os.times()
    command = [str(Path(sys.executable).with_name("dlexp")), "runs", "--limit", "20", "--runs-dir", str(runs_dir)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = os.times()
    return round(after.children_user + after.children_system - before.children_user - before.children_system, 2)
