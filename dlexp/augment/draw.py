"""What every augmentation draws: one number an image, from the trial's generator."""

import numpy as np
import torch
from torch import Tensor

from dlexp.error import ConfigError
from dlexp.number import noun


def uniform(num: int, low: float, high: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return (num,) float32 from [low, high)."""
    return (low + (high - low) * torch.rand(num, generator=generator)).to(device)


def integers(num: int, bound: int, generator: torch.Generator) -> Tensor:
    """Return (num,) int64 from 0 to bound - 1, on the CPU."""
    return torch.randint(0, bound, (num,), generator=generator)


def chance(num: int, p: float, generator: torch.Generator) -> Tensor:
    """Return (num,) bool, True with probability p, on the CPU."""
    return torch.rand(num, generator=generator) < p


def seed(generator: torch.Generator) -> int:
    """Return a 62-bit number that seeds another generator."""
    return int(torch.randint(0, 1 << 62, (), generator=generator))


def beta(num: int, alpha: float, generator: torch.Generator, device: torch.device) -> Tensor:
    """Return (num,) float32 from Beta(alpha, alpha)."""
    # torch's own beta distribution takes no generator.
    drawn = np.random.default_rng(seed(generator)).beta(alpha, alpha, num)
    return torch.from_numpy(drawn.astype(np.float32)).to(device)


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
