"""What one batch does to each layer of a model: activations, pre-activations and gradients.

A layer is a weight of two or more dimensions and the activation that is called after it. Shapes: N batch, C units (or
channels, whose pixels count as examples).
"""

import copy
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from dlexp import activation as activations

KINDS = tuple(kind for kind in vars(activations).values() if isinstance(kind, type) and issubclass(kind, nn.Module))
RECTIFIERS = (nn.ReLU,)
BOUNDED = (nn.Tanh, nn.Sigmoid)
SATURATED = 0.97  # of the largest slope's distance: |tanh|, and |2 s - 1| of a sigmoid
SAMPLE = 4096  # numbers of a histogram


@dataclass
class Layer:
    """One layer in one batch.

    Attributes:
        name: Of the weight's module in the model.
        num_units: C.
        has_equal_rows: Whether every unit has the same weights.
        is_normed: Whether what its activation takes is not what the weight gives: a norm, or a sum, stands between.
        pre_std: Standard deviation of the pre-activations, which the activation takes; of the outputs without one.
        mean: Of the activations; of the outputs without one.
        std: Likewise.
        dead: Share of units that are active for no example; None but for rectifiers.
        saturated: Share of activations at the flat ends; None but for tanh and sigmoid.
        weight_rms: sqrt(mean w^2).
        grad_rms: sqrt(mean g^2) of the weight's gradient.
        activation: Whether one was called.
        values: Activations for a histogram.
        grads: Gradients of the loss by the activations, for a histogram.
    """

    name: str
    num_units: int
    has_equal_rows: bool
    pre_std: float
    mean: float
    std: float
    weight_rms: float
    is_normed: bool = False
    activation: str = ""
    dead: float | None = None
    saturated: float | None = None
    grad_rms: float = 0.0
    values: Tensor = field(default_factory=lambda: torch.empty(0), repr=False)
    grads: Tensor = field(default_factory=lambda: torch.empty(0), repr=False)

    @classmethod
    def of_units(cls, name: str, dead: float) -> "Layer":
        """Return a layer of which nothing is known but the share of its units that are dead."""
        nothing = float("nan")
        return cls(name, 0, False, nothing, nothing, nothing, nothing, dead=dead)


def measure(model: nn.Module, x: Tensor, loss_of: Callable[[Any], Tensor]) -> tuple[list[Layer], float]:
    """Return the layers of a model in the order of their calls, in training mode, and the loss of the batch.

    Args:
        model: Left as it is; a copy runs.
        x: A batch as the model takes it.
        loss_of: From the outputs to a scalar.
    """
    twin = copy.deepcopy(model).train()
    calls: list[_Call] = []
    with _watched(twin, calls):
        loss = loss_of(twin(x))
        loss.backward()
    names = {module: name for name, module in twin.named_modules()}
    layers: list[Layer] = []
    outputs: dict[str, Tensor] = {}
    for call in calls:
        module, given, output, _ = call
        weight = getattr(module, "weight", None)
        if isinstance(module, KINDS):
            if layers and not layers[-1].activation:
                layers[-1].is_normed = given is not outputs[layers[-1].name]
                _activate(layers[-1], call)
        elif isinstance(weight, Tensor):
            layers.append(_weighed(names[module], weight, call))
            outputs[names[module]] = output
    return layers, float(loss.detach())


class _Grads:
    """Some of the loss's gradients by a tensor; all of them would double the memory."""

    def __init__(self) -> None:
        self.sample = torch.empty(0)

    def take(self, grads: Tensor) -> None:
        """Keep some of these."""
        self.sample = _sample(grads)


class _Call(NamedTuple):
    """What a module was given and gave, and the gradients by that."""

    module: nn.Module
    given: Tensor
    output: Tensor
    grads: _Grads


@contextmanager
def _watched(model: nn.Module, calls: list[_Call]) -> Iterator[None]:
    def note(module: nn.Module, given: Any, output: Any) -> None:
        if isinstance(output, Tensor) and output.requires_grad:
            calls.append(_Call(module, given[0], output, grads := _Grads()))
            output.register_hook(grads.take)  # which does not know the output: a circle would keep its memory

    watched = [module for module in model.modules() if isinstance(module, KINDS) or _has_matrix(module)]
    hooks = [module.register_forward_hook(note) for module in watched]
    for module in watched:
        if getattr(module, "inplace", False):
            vars(module)["inplace"] = False
    try:
        yield
    finally:
        for hook in hooks:
            hook.remove()


def _has_matrix(module: nn.Module) -> bool:
    weight = getattr(module, "weight", None)
    return isinstance(weight, Tensor) and weight.dim() >= 2


def _weighed(name: str, weight: Tensor, call: _Call) -> Layer:
    flat, values = weight.detach().flatten(1), call.output.detach().float()
    rms = float(flat.float().square().mean().sqrt())
    grad = weight.grad
    return Layer(
        name,
        len(flat),
        has_equal_rows=len(flat) > 1 and bool((flat == flat[0]).all()),
        pre_std=float(values.std()),
        mean=float(values.mean()),
        std=float(values.std()),
        weight_rms=rms,
        grad_rms=0.0 if grad is None else float(grad.float().square().mean().sqrt()),
        values=_sample(values),
        grads=call.grads.sample,
    )


def _activate(layer: Layer, call: _Call) -> None:
    module, values = call.module, call.output.detach().float()
    layer.activation, layer.pre_std = type(module).__name__.lower(), float(call.given.detach().float().std())
    layer.mean, layer.std = float(values.mean()), float(values.std())
    layer.values, layer.grads = _sample(values), call.grads.sample
    if isinstance(module, RECTIFIERS):
        layer.dead = share_dead(values)
    if isinstance(module, BOUNDED):
        sizes = values.abs() if isinstance(module, nn.Tanh) else (2 * values - 1).abs()
        layer.saturated = float((sizes > SATURATED).float().mean())


def share_dead(activations: Tensor) -> float:
    """Return the share of units that are active for no example of (N, C) or (N, C, H, W)."""
    units_CN = activations.movedim(1, 0).flatten(1)
    return float((units_CN <= 0).all(1).float().mean())


def _sample(values: Tensor) -> Tensor:
    flat = values.detach().float().flatten()
    places = torch.linspace(0, len(flat) - 1, min(len(flat), SAMPLE), dtype=torch.float64).long()
    return flat[places.to(flat.device)].cpu()
