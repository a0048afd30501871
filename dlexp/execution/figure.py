"""The figures of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from dlexp import metric
from dlexp.build.program import Program
from dlexp.engine.evaluate import Reading
from dlexp.random import generator
from dlexp.report.attempt import Drawings
from dlexp.run.folder import RunFolder

if TYPE_CHECKING:
    from dlexp.report.style.canvas import Figure
SHEET_IMAGES = 16


def draw_figures(built: Program, folder: RunFolder) -> list[Path]:
    """Draw learning curves, what the validation predictions show, and what the augmentation does."""
    from dlexp.report.curve import curves_figure
    from dlexp.report.style.canvas import save_all

    best_epoch = (folder.result or {}).get("best_epoch", 0)
    monitor = folder.manifest["monitor"]["metric"]
    figures: Drawings = {"curves": lambda: curves_figure(folder.history(), best_epoch, monitor)}
    if len(built.dataset.val):
        figures |= _class_figures(built, folder) if built.dataset.class_names else _value_figures(folder)
    augment = built.run.task.augments[0]
    if augment is not None and built.dataset.is_image:
        figures["augment"] = lambda: _augmented(built, augment)
    return save_all(figures, folder.figures, folder.log)


def _class_figures(built: Program, folder: RunFolder) -> Drawings:
    from dlexp.report.confusion import confusion_figure
    from dlexp.report.roc import roc_figure

    names, predictions = built.dataset.class_names, folder.predictions("val")
    reading = Reading.of(built.run.task, built.run.step.rules.loss)
    targets = torch.from_numpy(predictions["target"]).unsqueeze(0)
    outputs = torch.from_numpy(predictions["output"]).unsqueeze(0)
    counts = metric.confusion_matrix(outputs, targets, len(names))[0]
    return {
        "confusion": lambda: confusion_figure(counts.numpy(), names),
        "roc": lambda: roc_figure(outputs[0], targets[0], names, reading.link, positive=built.dataset.positive),
    }


def _value_figures(folder: RunFolder) -> Drawings:
    from dlexp.report.residual import residual_figure

    predictions = folder.predictions("val")
    name = folder.config.get("data", {}).get("target", "value")
    return {"residuals": lambda: residual_figure(predictions["target"], predictions["output"], name)}


def _augmented(built: Program, augment: Any) -> "Figure":
    from dlexp.report.augment import augment_figure

    data, draws = built.dataset, generator(built.run.seeds[0].augment, "sheet")
    # from all over the training part: files come ordered by class
    rows = data.train[torch.linspace(0, len(data.train) - 1, SHEET_IMAGES).long()]
    return augment_figure(data.inputs[rows], data.targets[rows], augment, draws)
