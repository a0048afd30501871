"""The size of a model's weights, layer by layer."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PANEL, new_figure, styled
from dlexp.figure.style.color import SPLITS
from dlexp.figure.style.text import fit, plain, shorten

MOST_NAMED = 40


@styled()
def layer_figure(names: Sequence[str], sizes: Sequence[float]) -> Figure:
    """Return the root mean square of each layer's weights, from the input down.

    Args:
        names: Of the layers.
        sizes: sqrt(mean w^2) of each.
    """
    figure = new_figure(PANEL, 1.0 + 0.17 * min(len(names), MOST_NAMED))
    axis = figure.subplots()
    axis.plot(sizes, range(len(names)), "o-", color=SPLITS["train"], linewidth=0.8)
    every = -(-len(names) // MOST_NAMED) or 1
    most = fit(0.45 * figure.get_figwidth())
    axis.set_yticks(range(0, len(names), every), [plain(shorten(name, most)) for name in names[::every]])
    axis.set_ylim(len(names) - 0.5, -0.5)
    axis.set_xlim(left=0)
    axis.set(xlabel="root mean square of the weights", title="weights by layer, input on top")
    return figure
