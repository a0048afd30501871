"""What the folds say together: mean, spread and interval by metric, and the pooled out-of-fold predictions."""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from dlexp.data.dataset import Dataset
from dlexp.job.ensemble import report
from dlexp.statistic.t_test import corrected_t_test, t_interval
from dlexp.tracker.folder import RunFolder

INTERVAL_NOTE = "95 % of Student's t over folds; optimistic, because folds share training data: see interval_corrected"


def summarize(records: list[dict[str, Any]], held_out: float) -> dict[str, dict[str, Any]]:
    """Return `mean`, `std` (n - 1) and intervals (95 %) over folds of every metric that is a number in each.

    `interval` takes the folds for independent; `interval_corrected` allows for the training data that they share, as
    `dlexp compare` does.

    Args:
        records: Of all folds, each with `metrics`.
        held_out: Share n_val / n_train of a fold.
    """
    names = [name for name in records[0]["metrics"] if all(_is_number(r["metrics"].get(name)) for r in records)]
    values = {name: np.array([record["metrics"][name] for record in records], dtype=np.float64) for name in names}
    corrected = {name: corrected_t_test(v, held_out) for name, v in values.items()}
    return {
        "mean": {name: float(v.mean()) for name, v in values.items()},
        "std": {name: float(v.std(ddof=1)) for name, v in values.items()},
        "interval": {name: list(t_interval(v)) for name, v in values.items()},
        "interval_corrected": {name: [test.low, test.high] for name, test in corrected.items()},
    }


def pool(cv: RunFolder, records: list[dict[str, Any]], dataset: Dataset) -> dict[str, Any]:
    """Store the held-out predictions of all folds as the cv's own, and return their metrics.

    Each example is held out once in every repeat, so it stands there as often as there are repeats.

    Args:
        cv: The cv's folder.
        records: Of all folds, each with `run_id`.
        dataset: For the task and the names of classes.
    """
    kept = [cv.child(record["run_id"]).predictions("val") for record in records]
    ids, targets, outputs = (np.concatenate([part[key] for part in kept]) for key in ("id", "target", "output"))
    cv.write_predictions("val", ids, targets, outputs)
    return report(torch.from_numpy(outputs), torch.from_numpy(targets), dataset.num_classes)


def draw_figures(cv: RunFolder, dataset: Dataset, result: dict[str, Any], monitor: str) -> list[Path]:
    """Draw every fold's score, and what the pooled predictions show."""
    from dlexp.report import confusion, residual, roc, spread

    kept = cv.predictions("val")
    drawn = [spread.draw(result, monitor, cv.figures / "folds.png")]
    if not dataset.class_names:
        return [*drawn, residual.draw(kept["target"], kept["output"], cv.figures / "residuals.png")]
    counts = np.array(result["out_of_fold"]["confusion_matrix"])
    outputs, targets = torch.from_numpy(kept["output"]), torch.from_numpy(kept["target"])
    return [
        *drawn,
        confusion.draw(counts, dataset.class_names, cv.figures / "confusion.png"),
        roc.draw(outputs, targets, dataset.class_names, cv.figures / "roc.png"),
    ]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))
