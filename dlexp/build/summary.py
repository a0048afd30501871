"""`dlexp summary`: the layers of the model that a configuration gives, found without weights."""

from dataclasses import asdict
from typing import Any

import torch
from torch import nn

from dlexp.build.contract import make
from dlexp.build.document import SummaryDocument
from dlexp.build.model import build_module
from dlexp.config.compose import Composed
from dlexp.data.dataset import Dataset
from dlexp.error import ConfigError, first_line
from dlexp.model.summary import summarize


def summary(composed: Composed) -> SummaryDocument:
    """Return what the model for a configuration's data is made of.

    Sets whose shape is known beforehand (`fake`, those that torchvision downloads) are neither made nor read.

    Returns:
        The fields of `dlexp.model.summary.Summary`, with ``kind``, ``model`` (its class), ``data`` and ``num_outputs``.

    Raises:
        ConfigError: The model cannot take the data.
        DataError: Absent or unusable data.
    """
    config = composed.config
    source = make(config, "data")
    dataset: Dataset = (source.blank if hasattr(source, "blank") else source.load)(config["task"])
    loss = make(config, "loss", task=dataset.task, num_classes=dataset.num_classes)
    model = _build_model(config, dataset, loss.num_outputs)
    try:
        counted = summarize(model, dataset.in_shape)
    except RuntimeError as error:
        reason = first_line(error)
        shape = list(dataset.in_shape)
        raise ConfigError(f"model: cannot take examples of shape {shape} ({reason}); choose other sizes") from error
    about = {"kind": "summary", "model": type(model).__name__, "data": dataset.name, "num_outputs": loss.num_outputs}
    return SummaryDocument(**about, **asdict(counted))


def _build_model(config: dict[str, Any], dataset: Dataset, num_outputs: int) -> nn.Module:
    """Build the model without initialising it, on the meta device where its constructor needs no numbers."""
    try:
        with torch.device("meta"):
            return build_module(config, dataset.in_shape, num_outputs, seed=0)
    except RuntimeError:  # a user's constructor may compute with numbers; a true error comes again here
        return build_module(config, dataset.in_shape, num_outputs, seed=0)
