"""The sign-flip permutation test: exact for few paired differences, and honest about what few can show."""

import math
from dataclasses import dataclass

import numpy as np

EXACT = 16  # differences up to which all 2^n signs are tried
_TIE = 1e-9


@dataclass(frozen=True)
class SignFlip:
    """Outcome of the test.

    Attributes:
        p_value: Two-sided.
        smallest_p: The smallest p that this number of differences allows, 2 / 2^n.
        is_exact: Whether all signs were tried.
    """

    p_value: float
    smallest_p: float
    is_exact: bool


def sign_flip(differences: np.ndarray, *, generator: np.random.Generator, draws: int = 10_000) -> SignFlip:
    """Test whether paired differences are symmetric about zero.

    p is the share of sign assignments whose absolute mean reaches the observed one; with drawn signs
    (1 + hits) / (1 + draws). Six differences are needed for any p below 0.05.

    Args:
        differences: (n,), at least one.
        generator: Draws the signs where n > 16.
        draws: Sign assignments drawn.

    Raises:
        ValueError: No differences.

    References:
        R. Fisher (1935), The Design of Experiments, section 21; B. Phipson, G. Smyth (2010), SAGMB 9 (the +1).
    """
    values, num = np.asarray(differences, dtype=np.float64), len(differences)
    if num < 1:
        raise ValueError("got no differences; at least one is needed")
    smallest = 2.0 ** (1 - num)
    reach = abs(values.sum()) - _TIE * max(float(np.abs(values).sum()), 1e-300)
    if num <= EXACT:
        bits = (np.arange(2**num)[:, None] >> np.arange(num)) & 1
        sums = (bits * 2.0 - 1) @ values
        return SignFlip(float((np.abs(sums) >= reach).mean()), smallest, True)
    signs = generator.integers(2, size=(draws, num)) * 2.0 - 1
    hits = int((np.abs(signs @ values) >= reach).sum())
    return SignFlip((1 + hits) / (1 + draws), max(smallest, 1 / (1 + draws)), False)


def fewest(level: float = 0.95) -> int:
    """Return the fewest differences that allow a p below 1 - level: 2 / 2^n < 1 - level."""
    return math.floor(1 - math.log2(1 - level)) + 1
