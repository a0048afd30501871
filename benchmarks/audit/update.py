"""Update rules from the papers: new parameters from old ones, the gradient, the rate and the number of the update.

theta and g are vectors of all parameters; `memory` holds what a rule remembers; h are its constants.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

Rule = Callable[[Tensor, Tensor, dict[str, Any], float, int, dict[str, Any]], Tensor]


def sgd(theta: Tensor, g: Tensor, memory: dict[str, Any], lr: float, t: int, h: dict[str, Any]) -> Tensor:
    return theta - lr * g


def momentum(theta: Tensor, g: Tensor, memory: dict[str, Any], lr: float, t: int, h: dict[str, Any]) -> Tensor:
    """Polyak (1964); Sutskever et al. (2013), equations 1 and 2."""
    if h["form"] == "sutskever":
        memory["v"] = h["momentum"] * memory.get("v", 0) - lr * g
        return theta + memory["v"]
    memory["v"] = h["momentum"] * memory.get("v", 0) + g
    return theta - lr * memory["v"]


def nesterov(theta: Tensor, g: Tensor, memory: dict[str, Any], lr: float, t: int, h: dict[str, Any]) -> Tensor:
    """Sutskever et al. (2013), equations 3 and 4: theta is where the gradient is taken, `plain` their parameters."""
    m = h["momentum"]
    if h["form"] == "sutskever":
        plain = theta - m * memory.get("v", 0)
        memory["v"] = m * memory.get("v", 0) - lr * g
        return plain + memory["v"] + m * memory["v"]
    memory["v"] = m * memory.get("v", 0) + g
    return theta - lr * (g + m * memory["v"])


def adagrad(theta: Tensor, g: Tensor, memory: dict[str, Any], lr: float, t: int, h: dict[str, Any]) -> Tensor:
    """Duchi, Hazan and Singer (2011)."""
    memory["s"] = memory.get("s", h["initial"]) + g * g
    return theta - lr * g / _divisor(memory["s"], h)


def rmsprop(theta: Tensor, g: Tensor, memory: dict[str, Any], lr: float, t: int, h: dict[str, Any]) -> Tensor:
    """Tieleman and Hinton (2012), lecture 6.5."""
    memory["s"] = h["alpha"] * memory.get("s", 0) + (1 - h["alpha"]) * g * g
    return theta - lr * g / _divisor(memory["s"], h)


def adam(theta: Tensor, g: Tensor, memory: dict[str, Any], lr: float, t: int, h: dict[str, Any]) -> Tensor:
    """Kingma and Ba (2015), algorithm 1."""
    first, second = h["betas"]
    memory["m"] = first * memory.get("m", 0) + (1 - first) * g
    memory["v"] = second * memory.get("v", 0) + (1 - second) * g * g
    m, v = memory["m"], memory["v"]
    if h["bias_correction"]:
        m, v = m / (1 - first**t), v / (1 - second**t)
    return theta - lr * m / _divisor(v, h)


def adamw(theta: Tensor, g: Tensor, memory: dict[str, Any], lr: float, t: int, h: dict[str, Any]) -> Tensor:
    """Loshchilov and Hutter (2019), algorithm 2, the decay in units of the rate."""
    return adam(theta, g, memory, lr, t, h) - lr * h["weight_decay"] * h["decayed"] * theta


def _divisor(s: Tensor, h: dict[str, Any]) -> Tensor:
    forms = {
        "outside": lambda: torch.sqrt(s) + h["eps"],
        "inside": lambda: torch.sqrt(s + h["eps"]),
        "rootless": lambda: s + h["eps"],
    }
    return forms[h.get("form", "outside")]()


RULES: dict[str, Rule] = {
    "SGD": sgd,
    "Momentum": momentum,
    "Nesterov": nesterov,
    "Adagrad": adagrad,
    "RMSprop": rmsprop,
    "Adam": adam,
    "AdamW": adamw,
}
