"""Training as a loop written from the papers, in float64, on data that scikit-learn brings.

It takes a configuration, the first weights and which examples stand in which batch; everything else it computes.
Shapes: N examples, D features, P parameters.
"""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import numpy as np
import sklearn.datasets
import torch
from torch import Tensor

from benchmarks.audit.network import Network, class_of
from benchmarks.audit.objective import class_weights, loss, penalty, project
from benchmarks.audit.schedule import Plateau, factor
from benchmarks.audit.update import RULES

SETS = {
    "digits": sklearn.datasets.load_digits,
    "breast_cancer": sklearn.datasets.load_breast_cancer,
    "diabetes": lambda return_X_y: sklearn.datasets.load_diabetes(return_X_y=return_X_y, scaled=False),
}
NUM_CLASSES = {"digits": 10, "breast_cancer": 2, "diabetes": 0}
RUNNING = ("running_mean", "running_var", "num_batches_tracked", "num_values")


@cache
def raw(name: str) -> tuple[Tensor, Tensor]:
    """Return inputs (N, D), rounded to float32 as they are stored, and targets (N,)."""
    x_ND, y_N = SETS[name](return_X_y=True)
    return torch.as_tensor(x_ND.astype(np.float32)).double(), torch.as_tensor(y_N)


@dataclass(frozen=True)
class Data:
    """Inputs and targets in the units that a network trains in.

    Attributes:
        x: (N, D), mean 0 and deviation 1 in the training part; pixels have both in common.
        y: (N,) classes, or values with mean 0 and deviation 1 in the training part.
        num_classes: 0 for values.
    """

    x: Tensor
    y: Tensor
    num_classes: int


def prepare(name: str, train: Tensor) -> Data:
    """Return a set as the rows of its training part make it."""
    x_ND, y_N = raw(name)
    pixels = x_ND.reshape(-1, 1) if name == "digits" else x_ND
    fitted = x_ND[train].reshape(-1, 1) if name == "digits" else x_ND[train]
    scaled_ND = ((pixels - fitted.mean(0)) / fitted.std(0, correction=0)).reshape(x_ND.shape)
    num_classes = NUM_CLASSES[name]
    if not num_classes:
        y_N = (y_N - y_N[train].mean()) / y_N[train].std(correction=0)
    return Data(scaled_ND, y_N, num_classes)


