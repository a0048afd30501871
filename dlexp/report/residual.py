"""How far predicted values are from true ones, on the validation part."""

from pathlib import Path

import numpy as np

from dlexp.report.canvas import new_figure, save


def draw(target_N: np.ndarray, output_N: np.ndarray, path: Path) -> Path:
    """Draw predicted over true values, and the residuals (prediction minus truth) over the predictions.

    Args:
        target_N: True values.
        output_N: Predicted values.
        path: The PNG to write.
    """
    figure = new_figure(8.4, 3.8)
    left, right = figure.subplots(1, 2)
    ends = [float(target_N.min()), float(target_N.max())]
    left.plot(ends, ends, ":", color="tab:gray")
    left.scatter(target_N, output_N, s=8, alpha=0.6)
    left.set(title="validation: predictions", xlabel="true value", ylabel="predicted value")
    right.axhline(0, linestyle=":", color="tab:gray")
    right.scatter(output_N, output_N - target_N, s=8, alpha=0.6)
    right.set(title="validation: residuals", xlabel="predicted value", ylabel="prediction - truth")
    for axis in (left, right):
        axis.grid(alpha=0.3)
    return save(figure, path)
