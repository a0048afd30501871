"""How often 95 % intervals of a cv's mean hold the true mean, and how often they leave the metric's bounds: simulated.

Folds are drawn as a model of p right answers in m held-out examples would give them; `shared` rows add what
overlapping training parts do: a part of each fold's deviation, 1 / k of its variance (Nadeau and Bengio's correlation),
is common to all folds. `loss` rows are means of m exponential losses. Compared are Student's t as it stands and t on a
transformed scale (`dlexp.statistic.bounded`). Folds that are all equal have no interval and are counted apart.

Run with ``python -m benchmarks.statistic.interval``; writes ``benchmarks/results/interval.json``.
"""

import itertools
import math
from typing import Any

import numpy as np
from scipy import special

from benchmarks import measure
from dlexp.statistic.bounded import are_equal, mean_interval

DRAWS = 4000
SPREAD = 0.3  # deviation between trained models, on the logit or log scale


def folds(draw: np.random.Generator, kind: str, truth: float, k: int, size: int, is_shared: bool) -> np.ndarray:
    """Return the values (k,) of one cv."""
    common = draw.normal() if is_shared else 0.0
    deviations = draw.normal(size=k)
    noise = SPREAD * (math.sqrt(1 / k) * common + math.sqrt(1 - 1 / k) * deviations) if is_shared else np.zeros(k)
    if kind == "loss":
        return draw.gamma(size, truth * np.exp(noise - SPREAD**2 / 2 * is_shared) / size)
    return draw.binomial(size, special.expit(special.logit(truth) + noise)) / size


def expected(kind: str, truth: float, is_shared: bool) -> float:
    """Return the mean of the folds' distribution."""
    if kind == "loss" or not is_shared:
        return truth
    points, weights = np.polynomial.hermite_e.hermegauss(60)
    return float(special.expit(special.logit(truth) + SPREAD * points) @ weights / weights.sum())


def coverage(kind: str, truth: float, k: int, size: int, is_shared: bool, draws: int = DRAWS) -> dict[str, Any]:
    """Return the shares of cvs whose interval holds the truth, by method, and those that leave the bounds."""
    draw = np.random.default_rng([k, size, int(1000 * truth), is_shared, kind == "loss"])
    limits = (0.0, math.inf) if kind == "loss" else (0.0, 1.0)
    ratio = 1 / (k - 1) if is_shared else 0.0
    mean, tables = expected(kind, truth, is_shared), []
    equal = 0
    for _ in range(draws):
        values = folds(draw, kind, truth, k, size, is_shared)
        if are_equal(values, limits):
            equal += 1
            continue
        plain, scaled = mean_interval(values, test_to_train=ratio), mean_interval(values, limits, ratio)
        tables.append([*plain, *scaled])
    ends = np.array(tables).reshape(-1, 4)
    holds = [((ends[:, i] <= mean) & (mean <= ends[:, i + 1])).mean() for i in (0, 2)]
    outside = (ends[:, 0] < limits[0]) | (ends[:, 1] > limits[1])
    assert ((ends[:, 2] >= limits[0]) & (ends[:, 3] <= limits[1])).all()
    return {
        "kind": kind,
        "truth": truth,
        "k": k,
        "held_out": size,
        "shared": is_shared,
        "all_equal": round(equal / draws, 4),
        "plain": round(float(holds[0]), 4),
        "plain_outside": round(float(outside.mean()), 4),
        "transformed": round(float(holds[1]), 4),
        "width_ratio": round(float(np.median((ends[:, 3] - ends[:, 2]) / (ends[:, 1] - ends[:, 0]))), 3),
    }


def main() -> None:
    """Simulate, print and write the table."""
    shares = itertools.product(["accuracy"], [0.5, 0.8, 0.95, 0.99], [5, 10], [20, 100], [False, True])
    losses = itertools.product(["loss"], [0.3], [5, 10], [5, 20, 100], [False, True])
    rows = [coverage(*case) for case in [*shares, *losses]]
    for row in rows:
        print(row)
    note = "share of 95 % intervals that hold the true mean: plain t, t on a transformed scale; see this module"
    print(measure.write("interval", rows, note))


if __name__ == "__main__":
    measure.command_line(__doc__).parse_args()
    main()
