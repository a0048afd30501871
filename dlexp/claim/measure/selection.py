"""What choosing, searching and folding do to figures."""

import tempfile
from typing import Any

import numpy as np

from dlexp.door.call import cv


def flattery(seed: int, trials: int, accuracy: float = 0.9, examples: int = 360, repetitions: int = 400) -> float:
    """Return by how much the best of some equally good trials beats their accuracy on the validation part.

    Args:
        seed: Of the draws.
        trials: That are compared.
        accuracy: True accuracy of each.
        examples: In the validation part.
        repetitions: Averaged.
    """
    right_RT = np.random.default_rng(seed).binomial(examples, accuracy, (repetitions, trials))
    return float(right_RT.max(1).mean() / examples - accuracy)


def grid_regret(seed: int, side: int, weights: list[float], repetitions: int = 400) -> float:
    """Return how much further from the best value a grid's best stays than that of as many random settings.

    The objective is -sum_i w_i (x_i - c_i)^2 on the unit square, its optimum c drawn anew in each repetition.

    Args:
        seed: Of the draws.
        side: Values of each dimension on the grid, at the middles of equal parts; random settings are side^2.
        weights: How much each of the two dimensions matters.
        repetitions: Averaged.
    """
    draws = np.random.default_rng(seed)
    middles = (np.arange(side) + 0.5) / side
    grid_N2 = np.stack(np.meshgrid(middles, middles), -1).reshape(-1, 2)
    lost = []
    for _ in range(repetitions):
        optimum_2, random_N2 = draws.random(2), draws.random((side**2, 2))
        grid, random = ((np.asarray(weights) * (x_N2 - optimum_2) ** 2).sum(1).min() for x_N2 in (grid_N2, random_N2))
        lost.append(grid - random)
    return float(np.mean(lost))


def fold_gap(seed: int, ks: list[int], overrides: list[str]) -> float:
    """Return the cross-validated accuracy with the first number of folds less that with the second.

    Args:
        seed: Of folds and training.
        ks: Two numbers of parts of equal size.
        overrides: Of `dlexp cv`.
    """
    scores = []
    for k in ks:
        with tempfile.TemporaryDirectory(prefix="dlexp-claim-") as folder:
            drawn = [f"cv.k={k}", f"seed={seed}", f"data.split_seed={seed}"]
            result: Any = cv([*overrides, *drawn, "tracking=none", f"runs_dir={folder}"])
            scores.append(float(result["mean"]["val/accuracy"]))
    return scores[0] - scores[1]
