"""Initialisation of weights; biases start at zero, normalisations at weight 1 and bias 0.

For a weight (out, in / groups, *kernel): fan_in = in / groups * prod(kernel), fan_out = out / groups * prod(kernel).
(torch's own fan_out ignores the groups.) The weight of a transposed convolution, (in, out / groups, *kernel), is filled
as that of a convolution from its inputs to its outputs. Every draw comes from the generator that is handed in.

`gain` multiplies the standard deviation: a number; `auto`, what the rule's paper has whatever the activation: sqrt(2)
for Kaiming, 1 for the others; `activation`, the gain that keeps variance through layers of the activation in use (see
`dlexp.activation`). Output layers take gain 1 in every case: no activation follows them.
"""

import copy
import math
from typing import Literal, Protocol, Self

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

from dlexp.random import seeded_default
from dlexp.type import Finite, PerTrial, Positive


class Init(Protocol):
    """Fills one weight."""

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        ...


def fans(weight: Tensor, groups: int = 1) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a weight (out, in / groups, *kernel)."""
    kernel = weight[0, 0].numel()
    return weight.shape[1] * kernel, weight.shape[0] // groups * kernel


def _normal(weight: Tensor, std: float, generator: torch.Generator) -> None:
    # Drawn where the generator lives: the same numbers for a weight on any device.
    weight.data.copy_(weight.new_empty(weight.shape, device=generator.device).normal_(0, std, generator=generator))


def _uniform(weight: Tensor, bound: float, generator: torch.Generator) -> None:
    draw = weight.new_empty(weight.shape, device=generator.device).uniform_(-bound, bound, generator=generator)
    weight.data.copy_(draw)


class _Scaled:
    """A rule whose standard deviation a gain multiplies.

    Args:
        gain: Factor of the standard deviation, > 0; auto: 1, as in the paper; activation: the one that keeps variance
            under the activation in use. Output layers take 1.
    """

    of_paper = 1.0

    def __init__(
        self, gain: PerTrial[Positive] | Literal["auto", "activation"] = "auto", *, activation_gain: float = 1.0
    ):
        by_name = {"auto": self.of_paper, "activation": activation_gain}
        self.gain = by_name[gain] if isinstance(gain, str) else float(gain)

    def at_output(self) -> Self:
        """Return the rule for output layers, which has gain 1."""
        rule = copy.copy(self)
        rule.gain = 1.0
        return rule


class _Kaiming(_Scaled):
    """He's rules.

    Args:
        mode: `fan_in` keeps the variance of the forward pass, `fan_out` that of the backward pass.
        gain: Factor of the standard deviation, > 0; auto: sqrt(2), as in the paper; activation: the one that keeps
            variance under the activation in use. Output layers take 1.
    """

    of_paper = math.sqrt(2)

    def __init__(
        self,
        mode: Literal["fan_in", "fan_out"] = "fan_in",
        gain: PerTrial[Positive] | Literal["auto", "activation"] = "auto",
        *,
        activation_gain: float = 1.0,
    ):
        super().__init__(gain, activation_gain=activation_gain)
        self.mode = mode

    def fan(self, weight: Tensor, groups: int) -> int:
        """Return the one that `mode` names."""
        return fans(weight, groups)[self.mode == "fan_out"]


class KaimingNormal(_Kaiming):
    """Kaiming (He) normal: N(0, gain^2 / fan), gain^2 = 2 if not set.

    References:
        He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers, ICCV, equations 10 and 14.
    """

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _normal(weight, self.gain / math.sqrt(self.fan(weight, groups)), generator)


class KaimingUniform(_Kaiming):
    """Kaiming (He) uniform: U(-a, a), a = gain * sqrt(3 / fan), gain^2 = 2 if not set.

    References:
        He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers, ICCV, equations 10 and 14.
    """

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _uniform(weight, self.gain * math.sqrt(3 / self.fan(weight, groups)), generator)


class XavierNormal(_Scaled):
    """Xavier (Glorot) normal: N(0, gain^2 * 2 / (fan_in + fan_out)), gain = 1 if not set.

    References:
        Glorot and Bengio (2010), Understanding the Difficulty of Training Deep Networks, AISTATS, equation 12.
    """

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _normal(weight, self.gain * math.sqrt(2 / sum(fans(weight, groups))), generator)


class XavierUniform(_Scaled):
    """Xavier (Glorot) uniform: U(-a, a), a = gain * sqrt(6 / (fan_in + fan_out)), gain = 1 if not set.

    References:
        Glorot and Bengio (2010), Understanding the Difficulty of Training Deep Networks, AISTATS, equation 16.
    """

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _uniform(weight, self.gain * math.sqrt(6 / sum(fans(weight, groups))), generator)


class LecunNormal(_Scaled):
    """LeCun normal: N(0, gain^2 / fan_in), gain = 1 if not set.

    References:
        LeCun, Bottou, Orr and Mueller (1998), Efficient BackProp, equation 16.
    """

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _normal(weight, self.gain / math.sqrt(fans(weight, groups)[0]), generator)


class LecunUniform(_Scaled):
    """LeCun uniform: U(-a, a), a = gain * sqrt(3 / fan_in), gain = 1 if not set.

    References:
        LeCun, Bottou, Orr and Mueller (1998), Efficient BackProp, equation 16.
    """

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _uniform(weight, self.gain * math.sqrt(3 / fans(weight, groups)[0]), generator)


class Normal:
    """Normal of fixed width: N(0, std^2), whatever the layer's size.

    Args:
        std: Standard deviation.

    References:
        Krizhevsky, Sutskever and Hinton (2012), ImageNet Classification with Deep CNNs, NeurIPS, section 5.
    """

    def __init__(self, std: PerTrial[Positive] = 0.01):
        self.std = std

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight in place."""
        _normal(weight, float(self.std), generator)


