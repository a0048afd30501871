"""Which examples a classifier gets most wrong, and which it is least sure of. Shapes: N examples, K classes."""

import numpy as np

from dlexp.statistic import score


def most_wrong(outputs: np.ndarray, targets_N: np.ndarray, link: str, most: int) -> list[int]:
    """Return the rows of wrong predictions, those of which the true class had the least probability first.

    Args:
        outputs: (N, K), or a lone column.
        targets_N: True classes.
        link: How outputs become probabilities.
        most: How many, at most.
    """
    p_NK = score.probabilities(outputs, link)
    truth_N = p_NK[np.arange(len(p_NK)), targets_N.astype(int)]
    wrong = np.flatnonzero(score.called(outputs) != targets_N)
    return wrong[np.argsort(truth_N[wrong], kind="stable")][:most].tolist()


def least_sure(outputs: np.ndarray, link: str, most: int) -> list[int]:
    """Return the rows whose two likeliest classes are closest, right or wrong."""
    ordered_NK = np.sort(score.probabilities(outputs, link), 1)
    return np.argsort(ordered_NK[:, -1] - ordered_NK[:, -2], kind="stable")[:most].tolist()
