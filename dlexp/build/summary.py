"""`dlexp summary`: the layers of the model that a configuration gives, found without weights."""

from dataclasses import asdict

from dlexp.build.contract import make
from dlexp.build.dataset import task_of_source
from dlexp.build.document import SummaryDocument
from dlexp.build.model import build_blank_model, outputs_of
from dlexp.build.objective import about_targets
from dlexp.build.start.fit import load_start
from dlexp.config.compose import Composed
from dlexp.data.dataset import Dataset
from dlexp.error import ConfigError, first_line
from dlexp.model.summary import summarize
from dlexp.type import RECONSTRUCT


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
    dataset: Dataset = (source.blank if hasattr(source, "blank") else source.load)(task_of_source(config["task"]))
    dataset = dataset.of_inputs_alone() if config["task"] == RECONSTRUCT else dataset
    about = about_targets(dataset) | ({"task": "pairs"} if config["task"] == "pairs" else {})
    loss = make(config, "loss", **about)
    model = build_blank_model(config, dataset.in_shape, outputs_of(loss))
    load_start(config, model.to("meta"))
    try:
        counted = summarize(model, dataset.in_shape)
    except RuntimeError as error:
        reason = first_line(error)
        shape = list(dataset.in_shape)
        raise ConfigError(f"model: cannot take examples of shape {shape} ({reason}); choose other sizes") from error
    about = {"kind": "summary", "model": type(model).__name__, "data": dataset.name, "num_outputs": loss.num_outputs}
    return SummaryDocument(**about, **asdict(counted))
