"""The settings of a run that belong to no group."""

from dataclasses import dataclass, field
from typing import Literal

from dlexp.type import Count, NonNegativeInt, Place


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
class InitFrom:
    """Weights that training begins with in the place of random ones; ``init_from=RUN`` sets `run`.

    Args:
        run: A run, its folder or `last`, a sweep's setting such as SWEEP:1, an exported .safetensors or .pt2, or a file
            of weights by name such as torchvision's .pth; null for random weights.
        skip: Patterns of names of layers or weights that keep their random start, and of those that are left out.
    """

    run: Place | None = None
    skip: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Freeze:
    """Layers that training leaves alone; ``freeze=[hidden*]`` sets `layers`.

    Args:
        layers: Patterns of names of layers or weights, as `dlexp summary` prints them.
        all_but: Patterns of what is trained; all else is frozen.
        norm: Whether frozen batch norms keep their running statistics, and normalise by them in training too.
        until: Epochs after which the layers are trained too; null for never.
    """

    layers: list[str] = field(default_factory=list)
    all_but: list[str] = field(default_factory=list)
    norm: bool = True
    until: Count | None = None


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
