"""Settings by folds: which setting is good on which fold."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from dlexp.direction import is_better_high
from dlexp.figure.style.canvas import PANEL, add_legend, new_figure, styled
from dlexp.figure.style.color import MARKED, contrast, ranked_map
from dlexp.figure.style.text import fit, label, plain

MOST_SETTINGS = 40
MOST_NUMBERS = 10  # folds whose cells hold numbers


@styled()
def fold_map_figure(names: Sequence[str], values: Sequence[Sequence[float | None]], metric: str) -> Figure:
    """Return each setting's value on each fold, shaded by its rank among the settings of that fold.

    Args:
        names: Of the settings, best first; of very many the best 40.
        values: Of each setting, on each fold; None where there is none.
        metric: Name of the values.
    """
    shown = [[np.nan if value is None else value for value in row] for row in values[:MOST_SETTINGS]]
    width = max(map(len, shown))
    values_SF = np.array([[*row, *[np.nan] * (width - len(row))] for row in shown], dtype=np.float64)
    figure = new_figure(PANEL + 0.2 * width, 1.2 + 0.22 * len(shown))
    axis = figure.subplots()
    shades_SF = ranks(values_SF, is_high_better=is_better_high(metric))
    axis.imshow(shades_SF, cmap=ranked_map(), vmin=0, vmax=1, aspect="auto")
    if width <= MOST_NUMBERS:
        for row, column in np.argwhere(np.isfinite(values_SF)):
            color = "white" if contrast(ranked_map()(shades_SF[row, column])) >= 4.5 else MARKED
            text = f"{values_SF[row, column]:.3g}"
            cell = axis.text(column, row, text, ha="center", va="center", color=color, fontsize=6)
            cell.set_gid(f"fixed-{row}-{column}")
    labels = label(list(names[: len(shown)]), fit(0.4 * figure.get_figwidth()))
    axis.set_yticks(range(len(shown)), labels.short)
    axis.set_xticks(range(0, width, -(-width // 20)), [str(fold + 1) for fold in range(0, width, -(-width // 20))])
    axis.set(xlabel="fold", title=f"{plain(metric)}, dark: best of its fold")
    axis.grid(False)
    add_legend(figure, labels.key, is_below=True)
    return figure


def ranks(values_SF: np.ndarray, *, is_high_better: bool) -> np.ndarray:
    """Return the rank of each setting on each fold, 0 for the best to 1 for the last; equal ones share the better."""
    signed_SF = -values_SF if is_high_better else values_SF
    better_SF = np.array([[np.nansum(column < value) for value in column] for column in signed_SF.T]).T
    return np.where(np.isfinite(values_SF), better_SF / max(len(values_SF) - 1, 1), np.nan)
