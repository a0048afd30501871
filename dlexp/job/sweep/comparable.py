"""What settings share so that they can be ranked: metric and validation examples; and keys that only some have."""

from collections.abc import Callable
from typing import Any

import torch

from dlexp.config.rule.owner import owner_of
from dlexp.config.source.fault import user_fault
from dlexp.config.space import Space
from dlexp.config.wording import show
from dlexp.data.dataset import Dataset
from dlexp.data.quality import examine, warn
from dlexp.error import ConfigError, DlexpError
from dlexp.execution.origin.ancestry import warn_of_seen
from dlexp.search.strategy import Proposal, Search, signature
from dlexp.type import Config

EVENING = ("trainer.oversample", "loss", "loss.class_weight")  # settings by which unequal classes are evened out


def require_one_choice(space: Space, search: Search) -> None:
    """Refuse a search whose settings choose their epochs by different metrics, and keys that the search overrides.

    Raises:
        ConfigError: Such a key, with what to write.
    """
    for d in space.dimensions:
        if d.key == "trainer.monitor":
            cure = "a sweep ranks by one metric: set search.metric to it, or sweep once for each"
            raise ConfigError(f"{d.key}: got {show(d.text.partition('=')[2])}; {cure}")
    given = {override.key: override.value for override in space.fixed}
    if search.metric != "auto" and given.get("trainer.monitor", search.metric) != search.metric:
        cure = f"search.metric={search.metric} chooses the epoch too; remove one of them"
        raise ConfigError(f"trainer.monitor: got {show(given['trainer.monitor'])}; {cure}")
    if getattr(search, "epochs", None) is not None and "trainer.epochs" in given:
        raise ConfigError(
            "trainer.epochs: has no effect; search.epochs has the epochs of each round; remove one of them"
        )


def common_metric(space: Space, metric: str, monitor: str, dataset: Dataset) -> str:
    """Return what a search ranks by: one measure where settings have losses of their own, ``val/loss`` of which differ.

    Args:
        space: What is searched.
        metric: `search.metric`.
        monitor: `trainer.monitor`, which holds where that is auto.
        dataset: Of values or several targets, whose monitor is the loss unless the user says otherwise.

    Raises:
        ConfigError: The user asks for the loss.
    """
    searched = next((d for d in space.dimensions if d.group == "loss"), None)
    key, wanted = ("search.metric", metric) if metric != "auto" else ("trainer.monitor", monitor)
    if searched is None or not (wanted.endswith("/loss") or (wanted == "auto" and not dataset.num_classes)):
        return metric
    measure = _measure(dataset)
    if wanted == "auto" and not dataset.heads:
        return measure
    cure = f"search.metric={measure} is the same measure for all"
    raise ConfigError(f"{key}: got {wanted}; each setting of {searched.key} has a loss of its own: {cure}")


def _measure(dataset: Dataset) -> str:
    """Return what says the same of every loss; of several targets that of the first."""
    if dataset.pairs is not None:
        return "val/roc_auc"
    first = f"{dataset.heads[0].label}/" if dataset.heads else ""
    has_classes = dataset.heads[0].num_classes if dataset.heads else dataset.num_classes
    return f"val/{first}{'log_loss' if has_classes else 'rmse'}"


def require_same_examples(space: Space, proposals: list[Proposal], load: Callable[[dict[str, Any]], Dataset]) -> None:
    """Refuse settings that are validated on different examples: a score says as much about these as about the setting.

    Args:
        space: What is searched.
        proposals: The first ones.
        load: Returns the data of a configuration.

    Raises:
        ConfigError: The searched keys of the data, and what to do instead.
    """
    searched = [d for d in space.dimensions if d.group == "data"]
    if not searched:
        return
    by_data = {signature({d.key: p.settings.get(d.key) for d in searched}): p.settings for p in proposals}
    seed = space.seeds[0] if space.seeds else None
    datasets = []
    for settings in by_data.values():
        try:
            datasets.append(load(space.compose(settings, seed).config))
        except Exception as error:
            if not isinstance(error, DlexpError) and not user_fault(error):
                raise
            continue  # told as a setting that cannot be trained
    if not all(_same_examples(datasets[0], other) for other in datasets[1:]):
        key, text = searched[0].key, show(searched[0].text.partition("=")[2])
        cure = (
            "seed=0,1,2 data.split_seed='${seed}' repeats every setting over splits"
            if key == "data.split_seed"
            else "run dlexp sweep for each"
        )
        raise ConfigError(
            f"{key}: got {text}; the settings would be validated on different examples, and such scores cannot be "
            f"ranked: {cure}"
        )


def _same_examples(first: Dataset, other: Dataset) -> bool:
    """Say whether the validation parts have the same examples, by their names and targets."""
    if first.sample_ids(first.val) != other.sample_ids(other.val):
        return False
    return torch.equal(first.targets[first.val].nan_to_num(), other.targets[other.val].nan_to_num())


def warn_of_search(space: Space, config: Config, data: Dataset) -> list[str]:
    """Return what the user should know of the data, and of first weights that have seen held-out examples.

    Args:
        space: What is searched; where that evens classes out, they need no advice.
        config: Of the first trial.
        data: Its.
    """
    facts = examine(data)
    if any(d.key in EVENING for d in space.dimensions):
        facts["is_imbalanced"] = False
    seen = [line for start in starts_of(space, config) for line in warn_of_seen(start, data)]
    return [*warn(facts, config), *seen]


def starts_of(space: Space | None, config: Config) -> list[Config]:
    """Return a configuration for each start that settings may have, with the setting `init_from` alone."""
    listed = next((d.values for d in space.dimensions if d.key == "init_from.run"), None) if space else None
    return [{"init_from": {"run": path}} for path in listed or [config["init_from"]["run"]]]


def left_out(space: Space) -> list[str]:
    """Return a line for each such key, as ``optimizer.momentum=0.9 is used with optimizer=momentum, ...``."""
    lines, searched = [], {d.key: d for d in space.groups()}
    for override in space.fixed:
        owner, options = owner_of(override.key, searched, space.config_dir)
        values = searched[owner].values or [] if owner else []
        others = [value for value in values if value not in options]
        if others and override.action == "change":
            used = ",".join(value for value in values if value in options)
            lines.append(f"{override.text} is used with {owner}={used}, left out with {','.join(others)}")
    return lines
