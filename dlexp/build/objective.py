"""The loss that a configuration names, and the metric that chooses the best epoch."""

from typing import Any

import torch

from dlexp.build.node import Config, build_per_trial
from dlexp.data.dataset import Dataset
from dlexp.direction import has_direction
from dlexp.engine.evaluate import report
from dlexp.error import ConfigError, did_you_mean
from dlexp.loss import balanced_weights


def build_loss(configs: list[Config], datasets: list[Dataset], device: torch.device) -> Any:
    """Build the loss that the trials of a program share, for the data's task; balanced by each training part."""
    program = {"task": datasets[0].task, "num_classes": datasets[0].num_classes}
    nodes = [_balanced(config["loss"], dataset) for config, dataset in zip(configs, datasets, strict=True)]
    return build_per_trial(nodes, dtype=torch.float32, device=device, **program)


def _balanced(node: Config, dataset: Dataset) -> Config:
    if node.get("class_weight") != "balanced" or not dataset.num_classes:
        return node
    return {**node, "class_weight": balanced_weights(dataset.targets[dataset.train], dataset.num_classes)}


def choose_monitor(asked: str, loss: Any, dataset: Dataset) -> str:
    """Return the metric that chooses the best epoch.

    Raises:
        ConfigError: No such metric for this task.
    """
    known = ["train/loss", "train/accuracy"] if dataset.num_classes else ["train/loss"]
    if not len(dataset.val):
        if asked not in ("auto", *known):
            reason = "there is no validation part"
            raise ConfigError(f"trainer.monitor: got {asked}; {reason}: choose one of {', '.join(known)}")
        return known[0] if asked == "auto" else asked
    if asked == "auto":
        return "val/accuracy" if dataset.num_classes else "val/loss"
    outputs = torch.zeros(1, 2, loss.num_outputs)
    found = report(outputs, dataset.targets[:2].unsqueeze(0), loss, dataset.num_classes)
    names = [name for name, value in found.items() if value.dim() == 1 and has_direction(name)]
    known = [f"val/{name}" for name in names] + known
    if asked not in known:
        raise ConfigError(f"trainer.monitor: got {asked}; choose one of {', '.join(known)}{did_you_mean(asked, known)}")
    return asked
