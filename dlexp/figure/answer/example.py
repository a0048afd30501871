"""Pictures that a classifier gets wrong, or is not sure of, each with what it is and what it is called.

Shapes: N pictures, H height, W width, C channels.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from dlexp.figure.style.canvas import PANEL, new_figure, styled
from dlexp.figure.style.text import plain, shorten
from dlexp.image import as_float

COLUMNS = 4
MOST = 16
LONGEST = 11  # characters of a class's name under a picture
CAPTION = 0.28  # inches of two lines


@styled()
def example_figure(pictures_NHWC: Tensor, truth: Sequence[str], called: Sequence[str], title: str) -> Figure:
    """Return pictures in rows of four, under each its true class and, below, what it was called.

    Args:
        pictures_NHWC: At most 16, in their order; bytes or floats in [0, 1].
        truth: The true class of each.
        called: The predicted class of each.
        title: Of the figure.
    """
    rows = -(-len(pictures_NHWC) // COLUMNS)
    figure = new_figure(PANEL, 0.45)
    height = 0.6 + CAPTION / 2 + (figure.get_figwidth() / COLUMNS + CAPTION) * rows
    figure.set_figheight(height)
    below = 0.7 * CAPTION / height  # captions stand between the rows, the last ones below
    figure.set_layout_engine(
        "constrained", w_pad=0.02, h_pad=CAPTION / 2, wspace=0, hspace=0, rect=(0, below, 1, 1 - below)
    )
    axes = figure.subplots(rows, COLUMNS, squeeze=False)
    pictures = as_float(pictures_NHWC).cpu().clamp(0, 1)
    shown = (pictures[..., :3] if pictures.shape[3] >= 3 else pictures[..., 0]).numpy()
    for place, axis in enumerate(axes.flat):
        axis.set_axis_off()
        if place < len(shown):
            axis.imshow(shown[place], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            words = [plain(shorten(name, LONGEST)) for name in (truth[place], called[place])]
            caption = f"is {words[0]}\nsaid {words[1]}"
            text = axis.text(0.5, -0.03, caption, transform=axis.transAxes, ha="center", va="top", fontsize=6)
            text.set_in_layout(False)
    figure.suptitle(title)
    return figure
