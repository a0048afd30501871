"""What a run's weights look like, on a page."""

import re
from typing import TYPE_CHECKING

import numpy as np

from dlexp.job.report.picture import drawing
from dlexp.number import decimal, noun
from dlexp.report.model import Figure, Row, Table
from dlexp.run.folder import RunFolder

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure as MatplotlibFigure


WEIGHTS = "weights.safetensors"
IMAGE_KERNEL = 4  # dimensions: outputs, channels, height, width


def read_weights(folder: RunFolder) -> dict[str, np.ndarray]:
    """Return the weights of each layer at the best epoch, from the input on; empty where there are none to be read.

    Only matrices and kernels, which biases and norms are not.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    path = folder.checkpoints / "best" / WEIGHTS
    try:
        arrays = load_file(path)
    except (OSError, SafetensorError, KeyError, TypeError):  # numpy knows no bfloat16
        return {}
    kernels = {name: array for name, array in arrays.items() if array.ndim >= 2 and name.endswith("weight")}
    return {name: kernels[name].astype(np.float64) for name in sorted(kernels, key=_place)}


def _place(name: str) -> tuple[bool, list[tuple[int, int, str]]]:
    """Return what orders layers as they follow each other: numbers as numbers, the output last."""
    words = [(0, int(word), "") if word.isdigit() else (1, 0, word) for word in re.split(r"[._]", name)]
    return name.startswith("output"), words


def weight_block(weights: dict[str, np.ndarray]) -> Figure:
    """Return the root mean square of each layer's weights.

    Args:
        weights: Of at least one layer.
    """
    names = [name.removesuffix(".weight") for name in weights]
    sizes = [float(np.sqrt((array**2).mean())) for array in weights.values()]
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
    first = next(iter(weights.values()), None)
    if first is None or first.ndim != IMAGE_KERNEL or first[0, 0].size < 2:
        return []

    def draw() -> "MatplotlibFigure":
        from dlexp.figure.inside.filter import filter_figure

        return filter_figure(first)

    finding = f"What the first layer looks for: {noun(len(first), 'filter')}, each on a scale of its own, zero in grey."
    return [Figure("First layer", finding, drawing(draw))]
