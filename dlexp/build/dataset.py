"""The pieces of a run that a configuration names, one at a time: data, seeds, loss, model, monitor."""

import json
from dataclasses import replace
from typing import Any

import torch

from dlexp.build.contract import make
from dlexp.build.node import build
from dlexp.data.dataset import Dataset
from dlexp.data.fact.positive import choose_positive
from dlexp.data.fold import Fold, Rolling
from dlexp.data.joint.join import require_labels
from dlexp.data.pair.draw import Pairs
from dlexp.data.pair.require import require_sound
from dlexp.data.split import ValSplit
from dlexp.engine.trainer import Trainer
from dlexp.error import ConfigError
from dlexp.number import noun
from dlexp.type import RECONSTRUCT, Config

JOINED = "train+val"  # the value of `train_on` with which validation joins training


def load_data(config: Config) -> Dataset:
    """Load the data set, divided as the configuration says: by the data option, or as one fold has it.

    Raises:
        DataError: From the source.
        ConfigError: The task asked for does not fit the targets.
    """
    source = make(config, "data")
    task = task_of_source(config["task"])
    dataset = _load_limited(source, task) if "cv" in config and isinstance(source, ValSplit) else source.load(task)
    if not isinstance(dataset, Dataset):
        raise ConfigError(
            f"data: got {type(source).__name__}.load, which returned a {type(dataset).__name__}; "
            "a dlexp.data.dataset.Dataset is needed, `dlexp new data NAME` writes a whole one"
        )
    dataset = _pair_up(config, dataset)
    if "positive" in config["data"]:  # absent in runs of earlier versions, which took class 1
        wanted = config["data"]["positive"]
        if wanted is not None and dataset.heads:
            raise ConfigError("data.positive: has no effect on several targets; each of two classes takes the default")
        dataset = replace(dataset, positive=choose_positive(wanted, dataset.class_names, dataset.targets))
    if config["task"] == RECONSTRUCT:
        dataset = dataset.of_inputs_alone()
    if config.get("train_on") == JOINED:
        pool = torch.cat([dataset.dealt.train, dataset.dealt.val]).sort().values
        dataset = dataset.with_parts(pool, dataset.dealt.val[:0])
    return dataset if config.get("fold") is None else take_fold(config, dataset)


def _pair_up(config: Config, dataset: Dataset) -> Dataset:
    """Return the pairs that task=pairs draws from the examples of each part; other data, and pairs, as they are.

    Raises:
        ConfigError: Numbers of pairs that nothing draws by, or another task than the data's.
        DataError: A part without pairs of one kind.
    """
    rule = Pairs() if "pairs" not in config else build(config["pairs"])
    if dataset.pairs is not None and config["task"] not in ("auto", "pairs"):
        raise ConfigError(f"task: got {config['task']}; the data are pairs: choose pairs, or auto")
    if config["task"] == "pairs" and dataset.pairs is None:
        return rule.draw(dataset, config["data"].get("split_seed", 0))
    if rule != Pairs():
        name = next(name for name, value in vars(Pairs()).items() if getattr(rule, name) != value)
        why = "task=pairs draws them" if dataset.pairs is None else "the data bring their pairs, data.limit uses fewer"
        raise ConfigError(f"pairs.{name}: has no effect; {why}")
    return dataset


def task_of_source(task: str) -> str:
    """Return the task that a source is asked for: whatever its targets make where these are not what is learnt."""
    return "auto" if task == RECONSTRUCT else task


def _load_limited(source: Any, task: str) -> Dataset:
    """Load what a cross-validation deals: `limit` thins all examples outside the test part, not the training part."""
    dataset: Dataset = replace(source, limit=None).load(task)
    if source.limit is None:
        return dataset
    strata = dataset.targets if dataset.strata is None else dataset.strata
    pool = source.thin(torch.cat([dataset.train, dataset.val]).sort().values, strata)
    return dataset.with_parts(*(part[torch.isin(part, pool)] for part in (dataset.train, dataset.val)))


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
    dataset = dataset.dealt
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
    return build(config["cv"]).inner(dataset.dealt, outer, config["data"].get("split_seed", 0))


class Datasets:
    """Loads each data set once, however many configurations ask for it; folds of one share its examples."""

    def __init__(self) -> None:
        self._loaded: dict[str, Dataset] = {}

    def __call__(self, config: dict[str, Any]) -> Dataset:
        """Return what a configuration asks for.

        Raises:
            DataError: From the source.
            ConfigError: The task asked for does not fit the targets.
        """
        key = _key(config)
        if key not in self._loaded:
            self._loaded[key] = self._load(config)
        return self._loaded[key]

    def _load(self, config: dict[str, Any]) -> Dataset:
        if config.get("fold") is None:
            return load_data(config)
        return take_fold(config, self({**config, "fold": None}))


def _key(config: dict[str, Any]) -> str:
    place = config.get("fold")
    shared = [config["data"], config["task"], config.get("pairs"), config.get("train_on"), "cv" in config]
    return json.dumps([*shared, place, None if place is None else config["cv"]], sort_keys=True)


def check_parts(datasets: list[Dataset], trainer: Trainer, train_on: str = "train") -> list[str]:
    """Check the number of training and validation examples against what a run asks for.

    Args:
        datasets: Of the trials of one program.
        trainer: Its settings.
        train_on: ``train+val`` where the validation part has joined the training part.

    Returns:
        What is done otherwise than the settings say, a line each: a batch as large as the training part, where the
        default is larger.

    Raises:
        ConfigError: Too few examples, or the wrong kind of targets.
        DataError: Pairs that share inputs between parts, or are of one kind.
    """
    for dataset in datasets:
        require_sound(dataset)
    if train_on != JOINED and not all(len(dataset.val) for dataset in datasets):
        raise ConfigError("data.val_fraction: got no validation examples; a run needs some to choose its best epoch")
    smallest = min(len(dataset.train) for dataset in datasets)
    is_fitted = trainer.batch_size > smallest
    if is_fitted and trainer.batch_size != Trainer().batch_size:
        raise ConfigError(
            f"trainer.batch_size: got {trainer.batch_size}; the training part has {noun(smallest, 'example')}"
        )
    for each in datasets:
        require_labels(each.targets, each.heads, {"training": each.train, "validation": each.val}, each.name)
    if trainer.oversample and not datasets[0].num_classes:
        what = "several targets" if datasets[0].heads else "values"
        raise ConfigError(
            f"trainer.oversample: got true; the data have {what}, only classes can be drawn equally often"
        )
    if is_fitted:
        return [
            f"the training part has {noun(smallest, 'example')}: a batch is all of them "
            "(trainer.batch_size makes it smaller)"
        ]
    return []
