"""Random numbers that belong to one trial: explicit generators and counter-based draws.

Nothing in dlexp touches torch's global generator. A stream is named by what it is for: (seed, purpose, counters),
so any epoch or step can be drawn again without replaying those before it.
"""

import hashlib
import math

import torch
from torch import Tensor


def derive(seed: int, purpose: str, *counters: int) -> int:
    """Return the 63-bit seed of one named stream, the first bytes of SHA-256 over its name."""
    name = ":".join([str(seed), purpose, *map(str, counters)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def generator(seed: int, purpose: str, *counters: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a fresh generator for one named stream, for example ``generator(7, "order", epoch)``."""
    return torch.Generator(device=device).manual_seed(derive(seed, purpose, *counters))


def hashed_uniform(shape: torch.Size | tuple[int, ...], seed: Tensor) -> Tensor:
    """Return numbers in [0, 1) that are a pure function of (seed, position), the same on every device.

    Each position is mixed with the seed by two rounds of a 32-bit multiply-xorshift hash, so that a draw needs no
    state, works under ``torch.func.vmap`` with a seed per trial, and can be repeated alone.

    Args:
        shape: Shape of the result for one seed.
        seed: int64 tensor, 0-dimensional or (T,).

    Returns:
        float32 tensor (*shape) or (T, *shape) on the seed's device, with 24 random bits each.

    References:
        C. Wellons, hash-prospector (2018), 32-bit integer hash "triple32" family: x ^= x >> s; x *= m.
    """
    position = torch.arange(math.prod(shape), device=seed.device, dtype=torch.int64)
    low, high = (seed & 0xFFFFFFFF).unsqueeze(-1), ((seed >> 32) & 0xFFFFFFFF).unsqueeze(-1)
    bits = _mix(position + low)
    bits = _mix(bits ^ high)
    return (bits >> 8).to(torch.float32).mul(2.0**-24).view(*seed.shape, *shape)


def _mix(x: Tensor) -> Tensor:
    x = x & 0xFFFFFFFF
    x = ((x ^ (x >> 16)) * 0x7FEB352D) & 0xFFFFFFFF
    x = ((x ^ (x >> 15)) * 0x846CA68B) & 0xFFFFFFFF
    return x ^ (x >> 16)
