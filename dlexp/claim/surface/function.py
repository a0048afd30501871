"""Functions of two variables on which update rules are shown. Shapes: T paths, points (T, 2)."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

Function = Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Surface:
    """A function to descend.

    Attributes:
        formula: For people.
        function: Takes points (T, 2), returns values (T,).
        start: Where every path begins.
        level: A path has arrived where the function stays at this or below.
        window: x from, x to, y from, y to: what a figure shows.
        minima: Of the function in the window.
        source: Where it comes from.
    """

    formula: str
    function: Function
    start: tuple[float, float]
    level: float
    window: tuple[float, float, float, float]
    minima: tuple[tuple[float, float], ...]
    source: str

    def gradient(self, points_T2: Tensor) -> Tensor:
        """Return the gradient (T, 2)."""
        points_T2 = points_T2.detach().requires_grad_()
        with torch.enable_grad():
            (gradient_T2,) = torch.autograd.grad(self.function(points_T2).sum(), points_T2)
        return gradient_T2


def quadratic(condition: float) -> Function:
    """Return (x^2 + condition y^2) / 2, whose Hessian has the condition number `condition`."""
    return lambda points_T2: (points_T2[:, 0].square() + condition * points_T2[:, 1].square()) / 2


def saddle(points_T2: Tensor) -> Tensor:
    """Return x^2 - y^2 + y^4 / 4: a saddle at 0, minima of -1 at (0, +-sqrt 2)."""
    x_T, y_T = points_T2.unbind(1)
    return x_T.square() - y_T.square() + y_T**4 / 4


def rosenbrock(points_T2: Tensor) -> Tensor:
    """Return (1 - x)^2 + 100 (y - x^2)^2: a bent valley to the minimum 0 at (1, 1)."""
    x_T, y_T = points_T2.unbind(1)
    return (1 - x_T).square() + 100 * (y_T - x_T.square()).square()


def beale(points_T2: Tensor) -> Tensor:
    """Return the sum over k = 1, 2, 3 of (c_k - x (1 - y^k))^2, c = 1.5, 2.25, 2.625: minimum 0 at (3, 0.5)."""
    x_T, y_T = points_T2.unbind(1)
    terms = [(c - x_T * (1 - y_T**k)).square() for k, c in enumerate((1.5, 2.25, 2.625), 1)]
    return terms[0] + terms[1] + terms[2]


def two_minima(points_T2: Tensor) -> Tensor:
    """Return (x^2 - 1)^2 + 0.3 x + y^2 / 2: a deep minimum near x = -1, a shallow one near x = 1."""
    x_T, y_T = points_T2.unbind(1)
    return (x_T.square() - 1).square() + 0.3 * x_T + y_T.square() / 2


def surfaces(condition: float = 20.0) -> dict[str, Surface]:
    """Return every surface by its name.

    Args:
        condition: Condition number of the quadratic, >= 1.
    """
    root = 2**0.5
    return {
        "quadratic": Surface(
            f"(x^2 + {condition:g} y^2) / 2",
            quadratic(condition),
            (-4.0, 1.0),
            1e-3,
            (-5, 5, -2, 2),
            ((0.0, 0.0),),
            "Goh (2017), Why Momentum Really Works, Distill",
        ),
        "saddle": Surface(
            "x^2 - y^2 + y^4 / 4",
            saddle,
            (1.0, 1e-3),
            -0.9,
            (-1.5, 1.5, -2, 2),
            ((0.0, root), (0.0, -root)),
            "Dauphin et al. (2014), Identifying and Attacking the Saddle Point Problem, NeurIPS",
        ),
        "rosenbrock": Surface(
            "(1 - x)^2 + 100 (y - x^2)^2",
            rosenbrock,
            (-1.2, 1.0),
            1e-2,
            (-2, 2, -0.7, 2.2),
            ((1.0, 1.0),),
            "Rosenbrock (1960), An Automatic Method for Finding the Greatest or Least Value of a Function",
        ),
        "beale": Surface(
            "sum over k = 1, 2, 3 of (c_k - x (1 - y^k))^2, c = 1.5, 2.25, 2.625",
            beale,
            (1.0, 1.5),
            1e-3,
            (-1, 4.5, -1.5, 2.5),
            ((3.0, 0.5),),
            "More, Garbow and Hillstrom (1981), Testing Unconstrained Optimization Software, problem 5",
        ),
        "two_minima": Surface(
            "(x^2 - 1)^2 + 0.3 x + y^2 / 2",
            two_minima,
            (1.7, 1.5),
            -0.28,
            (-2, 2, -2, 2),
            ((-1.0355, 0.0), (0.9601, 0.0)),
            "a double well, tilted",
        ),
    }
