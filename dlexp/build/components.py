"""Everything that one configuration names, built once and passed on to whoever needs it."""

import hashlib
import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from dlexp import device as devices
from dlexp.augment.none import NoAugment
from dlexp.build.contract import make, try_augment
from dlexp.build.dataset import load_data
from dlexp.build.model import Outputs, build_model
from dlexp.build.node import build
from dlexp.build.objective import build_metrics, make_augment
from dlexp.build.start.fit import Start, load_start
from dlexp.build.structure import structure_key
from dlexp.data.dataset import Dataset
from dlexp.data.joint.scale import JointScale
from dlexp.data.target_scale import TargetScale
from dlexp.engine.answer.answer import Answer
from dlexp.engine.answer.choice import answer_of
from dlexp.engine.answer.inputs import mean_input
from dlexp.engine.task import TrialSeeds
from dlexp.engine.trainer import Trainer
from dlexp.metric.choice import Metrics
from dlexp.normalize import Affine
from dlexp.type import RECONSTRUCT, Config

MOST_AFFINES = 64
# Fitted normalisations of each tensor of inputs, by settings and training rows. Of the very tensor: other inputs, such
# as those that the leak audit has changed, may come under the same name and fingerprint.
_AFFINES = WeakTensorKeyDictionary()


@dataclass
class _Fit:
    """What is fitted on the inputs of a training part.

    Attributes:
        affine: Their normalisation.
        centre: Their mean, taken where it is needed.
    """

    affine: Affine
    centre: Tensor | None = None


@dataclass(frozen=True)
class Components:
    """What one trial or fold is made of. Each component is built when it is first needed, and only then.

    The loss, the update rule, the schedule and the regulariser serve all trials of a program at once: the program
    builds those.

    Attributes:
        config: Checked.
        data: The data set with its split.
    """

    config: Config
    data: Dataset

    @classmethod
    def of(cls, config: Config, data: Dataset | None = None) -> "Components":
        """Return the components of a configuration.

        Args:
            config: Checked.
            data: Loaded already, or a fold; None loads what the configuration says.

        Raises:
            DataError: Absent or unusable data.
            ConfigError: The task asked for does not fit the targets.
        """
        return cls(config, load_data(config) if data is None else data)

    @cached_property
    def trainer(self) -> Trainer:
        """The settings of the training loop."""
        return build(self.config["trainer"])

    @cached_property
    def structure(self) -> str:
        """A text that is equal for trials that one program can train."""
        return sys.intern(structure_key(self.config, self.data))  # once for all trials of a sweep

    @cached_property
    def seeds(self) -> TrialSeeds:
        """The seed of each random stream: its own, or the run's."""
        seed = self.config["seed"]
        named = {name: value for name, value in self.config["seeds"].items() if name != "_target_"}
        return TrialSeeds(**{name: seed if value is None else value for name, value in named.items()})

    @cached_property
    def place(self) -> tuple[torch.device, str]:
        """The device, and a line for the user: which and why.

        Raises:
            ConfigError: The machine has no such device.
        """
        return devices.choose(self.trainer.device)

    @property
    def dtype(self) -> torch.dtype:
        """The type that the model computes in."""
        return torch.float64 if self.trainer.precision == "fp64" else torch.float32

    @cached_property
    def augment(self) -> Any | None:
        """What transforms training batches; None for nothing.

        Raises:
            ConfigError: It cannot be done to examples of this kind.
        """
        augment = make_augment(self.config, self.data)
        try_augment(augment, self.data, self.data.train[:2])  # refused before the run begins
        return None if isinstance(augment, NoAugment) else augment

    @property
    def affine(self) -> Affine:
        """The normalisation of inputs, fitted on the training part."""
        return self._fit.affine

    @cached_property
    def centre(self) -> Tensor | None:
        """The mean of the training part's inputs (1, D) where they are what is learnt; None elsewhere."""
        if self.data.task != RECONSTRUCT:
            return None
        if self._fit.centre is None:
            self._fit.centre = mean_input(self.data.inputs, self.data.train, self.affine)
        return self._fit.centre

    @cached_property
    def _fit(self) -> "_Fit":
        rows = self.data.members(self.data.train)
        digest = hashlib.sha256(rows.numpy().tobytes()).hexdigest()
        key = json.dumps([self.config["normalize"], digest])
        if self.data.inputs not in _AFFINES:
            _AFFINES[self.data.inputs] = {}
        fitted: dict[str, _Fit] = _AFFINES[self.data.inputs]
        if key not in fitted:
            if len(fitted) >= MOST_AFFINES:
                fitted.clear()
            fitted[key] = _Fit(make(self.config, "normalize").fit(self.data.inputs, rows))
        return fitted[key]

    @cached_property
    def answer(self) -> Answer:
        """What outputs mean."""
        return answer_of(self.data)

    @cached_property
    def unit(self) -> TargetScale | JointScale | None:
        """What values are measured in while training, by the training part; None for classes."""
        return self.answer.fit_unit(self.data.targets, self.data.train)

    @cached_property
    def metrics(self) -> Metrics:
        """Constants of the metrics, and the user's own.

        Raises:
            ConfigError: An own metric lacks something, or has the name of another.
        """
        return build_metrics(self.config, self.data)

    def make_model(self, outputs: Outputs) -> tuple[nn.Module, list[str], Start]:
        """Build the model anew; return it with warnings for the user, and what it took of another run's weights.

        Raises:
            ConfigError: The model does not fit the data, or the weights of another run do not fit the model.
        """
        model, warnings = build_model(self.config, self.data.in_shape, outputs, self.seeds.init)
        start = load_start(self.config, model.to(self.dtype))
        return model, warnings, start


def components_of(configs: Sequence[Config], datasets: Sequence[Dataset]) -> list[Components]:
    """Return the components of each configuration with its data."""
    return [Components(config, data) for config, data in zip(configs, datasets, strict=True)]
