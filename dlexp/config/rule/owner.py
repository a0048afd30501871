"""Which of the searched options decide whether a key exists, and whether two of them differ at all."""

from functools import lru_cache
from pathlib import Path
from typing import Any

from dlexp.config import catalog
from dlexp.config.dimension import Dimension
from dlexp.config.rule.fitted import reads
from dlexp.config.wording import show
from dlexp.error import ConfigError


def owner_of(key: str, searched: dict[str, Dimension], config_dir: Path | None) -> tuple[str, frozenset[str]]:
    """Return the searched group that decides whether a key exists, and the options with which it does.

    That is the key's own group; for what some of the searched models do not read, the model.
    """
    group, _, name = key.partition(".")
    group_dimension, model = searched.get(group), searched.get("model")
    if name and group_dimension is not None:
        leaf = name.partition(".")[0]
        options = [o for o in group_dimension.values or [] if leaf in catalog.read_option(group, o, config_dir)]
        return (
            ("", frozenset())
            if len(options) == len(group_dimension.values or []) and not group_dimension.owner
            else (group, frozenset(options))
        )
    if model is not None and group != "model":
        values = model.values or []
        options = [option for option in values if reads(_target_of(option, config_dir), key)]
        return ("", frozenset()) if len(options) == len(values) else ("model", frozenset(options))
    return "", frozenset()


def _target_of(model: str, config_dir: Path | None) -> str:
    """Return the class of a model's option; asked for every setting of a search, so its file is read once."""
    changed_ns = catalog.option_file("model", model, config_dir).stat().st_mtime_ns
    return _read_target(model, config_dir, changed_ns)


@lru_cache(maxsize=64)
def _read_target(model: str, config_dir: Path | None, _changed_ns: int) -> str:
    return catalog.read_option("model", model, config_dir)["_target_"]


def require_other(before: dict[str, Any], chosen: dict[str, Any]) -> None:
    """Refuse options that come to the same configuration: one trial would stand for two.

    Raises:
        ConfigError: They do.
    """
    if before != chosen:
        key = next(key for key in chosen if before.get(key) != chosen[key])
        pair = f"{show(before.get(key))},{show(chosen[key])}"
        raise ConfigError(f"{key}: got {pair}; with these settings both are the same, so remove one")
