"""Inputs above what an autoencoder makes of them, and the error of each column of a table.

Shapes: N pictures, H height, W width, C channels.
"""

from collections.abc import Sequence

from matplotlib.figure import Figure
from torch import Tensor

from dlexp.figure.style.canvas import PANEL, new_figure, panels, styled
from dlexp.figure.style.text import plain, shorten
from dlexp.image import as_float
from dlexp.number import decimal

COLUMNS = 8
MOST = 16
CAPTION = 0.2  # inches of a line between two bands
SHOWN = 20  # columns of a table, those of the largest errors
LONGEST = 24  # characters of a column's name


@styled()
def sheet_figure(given_NHWC: Tensor, made_NHWC: Tensor, errors: Sequence[float]) -> Figure:
    """Return pictures in bands of eight, each above its reconstruction, with the error below.

    Args:
        given_NHWC: At most 16, in their order; bytes or floats in [0, 1].
        made_NHWC: Their reconstructions, floats; what lies outside [0, 1] is shown as its end.
        errors: Of each.
    """
    num = len(given_NHWC)
    bands, columns = -(-num // COLUMNS), min(COLUMNS, num)
    figure = new_figure(PANEL, 0.45)
    side = figure.get_figwidth() / COLUMNS * given_NHWC.shape[1] / given_NHWC.shape[2]
    figure.set_figheight(0.45 + (2 * side + CAPTION) * bands)
    axes = figure.subplots(2 * bands, columns, squeeze=False)
    for axis in axes.flat:
        axis.set_axis_off()
    for offset, pictures in ((0, as_float(given_NHWC)), (1, made_NHWC)):
        clipped = pictures.cpu().clamp(0, 1)
        shown = (clipped[..., :3] if clipped.shape[3] >= 3 else clipped[..., 0]).numpy()
        for place in range(num):
            axis = axes[2 * (place // columns) + offset][place % columns]
            axis.imshow(shown[place], cmap="gray", vmin=0, vmax=1, interpolation="nearest")
            if offset:
                axis.text(0.5, -0.06, decimal(errors[place]), transform=axis.transAxes, ha="center", va="top")
    figure.suptitle("validation: inputs above reconstructions,\nfrom the least error to the most")
    return figure


@styled()
def columns_figure(errors: Sequence[float], names: Sequence[str]) -> Figure:
    """Return the mean squared error of each column, the largest first; 1 is what its mean would have.

    Args:
        errors: Of each column, normalised.
        names: Theirs.
    """
    order = sorted(range(len(errors)), key=lambda place: -errors[place])[:SHOWN]
    figure, (axis,) = panels(1, height=0.9 + 0.16 * len(order))
    axis.barh(range(len(order)), [errors[place] for place in order], color="C0")
    axis.set_yticks(range(len(order)), [plain(shorten(names[place], LONGEST)) for place in order])
    axis.invert_yaxis()
    axis.set_xlabel("mean squared error, normalised")
    more = f", the {SHOWN} largest of {len(errors)}" if len(errors) > SHOWN else ""
    axis.set_title(f"validation: error by column{more}")
    return figure
