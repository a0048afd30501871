"""How signals and gradients pass through a network that was only initialised. Shapes: N inputs, D features."""

from typing import Any

import torch
from torch import Tensor, nn

from dlexp.build.model import build_model
from dlexp.config.resolve import resolve
from dlexp.random import generator

INPUTS, FEATURES, CLASSES = 256, 64, 10


def shrinkage(seed: int, network: list[str]) -> float:
    """Return the factor by which the root mean square of the activations changes in a layer, the geometric mean."""
    sizes = [_rms(h_ND) for h_ND in _activations(seed, network)]
    return (sizes[-1] / sizes[0]) ** (1 / (len(sizes) - 1))


def spread(seed: int, network: list[str]) -> float:
    """Return the standard deviation of the last hidden layer's activations over that of the first's."""
    hidden = _activations(seed, network)
    return float(hidden[-1].detach().std() / hidden[0].detach().std())


def gradient_spread(seed: int, network: list[str]) -> float:
    """Return the standard deviation of the loss's gradients at the first hidden layer over that at the last."""
    hidden = _activations(seed, network)
    return float(_gradient(hidden[0]).std() / _gradient(hidden[-1]).std())


def _activations(seed: int, network: list[str]) -> list[Tensor]:
    """Return the hidden layers' outputs for standard normal inputs, with the gradients of a cross-entropy."""
    config: Any = resolve(network).config
    model, _ = build_model(config, (FEATURES,), CLASSES, seed)
    passed: list[Tensor] = []

    def keep(_module: nn.Module, _inputs: Any, h_ND: Tensor) -> None:
        h_ND.retain_grad()
        passed.append(h_ND)

    for layer in model.get_submodule("hidden").children():
        layer.register_forward_hook(keep)
    draws = generator(seed, "claim")
    x_ND = torch.randn(INPUTS, FEATURES, generator=draws)
    y_N = torch.randint(CLASSES, (INPUTS,), generator=draws)
    nn.functional.cross_entropy(model(x_ND), y_N).backward()
    return passed


def _gradient(h_ND: Tensor) -> Tensor:
    assert h_ND.grad is not None
    return h_ND.grad


def _rms(h_ND: Tensor) -> float:
    return float(h_ND.detach().square().mean().sqrt())
