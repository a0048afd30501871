"""A density of one dimension around known values, to draw from and to compare by."""

import math
from bisect import bisect_right
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate
from statistics import NormalDist
from typing import Any

import numpy as np

from dlexp.config.dimension import Dimension


@dataclass(frozen=True)
class Density:
    """A mixture with a kernel at each known value and one that is uniform.

    p(x) = (sum_i w_i K((x - x_i) / h) + u(x)) / (sum_i w_i + 1), where x is on the scale of the dimension, u is uniform
    between its ends and K a normal density of deviation h that is cut off there. Of listed values K is 1 at x_i alone.

    Attributes:
        dimension: The dimension.
        values: Known values x_i.
        weights: Their weights w_i > 0.
        deviation: Of a kernel h > 0, on the scale of the dimension.

    References:
        J. Bergstra et al. (2011), Algorithms for hyper-parameter optimization, section 4
    """

    dimension: Dimension
    values: list[Any]
    weights: list[float]
    deviation: float

    def draw(self, which: float, where: float) -> Any:
        """Return a value.

        Args:
            which: Position in [0, 1) among the kernels.
            where: Position in [0, 1) within the kernel.
        """
        until = self._until
        place = bisect_right(until, which * (self._total + 1))
        if place == len(until):
            return self.dimension.value(where)
        value = self.values[place]
        return value if self.dimension.values is not None else self._near(value, where)

    def log(self, value: Any) -> float:
        """Return log p of a value; of listed ones that of its probability."""
        total = self._total + 1
        if self.dimension.values is not None:
            return math.log((self._counts.get(repr(value), 0.0) + 1 / len(self.dimension.values)) / total)
        low, high = self.dimension.span
        centres, heights = self._kernels
        distances = (self.dimension.place(value) - centres) / self.deviation
        return math.log((float((heights * np.exp(-0.5 * distances**2)).sum()) + 1 / (high - low)) / total)

    @cached_property
    def _until(self) -> list[float]:
        """Sum of the weights of each known value and those before it."""
        return list(accumulate(self.weights))

    @property
    def _total(self) -> float:
        return self._until[-1] if self._until else 0.0

    @cached_property
    def _counts(self) -> dict[str, float]:
        """Weight of each listed value."""
        counts: dict[str, float] = {}
        for value, weight in zip(self.values, self.weights, strict=True):
            counts[repr(value)] = counts.get(repr(value), 0.0) + weight
        return counts

    @cached_property
    def _kernels(self) -> tuple[np.ndarray, np.ndarray]:
        """Centre and greatest height of each kernel."""
        low, high = self.dimension.span
        normals = [NormalDist(self.dimension.place(value), self.deviation) for value in self.values]
        heights = [
            weight * normal.pdf(normal.mean) / (normal.cdf(high) - normal.cdf(low))
            for normal, weight in zip(normals, self.weights, strict=True)
        ]
        return np.array([normal.mean for normal in normals]), np.array(heights)

    def _near(self, value: Any, where: float) -> Any:
        """Return the value at a position in the kernel around a known one."""
        low, high = self.dimension.span
        normal = NormalDist(self.dimension.place(value), self.deviation)
        below, above = normal.cdf(low), normal.cdf(high)
        share = below + where * (above - below)
        place = normal.inv_cdf(share) if 0 < share < 1 else low if share <= 0 else high
        return self.dimension.value(min(max((place - low) / (high - low), 0.0), 1 - 1e-12))
