"""The figures of a run."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from dlexp import metric
from dlexp.build.program import Program
from dlexp.data.dataset import Dataset
from dlexp.data.joint.head import Head, of_target
from dlexp.engine.answer.answer import Reading
from dlexp.engine.answer.inputs import as_targets
from dlexp.figure.answer.order import least_sure, most_wrong
from dlexp.figure.attempt import Drawings
from dlexp.figure.inside.weight import first_filters, read_weights, root_mean_squares
from dlexp.random import generator
from dlexp.run.folder import RunFolder
from dlexp.run.measure import read_layers
from dlexp.statistic import score
from dlexp.statistic.calibration import Bin, reliability
from dlexp.type import RECONSTRUCT

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
    if len(built.dataset.val) and built.dataset.task == RECONSTRUCT:
        figures["reconstruction"] = lambda: _reconstructed(built, folder)
    elif len(built.dataset.val):
        link = Reading.of(built.run.task, built.run.step.rules.loss).link
        figures |= prediction_figures(folder, built.dataset, link)
        figures |= example_figures(folder, built.dataset, link)
    figures |= inside_figures(folder)
    augment = built.run.task.augments[0]
    if augment is not None and built.dataset.is_image:
        figures["augment"] = lambda: _augmented(built, augment)
    return save_all(figures, folder.figures, folder.log)


def prediction_figures(folder: RunFolder, data: Dataset, link: str = "softmax", split: str = "validation") -> Drawings:
    """Return what draws what a folder's validation predictions show: confusion and ROC of classes, residuals of values.

    Of several targets each has its own, with its name behind that of the figure.

    Args:
        folder: Holds the predictions.
        data: For the names of classes, and the positive one of two.
        link: How outputs become probabilities; see `dlexp.metric.probability`.
        split: What the examples were, for the titles.
    """
    stored = folder.predictions("val")
    if data.task == RECONSTRUCT:
        return {}  # several models have no reconstruction of their own
    if not data.heads:
        target = folder.config.get("data", {}).get("target", "value")
        return _answer_figures(stored, Head(target, data.task, data.class_names, data.positive), link, split)
    figures: Drawings = {}
    for place, head in enumerate(data.heads):
        drawn = _answer_figures(of_target(stored, data.heads, place), head, link, f"{split}, {head.name}")
        figures |= {f"{name}_{head.label}": draw for name, draw in drawn.items()}
    return figures


def _answer_figures(predictions: dict[str, np.ndarray], head: Head, link: str, split: str) -> Drawings:
    from dlexp.figure.answer.calibration import calibration_figure
    from dlexp.figure.answer.precision_recall import precision_recall_figure
    from dlexp.figure.answer.similarity import similarity_figure
    from dlexp.figure.confusion import confusion_figure
    from dlexp.figure.residual import residual_figure
    from dlexp.figure.roc import roc_figure

    names = head.class_names
    if not names:
        return {"residuals": lambda: residual_figure(predictions["target"], predictions["output"], head.name)}
    outputs, targets = torch.from_numpy(predictions["output"]), torch.from_numpy(predictions["target"])
    counts = metric.confusion_matrix(outputs.unsqueeze(0), targets.unsqueeze(0), len(names))[0]
    if head.task == "pairs":
        lead_N = outputs[:, 1].double() - outputs[:, 0]
        return {
            "confusion": lambda: confusion_figure(counts.numpy(), names, f"{split}: confusion"),
            "similarity": lambda: similarity_figure(lead_N.numpy(), predictions["target"], names, split),
        }
    return {
        "confusion": lambda: confusion_figure(counts.numpy(), names, f"{split}: confusion"),
        "confusion_percent": lambda: confusion_figure(
            counts.numpy(), names, f"{split}: confusion in %", is_in_percent=True
        ),
        "roc": lambda: roc_figure(outputs, targets, names, link, split, head.positive),
        "precision_recall": lambda: precision_recall_figure(outputs, targets, names, link, split, head.positive),
        "reliability": lambda: calibration_figure(_bins(predictions, link), split),
    }


def _bins(predictions: dict[str, np.ndarray], link: str) -> list[Bin]:
    p_NK = score.probabilities(predictions["output"], link)
    return reliability(p_NK.max(1), score.called(predictions["output"]) == predictions["target"])


def example_figures(folder: RunFolder, data: Dataset, link: str) -> Drawings:
    """Return what draws the pictures that are most wrong, and least sure; nothing of tables and values."""
    from dlexp.figure.answer.example import MOST, example_figure

    names, predictions = data.class_names, folder.predictions("val")
    outputs, targets = predictions["output"], predictions["target"]
    if not names or not data.is_image or not np.isfinite(outputs).all():
        return {}
    called = score.called(outputs)
    chosen = {
        "most_wrong": (
            most_wrong(outputs, targets, link, MOST),
            "most wrong: the true class had the\nleast probability",
        ),
        "least_sure": (least_sure(outputs, link, MOST), "least sure: two classes are closest,\nright or wrong"),
    }

    def draw(rows: list[int], title: str) -> "Figure":
        truth, said = ([names[int(values[row])] for row in rows] for values in (targets, called))
        return example_figure(data.pictures(data.val[rows]), truth, said, title)

    return {name: (lambda rows=rows, title=title: draw(rows, title)) for name, (rows, title) in chosen.items() if rows}


def inside_figures(folder: RunFolder) -> Drawings:
    """Return what draws the size of the best weights by layer, and the filters of a first layer of pictures."""
    from dlexp.figure.inside.filter import filter_figure
    from dlexp.figure.inside.layer import layer_figure

    weights = read_weights(folder.checkpoints / "best", read_layers(folder))
    filters = first_filters(weights)
    figures: Drawings = {"weights": lambda: layer_figure(*root_mean_squares(weights))} if weights else {}
    return figures if filters is None else {**figures, "filters": lambda: filter_figure(filters)}


@torch.no_grad()
def _reconstructed(built: Program, folder: RunFolder) -> "Figure":
    """Draw what the program, which has the best weights, makes of validation examples."""
    from dlexp.figure.answer.reconstruction import reconstruction_figure

    task, forward = built.run.task, built.run.step.forward

    def reconstruct(rows: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x = task.prepare(next(iter(task.feed.batches([rows])))[0])
        forward.set_training(False)
        outputs = forward(x)
        forward.set_training(True)
        assert isinstance(outputs, torch.Tensor)
        return as_targets(x, is_image=task.is_image).cpu(), outputs[0].cpu()

    return reconstruction_figure(built.dataset, folder.predictions("val")["output"], built.affine, reconstruct)


def _augmented(built: Program, augment: Any) -> "Figure":
    from dlexp.figure.augment import augment_figure

    data, draws = built.dataset, generator(built.run.seeds[0].augment, "sheet")
    # from all over the training part: files come ordered by class
    examples = data.train[torch.linspace(0, len(data.train) - 1, SHEET_IMAGES).long()]
    inputs, targets = data.inputs[data.input_rows(examples)], data.targets[examples].repeat_interleave(data.inputs_each)
    return augment_figure(inputs[:SHEET_IMAGES], targets[:SHEET_IMAGES], augment, draws)
