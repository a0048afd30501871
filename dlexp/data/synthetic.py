"""Data that are computed: spirals to look at, and random ones of any shape for benchmarks."""

import math
from dataclasses import dataclass, field, replace
from typing import Annotated

import torch
from annotated_types import Interval, MaxLen, MinLen

from dlexp import device as devices
from dlexp.data.dataset import Dataset
from dlexp.data.split import Split
from dlexp.data.target import class_task
from dlexp.error import ConfigError
from dlexp.number import noun
from dlexp.random import generator
from dlexp.type import Count, NonNegative, NonNegativeInt

Classes = Annotated[int, Interval(ge=2, le=1_000_000)]
SPIRAL_BYTES = 40  # of a point: its target, radius, angle, coordinates before and after the noise
Shape = Annotated[list[Count], MinLen(1), MaxLen(3)]


@dataclass(frozen=True)
class Spirals(Split):
    """Interleaved spirals in the plane, one a class: no straight line divides them, a hidden layer does.

    Example i of class k has radius r in [0.1, 1] and angle 2 pi (turns r + k / num_classes), plus noise.

    Args:
        num: Examples in all.
        num_classes: Spirals, 2 to 1,000,000.
        turns: Turns from the centre to the rim.
        noise: Standard deviation added to both coordinates; the rim has radius 1.
        seed: Seed of the points, apart from the run's seed.

    References:
        K. Lang, M. Witbrock (1988), Learning to Tell Two Spirals Apart, Connectionist Models Summer School.
    """

    num: Count = 1000
    num_classes: Classes = 3
    turns: NonNegative = 1.0
    noise: NonNegative = 0.03
    seed: NonNegativeInt = 0

    def load(self, task: str = "auto") -> Dataset:
        """Return the points as (num, 2) float32."""
        what = f"data.num: got {noun(self.num, 'point')}, which"
        devices.require_bytes(self.num * SPIRAL_BYTES, torch.device("cpu"), what, "choose fewer")
        draw = generator(self.seed, "spirals")
        targets = torch.arange(self.num) % self.num_classes
        radius = 0.1 + 0.9 * torch.rand(self.num, generator=draw)
        angle = 2 * math.pi * (self.turns * radius + targets / self.num_classes)
        points = radius[:, None] * torch.stack([angle.cos(), angle.sin()], dim=1)
        inputs = points + self.noise * torch.randn(self.num, 2, generator=draw)
        names = [f"spiral {k}" for k in range(self.num_classes)]
        train, val, test = self.divide(targets, class_names=names)
        task = class_task(task, self.num_classes)
        return Dataset("spirals", task, inputs, targets, train, val, test, names, feature_names=["x", "y"])


@dataclass(frozen=True)
class Fake:
    """Random examples of any shape, for benchmarks: images of random bytes, or vectors of normal numbers.

    Labels are random too, so nothing can be learnt beyond the training part.

    Args:
        shape: Of one example: [C, H, W] for images, [D] for vectors.
        num_classes: 2 to 1,000,000.
        num_train: Training examples.
        num_val: Validation examples.
        num_test: Test examples.
        seed: Seed of the examples, apart from the run's seed.
    """

    shape: Shape = field(default_factory=lambda: [3, 32, 32])
    num_classes: Classes = 10
    num_train: Count = 1024
    num_val: Count = 256
    num_test: NonNegativeInt = 0
    seed: NonNegativeInt = 0

    def load(self, task: str = "auto") -> Dataset:
        """Return (N, H, W, C) bytes or (N, D) float32."""
        if len(self.shape) not in (1, 3):
            raise ConfigError(f"data.shape: got {list(self.shape)}; [C, H, W] or [D] is needed")
        sizes = [self.num_train, self.num_val, self.num_test]
        num = sum(sizes)
        item = 1 if len(self.shape) == 3 else 4
        what = f"data: got {noun(num, 'example')} of shape {list(self.shape)}, which"
        devices.require_bytes(num * math.prod(self.shape) * item, torch.device("cpu"), what, "choose fewer or smaller")
        draw = generator(self.seed, "fake")
        if len(self.shape) == 3:
            channels, height, width = self.shape
            inputs = torch.randint(0, 256, (num, height, width, channels), generator=draw, dtype=torch.uint8)
        else:
            inputs = torch.randn(num, self.shape[0], generator=draw)
        targets = torch.randint(0, self.num_classes, (num,), generator=draw)
        train, val, test = torch.arange(num).split(sizes)
        names = [str(k) for k in range(self.num_classes)]
        return Dataset("fake", class_task(task, self.num_classes), inputs, targets, train, val, test, names)

    def blank(self, task: str = "auto") -> Dataset:
        """Return a set of the same shape with the fewest examples, for those who need only that."""
        return replace(self, num_train=1, num_val=1, num_test=0).load(task)