class Uniform:
    """Uniform of fixed width: U(-bound, bound), whatever the layer's size.

    Args:
        bound: Largest absolute value.
    """

    def __init__(self, bound: PerTrial[Positive] = 0.05):
        self.bound = bound

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight in place."""
        _uniform(weight, float(self.bound), generator)


class Orthogonal(_Scaled):
    """Orthogonal: gain times a random matrix (out, fan_in) with orthonormal rows or columns, in each group.

    References:
        Saxe, McClelland and Ganguli (2014), Exact Solutions to the Nonlinear Dynamics of Learning, ICLR.
    """

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        for piece in weight.data.chunk(groups):
            draw = piece.new_empty(piece.shape, device=generator.device)
            piece.copy_(nn.init.orthogonal_(draw, self.gain, generator=generator))


class Constant:
    """The same value everywhere; a layer's units then stay copies of each other.

    Args:
        value: The value.
    """

    def __init__(self, value: PerTrial[Finite] = 0.01):
        self.value = value

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight in place."""
        weight.data.fill_(float(self.value))


class Zeros:
    """All weights zero; only a model without hidden layers can learn from there."""

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight in place."""
        weight.data.zero_()


class Torch:
    """Each module's own rule (torch's reset_parameters): U(-a, a), a = 1 / sqrt(fan_in), biases too."""


def symmetry_warning(init: Init | Torch) -> str | None:
    """Return a sentence for the user when `init` never breaks the symmetry between a layer's units, else None."""
    if not isinstance(init, Constant | Zeros):
        return None
    name = type(init).__name__.lower()
    return (
        f"init={name} gives all units of a layer the same weights and gradients: hidden layers stay as one unit each; "
        "choose a random init, for example init=kaiming_normal"
    )


def initialize(model: nn.Module, init: Init | Torch, generator: torch.Generator) -> None:
    """Initialise all parameters of `model` in module order, then call its `adjust_init`, if it has one.

    Linear and convolution weights follow `init`, those of output layers with gain 1, and their biases are zero; every
    other module with parameters (normalisations, PReLU, a user's own) is reset to its own default.

    Args:
        model: The model, changed in place.
        init: The rule; `Torch` leaves every module to its own default.
        generator: Source of all draws.
    """
    outputs = {id(layer) for layer in output_layers(model)}
    at_output = init.at_output() if isinstance(init, _Scaled) else init
    # torch's reset_parameters knows only the default generator
    with seeded_default(int(torch.randint(2**62, (), generator=generator, device=generator.device))):
        for module in model.modules():
            _reset(module, at_output if id(module) in outputs else init, generator)
    if callable(adjust := getattr(model, "adjust_init", None)):
        adjust()


def output_layers(model: nn.Module) -> list[nn.Module]:
    """Return the layers that give a model's outputs: its `output_layers`, if it names them, else the last layer.

    Layers are linear ones and convolutions, in module order.
    """
    if (named := getattr(model, "output_layers", None)) is not None:
        return list(named)
    layers: list[nn.Module] = [module for module in model.modules() if isinstance(module, nn.Linear | _ConvNd)]
    return layers[-1:]


def _reset(module: nn.Module, init: Init | Torch, generator: torch.Generator) -> None:
    if isinstance(module, nn.Linear | _ConvNd) and not isinstance(init, Torch):
        groups = int(getattr(module, "groups", 1))
        if getattr(module, "transposed", False):
            for weight in module.weight.chunk(groups):  # of each group (in / groups, out / groups, *kernel)
                init.fill(weight.transpose(0, 1), generator)
        else:
            init.fill(module.weight, generator, groups=groups)
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif callable(reset := getattr(module, "reset_parameters", None)):
        reset()
