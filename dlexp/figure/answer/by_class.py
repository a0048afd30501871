"""How much of each class is recognised, with intervals: of few examples a share is hardly known."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PANEL, add_legend, new_figure, styled
from dlexp.figure.style.color import MARKED, NEUTRAL, SPLITS
from dlexp.figure.style.text import fit, label

MOST_CLASSES = 40


@styled()
def class_figure(
    names: Sequence[str], shares: Sequence[float], intervals: Sequence[tuple[float, float]], mean: float
) -> Figure:
    """Return the recall of each class as a dot with its 95 % interval, the lowest first; of very many the lowest 40.

    Args:
        names: Of the classes.
        shares: Of each class's examples that are recognised.
        intervals: Of each share.
        mean: The share of all examples.
    """
    order = sorted(range(len(names)), key=lambda place: shares[place])[:MOST_CLASSES]
    figure = new_figure(PANEL, 1.0 + 0.19 * len(order))
    axis = figure.subplots()
    axis.axvline(mean, color=MARKED, linestyle=":", linewidth=0.9, label="of all examples")
    for row, place in enumerate(order):
        axis.plot(intervals[place], [row, row], color=NEUTRAL, linewidth=1.2)
    axis.plot([shares[place] for place in order], range(len(order)), "o", color=SPLITS["val"], label="recall, 95 %")
    labels = label([names[place] for place in order], fit(0.35 * figure.get_figwidth()), order)
    axis.set_yticks(range(len(order)), labels.short)
    axis.set_ylim(len(order) - 0.5, -0.5)
    axis.set(xlabel="recall", title="validation: recall by class")
    axis.set_xlim(right=1.01)
    axis.grid(False, axis="y")
    add_legend(figure, labels.key, is_below=True)
    return figure
