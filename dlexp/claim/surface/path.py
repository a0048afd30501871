"""Paths of the update rules that train networks over a function of two variables. Shapes: R rates, S steps."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlexp.build.node import build
from dlexp.claim.surface.function import Surface
from dlexp.config.catalog import read_option

RATES = tuple(10 ** (exponent / 4) for exponent in range(-16, 5))  # 1e-4 to 10, four a decade


@dataclass(frozen=True)
class Path:
    """Where a rule went from a surface's start.

    Attributes:
        rule: Option of `optimizer`.
        lr: Its step size.
        points_S2: The start and the point after each step, to the arrival or the last step.
        values_S: The function there.
        steps: After which the function stays at the level or below; None where it does not.
    """

    rule: str
    lr: float
    points_S2: Tensor
    values_S: Tensor
    steps: int | None


def descend(
    surface: Surface, rule: str, rates: tuple[float, ...] = RATES, steps: int = 1000, **settings: Any
) -> list[Path]:
    """Return a rule's path at each rate, in float64.

    Args:
        surface: With the start and the level at which a path has arrived.
        rule: Option of `optimizer`.
        rates: Step sizes, > 0; all are one stack of trials of the rule.
        steps: At most.
        **settings: Parameters of the rule besides `lr`.
    """
    optimizer = build(read_option("optimizer", rule) | settings)
    points_R2 = torch.tensor([surface.start], dtype=torch.float64).repeat(len(rates), 1)
    lr_R1 = torch.tensor(rates, dtype=torch.float64).unsqueeze(1)
    state = optimizer.init(points_R2)
    passed = [points_R2.clone()]
    for step in range(1, steps + 1):
        optimizer.update(points_R2, surface.gradient(points_R2), state, lr_R1, step)
        passed.append(points_R2.clone())
    points_SR2 = torch.stack(passed)
    values_SR = torch.stack([surface.function(points_R2) for points_R2 in passed])
    return [_cut(surface, rule, lr, points_SR2[:, row], values_SR[:, row]) for row, lr in enumerate(rates)]


def _cut(surface: Surface, rule: str, lr: float, points_S2: Tensor, values_S: Tensor) -> Path:
    """Return a path up to its arrival, or up to the last point that is finite."""
    finite = int(values_S.isfinite().cumprod(0).sum())
    away_S = (values_S > surface.level).nonzero()
    after = int(away_S[-1]) + 1 if len(away_S) else 0
    steps = after if after < len(values_S) == finite else None
    end = finite if steps is None else steps + 1
    return Path(rule, lr, points_S2[:end], values_S[:end], steps)


def best(paths: list[Path]) -> Path:
    """Return the path that arrives first; where none does, the one that ends lowest."""
    return min(paths, key=lambda path: (path.steps is None, path.steps or 0, _last(path)))


def _last(path: Path) -> float:
    return float(path.values_S[-1]) if len(path.values_S) else float("inf")
