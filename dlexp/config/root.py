"""The settings of a run that belong to no group."""

from dataclasses import dataclass, field
from typing import Literal

from dlexp.type import NonNegativeInt, Place


@dataclass(frozen=True)
class Seeds:
    """One seed for each source of randomness; null takes the run's seed.

    Args:
        init: Initial weights.
        order: Order of the training examples.
        augment: Draws of the augmentation.
        dropout: Dropout masks.
    """

    init: NonNegativeInt | None = None
    order: NonNegativeInt | None = None
    augment: NonNegativeInt | None = None
    dropout: NonNegativeInt | None = None


@dataclass(frozen=True)
class Root:
    """Settings of a run that belong to no group.

    Args:
        seed: Fixes initialisation, data order, augmentation and dropout.
        task: What is learnt; auto infers it from the data, reconstruct learns the inputs themselves.
        train_on: Whether the validation part joins the training part; then nothing is left to choose an epoch by.
        runs_dir: Folder that run folders are written to.
        trusted: Packages besides dlexp whose classes may be a `_target_`.
    """

    seed: NonNegativeInt = 0
    task: Literal["auto", "multiclass", "binary", "regression", "reconstruct", "pairs"] = "auto"
    train_on: Literal["train", "train+val"] = "train"
    runs_dir: Place = "runs"
    trusted: list[str] = field(default_factory=list)
