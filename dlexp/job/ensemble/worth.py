"""What an ensemble scores where choosing does not flatter it, beside the best model and the mean of all.

Shapes: B resamples, N examples.
"""

import numpy as np

from dlexp.job.compare.comparison import compare_sides, values_of
from dlexp.job.compare.pairing import is_pooled, pool_folds
from dlexp.job.compare.side import Side
from dlexp.job.ensemble.document import Score, Standing
from dlexp.job.ensemble.library import Library
from dlexp.job.ensemble.nested import Nested
from dlexp.statistic import score
from dlexp.statistic.bootstrap import interval, resample
from dlexp.statistic.bounded import bounds, mean_interval, rounding, within
from dlexp.statistic.proportion import wilson
from dlexp.statistic.stream import stream

ENSEMBLE, BEST, EQUAL = "ensemble", "best model", "mean of all"


def weigh(library: Library, name: str, nested: Nested, weights_M: np.ndarray) -> Score:
    """Return what the choice is worth by a metric.

    Args:
        library: The models.
        name: Of the metric, without part.
        nested: What was said of each example without it.
        weights_M: Of the models, chosen on all examples.

    Raises:
        RunError: The metric is not defined on these examples.
    """
    num = len(library.sides)
    contenders = [
        library.as_side(ENSEMBLE, nested.ensemble_NK),
        library.as_side(BEST, nested.best_NK),
        library.as_side(EQUAL, library.together(np.full(num, 1 / num))),
    ]
    flattered = value_of(library.as_side(ENSEMBLE, library.together(weights_M)), name)
    alone = [value_of(library.as_side(str(m), library.said_MNK[m]), name) for m in range(num)]
    sides, values, pairs = compare_sides(contenders, name)
    standings = [_standing(side, each, name) for side, each in zip(sides, values, strict=True)]
    return {
        "metric": f"val/{name}",
        "flattered": flattered,
        "nested": standings[0],
        "best": standings[1],
        "equal": standings[2],
        "mean_member": float(np.mean(alone)),
        "pairs": pairs,
    }


def value_of(side: Side, name: str) -> float:
    """Return a metric of a side, of folds the mean, of single examples the pooled value."""
    return float(values_of(pool_folds(side) if is_pooled(side, name) else side, name).mean())


def _standing(side: Side, values: np.ndarray, name: str) -> Standing:
    value = float(values.mean())
    if len(side.splits) > 1:
        folds = [by_seed[0] for by_seed in side.splits.values()]
        ratio = float(np.mean([len(fold.ids) / fold.num_train for fold in folds]))
        return {"value": value, "interval": list(mean_interval(values.mean(1), bounds(f"val/{name}"), ratio))}
    predictions = side.splits[0, 0][0]
    num = len(predictions.ids)
    if name == "accuracy":
        return {"value": value, "interval": list(wilson(value, num))}
    weighted = score.weighted(name, predictions.outputs, predictions.targets, predictions.measure)
    span = interval(value, resample([weighted], num, generator=stream("bootstrap"))[:, 0], num)
    if span.standard_error <= rounding(bounds(name), np.array([value])):  # no error on few examples: none is known
        return {"value": value, "interval": [np.nan, np.nan]}
    return {"value": value, "interval": within([span.low, span.high], bounds(name))}
