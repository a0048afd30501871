"""Random numbers that belong to one trial: explicit generators and counter-based draws.

Nothing in dlexp touches torch's global generator, but to seed it for the while of code that knows no other. A stream is
named by what it is for: (seed, purpose, counters), so any epoch or step can be drawn again without replaying those
before it.
"""

import hashlib
import math
from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor

GOLDEN = 0x9E3779B97F4A7C15 - 2**64  # 2^64 over the golden ratio, odd, as int64


def derive(seed: int, purpose: str, *counters: int) -> int:
    """Return the 63-bit seed of one named stream, the first bytes of SHA-256 over its name."""
    name = ":".join([str(seed), purpose, *map(str, counters)])
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big") >> 1


def derive_each(num: int, seed: int, purpose: str, *counters: int) -> list[int]:
    """Return the 63-bit seeds of `num` streams under one name: successive words of SHAKE-128 over it.

    The first words do not depend on how many are asked for.
    """
    name = ":".join([str(seed), purpose, *map(str, counters)])
    words = hashlib.shake_128(name.encode()).digest(8 * num)
    return [int.from_bytes(words[8 * i : 8 * i + 8], "big") >> 1 for i in range(num)]


def generator(seed: int, purpose: str, *counters: int, device: torch.device | str = "cpu") -> torch.Generator:
    """Return a fresh generator for one named stream, for example ``generator(7, "order", epoch)``.

    torch's CPU generator reads the low 32 bits of its seed: of n streams a given pair is the same with probability
    2^-32.
    """
    return torch.Generator(device=device).manual_seed(derive(seed, purpose, *counters))


@contextmanager
def seeded_default(seed: int) -> Iterator[None]:
    """Seed torch's default generator on the CPU for a while, for code that knows no other; it is put back after."""
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        yield


def hashed_uniform(shape: torch.Size | tuple[int, ...], seed: Tensor, first: int = 0) -> Tensor:
    """Return numbers in [0, 1) that are a pure function of (seed, position), the same on every device.

    Position p of a stream is mix(mix(p a + b) ^ a ^ b), mix a 32-bit multiply-xorshift hash, and a (made odd) and b the
    halves of the seed times a 64-bit constant. So each stream advances by a step of its own, as split streams do in
    Steele et al., and no stream is another one shifted, not even under consecutive seeds. A draw needs no state, works
    under ``torch.func.vmap`` with a seed per trial, and can be repeated alone.

    Args:
        shape: Shape of the result for one seed, fewer than 2^31 elements.
        seed: int64 tensor, 0-dimensional or (T,).
        first: Position of the first number.

    Returns:
        float32 tensor (*shape) or (T, *shape) on the seed's device, with 24 random bits each.

    References:
        C. Wellons, hash-prospector (2018), 32-bit integer hash "lowbias32": x ^= x >> s; x *= m.
        Steele, Lea and Flood (2014), Fast Splittable Pseudorandom Number Generators, OOPSLA, section 3.
    """
    key = (seed * GOLDEN).unsqueeze(-1)
    a, b = (key >> 32).to(torch.int32), key.to(torch.int32)
    bits = torch.arange(first, first + math.prod(shape), device=seed.device, dtype=torch.int32) * (a | 1)
    bits += b
    _mix(bits)
    bits ^= a ^ b
    _mix(bits)
    bits >>= 8
    bits &= 0xFFFFFF
    return bits.to(torch.float32).mul_(2.0**-24).view(*seed.shape, *shape)


def _mix(x: Tensor) -> None:
    # int32 products wrap; a shift of a negative number drags its sign along, which the masks take away.
    x ^= (x >> 16) & 0xFFFF
    x *= 0x7FEB352D
    x ^= (x >> 15) & 0x1FFFF
    x *= 0x846CA68B - 2**32
    x ^= (x >> 16) & 0xFFFF
