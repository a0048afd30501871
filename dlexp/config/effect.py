"""Refuses settings that were asked for and would do nothing."""

from collections.abc import Callable
from typing import Any

from dlexp.config.compose import Composed
from dlexp.config.signature import read
from dlexp.error import ConfigError

Config = dict[str, Any]
BLOCKS = ("activation", "norm", "dropout")
IDLE: list[tuple[str, Callable[[Config, dict[str, str]], bool], str]] = [
    ("trainer.min_delta", lambda c, _: c["trainer"]["patience"] is None, "early stopping is off; set trainer.patience"),
    ("seeds.dropout", lambda _, choices: choices.get("dropout") == "none", "dropout=none draws nothing"),
    ("seeds.augment", lambda _, choices: choices.get("augment") == "none", "augment=none draws nothing"),
    ("trainer.tf32", lambda c, _: c["trainer"]["device"] in ("cpu", "mps"), "TF32 is a mode of CUDA devices"),
]


def check_effects(composed: Composed, config: Config) -> None:
    """Check the settings that the user wrote for ones without effect.

    Args:
        composed: The overrides and choices.
        config: The checked configuration.

    Raises:
        ConfigError: A setting that nothing reads, with the reason.
    """
    written = [override.key for override in composed.changed]
    model = read(config["model"]["_target_"])
    for key in written:
        block = key.split(".")[0]
        if block in BLOCKS and block not in model.program:
            raise ConfigError(f"{key}: has no effect; model={composed.choices['model']} uses no {block}")
        for idle, is_idle, reason in IDLE:
            if key == idle and is_idle(config, composed.choices):
                raise ConfigError(f"{key}: has no effect; {reason}")
