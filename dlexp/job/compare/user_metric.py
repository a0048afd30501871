"""A user's own metric in a comparison: his code, on the stored predictions and on resamples of them.

Shapes: B resamples, N examples, K classes.
"""

import numpy as np
import torch

from dlexp.build.node import build
from dlexp.job.compare.side import Side
from dlexp.metric.choice import Metrics
from dlexp.run.stored import stored_config
from dlexp.statistic.measure import Measure
from dlexp.statistic.score import Weighted


def user_metrics(side: Side) -> dict[str, Metrics]:
    """Return the user's metrics that a side was trained with, by name.

    Raises:
        RunError: Their code may not run; see `dlexp.config.trust`.
    """
    task, outputs = side.task, next(iter(side.splits.values()))[0].outputs
    num_classes = 0 if outputs.ndim == 1 else max(2, outputs.shape[1])
    metrics: Metrics = build(stored_config(side.folder)["metric"], task=task, num_classes=num_classes)
    return {metric.name: Metrics(extra=[metric]) for metric in metrics.extra}


def weighted(metrics: Metrics, outputs: np.ndarray, targets_N: np.ndarray, measure: Measure) -> Weighted:
    """Return a metric as a function of how often each example is in a resample.

    Args:
        metrics: With this one alone.
        outputs: (N, K) logits or (N,) values.
        targets_N: Classes or values.
        measure: How outputs become probabilities.
    """
    (name,) = metrics.names
    num_classes = 0 if outputs.ndim == 1 else max(2, outputs.shape[1])

    def of_counts(counts_BN: np.ndarray) -> np.ndarray:
        values = []
        for counts_N in counts_BN:
            rows = np.repeat(np.arange(len(targets_N)), counts_N.astype(np.int64))
            seen, targets = torch.from_numpy(outputs[rows]), torch.from_numpy(targets_N[rows])
            values.append(float(metrics.measure(seen[None], targets[None], num_classes, measure.link)[name]))
        return np.array(values)

    return of_counts
