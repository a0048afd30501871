"""The figures of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from dlexp import metric
from dlexp.build.program import Program
from dlexp.data.dataset import Dataset
from dlexp.engine.evaluate import Reading
from dlexp.figure.attempt import Drawings
from dlexp.random import generator
from dlexp.run.folder import RunFolder

if TYPE_CHECKING:
    from dlexp.figure.style.canvas import Figure
SHEET_IMAGES = 16


def draw_figures(built: Program, folder: RunFolder) -> list[Path]:
    """Draw learning curves, what the validation predictions show, and what the augmentation does."""
    from dlexp.figure.curve import curves_figure
    from dlexp.figure.style.canvas import save_all

    best_epoch = (folder.result or {}).get("best_epoch", 0)
    monitor = folder.manifest["monitor"]["metric"]
    figures: Drawings = {"curves": lambda: curves_figure(folder.history(), best_epoch, monitor)}
    if len(built.dataset.val):
        link = Reading.of(built.run.task, built.run.step.rules.loss).link
        figures |= prediction_figures(folder, built.dataset, link)
    augment = built.run.task.augments[0]
    if augment is not None and built.dataset.is_image:
        figures["augment"] = lambda: _augmented(built, augment)
    return save_all(figures, folder.figures, folder.log)


def prediction_figures(folder: RunFolder, data: Dataset, link: str = "softmax", split: str = "validation") -> Drawings:
    """Return what draws what a folder's validation predictions show: confusion and ROC of classes, residuals of values.

    Args:
        folder: Holds the predictions.
        data: For the names of classes, and the positive one of two.
        link: How outputs become probabilities; see `dlexp.metric.probability`.
        split: What the examples were, for the titles.
    """
    from dlexp.figure.confusion import confusion_figure
    from dlexp.figure.residual import residual_figure
    from dlexp.figure.roc import roc_figure

    names, predictions = data.class_names, folder.predictions("val")
    if not names:
        target = folder.config.get("data", {}).get("target", "value")
        return {"residuals": lambda: residual_figure(predictions["target"], predictions["output"], target)}
    outputs, targets = torch.from_numpy(predictions["output"]), torch.from_numpy(predictions["target"])
    counts = metric.confusion_matrix(outputs.unsqueeze(0), targets.unsqueeze(0), len(names))[0]
    return {
        "confusion": lambda: confusion_figure(counts.numpy(), names, f"{split}: confusion"),
        "roc": lambda: roc_figure(outputs, targets, names, link, split, data.positive),
    }


def _augmented(built: Program, augment: Any) -> "Figure":
    from dlexp.figure.augment import augment_figure

    data, draws = built.dataset, generator(built.run.seeds[0].augment, "sheet")
    # from all over the training part: files come ordered by class
    rows = data.train[torch.linspace(0, len(data.train) - 1, SHEET_IMAGES).long()]
    return augment_figure(data.inputs[rows], data.targets[rows], augment, draws)
