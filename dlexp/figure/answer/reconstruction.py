"""Inputs above what an autoencoder makes of them, and the error of each column of a table.

Shapes: N pictures, H height, W width, C channels.
"""

from collections.abc import Callable, Sequence

import numpy as np
import torch
from matplotlib import rcParams
from matplotlib.figure import Figure
from torch import Tensor

from dlexp.data.dataset import Dataset
from dlexp.figure.style.canvas import PANEL, panels, styled
from dlexp.figure.style.text import plain, shorten
from dlexp.figure.style.tile import tile
from dlexp.image import as_float
from dlexp.normalize import Affine

COLUMNS = 8
MOST = 16
CAPTION = 0.4  # of a picture's width, the height of the line between two bands
MOST_ROWS = 4096  # of a table, over which errors are averaged
SHOWN = 20  # columns of a table, those of the largest errors
LONGEST = 24  # characters of a column's name


def reconstruction_figure(
    data: Dataset, error_N: np.ndarray, affine: Affine, reconstruct: Callable[[Tensor], tuple[Tensor, Tensor]]
) -> Figure:
    """Return pictures above their reconstructions, evenly spread over the order of their errors; or errors by column.

    Args:
        data: With its validation part.
        error_N: Of each validation example.
        affine: Normalisation of inputs.
        reconstruct: Returns prepared inputs and reconstructions (N, D) of rows of the data.
    """
    if not data.is_image:
        x_ND, z_ND = reconstruct(data.val[:MOST_ROWS])
        names = data.feature_names or [str(k) for k in range(x_ND.shape[1])]
        return columns_figure((z_ND - x_ND).double().square().mean(0).tolist(), names)
    order = np.argsort(error_N, kind="stable")
    places = order[np.linspace(0, len(order) - 1, min(MOST, len(order))).round().astype(int)]
    rows = data.val[places.tolist()]
    _, made_ND = reconstruct(rows)
    made_NHWC = affine.invert(made_ND.unflatten(1, data.in_shape), -3).movedim(1, -1)
    return sheet_figure(data.inputs[rows], made_NHWC, error_N[places].tolist())


@styled()
def sheet_figure(given_NHWC: Tensor, made_NHWC: Tensor, errors: Sequence[float]) -> Figure:
    """Return pictures in bands of eight, each above its reconstruction, with the error below.

    Args:
        given_NHWC: At most 16, in their order; bytes or floats in [0, 1].
        made_NHWC: Their reconstructions, floats; what lies outside [0, 1] is shown as its end.
        errors: Of each.
    """
    _, height, width, _ = given_NHWC.shape
    caption = max(1, round(CAPTION * width))
    pairs = zip(as_float(given_NHWC).cpu().split(COLUMNS), made_NHWC.cpu().clamp(0, 1).split(COLUMNS), strict=True)
    bands = [tile(torch.cat([_filled(each) for each in pair]), COLUMNS) for pair in pairs]
    gap = np.ones((caption, *bands[0].shape[1:]), bands[0].dtype)
    sheet = np.concatenate([piece for band in bands for piece in (band, gap)])
    figure, (axis,) = panels(1, height=0.5 + PANEL * sheet.shape[0] / sheet.shape[1])
    axis.imshow(sheet, cmap="gray", vmin=0, vmax=1, interpolation="nearest")
    axis.set_axis_off()
    for place, error in enumerate(errors):
        across = place % COLUMNS * (width + 1) + width / 2 - 0.5
        down = (place // COLUMNS + 1) * (2 * (height + 1) + caption) - caption - 0.5
        axis.text(across, down, f"{error:.2g}", ha="center", va="top", fontsize=6)
    axis.set_title("validation: inputs above reconstructions,\nfrom the least error to the most")
    return figure


def _filled(pictures_NHWC: Tensor) -> Tensor:
    """Return pictures with white ones behind them up to a whole row."""
    missing = COLUMNS - len(pictures_NHWC)
    return torch.cat([pictures_NHWC, pictures_NHWC.new_ones(missing, *pictures_NHWC.shape[1:])])


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
    # over and under the names too: long ones leave the axis less room than its title takes
    figure.supxlabel("mean squared error, normalised", fontsize=rcParams["axes.labelsize"])
    more = f",\nthe {SHOWN} largest of {len(errors)}" if len(errors) > SHOWN else ""
    figure.suptitle(f"validation: error by column{more}", fontsize=rcParams["axes.titlesize"])
    return figure
