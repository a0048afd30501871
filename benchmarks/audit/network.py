"""A multi-layer perceptron written from its formulas, in float64; torch's autograd differentiates it.

Shapes: N examples, D features, E units of a layer.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor

ACTIVATIONS: dict[str, Callable[[Tensor, dict[str, Any]], Tensor]] = {
    "Identity": lambda x, _: x,
    "ReLU": lambda x, _: torch.where(x > 0, x, 0.0),
    "LeakyReLU": lambda x, h: torch.where(x > 0, x, h["negative_slope"] * x),
    "ELU": lambda x, h: torch.where(x > 0, x, h["alpha"] * (torch.exp(torch.where(x > 0, 0.0, x)) - 1)),
    "Sigmoid": lambda x, _: 1 / (1 + torch.exp(-x)),
    "Tanh": lambda x, _: 2 / (1 + torch.exp(-2 * x)) - 1,
    "SiLU": lambda x, _: x / (1 + torch.exp(-x)),
    "GELU": lambda x, _: x * (1 + torch.erf(x / math.sqrt(2))) / 2,
}


def class_of(node: dict[str, Any]) -> str:
    """Return the class that a configuration names."""
    return node["_target_"].rpartition(".")[2]


@dataclass
class Network:
    """Layers of W x + b, norm, activation; then a linear output. What evaluation normalises by is kept beside.

    Attributes:
        params: Weights by dlexp's names, leaves of autograd.
        activation: Its configuration.
        norm: Its configuration.
        means: Of each layer's batches so far.
        variances: Of each layer's batches so far.
        values: Of each layer in the batches so far.
        exact: Each layer's mean and variance over the training part.
    """

    params: dict[str, Tensor]
    activation: dict[str, Any]
    norm: dict[str, Any]
    means: dict[str, list[Tensor]] = field(default_factory=dict)
    variances: dict[str, list[Tensor]] = field(default_factory=dict)
    values: dict[str, list[Tensor]] = field(default_factory=dict)
    exact: dict[str, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def __call__(self, x_ND: Tensor, *, is_training: bool) -> Tensor:
        """Return the outputs (N, K)."""
        if "linear.weight" in self.params:
            return self._linear("linear", x_ND)
        for layer in range(sum(name.endswith("linear.weight") for name in self.params)):
            name = f"hidden.{layer}"
            x_ND = self._normalise(f"{name}.norm", self._linear(f"{name}.linear", x_ND), is_training)
            x_ND = ACTIVATIONS[class_of(self.activation)](x_ND, self.activation)
        return self._linear("output", x_ND)

    def _linear(self, name: str, x_ND: Tensor) -> Tensor:
        product_NE = x_ND @ self.params[f"{name}.weight"].T
        return product_NE + self.params[f"{name}.bias"] if f"{name}.bias" in self.params else product_NE

    def _normalise(self, name: str, x_NE: Tensor, is_training: bool) -> Tensor:
        kind = class_of(self.norm)
        if kind == "NoNorm":
            return x_NE
        if kind == "BatchNorm":
            mean, variance = self._of_batch(name, x_NE) if is_training else self.running(name)
            z_NE = (x_NE - mean) / torch.sqrt(variance + self.norm["eps"])
        else:
            groups = 1 if kind == "LayerNorm" else self.norm["num_groups"]
            x_NGE = x_NE.view(len(x_NE), groups, -1)
            centred = x_NGE - x_NGE.sum(2, keepdim=True) / x_NGE.shape[2]
            z_NGE = centred / torch.sqrt((centred**2).sum(2, keepdim=True) / x_NGE.shape[2] + self.norm["eps"])
            z_NE = z_NGE.view_as(x_NE)
        return self.params[f"{name}.weight"] * z_NE + self.params[f"{name}.bias"]

    def _of_batch(self, name: str, x_NE: Tensor) -> tuple[Tensor, Tensor]:
        num = len(x_NE)
        mean = x_NE.sum(0) / num
        squares = ((x_NE - mean) ** 2).sum(0)
        divisor = num if self.norm["variance"] == "biased" else num - 1
        self.values.setdefault(name, []).append(x_NE.detach())
        self.means.setdefault(name, []).append(mean.detach())
        self.variances.setdefault(name, []).append(squares.detach() / divisor)
        return mean, squares / num

    def running(self, name: str) -> tuple[Tensor, Tensor]:
        """Return what evaluation normalises a layer by."""
        if self.norm["statistics"] == "exact":
            return self.exact[name]
        means, variances = self.means[name], self.variances[name]
        if self.norm["statistics"] == "cumulative":
            return torch.stack(means).mean(0), torch.stack(variances).mean(0)
        mean, variance = torch.zeros_like(means[0]), torch.ones_like(means[0])
        for of_batch, square in zip(means, variances, strict=True):
            rate = self.norm["momentum"]
            mean, variance = (1 - rate) * mean + rate * of_batch, (1 - rate) * variance + rate * square
        return mean, variance

    def gather(self, batches: list[Tensor]) -> None:
        """Take each layer's mean and variance over all values of the training part, batch by batch on their way."""
        for x_ND in batches:
            self(x_ND, is_training=True)
        correction = 0 if self.norm["variance"] == "biased" else 1
        for name, pieces in self.values.items():
            values = torch.cat(pieces)
            self.exact[name] = values.mean(0), values.var(0, correction=correction)
