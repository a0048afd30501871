"""What single update rules do, on functions of two variables and on gradients that are given."""

import math
from dataclasses import replace

import torch

from dlexp.build.node import build
from dlexp.claim.surface.function import surfaces
from dlexp.claim.surface.path import descend
from dlexp.config.catalog import read_option
from dlexp.random import generator

MOST = 600


def step_ratio(seed: int, surface: str, rules: list[str], lr: float, momentum: float, condition: float = 20.0) -> float:
    """Return the steps of the first rule to the surface's level over those of the second, at one rate.

    The start is the surface's, each coordinate multiplied by a factor drawn from [0.5, 1.5].

    Args:
        seed: Of the factors.
        surface: Its name.
        rules: Two options of `optimizer`; those that have a momentum take `momentum`.
        lr: Step size of both.
        momentum: In [0, 1).
        condition: Condition number of the quadratic.
    """
    shape = surfaces(condition)[surface]
    x, y = (0.5 + torch.rand(2, generator=generator(seed, "claim"), dtype=torch.float64)).tolist()
    shape = replace(shape, start=(shape.start[0] * x, shape.start[1] * y))
    steps = []
    for rule in rules:
        settings = {"momentum": momentum} if "momentum" in read_option("optimizer", rule) else {}
        taken = descend(shape, rule, (lr,), MOST, **settings)[0].steps
        steps.append(math.inf if taken is None else taken)
    return steps[0] / steps[1]


def rate_exponent(seed: int, rule: str, steps: int = 1000) -> float:
    """Return the slope of log |update| over log t under a gradient of size 1, from t = 10 on.

    Args:
        seed: Without effect: nothing is drawn.
        rule: Option of `optimizer`.
        steps: t at the end.
    """
    sizes_S = torch.tensor(_updates(rule, steps, {})[10:], dtype=torch.float64).log()
    times_S = torch.arange(11, steps + 1, dtype=torch.float64).log()
    centred_S = times_S - times_S.mean()
    return float((centred_S * (sizes_S - sizes_S.mean())).sum() / centred_S.square().sum())


def first_update(seed: int, rule: str, bias_correction: bool) -> float:
    """Return the size of the first update under a gradient of size 1, over the rate.

    Args:
        seed: Without effect: nothing is drawn.
        rule: adam or adamw.
        bias_correction: Whether the means are corrected for having begun at zero.
    """
    return _updates(rule, 1, {"bias_correction": bias_correction})[0]


def _updates(rule: str, steps: int, settings: dict[str, bool]) -> list[float]:
    """Return the sizes of a rule's updates under a gradient of size 1 and rate 1."""
    optimizer = build(read_option("optimizer", rule) | settings)
    params_11 = torch.zeros(1, 1, dtype=torch.float64)
    state, lr_11, sizes = optimizer.init(params_11), torch.ones(1, 1, dtype=torch.float64), []
    for step in range(1, steps + 1):
        before = float(params_11)
        optimizer.update(params_11, torch.ones_like(params_11), state, lr_11, step)
        sizes.append(abs(float(params_11) - before))
    return sizes
