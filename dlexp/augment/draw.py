"""What every augmentation draws: hashes of the trial's stream and of their place, on the device of the images.

A device draws them by itself, the same on every device, and the host neither waits for it nor sends it anything but the
stream's key. The generator that an augmentation is given is a torch generator too, for classes of the user.
"""

import math

import torch
from torch import Tensor

from dlexp.error import ConfigError
from dlexp.number import noun
from dlexp.random import hashed_uniform

STEP = 0xD1342543DE82EF95  # between the keys of a stream's draws; an odd multiplier of a good linear generator (64 bit)
ROUNDS = 8  # of rejection, each of which accepts 95 % or more


class Stream(torch.Generator):
    """The draws of one batch of one trial.

    Attributes:
        key: int64 of no dimension, on the device.
        count: Draws so far.
    """

    key: Tensor
    count: int

    @classmethod
    def of(cls, seed: int, key: Tensor) -> "Stream":
        """Return the stream of a seed.

        Args:
            seed: For draws by torch.
            key: The seed on the device, int64 of no dimension.
        """
        made = cls()
        made.manual_seed(seed)
        made.key, made.count = key, 0
        return made


def _key(generator: torch.Generator, device: torch.device) -> Tensor:
    """Return the key of the next draw; of a plain generator a number that it draws."""
    if not isinstance(generator, Stream):
        return torch.randint(-(2**63), 2**63 - 1, (), generator=generator).to(device)
    generator.count += 1
    return generator.key + ((generator.count * STEP + 2**63) % 2**64 - 2**63)


def uniforms(rows: int, num: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return (rows, num) float32 from [0, 1) in one draw."""
    return hashed_uniform((rows, num), _key(generator, device))


def uniform(num: int, low: float, high: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return (num,) float32 from [low, high)."""
    return low + (high - low) * uniforms(1, num, generator, device)[0]


def whole(uniform_N: Tensor, bound: int) -> Tensor:
    """Return int64 from 0 to bound - 1 for uniform numbers; bound below 2^24."""
    return (uniform_N * bound).long()


def permutation(num: int, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return the numbers from 0 to num - 1 in a random order, int64."""
    return uniforms(1, num, generator, device)[0].argsort(stable=True)


def normal(shape: torch.Size, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return float32 normal numbers, in pairs r cos(a), r sin(a) with r = sqrt(-2 log u).

    References:
        G. Box, M. Muller (1958), A Note on the Generation of Random Normal Deviates, Ann. Math. Statist. 29.
    """
    num = math.prod(shape)
    u, v = uniforms(2, -(-num // 2), generator, device)
    radius, angle = (-2 * torch.log1p(-u)).sqrt(), (2 * math.pi) * v
    return torch.cat([radius * angle.cos(), radius * angle.sin()])[:num].view(shape)


def beta(num: int, alpha: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return (num,) float32 from Beta(alpha, alpha): G / (G + H) of two gamma numbers, in logarithms."""
    g_N, h_N = _log_gamma(2 * num, alpha, generator, device).view(2, num)
    return torch.sigmoid(g_N - h_N)


def _log_gamma(num: int, alpha: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return logarithms of numbers from Gamma(alpha), the first accepted of some rounds.

    Gamma(alpha) is Gamma(alpha + 1) u^(1 / alpha), and Gamma(alpha + 1) is d v with d = alpha + 2/3, v = (1 + c x)^3,
    c = 1 / sqrt(9 d), accepted where log u < x^2 / 2 + d - d v + d log v.

    References:
        G. Marsaglia, W. Tsang (2000), A Simple Method for Generating Gamma Variables, ACM TOMS 26.
    """
    d = alpha + 2 / 3
    x_RN = normal(torch.Size((ROUNDS, num)), generator, device)
    log_u_RN = torch.log1p(-uniforms(ROUNDS, num, generator, device))
    root_RN = 1 + x_RN / math.sqrt(9 * d)
    log_v_RN = 3 * root_RN.clamp(min=1e-30).log()
    is_accepted_RN = (root_RN > 0) & (log_u_RN < x_RN.square() / 2 + d - d * log_v_RN.exp() + d * log_v_RN)
    first_1N = is_accepted_RN.to(torch.int8).argmax(0, keepdim=True)
    boost_N = torch.log1p(-uniforms(1, num, generator, device)[0]) / alpha
    return math.log(d) + log_v_RN.gather(0, first_1N)[0] + boost_N


def per_image(values_N: Tensor) -> Tensor:
    """Give (N,) the axes to meet (N, C, H, W)."""
    return values_N.view(-1, 1, 1, 1)


def require_images(images: Tensor, name: str) -> None:
    """Refuse vectors.

    Raises:
        ConfigError: The data are no images.
    """
    if images.dim() != 4:
        raise ConfigError(f"augment: {name} needs images; the data have vectors of {noun(images.shape[-1], 'feature')}")
