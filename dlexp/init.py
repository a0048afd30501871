"""Initialisation of weights; biases start at zero, normalisations at weight 1 and bias 0.

For a weight (out, in / groups, *kernel): fan_in = in / groups * prod(kernel), fan_out = out / groups * prod(kernel).
(torch's own fan_out ignores the groups.) `gain` is the activation's: see `dlexp.activation`.
Every draw comes from the generator that is handed in, so equal seeds give equal weights whatever else runs.
"""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal, Protocol

import torch
from torch import Tensor, nn
from torch.nn.modules.conv import _ConvNd

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


class KaimingNormal:
    """Kaiming (He) normal: N(0, gain^2 / fan).

    Args:
        mode: `fan_in` keeps the variance of the forward pass, `fan_out` that of the backward pass.

    References:
        He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers, ICCV, equations 10 and 14.
    """

    def __init__(self, mode: Literal["fan_in", "fan_out"] = "fan_in", *, gain: float = math.sqrt(2)):
        self.mode, self.gain = mode, gain

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        fan_in, fan_out = fans(weight, groups)
        _normal(weight, self.gain / math.sqrt(fan_in if self.mode == "fan_in" else fan_out), generator)


class KaimingUniform:
    """Kaiming (He) uniform: U(-a, a), a = gain * sqrt(3 / fan).

    Args:
        mode: `fan_in` keeps the variance of the forward pass, `fan_out` that of the backward pass.

    References:
        He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers, ICCV, equations 10 and 14.
    """

    def __init__(self, mode: Literal["fan_in", "fan_out"] = "fan_in", *, gain: float = math.sqrt(2)):
        self.mode, self.gain = mode, gain

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        fan_in, fan_out = fans(weight, groups)
        _uniform(weight, self.gain * math.sqrt(3 / (fan_in if self.mode == "fan_in" else fan_out)), generator)


class XavierNormal:
    """Xavier (Glorot) normal: N(0, gain^2 * 2 / (fan_in + fan_out)).

    References:
        Glorot and Bengio (2010), Understanding the Difficulty of Training Deep Networks, AISTATS, equation 12.
    """

    def __init__(self, *, gain: float = 1.0):
        self.gain = gain

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _normal(weight, self.gain * math.sqrt(2 / sum(fans(weight, groups))), generator)


class XavierUniform:
    """Xavier (Glorot) uniform: U(-a, a), a = gain * sqrt(6 / (fan_in + fan_out)).

    References:
        Glorot and Bengio (2010), Understanding the Difficulty of Training Deep Networks, AISTATS, equation 16.
    """

    def __init__(self, *, gain: float = 1.0):
        self.gain = gain

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _uniform(weight, self.gain * math.sqrt(6 / sum(fans(weight, groups))), generator)


class LecunNormal:
    """LeCun normal: N(0, 1 / fan_in), whatever the activation.

    References:
        LeCun, Bottou, Orr and Mueller (1998), Efficient BackProp, equation 16.
    """

    def __init__(self):
        pass

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _normal(weight, 1 / math.sqrt(fans(weight, groups)[0]), generator)


class LecunUniform:
    """LeCun uniform: U(-a, a), a = sqrt(3 / fan_in), whatever the activation.

    References:
        LeCun, Bottou, Orr and Mueller (1998), Efficient BackProp, equation 16.
    """

    def __init__(self):
        pass

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        _uniform(weight, math.sqrt(3 / fans(weight, groups)[0]), generator)


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


class Orthogonal:
    """Orthogonal: gain times a random matrix (out, fan_in) with orthonormal rows or columns, in each group.

    References:
        Saxe, McClelland and Ganguli (2014), Exact Solutions to the Nonlinear Dynamics of Learning, ICLR.
    """

    def __init__(self, *, gain: float = 1.0):
        self.gain = gain

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight (out, in / groups, *kernel) in place."""
        for part in weight.data.chunk(groups):
            draw = part.new_empty(part.shape, device=generator.device)
            part.copy_(nn.init.orthogonal_(draw, self.gain, generator=generator))


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

    def __init__(self):
        pass

    def fill(self, weight: Tensor, generator: torch.Generator, groups: int = 1) -> None:
        """Overwrite a weight in place."""
        weight.data.zero_()


class Torch:
    """Each module's own rule (torch's reset_parameters): U(-a, a), a = 1 / sqrt(fan_in), biases too."""

    def __init__(self):
        pass


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

    Linear and convolution weights follow `init`, their biases are zero; every other module with parameters
    (normalisations, PReLU, a user's own) is reset to its own default.

    Args:
        model: The model, changed in place.
        init: The rule; `Torch` leaves every module to its own default.
        generator: Source of all draws.
    """
    with _default_generator_seeded_from(generator):
        for module in model.modules():
            _reset(module, init, generator)
    if callable(adjust := getattr(model, "adjust_init", None)):
        adjust()


def _reset(module: nn.Module, init: Init | Torch, generator: torch.Generator) -> None:
    if isinstance(module, nn.Linear | _ConvNd) and not isinstance(init, Torch):
        init.fill(module.weight, generator, groups=int(getattr(module, "groups", 1)))
        if module.bias is not None:
            nn.init.zeros_(module.bias)
    elif callable(reset := getattr(module, "reset_parameters", None)):
        reset()


@contextmanager
def _default_generator_seeded_from(generator: torch.Generator) -> Iterator[None]:
    # torch's reset_parameters knows only the default generator: it is seeded for the while and put back after.
    seed = int(torch.randint(2**62, (), generator=generator, device=generator.device))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield
