"""The confusion matrix as a picture: rows are true classes, columns predicted ones."""

import numpy as np
from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PAGE, add_legend, new_figure, styled
from dlexp.figure.style.color import MARKED
from dlexp.figure.style.text import CHARACTER, label

SMALLEST = 4.5  # points of a number in a cell
MAX_NAMES = 45
CELL = 0.27  # inches
LONGEST = 14


@styled()
def confusion_figure(
    counts_KK: np.ndarray,
    class_names: list[str],
    title: str = "validation: confusion",
    *,
    is_in_percent: bool = False,
) -> Figure:
    """Return counts (K, K), shaded by the share of their row.

    Args:
        counts_KK: Examples of true class i predicted as class j.
        class_names: A label for each class; long ones stand in a key, and of more than 45 there are numbers.
        title: Of the figure.
        is_in_percent: Whether the cells hold the share of their row in percent in the place of the count.
    """
    num_classes = len(class_names)
    needed = max(3.1, 1.7 + CELL * num_classes)
    figure = new_figure(needed, 0.0)
    is_tall = figure.get_figwidth() < min(needed, PAGE)
    side = figure.get_figwidth() - (0.6 if is_tall else 1.7)  # of the matrix itself
    figure.set_figheight(side + 1.2)
    axis = figure.subplots()
    axis.grid(False)
    shares = counts_KK / np.maximum(counts_KK.sum(axis=1, keepdims=True), 1)
    image = axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    figure.colorbar(
        image, ax=axis, label="share of the true class", shrink=0.8, location="bottom" if is_tall else "right"
    )
    axis.set(title=title, xlabel="predicted class", ylabel="true class")
    if num_classes <= MAX_NAMES:
        labels = label(class_names, LONGEST)
        axis.set_xticks(range(num_classes), labels.short, rotation=90 if max(map(len, labels.short)) > 2 else 0)
        axis.set_yticks(range(num_classes), labels.short)
        add_legend(figure, labels.key)
    numbers_KK = np.rint(100 * shares).astype(int) if is_in_percent else counts_KK.astype(int)
    digits = max(3, len(str(int(numbers_KK.max(initial=0)))))
    size = min(7, 72 * 0.9 * side / num_classes / (CHARACTER * digits))
    if size >= SMALLEST:
        for i, j in np.argwhere(counts_KK > 0):
            color = "white" if shares[i, j] > 0.5 else MARKED
            cell = axis.text(j, i, _cell(int(numbers_KK[i, j])), ha="center", va="center", color=color, fontsize=size)
            cell.set_gid(f"fixed-{i}-{j}")
    return figure


def _cell(number: int) -> str:
    """Return what stands in a cell that has examples: of less than half a percent, <1."""
    return str(number) if number else "<1"
