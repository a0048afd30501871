"""Refuses settings that are right by themselves and cannot be together."""

from typing import Any

from dlexp.error import ConfigError
from dlexp.number import noun


def check_relations(config: dict[str, Any]) -> None:
    """Check settings against each other.

    Args:
        config: Checked value by value.

    Raises:
        ConfigError: A warm-up that is longer than the training: the full rate would never be reached.
    """
    warmup, epochs = config["schedule"].get("warmup"), config["trainer"].get("epochs")
    if isinstance(warmup, int | float) and isinstance(epochs, int) and warmup > epochs:
        cure = f"at most trainer.epochs={noun(epochs, 'epoch')}, else the full rate is never reached"
        raise ConfigError(f"schedule.warmup: got {warmup:g}; {cure}")
