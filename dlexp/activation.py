"""Activations: the nonlinearity between layers, each with the gain that keeps variance through depth.

The gain of an elementwise f is g = E[f(z)^2]^(-1/2), z ~ N(0, 1): with weights of variance g^2 / fan_in,
pre-activations of unit variance have unit variance again one layer on (He et al. 2015, equation 10, for any f). It is
torch's for the piecewise linear ones; for tanh it is 1.593 (torch: 5/3, a rule of thumb), for sigmoid 1.846 (torch: 1).
An init takes it where `init.gain=activation`. For gelu and silu unit variance repels: f is steeper for larger inputs,
and without normalisation deviations grow.

torch's CPU kernels of elu, silu and sigmoid round a tensor's last few elements differently from the others (1 ulp):
where a trial's tensor has no multiple of 32 elements, a batched stack calls them trial by trial.

Every class takes the features it acts on as `num_features` and works on (N, C) and (N, C, H, W).
Shapes: N examples, C channels or features, H, W space, K pieces.
"""

import math
from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from dlexp.type import Count, Finite, NonNegative, Positive


def expected(f: Callable[[Tensor], Tensor]) -> float:
    """Return E[f(z)], z ~ N(0, 1), by the trapezoidal rule on [-12, 12], good to 1e-6 or better."""
    z = torch.linspace(-12, 12, 9601, dtype=torch.float64, device="cpu")
    density = torch.exp(-0.5 * z * z) / math.sqrt(2 * math.pi)
    return torch.trapezoid(f(z) * density, z).item()


def _gain(f: Callable[[Tensor], Tensor]) -> float:
    with torch.no_grad():
        return expected(lambda z: f(z).square()) ** -0.5


class ReLU(nn.ReLU):
    """Rectified linear unit: max(0, x).

    References:
        Nair and Hinton (2010), Rectified Linear Units Improve Restricted Boltzmann Machines, ICML.
    """

    gain = math.sqrt(2.0)

    def __init__(self, *, num_features: int = 1):
        super().__init__()


class LeakyReLU(nn.LeakyReLU):
    """Leaky rectified linear unit: x where x > 0, negative_slope * x elsewhere.

    Args:
        negative_slope: Slope left of zero.

    References:
        Maas, Hannun and Ng (2013), Rectifier Nonlinearities Improve Neural Network Acoustic Models, ICML.
    """

    def __init__(self, negative_slope: NonNegative = 0.01, *, num_features: int = 1):
        super().__init__(negative_slope)
        self.gain = math.sqrt(2.0 / (1.0 + negative_slope**2))


class PReLU(nn.PReLU):
    """Leaky rectified linear unit whose slope is learned.

    Args:
        slope: Initial slope left of zero.
        shared: One slope for all features instead of one per feature.

    References:
        He, Zhang, Ren and Sun (2015), Delving Deep into Rectifiers, ICCV.
    """

    def __init__(self, slope: Finite = 0.25, shared: bool = False, *, num_features: int = 1):
        super().__init__(1 if shared else num_features, slope)
        self.gain = math.sqrt(2.0 / (1.0 + slope**2))


class ELU(nn.ELU):
    """Exponential linear unit: x where x > 0, alpha * (exp(x) - 1) elsewhere.

    Args:
        alpha: Minus the limit for x to minus infinity.

    References:
        Clevert, Unterthiner and Hochreiter (2016), Fast and Accurate Deep Network Learning by ELUs, ICLR.
    """

    def __init__(self, alpha: Positive = 1.0, *, num_features: int = 1):
        super().__init__(alpha)

    @property
    def gain(self) -> float:
        """Factor on the weights' standard deviation."""
        return _gain(self.forward)


class GELU(nn.GELU):
    """Gaussian error linear unit: x * P(z <= x), z ~ N(0, 1).

    Args:
        approximate: `none` for the exact form, `tanh` for the paper's approximation.

    References:
        Hendrycks and Gimpel (2016), Gaussian Error Linear Units, arXiv:1606.08415.
    """

    def __init__(self, approximate: Literal["none", "tanh"] = "none", *, num_features: int = 1):
        super().__init__(approximate)

    @property
    def gain(self) -> float:
        """Factor on the weights' standard deviation."""
        return _gain(self.forward)


class SiLU(nn.SiLU):
    """Sigmoid linear unit (swish): x * sigmoid(x).

    References:
        Elfwing, Uchibe and Doya (2018), Sigmoid-Weighted Linear Units, Neural Networks 107.
    """

    def __init__(self, *, num_features: int = 1):
        super().__init__()

    @property
    def gain(self) -> float:
        """Factor on the weights' standard deviation."""
        return _gain(self.forward)


class Sigmoid(nn.Sigmoid):
    """Logistic function: 1 / (1 + exp(-x)).

    References:
        Rumelhart, Hinton and Williams (1986), Learning Representations by Back-propagating Errors, Nature 323.
    """

    def __init__(self, *, num_features: int = 1):
        super().__init__()

    @property
    def gain(self) -> float:
        """Factor on the weights' standard deviation."""
        return _gain(self.forward)


class Tanh(nn.Tanh):
    """Hyperbolic tangent.

    References:
        LeCun, Bottou, Orr and Mueller (1998), Efficient BackProp, section 4.4.
    """

    def __init__(self, *, num_features: int = 1):
        super().__init__()

    @property
    def gain(self) -> float:
        """Factor on the weights' standard deviation."""
        return _gain(self.forward)


class _Pieces(nn.Linear):
    """The K affine maps of a maxout stacked in one (K*C, C) matrix: as to fans and orthogonality, K groups."""

    def __init__(self, num_features: int, groups: int):
        self.groups = groups
        super().__init__(num_features, groups * num_features)


class Maxout(nn.Module):
    """Maximum of K learned affine maps: max_k (A_k x + b_k), as many features out as in.

    On images the maps act on the channels at each position (1x1 convolutions). The paper takes the maximum over groups
    of the preceding layer's outputs; here the maps belong to the activation, so that it fits anywhere, also behind a
    sum. Costs K * C * (C + 1) parameters. Both the maps and the layers around carry the gain g, hence
    g^4 * E[max(z_1..z_K)^2] = 1.

    Args:
        pieces: Number of affine maps K.

    References:
        Goodfellow, Warde-Farley, Mirza, Courville and Bengio (2013), Maxout Networks, ICML.
    """

    def __init__(self, pieces: Count = 2, *, num_features: int = 1):
        super().__init__()
        self.pieces = pieces
        self.affine = _Pieces(num_features, pieces)

    @property
    def gain(self) -> float:
        """Factor on the weights' standard deviation."""
        K = self.pieces
        return expected(lambda z: K * torch.special.ndtr(z) ** (K - 1) * z.square()) ** -0.25

    def forward(self, x: Tensor) -> Tensor:
        """Map (N, C) or (N, C, H, W) to the same shape."""
        weight, bias = self.affine.weight, self.affine.bias
        z = F.linear(x, weight, bias) if x.ndim == 2 else F.conv2d(x, weight[:, :, None, None], bias)
        return z.unflatten(1, (self.pieces, -1)).amax(1)


class Identity(nn.Identity):
    """No activation: a linear network.

    References:
        Saxe, McClelland and Ganguli (2014), Exact Solutions to the Nonlinear Dynamics of Learning, ICLR.
    """

    gain = 1.0

    def __init__(self, *, num_features: int = 1):
        super().__init__()
