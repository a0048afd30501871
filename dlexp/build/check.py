"""What is checked of a run before its folder is made, so that nothing is left behind by one that cannot work."""

import os
from pathlib import Path

import torch

from dlexp.build.program import Program
from dlexp.data.dataset import Dataset
from dlexp.error import ConfigError, first_line, is_broken_device, is_out_of_memory
from dlexp.metric.choice import Metrics


def check_destination(runs_dir: Path) -> None:
    """Check that run folders can be made in a folder that may not exist yet.

    Raises:
        ConfigError: They cannot.
    """
    nearest = next(folder for folder in [runs_dir, *runs_dir.resolve().parents] if folder.exists())
    if not nearest.is_dir():
        raise ConfigError(f"runs_dir: got {runs_dir}; {nearest} is a file, a folder is needed")
    if not os.access(nearest, os.W_OK | os.X_OK):
        raise ConfigError(f"runs_dir: got {runs_dir}; {nearest} cannot be written to, choose another folder")


def check_test(dataset: Dataset, open_test: bool) -> None:
    """Check that there is a test part when it is to be opened.

    Raises:
        ConfigError: There is none.
    """
    if open_test and not len(dataset.test):
        raise ConfigError(f"--test: got {dataset.name}, which has no test part; leave --test out, or evaluate val")


def check_metrics(metrics: Metrics, dataset: Dataset) -> None:
    """Check that what was set of the metrics has an effect on these data.

    Raises:
        ConfigError: It has none.
    """
    has_classes = dataset.num_classes or any(head.num_classes for head in dataset.heads)
    if not has_classes and metrics.beta != Metrics().beta:
        raise ConfigError(f"metric.beta: got {metrics.beta:g}; the data have values, and fbeta is a metric of classes")


@torch.no_grad()
def check_model(built: Program) -> None:
    """Send two blank examples through the model in evaluation mode, which changes nothing in it.

    Raises:
        ConfigError: The model cannot take the data's shape, or gives another shape than the loss needs.
    """
    check_metrics(built.run.task.metrics, built.dataset)
    model, shape = built.model, list(built.dataset.in_shape)
    wanted = [2, built.run.step.rules.loss.num_outputs]
    was_training = model.training
    model.eval()
    try:
        outputs = model(torch.zeros(2, *shape, dtype=built.run.task.dtype, device=built.device))
    except RuntimeError as error:
        if is_out_of_memory(error) or is_broken_device(error):
            raise  # no fault of the shapes
        reason = first_line(error)
        raise ConfigError(f"model: cannot take examples of shape {shape} ({reason}); choose other sizes") from error
    finally:
        model.train(was_training)
    if not isinstance(outputs, torch.Tensor) or list(outputs.shape) != wanted:
        got = list(outputs.shape) if isinstance(outputs, torch.Tensor) else type(outputs).__name__
        raise ConfigError(f"model: got outputs {got} for two examples; {wanted} are needed")
