"""Refuses settings that were asked for and would do nothing."""

from collections.abc import Callable
from typing import Any

from dlexp.config.compose import Composed
from dlexp.config.rule.fitted import reads, why_unread
from dlexp.error import ConfigError
from dlexp.type import Config

EVERY_GPU = ("auto", "cuda")  # devices of which a sweep or cv takes all that are visible


def _is_set(value: Any) -> bool:
    return value is not None


def _is_off_cuda(device: Any) -> bool:
    return device in ("cpu", "mps")


# setting, what it depends on (a key, or a group for its option), when that makes it idle, why
IDLE: list[tuple[str, str, Callable[[Any], bool], str]] = [
    ("trainer.min_delta", "trainer.patience", lambda v: v is None, "early stopping is off; set trainer.patience"),
    ("trainer.tf32", "trainer.device", _is_off_cuda, "TF32 is a mode of CUDA devices"),
    ("trainer.deterministic", "trainer.device", _is_off_cuda, "operators of CUDA devices alone add in any order"),
    ("trainer.cuda_graph", "trainer.device", _is_off_cuda, "updates are graphs on CUDA devices alone"),
    ("launcher.gpus", "trainer.device", lambda v: v not in EVERY_GPU, "trainer.device names where all trials train"),
    ("launcher.per_gpu", "trainer.device", lambda v: v not in EVERY_GPU, "trainer.device names where all trials train"),
    ("launcher.per_gpu", "launcher.workers", _is_set, "launcher.workers says how many processes train"),
    ("seeds.dropout", "dropout", lambda v: v == "none", "dropout=none draws nothing"),
    ("seeds.augment", "augment", lambda v: v == "none", "augment=none draws nothing"),
    ("data.val_fraction", "data.val_count", _is_set, "data.val_count replaces it"),
    ("data.test_fraction", "data.test_count", _is_set, "data.test_count replaces it"),
    ("data.val_fraction", "cv", lambda v: v != "", "the folds take turns as validation part; cv.k says how large"),
    ("data.val_count", "cv", lambda v: v != "", "the folds take turns as validation part; cv.k says how large"),
    ("train_on", "cv", lambda v: v != "", "the folds are dealt from both parts"),
    ("schedule.step_size", "schedule.milestones", _is_set, "schedule.milestones replaces it"),
    ("optimizer.biases", "optimizer.weight_decay", lambda v: v == 0, "optimizer.weight_decay is 0"),
]


def check_effects(composed: Composed, config: Config) -> None:
    """Check the settings that the user wrote for ones without effect.

    Args:
        composed: The overrides and choices.
        config: The checked configuration.

    Raises:
        ConfigError: A setting that nothing reads, with the reason.
    """
    model = config["model"]["_target_"]
    for key in [override.key for override in composed.changed]:
        if not reads(model, key):
            raise ConfigError(f"{key}: has no effect; {why_unread(composed.choices['model'], model, key)}")
        for idle, other, is_idle, reason in IDLE:
            if key == idle and is_idle(_look(composed, config, other)):
                raise ConfigError(f"{key}: has no effect; {reason}")


def _look(composed: Composed, config: Config, other: str) -> Any:
    """Return a group's chosen option or a key's value; "" where a user's own component has no such key."""
    group, _, name = other.partition(".")
    return config[group].get(name, "") if name else composed.choices.get(group, "")
