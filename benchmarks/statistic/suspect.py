"""Whether a cross-validation names wrong labels: digits with 5 % of them flipped, and as they are.

`python -m benchmarks.statistic.suspect` writes ``results/suspect.json``. A row is `dlexp cv` at its defaults on
all 1,797 digits, the flipped examples and their new classes drawn uniformly.
"""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path
from typing import Any, cast

import numpy as np
from sklearn.datasets import load_digits

from benchmarks.measure import write
from dlexp.job.cv import cv

SHARE, LEAST_PRECISION, LEAST_RECALL, MOST_ON_CLEAN = 0.05, 0.85, 0.65, 0.01
NOTE = (
    "dlexp cv data=arrays on the digits of scikit-learn, 5 folds, defaults; flipped: labels changed to another class, "
    "both drawn uniformly; precision and recall of the suspects. Holds where the smallest precision is at least 0.85, "
    "the smallest recall 0.65, and at most 1 % of the unchanged labels are suspects"
)


def flip(y_N: np.ndarray, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels with a share of them changed, and the rows that were."""
    draw = np.random.default_rng(seed)
    rows = draw.choice(len(y_N), round(SHARE * len(y_N)), replace=False)
    changed_N = y_N.copy()
    changed_N[rows] = (y_N[rows] + draw.integers(1, 10, len(rows))) % 10
    return changed_N, rows


def measure(y_N: np.ndarray, flipped: np.ndarray, seed: int, epochs: int | None = None) -> dict[str, Any]:
    """Return a row: how many suspects a cv names, and how many of them were flipped."""
    with tempfile.TemporaryDirectory() as folder:
        images = (cast(Any, load_digits()).images / 16).astype(np.float32)
        np.savez(Path(folder) / "digits.npz", x=images, y=y_N)
        words = ["data=arrays", f"data.path={folder}/digits.npz", "data.test_fraction=0", f"seed={seed}"]
        words += ["tracking=none", f"runs_dir={folder}/runs"] + ([] if epochs is None else [f"trainer.epochs={epochs}"])
        outcome = cv.start(words, announce=lambda _: lambda _: None, has_figures=False)
        suspects = cast(Any, outcome.result)["suspects"]
    named = {int(each["id"]) for each in suspects["examples"]}
    hits = len(named & set(flipped.tolist()))
    row: dict[str, Any] = {"seed": seed, "flipped": len(flipped), "suspects": suspects["num"]}
    row |= {"accuracy": round(outcome.result["mean"]["val/accuracy"], 4), "share": round(len(named) / len(y_N), 4)}
    return row | ({"precision": hits / max(len(named), 1), "recall": hits / len(flipped)} if len(flipped) else {})


def holds(rows: list[dict[str, Any]]) -> bool:
    """Whether every row keeps its bound."""
    return all(
        row["precision"] >= LEAST_PRECISION and row["recall"] >= LEAST_RECALL
        if row["flipped"]
        else row["share"] <= MOST_ON_CLEAN
        for row in rows
    )


def main() -> int:
    """Measure, print and write the record."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=5)
    num_seeds = parser.parse_args().seeds
    y_N = cast(Any, load_digits()).target.astype(np.int64)
    rows = []
    for seed in range(num_seeds):
        for labels_N, flipped in ((y_N, np.array([], dtype=np.int64)), flip(y_N, seed)):
            rows.append(measure(labels_N, flipped, seed))
            print(rows[-1], flush=True)
    of_flipped = [row for row in rows if row["flipped"]]
    means = {name: round(statistics.fmean(row[name] for row in of_flipped), 3) for name in ("precision", "recall")}
    print(means, "holds" if holds(rows) else "does not hold")
    write("suspect", rows, NOTE)
    return 0 if holds(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
