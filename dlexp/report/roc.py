"""ROC curves of the validation part, each class against the rest."""

from pathlib import Path

import torch
from torch import Tensor

from dlexp.metric.probability import log_odds
from dlexp.metric.ranking import roc_auc, roc_curve
from dlexp.report.canvas import new_figure, plain, save

MAX_NAMED = 10


def draw(outputs_NK: Tensor, targets_N: Tensor, class_names: list[str], path: Path, link: str = "softmax") -> Path:
    """Draw a curve for each class that has examples of both kinds; for two classes the second one's alone.

    Args:
        outputs_NK: Logits; one column is the logit of class 1 of two.
        targets_N: Classes.
        class_names: A label for each class; more than 10 are not named.
        path: The PNG to write.
        link: How outputs become probabilities; see `dlexp.metric.probability`.
    """
    scores_NK = log_odds(outputs_NK, link)
    areas_K = roc_auc(scores_NK.unsqueeze(0), targets_N.unsqueeze(0))[0]
    figure = new_figure(5, 4.6)
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], ":", color="tab:gray")
    shown = [1] if len(class_names) == 2 else list(range(len(class_names)))
    for k in shown:
        if not torch.isfinite(areas_K[k]):
            continue
        false_positive, true_positive, _ = roc_curve(scores_NK[:, k], targets_N == k)
        label = f"{plain(class_names[k])} ({areas_K[k]:.3f})" if len(class_names) <= MAX_NAMED else None
        axis.plot(false_positive.numpy(), true_positive.numpy(), linewidth=1, label=label)
    axis.set(title="validation: ROC (area)", xlabel="false positive rate", ylabel="true positive rate")
    axis.grid(alpha=0.3)
    if len(class_names) <= MAX_NAMED and torch.isfinite(areas_K[shown]).any():  # else there is no curve to name
        axis.legend(loc="lower right", fontsize=8)
    return save(figure, path)
