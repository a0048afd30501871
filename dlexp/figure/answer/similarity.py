"""Similarities of pairs over the threshold, those of the same beside those of different ones, and their ROC curve."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure

from dlexp.figure.style.canvas import PAGE, new_figure, styled
from dlexp.figure.style.color import NEUTRAL, SPLITS
from dlexp.metric.ranking import roc_curve

_BINS = 40


@styled()
def similarity_figure(
    lead_N: np.ndarray, targets_N: np.ndarray, names: Sequence[str], split: str = "validation"
) -> Figure:
    """Return a histogram of both kinds of pairs with the threshold at 0, and the rates of both errors beside it.

    Args:
        lead_N: Similarity less threshold.
        targets_N: 1 for the same.
        names: Of the classes different and same.
        split: Part of the data, for the title.
    """
    figure = new_figure(PAGE, 2.9)
    left, right = figure.subplots(1, 2)
    edges = np.histogram_bin_edges(lead_N, _BINS)
    colors = (NEUTRAL, SPLITS["val"])
    for k, (name, color) in enumerate(zip(names, colors, strict=True)):
        left.hist(lead_N[targets_N == k], bins=edges.tolist(), color=color, alpha=0.7, label=name)
    left.axvline(0, color="black", linewidth=0.9, linestyle=":", label="threshold")
    left.set(xlabel="similarity less threshold", ylabel="pairs", title=f"{split}: similarity")
    left.legend(loc="upper left")
    fpr, tpr, _ = roc_curve(torch.from_numpy(lead_N.astype(np.float64)), torch.from_numpy(targets_N == 1))
    right.plot([0, 1], [0, 1], ":", color=NEUTRAL, linewidth=0.8)
    right.plot([0, 1], [1, 0], ":", color=NEUTRAL, linewidth=0.8, label="equal errors")
    right.plot(fpr.numpy(), tpr.numpy(), color=SPLITS["val"])
    right.set(xlabel="different pairs called the same", ylabel="same pairs called the same", title=f"{split}: ROC")
    right.legend(loc="lower right")
    return figure
