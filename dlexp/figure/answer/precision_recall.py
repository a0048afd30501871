"""Precision over recall, each class against the rest, with their mean.

Precision is interpolated as average precision sums it: in steps, the share of right ones among the examples that score
at least as high. Shapes: N examples, K classes.

References:
    T. Fawcett (2006), An introduction to ROC analysis, section 4; J. Davis and M. Goadrich (2006), ICML.
"""

import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

from dlexp.figure.roc import MAX_NAMED, look_of
from dlexp.figure.style.canvas import add_legend, new_figure, styled
from dlexp.figure.style.color import SPLITS
from dlexp.figure.style.text import label
from dlexp.metric.probability import ranks_by
from dlexp.metric.ranking import average_precision


@styled()
def precision_recall_figure(
    outputs_NK: Tensor,
    targets_N: Tensor,
    class_names: list[str],
    link: str = "softmax",
    split: str = "validation",
    positive: int = 1,
) -> Figure:
    """Return a curve for each class that has examples, with its average precision; for two classes the positive one's.

    Args:
        outputs_NK: Logits; one column is the logit of class 1 of two.
        targets_N: Classes.
        class_names: A label for each class; more than 10 are not named.
        link: How outputs become probabilities; see `dlexp.metric.probability`.
        split: Part of the data, for the title.
        positive: The positive class of two.
    """
    scores_NK = ranks_by(outputs_NK, link)
    areas_K = average_precision(scores_NK.unsqueeze(0), targets_N.unsqueeze(0))[0]
    every = [positive] if len(class_names) == 2 else list(range(len(class_names)))
    shown = [k for k in every if bool((targets_N == k).any()) and torch.isfinite(areas_K[k])]
    is_named = len(class_names) <= MAX_NAMED
    figure = new_figure(5.1 if is_named and shown else 3.6, 3.3)
    axis = figure.subplots()
    labels = label([class_names[k] for k in shown], 14, shown)
    for place, k in enumerate(shown):
        recall, precision = precision_recall((scores_NK[:, k]).numpy(), (targets_N == k).numpy())
        look = look_of(place, is_named=is_named)
        if is_named and len(shown) == 1:
            look["color"] = SPLITS["val"]
        name = f"{labels.short[place]} ({areas_K[k]:.3f})" if is_named else None
        axis.step(recall, precision, where="pre", label=name, **look)
    mean = f", mean {areas_K[shown].mean():.3f}" if len(shown) > 1 else ""
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.03), xlabel="recall", ylabel="precision")
    axis.set_title(f"{split}: precision-recall\n(average precision{mean})")
    add_legend(figure, labels.key if is_named else [])
    return figure


def precision_recall(scores_N: np.ndarray, is_positive_N: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return recall and precision at each threshold, from (0, 1) on; examples of equal scores cross it together.

    Args:
        scores_N: Higher for likelier.
        is_positive_N: Of which at least one is true.
    """
    order = np.argsort(-scores_N, kind="stable")
    ends = np.r_[np.flatnonzero(np.diff(scores_N[order])), len(order) - 1]
    hits = np.cumsum(is_positive_N[order])[ends]
    return np.r_[0.0, hits / is_positive_N.sum()], np.r_[1.0, hits / (ends + 1)]
