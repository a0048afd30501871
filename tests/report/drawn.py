"""What a line of a figure was drawn from, as numbers."""

import numpy as np
from numpy.typing import ArrayLike


def numbers(data: ArrayLike) -> list[float]:
    """Return the coordinates along one axis."""
    return np.asarray(data).tolist()
