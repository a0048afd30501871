"""What a model that is fitted in one step leaves unread: all that says how a network learns."""

from typing import Any

from dlexp.config.signature import read
from dlexp.type import Config

PACKAGE = "dlexp.model.fitted."
BLOCKS = ("activation", "norm", "dropout")
UNREAD = ("augment", "freeze", "init", "init_from", "loss", "optimizer", "regularizer", "schedule", "seeds")
READ_OF_TRAINER = ("baseline", "eval_batch_size", "monitor", "precision", "threads")
SETTLED = {"epochs": 1, "device": "cpu", "fuse": "off", "diagnose": "off"}


def is_fitted(target: str) -> bool:
    """Say whether a model is fitted in one step, by its class."""
    return target.startswith(PACKAGE)


def reads(target: str, key: str) -> bool:
    """Say whether a model, or how it is trained, reads a key.

    Args:
        target: Of the model.
        key: Such as ``norm`` or ``optimizer.lr``.
    """
    group, _, name = key.partition(".")
    if group in BLOCKS:
        return group in read(target).program
    if not is_fitted(target):
        return True
    return name.partition(".")[0] in READ_OF_TRAINER if group == "trainer" and name else group not in UNREAD


def why_unread(option: str, target: str, key: str) -> str:
    """Return why nothing reads a key, for the user.

    Args:
        option: The model's name.
        target: Of the model.
        key: That `reads` denies.
    """
    group = key.partition(".")[0]
    if group in BLOCKS or not is_fitted(target):
        return f"model={option} uses no {group}"
    return f"model={option} is fitted in one step, on the CPU, and does not learn by gradients"


def settled(config: Config) -> Config:
    """Return a configuration in which the settings of the training loop are those that a fitted model has.

    Args:
        config: Checked.
    """
    if not is_fitted(config["model"]["_target_"]):
        return config
    trainer: dict[str, Any] = {**config["trainer"], **SETTLED}
    return {**config, "trainer": trainer}


def is_settled(config: Config, key: str) -> bool:
    """Say whether the model, and no file, gives a key its value.

    Args:
        config: Checked.
        key: Dotted.
    """
    group, _, name = key.partition(".")
    return group == "trainer" and name in SETTLED and is_fitted(config["model"]["_target_"])
