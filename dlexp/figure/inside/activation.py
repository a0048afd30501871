"""Histograms of activations and of gradients that are propagated back to them, layer by layer.

References:
    Glorot and Bengio (2010), Understanding the difficulty of training deep feedforward networks, figures 6 and 7.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PANEL, add_legend, panels, styled
from dlexp.figure.style.color import ranked_map
from dlexp.figure.style.text import plain, shorten

BINS = 60
MOST_SHOWN = 8  # layers, evenly taken
REACH = 99.0  # percent of the numbers that the axis shows


Layers = Sequence[tuple[str, np.ndarray, np.ndarray]]  # name, activations and gradients, from the input on


@styled()
def activation_figure(moments: Mapping[str, Layers]) -> Figure:
    """Return two panels a moment, normalised histograms of each layer: activations, and the loss's gradients by them.

    Args:
        moments: Layers by when it was, in words; more than eight are thinned out.
    """
    figure, axes = panels(2 * len(moments), width=PANEL)
    for (moment, layers), left, right in zip(moments.items(), axes[::2], axes[1::2], strict=True):
        chosen = np.linspace(0, len(layers) - 1, min(len(layers), MOST_SHOWN)).round().astype(int)
        shown = [layers[place] for place in dict.fromkeys(chosen.tolist())]
        _draw(left, [(name, values) for name, values, _ in shown], f"activations {moment}")
        _draw(right, [("", grads) for _, _, grads in shown], f"gradients {moment}")
    add_legend(figure, is_below=True)
    return figure


def _draw(axis: Axes, layers: list[tuple[str, np.ndarray]], title: str) -> None:
    finite = [(name, values[np.isfinite(values)]) for name, values in layers]
    everything = np.concatenate([values for _, values in finite]) if finite else np.zeros(0)
    reach = float(np.percentile(np.abs(everything), REACH)) if len(everything) else 1.0
    edges = np.linspace(-(reach or 1.0), reach or 1.0, BINS + 1)
    colors = ranked_map()(np.linspace(0, 1, max(len(finite), 2)))
    for (name, values), color in zip(finite, colors, strict=False):
        if not len(values):
            continue
        counts, _ = np.histogram(values, edges)
        label = plain(shorten(name, 24)) if name else None
        axis.plot((edges[1:] + edges[:-1]) / 2, counts / len(values), color=color, label=label)
    axis.set(title=title, xlabel="value", ylabel="share of the layer's numbers")
    axis.set_ylim(bottom=0)
    axis.locator_params(axis="x", nbins=4)
    axis.ticklabel_format(axis="x", style="sci", scilimits=(-2, 3))
