"""The figures of a run."""

from pathlib import Path
from typing import Any

import torch

from dlexp import metric
from dlexp.build.program import Program
from dlexp.engine.evaluate import Reading
from dlexp.random import generator
from dlexp.run.folder import RunFolder

SHEET_IMAGES = 16


def draw_figures(built: Program, folder: RunFolder) -> list[Path]:
    """Draw learning curves, what the validation predictions show, and what the augmentation does."""
    from dlexp.report import curve

    drawn = [curve.draw(folder.history(), folder.figures / "curves.png")]
    if len(built.dataset.val):
        drawn += _draw_classes(built, folder) if built.dataset.class_names else _draw_values(folder)
    augment = built.run.task.augments[0]
    if augment is not None and built.dataset.is_image:
        drawn.append(_draw_augmented(built, augment, folder.figures / "augment.png"))
    return drawn


def _draw_classes(built: Program, folder: RunFolder) -> list[Path]:
    from dlexp.report import confusion, roc

    names, predictions = built.dataset.class_names, folder.predictions("val")
    reading = Reading.of(built.run.task, built.run.step.rules.loss)
    targets = torch.from_numpy(predictions["target"]).unsqueeze(0)
    outputs = torch.from_numpy(predictions["output"]).unsqueeze(0)
    counts = metric.confusion_matrix(outputs, targets, len(names))[0]
    return [
        confusion.draw(counts.numpy(), names, folder.figures / "confusion.png"),
        roc.draw(outputs[0], targets[0], names, folder.figures / "roc.png", reading.link),
    ]


def _draw_values(folder: RunFolder) -> list[Path]:
    from dlexp.report import residual

    predictions = folder.predictions("val")
    return [residual.draw(predictions["target"], predictions["output"], folder.figures / "residuals.png")]


def _draw_augmented(built: Program, augment: Any, path: Path) -> Path:
    from dlexp.report.augment import contact_sheet

    data, draws = built.dataset, generator(built.run.seeds[0].augment, "sheet")
    # from all over the training part: files come ordered by class
    rows = data.train[torch.linspace(0, len(data.train) - 1, SHEET_IMAGES).long()]
    contact_sheet(data.inputs[rows], data.targets[rows], augment, path, draws)
    return path
