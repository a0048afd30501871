"""What is known of a network that trains, or should: its first batch, some updates, its end."""

import time
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp.build.program import Program, assemble
from dlexp.config.compose import Composed
from dlexp.data.dataset import Dataset
from dlexp.diagnose.layer import Layer, measure
from dlexp.embedding.similarity import compared
from dlexp.engine.divergence import constant_loss
from dlexp.engine.task import epoch_batches, gather
from dlexp.type import Config

MOST_UPDATES = 100
MOST_SECONDS = 60.0
FEW = 10  # losses that a mean is taken of


@dataclass
class Evidence:
    """What the rules ask.

    Attributes:
        config: Resolved.
        choices: The option of each group.
        constant: Loss of a constant prediction: of classes the entropy of guessing.
        spread: Smallest and largest standard deviation of an input after normalisation, constant ones left out.
        first: Layers in the first batch, before any update.
        last: Layers in a batch after the last update that is known.
        losses: Of the first updates.
        steps: |update| / |weight| of the first updates, by weight.
        history: Epochs of a run; empty before training.
        score: Metric, value, value by guessing and examples of a run's validation part; None before training.
        confidence: Of a run's validation part: probability of each predicted class, and whether it is right.
        training: Accuracy on the training part of a run's last epoch and of a softmax regression, and examples.
        smallest: Share of the rarest class times the number of classes; 1.0 of values.
    """

    config: Config
    choices: dict[str, str]
    constant: float
    spread: tuple[float, float]
    first: list[Layer]
    last: list[Layer]
    losses: list[float] = field(default_factory=list)
    steps: dict[str, list[float]] = field(default_factory=dict)
    history: list[dict[str, Any]] = field(default_factory=list)
    score: tuple[str, float, float, int] | None = None
    smallest: float = 1.0
    confidence: tuple[np.ndarray, np.ndarray] | None = None
    training: tuple[float, float, int] | None = None

    @property
    def ratios(self) -> dict[str, float]:
        """Median over updates of |update| / |weight|, by weight."""
        return {name: median(values) for name, values in self.steps.items()}

    @property
    def hidden(self) -> list[Layer]:
        """Layers of the first batch that have an activation."""
        return [layer for layer in self.first if layer.activation]

    @property
    def start(self) -> float:
        """The first loss."""
        return self.losses[0] if self.losses else float("nan")

    @property
    def end(self) -> float:
        """Mean of the last losses: of a run its last epoch's training loss."""
        if self.history:
            return self.history[-1]["train/loss"] if self.history[-1]["train/loss"] is not None else float("nan")
        tail = self.losses[-FEW:]
        return sum(tail) / len(tail) if tail else float("nan")


def observe(built: Program, choices: dict[str, str], updates: int = MOST_UPDATES) -> Evidence:
    """Look at a program's first batch, then do some of its updates in memory and look again.

    Args:
        built: Of one trial, at its beginning; afterwards it has made the updates.
        choices: The option of each group of its configuration.
        updates: At most so many, and none that begins after a minute.
    """
    first = layers_of(built)
    losses, steps = _train(built, updates)
    is_finite = all(torch.isfinite(view).all() for view in built.run.step.forward.flat.views)
    last = layers_of(built) if losses and is_finite else first
    return Evidence(
        built.components[0].config,
        choices,
        constant_loss(built.run.task, built.run.step.rules.loss, 0),
        _spread(built),
        first,
        last,
        losses,
        steps,
        smallest=_smallest(built),
    )


def try_cure(data: Dataset, composed: Composed) -> float:
    """Return the mean of the last losses of a configuration's first updates, on data that were read already."""
    losses = _train(assemble(composed.config, data), MOST_UPDATES)[0]
    return sum(losses[-FEW:]) / len(losses[-FEW:])


def layers_of(built: Program) -> list[Layer]:
    """Return the layers of a program's model, as it is, in the first batch of its first epoch."""
    run = built.run
    if run.step.captures is not None:
        run.step.captures.close()  # the memory of graphs serves nothing else
    (batch,) = next(gather(run.task.feed, epoch_batches(run.task, run.trainer, run.seeds, 0)[:1]))
    ready = run.task.prepare_training(batch, run.seeds, 0)
    loss, x = run.step.rules.loss, ready.x if ready.is_shared else ready.x[0]

    def loss_of(outputs: Any) -> Tensor:
        main = outputs[0] if isinstance(outputs, list) else outputs
        return loss(compared(main.unsqueeze(0), run.task.similarity), ready.targets).sum()

    return measure(built.model, x, loss_of)[0]


def _train(built: Program, updates: int) -> tuple[list[float], dict[str, list[float]]]:
    """Return the loss of each update, and its size by each weight's."""
    run, flat = built.run, built.run.step.forward.flat
    until, began = 0, time.monotonic()
    run.should_stop = lambda: run.number >= until
    run.step.forward.set_training(True)
    losses: list[float] = []
    matrices = [name for name, view in zip(flat.names, flat.views, strict=True) if view.dim() > 2]
    ratios: dict[str, list[float]] = {name: [] for name in matrices}
    while run.number < updates and time.monotonic() - began < MOST_SECONDS:
        before, until = flat.tensor.clone(), run.number + 1
        run.sums = None  # of this update alone: a huge loss would swallow those after it
        for _ in run.updates():
            pass
        assert run.sums is not None
        losses.append(run.sums.mean_loss()[0])
        for name, old, new in zip(flat.names, flat.split(before), flat.views, strict=True):
            if name in ratios:
                ratios[name].append(float((new - old).norm() / old.norm().clamp(min=1e-12)))
        if run.position >= run.steps_per_epoch:
            run.epoch, run.position = run.epoch + 1, 0
        if not losses[-1] < float("inf"):
            break
    return losses, {name: values for name, values in ratios.items() if values}


def _spread(built: Program) -> tuple[float, float]:
    """Return the smallest and the largest deviation of inputs, of images that of all pixels."""
    data, affine = built.dataset, built.components[0].affine
    train = data.members(data.train)
    rows = train[torch.linspace(0, len(train) - 1, min(len(train), 2000)).long()]
    x = affine.apply(data.inputs[rows], dtype=torch.float64).double()
    deviations = x.flatten().std().reshape(1) if data.is_image else x.flatten(1).std(0)
    moving = deviations[deviations > 0]
    return (float(moving.min()), float(moving.max())) if len(moving) else (1.0, 1.0)


def _smallest(built: Program) -> float:
    data = built.dataset
    if not data.num_classes:
        return 1.0
    counts = torch.bincount(data.targets[data.train], minlength=data.num_classes).double()
    return float(counts.min() / counts.sum() * data.num_classes)
