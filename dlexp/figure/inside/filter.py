"""What the first layer of an image model looks for."""

import numpy as np
from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PANEL, new_figure, styled

MOST = 64
COLUMNS = 8
COLORED = 3  # channels


@styled()
def filter_figure(weights_OCHW: np.ndarray) -> Figure:
    """Return the filters of the first convolution, each on a scale of its own with zero in the middle.

    Args:
        weights_OCHW: Of three input channels they are shown in colour, of others their mean over channels.
    """
    shown = np.asarray(weights_OCHW[:MOST], dtype=np.float64)
    largest = np.abs(shown).max(axis=(1, 2, 3), keepdims=True)
    shades = 0.5 + 0.5 * shown / np.where(largest > 0, largest, 1)
    columns = min(COLUMNS, len(shades))
    rows = -(-len(shades) // columns)
    figure = new_figure(PANEL, 0.5 + PANEL / columns * rows)
    axes = figure.subplots(rows, columns, squeeze=False)
    for place, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if place < len(shades):
            picture = shades[place].transpose(1, 2, 0) if shades.shape[1] == COLORED else shades[place].mean(0)
            axis.imshow(picture, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    of = f" of {len(weights_OCHW)}" if len(weights_OCHW) > MOST else ""
    figure.suptitle(f"first layer: {len(shades)}{of} filters of {'x'.join(map(str, weights_OCHW.shape[2:]))}")
    return figure
