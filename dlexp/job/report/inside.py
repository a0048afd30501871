"""What a run's weights look like, on a page."""

from typing import TYPE_CHECKING

import numpy as np

from dlexp.figure.inside.weight import first_filters, root_mean_squares
from dlexp.job.report.picture import drawing
from dlexp.number import decimal, noun
from dlexp.report.model import Figure, Row, Table

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure


def weight_block(weights: dict[str, np.ndarray]) -> Figure:
    """Return the root mean square of each layer's weights.

    Args:
        weights: Of at least one layer.
    """
    names, sizes = root_mean_squares(weights)
    norms = [float(np.sqrt((array**2).sum())) for array in weights.values()]
    shapes = ["x".join(map(str, array.shape)) for array in weights.values()]
    rows = [Row(cells) for cells in zip(names, shapes, sizes, norms, strict=True)]
    largest = int(np.argmax(sizes))
    finding = f"The largest weights are those of {names[largest]}, {decimal(sizes[largest])} in the root mean square."

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.inside.layer import layer_figure

        return layer_figure(names, sizes)

    table = Table("weights at the best epoch", ("layer", "shape", "root mean square", "norm"), rows)
    return Figure("Weights by layer", finding, drawing(draw), table)


def filter_blocks(weights: dict[str, np.ndarray]) -> list[Figure]:
    """Return the filters of the first layer where it is a convolution of more than a pixel; else nothing.

    Args:
        weights: Of each layer, from the input on; convolutions of images are (O, C, H, W).
    """
    first = first_filters(weights)
    if first is None:
        return []

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.inside.filter import filter_figure

        return filter_figure(first)

    finding = f"What the first layer looks for: {noun(len(first), 'filter')}, each on a scale of its own, zero in grey."
    return [Figure("First layer", finding, drawing(draw))]