class Loop:
    """A training in hand: parameters, averaged parameters, what the rule remembers, updates done."""

    def __init__(self, config: dict[str, Any], start: dict[str, Tensor], data: Data, train: Tensor, total: int) -> None:
        self.config, self.data, self.total = config, data, total
        params = {name: value.double() for name, value in start.items() if not name.endswith(RUNNING)}
        self.network = Network(_leaves(params), config["activation"], config["norm"])
        self.averaged = dict(params)
        self.memory: dict[str, Any] = {}
        self.number, self.scale = 0, 1.0
        self.weights = class_weights(config["loss"], data.y[train], data.num_classes)
        self.kind = class_of(config["loss"])
        if self.kind == "auto" or "." not in config["loss"]["_target_"]:
            self.kind = {0: "MSE", 2: "BCE"}.get(data.num_classes, "CrossEntropy")
        self.decayed = torch.cat([torch.full((v.numel(),), float(v.ndim > 1)) for v in params.values()]).double()

    def loss(self, rows: Tensor, params: dict[str, Tensor] | None = None) -> Tensor:
        """Return the mean loss of some examples: in training, or under other parameters in evaluation."""
        network = self.network if params is None else replace(self.network, params=params)
        outputs = network(self.data.x[rows], is_training=params is None)
        constants = {"label_smoothing": 0.0, "lse_penalty": 0.0, "alpha": 1.0, "beta": 1.0, **self.config["loss"]}
        return loss(self.kind, constants, outputs, self.data.y[rows], self.weights)

    def update(self, batches: list[Tensor], per_epoch: int) -> list[float]:
        """Do one update from one or more batches and return their losses."""
        masses = [float(self._mass(rows)) for rows in batches]
        told, gradient_P = [], torch.zeros_like(self.decayed)
        for rows, mass in zip(batches, masses, strict=True):
            value = self.loss(rows)
            told.append(float(value.detach()))
            gradient_P += torch.cat([g.flatten() for g in self._gradients(value)]) * mass / sum(masses)
        self._move(gradient_P, per_epoch)
        return told

    def _mass(self, rows: Tensor) -> Tensor | int:
        is_weighted = self.config["loss"].get("class_weight") is not None
        return self.weights[self.data.y[rows]].sum() if is_weighted else len(rows)

    def _gradients(self, value: Tensor) -> tuple[Tensor, ...]:
        return torch.autograd.grad(value, list(self.network.params.values()))

    def _move(self, gradient_P: Tensor, per_epoch: int) -> None:
        config, rule = self.config, self.config["optimizer"]
        term = self.penalty()
        if term.requires_grad:
            params = list(self.network.params.values())
            parts = torch.autograd.grad(term, params, allow_unused=True)
            pairs = zip(parts, params, strict=True)
            gradient_P = gradient_P + torch.cat([(p * 0 if g is None else g).flatten() for g, p in pairs]).detach()
        if config["trainer"]["grad_clip"]:  # torch adds 1e-6 to the norm
            gradient_P = gradient_P * min(1.0, config["trainer"]["grad_clip"] / (float(gradient_P.norm()) + 1e-6))
        theta_P = torch.cat([value.detach().flatten() for value in self.network.params.values()])
        schedule = config["schedule"]
        share = factor(class_of(schedule), schedule, self.number, self.total, per_epoch)
        self.lr = rule["lr"] * self.scale * share
        self.number += 1
        decayed = torch.ones_like(self.decayed) if rule["biases"] else self.decayed
        if class_of(rule) != "AdamW":
            gradient_P = gradient_P + rule["weight_decay"] * decayed * theta_P
        constants = {**rule, "decayed": decayed}
        moved_P = RULES[class_of(rule)](theta_P, gradient_P, self.memory, self.lr, self.number, constants)
        self._put(moved_P)

    def _put(self, theta_P: Tensor) -> None:
        params = self.network.params
        pieces = theta_P.split([value.numel() for value in params.values()])
        moved = {name: piece.view_as(params[name]) for name, piece in zip(params, pieces, strict=True)}
        regularizer = self.config["regularizer"]
        moved = project(class_of(regularizer), regularizer, moved)
        self.network.params = _leaves(moved)
        decay = self.config["trainer"]["ema"]
        if decay:
            rate = min(decay, (1 + self.number) / (10 + self.number))
            self.averaged = {name: rate * self.averaged[name] + (1 - rate) * moved[name] for name in moved}

    def penalty(self) -> Tensor:
        """Return the regulariser's term."""
        matrices = [value for value in self.network.params.values() if value.ndim > 1]
        return penalty(class_of(self.config["regularizer"]), self.config["regularizer"], matrices)

    @torch.no_grad()
    def evaluate(self, rows: Tensor, batches: list[Tensor]) -> float:
        """Return the loss of a part under the averaged parameters, or those there are."""
        params = self.averaged if self.config["trainer"]["ema"] else self.network.params
        if self.config["norm"].get("statistics") == "exact":
            gatherer = Network(params, self.network.activation, self.network.norm)
            gatherer.gather([self.data.x[batch] for batch in batches])
            self.network.exact = gatherer.exact
        return float(self.loss(rows, params))


def _leaves(params: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: value.detach().clone().requires_grad_() for name, value in params.items()}


def follow(
    config: dict[str, Any], start: dict[str, Tensor], data: Data, parts: tuple[Tensor, Tensor], orders: list[Any]
) -> tuple[dict[str, Tensor], list[dict[str, float]]]:
    """Return the last weights by name, and lr, train/loss, train/penalty and val/loss of each epoch.

    Args:
        config: Resolved.
        start: The first weights.
        data: Prepared.
        parts: Rows of the training and the validation part.
        orders: Rows of each batch of each epoch.
    """
    train, val = parts
    together = config["trainer"]["accumulate"]
    per_epoch = -(-len(orders[0]) // together)
    loop = Loop(config, start, data, train, per_epoch * len(orders))
    plateau = Plateau(config["schedule"]) if class_of(config["schedule"]) == "Plateau" else None
    told = []
    for batches in orders:
        losses: list[float] = []
        for first in range(0, len(batches), together):
            losses += loop.update(batches[first : first + together], per_epoch)
        sizes = [len(rows) for rows in batches]
        epoch = {"lr": loop.lr, "train/loss": float(np.average(losses, weights=sizes))}
        if class_of(config["regularizer"]) in ("L1", "L2", "Elastic", "Linf"):
            epoch["train/penalty"] = float(loop.penalty().detach())
        epoch["val/loss"] = loop.evaluate(val, batches)
        if plateau is not None:
            plateau.observe(epoch["val/loss"])
            loop.scale = plateau.scale
        told.append(epoch)
    last = {name: value.detach() for name, value in loop.network.params.items()}
    for name in loop.network.means:
        mean, variance = loop.network.running(name)
        last |= {f"{name}.running_mean": mean, f"{name}.running_var": variance}
    return last, told
