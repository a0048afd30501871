"""The pieces of a run that a configuration names, one at a time: data, seeds, loss, model, monitor."""

import math
from typing import Any

import torch
from torch import nn

from dlexp.build import build, build_per_trial, factory
from dlexp.data.dataset import Dataset
from dlexp.data.fold import Fold, Rolling
from dlexp.engine.evaluate import report
from dlexp.engine.task import TrialSeeds
from dlexp.error import ConfigError, did_you_mean
from dlexp.init import initialize, symmetry_warning
from dlexp.loss import balanced_weights
from dlexp.random import derive, generator

Config = dict[str, Any]
JOINED = "train+val"  # the value of `train_on` with which validation joins training
NO_DIRECTION = ("bias",)  # neither high nor low is better


def load_data(config: Config) -> Dataset:
    """Load the data set, divided as the configuration says: by the data option, or as one fold has it.

    Raises:
        DataError: From the source.
        ConfigError: The task asked for does not fit the targets.
    """
    dataset: Dataset = build(config["data"]).load(config["task"])
    if config.get("train_on") == JOINED:
        dataset = dataset.with_parts(torch.cat([dataset.train, dataset.val]).sort().values, dataset.val[:0])
    return dataset if config.get("fold") is None else take_fold(config, dataset)


def take_fold(config: Config, dataset: Dataset) -> Dataset:
    """Divide the whole data as the configuration of one fold says; an inner fold divides an outer training part."""
    place = config["fold"]
    folds = deal_folds(config, dataset)
    fold = next(fold for fold in folds if (fold.repeat, fold.fold) == (place["repeat"], place["fold"]))
    if place.get("inner") is not None:
        fold = deal_inner(config, dataset, fold)[place["inner"]]
    return dataset.with_parts(fold.train, fold.val)


def deal_folds(config: Config, dataset: Dataset) -> list[Fold]:
    """Deal the examples outside the test part to the folds of a cross-validation.

    Raises:
        ConfigError: The data cannot be dealt so.
        DataError: Too few examples of a kind.
    """
    dealer = build(config["cv"])
    if dataset.times is not None and not isinstance(dealer, Rolling):
        raise ConfigError(
            "data.time: got a column; these folds would train on the future: set cv=rolling, or leave it null"
        )
    return dealer.folds(dataset, config["data"].get("split_seed", 0))


def deal_inner(config: Config, dataset: Dataset, outer: Fold) -> list[Fold]:
    """Deal the training part of an outer fold to the inner folds of a nested cross-validation.

    Raises:
        ConfigError: The data cannot be dealt so.
        DataError: Too few examples of a kind.
    """
    return build(config["cv"]).inner(dataset, outer, config["data"].get("split_seed", 0))


def trial_seeds(config: Config) -> TrialSeeds:
    """Return the seed of each stream: its own, or the run's."""
    apart = {name: value for name, value in config["seeds"].items() if name != "_target_"}
    return TrialSeeds(**{name: config["seed"] if value is None else value for name, value in apart.items()})


def build_loss(configs: list[Config], datasets: list[Dataset], device: torch.device) -> Any:
    """Build the loss that the trials of a program share, for the data's task; balanced by each training part."""
    program = {"task": datasets[0].task, "num_classes": datasets[0].num_classes}
    nodes = [_balanced(config["loss"], dataset) for config, dataset in zip(configs, datasets, strict=True)]
    return build_per_trial(nodes, dtype=torch.float32, device=device, **program)


def _balanced(node: Config, dataset: Dataset) -> Config:
    if node.get("class_weight") != "balanced" or not dataset.num_classes:
        return node
    return {**node, "class_weight": balanced_weights(dataset.targets[dataset.train], dataset.num_classes)}


def build_model(config: Config, dataset: Dataset, loss: Any, seed: int) -> tuple[nn.Module, list[str]]:
    """Build and initialise the model; return it with warnings for the user.

    Raises:
        ConfigError: The model does not fit the data.
    """
    model = build_module(config, dataset.in_shape, loss.num_outputs, seed)
    init = build(config["init"], gain=factory(config["activation"])(num_features=1).gain)
    initialize(model, init, generator(seed, "init"))
    warning = symmetry_warning(init)
    has_hidden = sum(p.dim() >= 2 for p in model.parameters()) > 1
    return model, [warning] if warning and has_hidden else []


def build_module(config: Config, in_shape: tuple[int, ...], num_outputs: int, seed: int) -> nn.Module:
    """Build the model as its class makes it.

    Raises:
        ConfigError: The model does not fit the data.
    """
    program = {
        "in_shape": in_shape,
        "num_outputs": num_outputs,
        **{name: factory(config[name]) for name in ("activation", "norm", "dropout")},
    }
    # A user's module may draw from torch's generator when it is made: seeded for the while, put back after.
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(derive(seed, "construct"))
        return build(config["model"], **program)


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
    targets = dataset.targets[dataset.val].unsqueeze(0)
    outputs = torch.randn(1, targets.shape[1], loss.num_outputs, generator=torch.Generator().manual_seed(0))
    found = report(outputs, targets, loss, dataset.num_classes)
    scalars = {f"val/{k}": float(v) for k, v in found.items() if v.dim() == 1 and k not in NO_DIRECTION}
    known = list(scalars) + known
    sound = [name for name in known if math.isfinite(scalars.get(name, 0.0))]
    if asked in known and asked not in sound:
        raise ConfigError(
            f"trainer.monitor: got {asked}; it is no number for these {targets.shape[1]} validation examples, which "
            f"have one class or one value: choose one of {', '.join(sound)}"
        )
    if asked not in known:
        raise ConfigError(f"trainer.monitor: got {asked}; choose one of {', '.join(known)}{did_you_mean(asked, known)}")
    return asked
