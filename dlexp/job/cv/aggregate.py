"""What the folds say together: mean, spread and interval by metric, and the pooled out-of-fold predictions.

Shapes: F folds, S seeds.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import torch
from torch import Tensor

from dlexp.build.objective import build_metrics
from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold
from dlexp.engine.answer.choice import answer_of
from dlexp.execution.figure import prediction_figures
from dlexp.figure.attempt import Drawings
from dlexp.job.cv.document import CVResult, CVSettingsResult, FoldSpread
from dlexp.job.inference.ensemble import average, report
from dlexp.run.document import Confusion, FoldRecord
from dlexp.run.folder import RunFolder
from dlexp.run.measure import pooled, read_measure
from dlexp.run.stored import stored_config
from dlexp.statistic.bounded import bounds, mean_interval, rounding
from dlexp.statistic.score import MEANS_OVER_EXAMPLES
from dlexp.statistic.spread import deviation, mean

Value = TypeVar("Value")  # of a metric: a number or an interval
INTERVAL_NOTE = (
    "95 % of Student's t over folds, on a scale that keeps it within the metric's bounds; optimistic, because folds "
    "share training data: see interval_corrected; null where all folds are equal"
)


def are_single(folds: Iterable[Fold]) -> bool:
    """Whether a fold holds out a single example: of one alone, most metrics say something else or nothing."""
    return any(len(fold.val) == 1 for fold in folds)


def pool_single(cv: RunFolder, records: list[FoldRecord], dataset: Dataset) -> dict[str, float]:
    """Return the metrics that are no mean over examples, of the pooled predictions of all folds; the mean over seeds.

    The rmse of one example is its absolute error, so that a mean of those over folds would be the mae; r2 and areas of
    one example do not exist.

    Args:
        cv: The cv's folder.
        records: Of all folds and seeds.
        dataset: For the task and the names of classes.
    """
    by_seed: dict[int, list[FoldRecord]] = {}
    for record in records:
        by_seed.setdefault(record["seed"], []).append(record)
    measured = [_pooled([[record] for record in of_seed], cv, dataset).metrics for of_seed in by_seed.values()]
    return {
        f"val/{name}": mean([metrics[name] for metrics in measured])
        for name, value in measured[0].items()
        if _is_number(value) and name.rpartition("/")[2] not in MEANS_OVER_EXAMPLES
    }


def with_pooled(spread: FoldSpread, single: dict[str, float]) -> FoldSpread:
    """Return a summary of folds of one example: metrics that are no mean over examples have their pooled value.

    Args:
        spread: Of all metrics.
        single: From `pool_single`.
    """
    summary: FoldSpread = {
        "mean": _without(spread["mean"], single) | single,
        "std": _without(spread["std"], single),
        "interval": _without(spread["interval"], single),
        "interval_corrected": _without(spread["interval_corrected"], single),
    }
    if "std_seeds" in spread and "std_folds" in spread:
        summary["std_seeds"] = _without(spread["std_seeds"], single)
        summary["std_folds"] = _without(spread["std_folds"], single)
    return summary


def _without(values: dict[str, Value], pooled: dict[str, float]) -> dict[str, Value]:
    return {name: value for name, value in values.items() if name not in pooled}


def summarize(records: list[FoldRecord], held_out: float) -> FoldSpread:
    """Return mean, standard deviation and intervals (95 %) over folds of every metric that is a number in each.

    A fold that was trained under several seeds counts with its mean over them. `interval` takes the folds for
    independent; `interval_corrected` allows for the training data that they share, as `dlexp compare` does. Both stay
    within a metric's bounds (`dlexp.statistic.bounded`), and are NaN where all folds are equal.

    With several seeds also their share of the spread, apart from that of the folds, as a random-effects analysis of
    variance has it: `std_seeds` = sqrt(mean over folds of the variance over seeds), and `std_folds` =
    sqrt(max(0, variance over folds of the means - std_seeds^2 / seeds)).

    Args:
        records: Of all folds and seeds, each with `repeat`, `fold` and `metrics`.
        held_out: Share n_val / n_train of a fold.
    """
    names = [name for name in records[0]["metrics"] if all(_is_number(r["metrics"].get(name)) for r in records)]
    folds = by_fold(records).values()
    values_FS = {
        n: np.array([[r["metrics"][n] for r in records_of_fold] for records_of_fold in folds], dtype=np.float64)
        for n in names
    }
    values = {name: np.array([mean(of_fold) for of_fold in table]) for name, table in values_FS.items()}
    summary: FoldSpread = {
        "mean": {name: mean(v) for name, v in values.items()},
        "std": {name: deviation(v, rounding(bounds(name), v)) for name, v in values.items()},
        "interval": {name: list(mean_interval(v, bounds(name))) for name, v in values.items()},
        "interval_corrected": {name: list(mean_interval(v, bounds(name), held_out)) for name, v in values.items()},
    }
    if all(table.shape[1] > 1 for table in values_FS.values()):
        both = {name: _of_seeds_and_folds(table, bounds(name)) for name, table in values_FS.items()}
        summary["std_seeds"] = {name: of_seeds for name, (of_seeds, _) in both.items()}
        summary["std_folds"] = {name: of_folds for name, (_, of_folds) in both.items()}
    return summary


def _of_seeds_and_folds(values_FS: np.ndarray, limits: tuple[float, float]) -> tuple[float, float]:
    """Return the standard deviation due to seeds, and that due to folds."""
    slack = rounding(limits, values_FS)
    within = mean([deviation(of_fold, slack) ** 2 for of_fold in values_FS])
    between = deviation([mean(of_fold) for of_fold in values_FS], slack) ** 2 - within / values_FS.shape[1]
    return math.sqrt(within), math.sqrt(max(between, 0.0))


def by_fold(records: list[FoldRecord]) -> dict[tuple[int, int], list[FoldRecord]]:
    """Return the records of each fold, one a seed, by repeat and fold."""
    records_by_fold: dict[tuple[int, int], list[FoldRecord]] = {}
    for record in records:
        records_by_fold.setdefault((record["repeat"], record["fold"]), []).append(record)
    return records_by_fold


def pool(cv: RunFolder, records: list[FoldRecord], dataset: Dataset) -> dict[str, float | Confusion]:
    """Store the held-out predictions of all folds as the cv's own; return their metrics and `confusion_matrix`.

    Each example is held out once in every repeat, so it stands there as often as there are repeats; several seeds of
    a fold speak with the mean of their probabilities, or values.

    Args:
        cv: The cv's folder.
        records: Of all folds and seeds, each with `repeat`, `fold` and `run_id`.
        dataset: For the task and the names of classes.
    """
    pooled = _pooled(list(by_fold(records).values()), cv, dataset)
    cv.write_predictions("val", pooled.ids, pooled.targets, pooled.outputs.numpy())
    return {**pooled.metrics, **({} if pooled.confusion is None else {"confusion_matrix": pooled.confusion})}


@dataclass(frozen=True)
class _Pooled:
    """Held-out predictions of all folds, each the mean of its trainings, and their metrics."""

    ids: np.ndarray
    targets: np.ndarray
    outputs: Tensor
    metrics: dict[str, float]
    confusion: Confusion | None


def _pooled(groups: list[list[FoldRecord]], cv: RunFolder, dataset: Dataset) -> _Pooled:
    """Return the predictions of folds, each of which has the records of its trainings."""
    folders = {child.run_id: child for child in cv.children()}
    predictions = [[folders[record["run_id"]].predictions("val") for record in of_fold] for of_fold in groups]
    measure = pooled([read_measure(folders[record["run_id"]]) for of_fold in groups for record in of_fold])
    ids, targets = (np.concatenate([of_fold[0][key] for of_fold in predictions]) for key in ("id", "target"))
    outputs = torch.cat(
        [
            _mean([torch.from_numpy(stored["output"]) for stored in of_fold], dataset, measure.link)
            for of_fold in predictions
        ]
    )
    user_metrics = build_metrics(stored_config(cv), dataset)
    metrics, confusion = report(outputs, torch.from_numpy(targets), answer_of(dataset), measure, user_metrics)
    sizes = [len(of_fold[0]["id"]) for of_fold in predictions]
    return _Pooled(ids, targets, outputs, metrics | _share_of_variance(groups, sizes, metrics), confusion)


def _share_of_variance(groups: list[list[FoldRecord]], sizes: list[int], pooled: dict[str, float]) -> dict[str, float]:
    """Return the pooled `explained_variance` of reconstructions, 1 - sum e^2 / sum s, where folds have one.

    The spread s of held-out inputs around the mean of their fold's training part is in no prediction; a fold states it
    as s = mse / (1 - explained_variance), which is 0 where the share is not a number.
    """
    spread = 0.0
    for (first, *_), size in zip(groups, sizes, strict=True):
        if "val/explained_variance" not in first["metrics"]:
            return {}
        share, mse = first["metrics"]["val/explained_variance"], first["metrics"]["val/mse"]
        if share == 1.0:  # without an error
            return {}
        spread += size * mse / (1 - share) if _is_number(share) else 0.0
    return {"explained_variance": 1 - pooled["mse"] * sum(sizes) / spread} if spread > 0 else {}


def _mean(outputs: list[Tensor], dataset: Dataset, link: str) -> Tensor:
    if len(outputs) == 1 and link == "softmax":
        return outputs[0]
    return average(outputs, dataset.num_classes, link, heads=dataset.heads)


def draw_figures(cv: RunFolder, dataset: Dataset, result: CVResult, monitor: str) -> list[Path]:
    """Draw every fold's score, and what the pooled predictions show."""
    from dlexp.figure.cv import fold_figure
    from dlexp.figure.style.canvas import save_all

    figures: Drawings = {"folds": lambda: fold_figure(result, monitor)}
    return save_all(figures | prediction_figures(cv, dataset, split="held out"), cv.figures, cv.log)


def draw_settings(cv: RunFolder, result: CVSettingsResult) -> list[Path]:
    """Draw the settings of a cv against the best of them."""
    from dlexp.figure.cv import settings_figure
    from dlexp.figure.style.canvas import save_all

    return save_all({"settings": lambda: settings_figure(result)}, cv.figures, cv.log)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and bool(np.isfinite(value))
