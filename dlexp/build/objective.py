"""The loss that a configuration names, and the metric that chooses the best epoch."""

import math
from typing import Any

import torch

from dlexp.augment.cutmix import CutMix
from dlexp.augment.mixup import Mixup
from dlexp.build.contract import make, make_per_trial
from dlexp.build.node import build
from dlexp.config.metric import METRICS
from dlexp.data.balance import balanced_weights
from dlexp.data.dataset import Dataset
from dlexp.direction import has_direction
from dlexp.embedding.similarity import SIMILARITIES
from dlexp.engine.answer.answer import Reading
from dlexp.engine.answer.choice import answer_of
from dlexp.engine.evaluate import report
from dlexp.error import ConfigError, did_you_mean
from dlexp.kernel.joint_loss import JointLoss
from dlexp.metric.choice import Metrics
from dlexp.type import RECONSTRUCT, SEVERAL, Config


def build_loss(
    configs: list[Config], datasets: list[Dataset], device: torch.device, dtype: torch.dtype = torch.float32
) -> Any:
    """Build the loss that the trials of a program share, for the data's task; balanced by each training part.

    Args:
        configs: Of the trials.
        datasets: Theirs.
        device: Where its parameters live.
        dtype: What they are stored in: that of the model.

    Raises:
        ConfigError: It does not fit the task.
    """
    program = about_targets(datasets[0])
    target = configs[0]["loss"]["_target_"]
    if datasets[0].task == RECONSTRUCT and not target.startswith("dlexp."):
        raise ConfigError(f"loss: got {target}; the task is {RECONSTRUCT}: choose mse, or auto")
    nodes = [_balanced(config["loss"], dataset) for config, dataset in zip(configs, datasets, strict=True)]
    loss = make_per_trial(nodes, "loss", dtype=dtype, device=device, **program)
    if datasets[0].heads and not isinstance(loss, JointLoss):
        raise ConfigError(f"loss: got {type(loss).__name__}; the data have several targets: choose auto")
    if datasets[0].pairs is not None and getattr(loss, "similarity", None) not in SIMILARITIES:
        raise ConfigError(
            f"loss: got {type(loss).__name__}, whose similarity is none of {', '.join(SIMILARITIES)}; the task is "
            "pairs: choose cosine or contrastive, or give it one"
        )
    return loss


def about_targets(dataset: Dataset) -> dict[str, Any]:
    """Return what a loss is told of the data."""
    num_inputs = math.prod(dataset.in_shape)
    about = {"task": dataset.task, "num_classes": dataset.num_classes, "num_inputs": num_inputs}
    return {**about, "heads": dataset.heads}


def make_augment(config: Config, dataset: Dataset) -> Any:
    """Build the augmentation for the data.

    Raises:
        ConfigError: It mixes the labels of examples, where the task has none.
    """
    augment = make(config, "augment", num_classes=dataset.num_classes)
    mixing = [step for step in getattr(augment, "steps", [augment]) if isinstance(step, Mixup | CutMix)]
    if mixing and dataset.task in (RECONSTRUCT, "pairs", SEVERAL):
        name, what = type(mixing[0]).__name__.lower(), "several targets" if dataset.heads else f"task={dataset.task}"
        raise ConfigError(f"augment: got {name} with {what}; it mixes labels: choose noise, cutout or another")
    return augment


def _balanced(node: Config, dataset: Dataset) -> Config:
    if node.get("class_weight") != "balanced" or not dataset.num_classes:
        return node
    return {**node, "class_weight": balanced_weights(dataset.targets[dataset.train], dataset.num_classes)}


def build_metrics(config: Config, dataset: Dataset) -> Metrics:
    """Build the constants of the metrics and the user's own.

    Raises:
        ConfigError: An own metric lacks something, or has the name of another.
    """
    metrics: Metrics = build(config["metric"], task=dataset.task, num_classes=dataset.num_classes)
    taken = {"loss", "loss_se", "penalty", *(row.name for row in METRICS)}
    name = next((name for name in metrics.names if name in taken), None)
    if dataset.heads and metrics.names:
        raise ConfigError(f"metric.extra: got {metrics.names[0]}; a metric of your own takes one target, not several")
    if name is not None:
        raise ConfigError(f"metric.extra: got {name}; that name is taken: see `dlexp options metric`")
    return metrics


def choose_monitor(
    monitor: str, loss: Any, dataset: Dataset, metrics: Metrics | None = None, device: torch.device | str = "cpu"
) -> str:
    """Return the metric that chooses the best epoch.

    Args:
        monitor: As the user wrote it; auto takes the accuracy, or the loss of values.
        loss: Of a trial.
        dataset: Its data.
        metrics: The user's own.
        device: Where the loss has its parameters.

    Raises:
        ConfigError: No such metric for this task.
    """
    answer = answer_of(dataset)
    known = ["train/loss", "train/accuracy"] if answer.has_accuracy else ["train/loss"]
    if not len(dataset.val):
        if monitor not in ("auto", *known):
            reason = "there is no validation part"
            raise ConfigError(f"trainer.monitor: got {monitor}; {reason}: choose one of {', '.join(known)}")
        return known[0] if monitor == "auto" else monitor
    if monitor == "auto":
        return f"val/{answer.monitor}"
    targets = dataset.targets[dataset.val].unsqueeze(0).to(device)
    width = loss.num_outputs if dataset.pairs is None else 2  # threshold and similarity
    outputs = torch.randn(1, targets.shape[1], width, generator=torch.Generator().manual_seed(0)).to(device)
    scores = report(outputs, targets, Reading(loss, answer))
    scalars = {f"val/{k}": float(v[0]) for k, v in scores.items() if v.dim() == 1 and has_direction(k)}
    known = [f"val/{name}" for name in ([] if metrics is None else metrics.names)] + list(scalars) + known
    sound = [name for name in known if math.isfinite(scalars.get(name, 0.0))]
    if monitor in known and monitor not in sound:
        raise ConfigError(
            f"trainer.monitor: got {monitor}; it is no number for these {targets.shape[1]} validation examples, which "
            f"have one class or one value: choose one of {', '.join(sound)}"
        )
    if monitor not in known:
        raise ConfigError(
            f"trainer.monitor: got {monitor}; choose one of {', '.join(known)}{did_you_mean(monitor, known)}"
        )
    return monitor
