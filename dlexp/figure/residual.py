"""How far predicted values are from true ones."""

import numpy as np
from matplotlib.figure import Figure

from dlexp.figure.style.canvas import panels, styled
from dlexp.figure.style.color import NEUTRAL, SPLITS
from dlexp.figure.style.limit import BEYOND, limit, mark_clipped, set_limit
from dlexp.figure.style.text import plain, shorten

FEW_POINTS = 300


@styled()
def residual_figure(target_N: np.ndarray, output_N: np.ndarray, name: str = "value", split: str = "val") -> Figure:
    """Return predicted over true values, and the residuals (prediction minus truth) over the predictions.

    Args:
        target_N: True values.
        output_N: Predicted values; what is not finite, or far away, is an arrow at the edge.
        name: Of what is predicted, with its unit.
        split: Part of the data.
    """
    name = plain(shorten(name))
    figure, (left, right) = panels(2)
    targets, outputs = np.asarray(target_N, dtype=np.float64), np.asarray(output_N, dtype=np.float64)
    along, across = limit(targets, may_be_log=False), limit(outputs, may_be_log=False)
    errors = outputs - targets
    far = limit(errors, may_be_log=False)
    look = {"s": 8, "alpha": 0.7 if len(targets) <= FEW_POINTS else 0.3, "color": SPLITS[split], "linewidths": 0}
    left.plot([along.low, along.high], [along.low, along.high], ":", color=NEUTRAL)
    left.scatter(targets, outputs, **look)
    right.axhline(0, linestyle=":", color=NEUTRAL)
    right.scatter(outputs, errors, **look)
    for axis, horizontal, vertical in ((left, along, across), (right, across, far)):
        set_limit(axis, "x", horizontal)
        set_limit(axis, "y", vertical)
    mark_clipped(left, targets.tolist(), outputs.tolist(), across)
    there = np.array([across.has(output) for output in outputs.tolist()])
    mark_clipped(right, outputs[there].tolist(), errors[there].tolist(), far)
    left.set(title="predictions", xlabel=f"true {name}", ylabel=f"predicted {name}")
    for axis in (left, right):
        if BEYOND in axis.get_legend_handles_labels()[1]:
            axis.legend()
    right.set(title="residuals", xlabel=f"predicted {name}", ylabel="prediction - truth")
    return figure
