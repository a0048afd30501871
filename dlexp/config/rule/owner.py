"""Which of the searched options decide whether a key exists, and whether two of them differ at all."""

from pathlib import Path
from typing import Any

from dlexp.config import catalog
from dlexp.config.dimension import Dimension
from dlexp.config.rule.effect import BLOCKS
from dlexp.config.signature import read
from dlexp.config.wording import show
from dlexp.error import ConfigError


def owner_of(key: str, searched: dict[str, Dimension], config_dir: Path | None) -> tuple[str, frozenset[str]]:
    """Return the searched group that decides whether a key exists, and the options with which it does.

    That is the key's own group; for a block (activation, norm, dropout) that is not searched with it, the model.
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
    if group in BLOCKS and model is not None:
        targets = {o: catalog.read_option("model", o, config_dir)["_target_"] for o in model.values or []}
        options = [o for o, target in targets.items() if group in read(target).program]
        return ("", frozenset()) if len(options) == len(targets) else ("model", frozenset(options))
    return "", frozenset()


def require_other(before: dict[str, Any], chosen: dict[str, Any]) -> None:
    """Refuse options that come to the same configuration: one trial would stand for two.

    Raises:
        ConfigError: They do.
    """
    if before != chosen:
        key = next(key for key in chosen if before.get(key) != chosen[key])
        pair = f"{show(before.get(key))},{show(chosen[key])}"
        raise ConfigError(f"{key}: got {pair}; with these settings both are the same, so remove one")
