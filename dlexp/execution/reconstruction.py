"""What a run's autoencoder makes of validation examples: pictures, or the error of each column of a table."""

from typing import TYPE_CHECKING

import numpy as np

from dlexp.data.dataset import Dataset
from dlexp.execution.save import saved_model
from dlexp.figure.attempt import Drawings
from dlexp.run.folder import RunFolder

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure
MOST_ROWS = 4096  # of a table, over which errors are averaged


def reconstruction_figures(folder: RunFolder, data: Dataset) -> Drawings:
    """Return what draws inputs above their reconstructions, or the error of each column.

    Args:
        folder: With the best weights and the predictions of the validation part.
        data: The run's.
    """
    return {"reconstruction": lambda: _sheet(folder, data) if data.is_image else _columns(folder, data)}


def _sheet(folder: RunFolder, data: Dataset) -> "Figure":
    """Draw pictures from the smallest error to the largest, evenly spread over their order."""
    from dlexp.figure.answer.reconstruction import MOST, sheet_figure

    error_N = folder.predictions("val")["output"]
    order = np.argsort(error_N, kind="stable")
    rows = order[np.linspace(0, len(order) - 1, min(MOST, len(order))).round().astype(int)]
    model = saved_model.load(folder)
    given_NHWC = data.inputs[data.val[rows.tolist()]]
    _, made_ND = model.reconstruct(given_NHWC)
    made_NCHW = made_ND.unflatten(1, data.in_shape)
    return sheet_figure(given_NHWC, model.affine.invert(made_NCHW, -3).movedim(1, -1), error_N[rows].tolist())


def _columns(folder: RunFolder, data: Dataset) -> "Figure":
    from dlexp.figure.answer.reconstruction import columns_figure

    x_ND, z_ND = saved_model.load(folder).reconstruct(data.inputs[data.val[:MOST_ROWS]])
    names = data.feature_names or [str(k) for k in range(x_ND.shape[1])]
    return columns_figure((z_ND - x_ND).double().square().mean(0).tolist(), names)
