"""Confident learning: which labels are probably wrong, by probabilities of models that did not see them.

Only examples that a class is confident of count: p_j at least t_j, the mean of p_j over the examples labelled j. So the
thresholds allow for classes that the model is less sure of. Shapes: N examples, K classes.

References:
    C. Northcutt, L. Jiang, I. Chuang (2021), Confident Learning: Estimating Uncertainty in Dataset Labels, JAIR 70:
    equations 1 and 2 (confident joint), 3 (joint), section 3.2 (pruning by class and by noise rate, C+NR).
"""

import numpy as np

ROUNDING = 1e-12  # by which the mean of equal probabilities may exceed them


def thresholds(p_NK: np.ndarray, label_N: np.ndarray) -> np.ndarray:
    """Return t_j = mean of p_j over the examples labelled j, (K,); infinity for a class that no example has."""
    is_labelled_NK = label_N[:, None] == np.arange(p_NK.shape[1])
    num_K = is_labelled_NK.sum(0)
    sums_K = (p_NK * is_labelled_NK).sum(0)
    return np.where(num_K > 0, sums_K / np.maximum(num_K, 1), np.inf)


def joint(p_NK: np.ndarray, label_N: np.ndarray) -> np.ndarray:
    """Return the estimated number of examples labelled i whose true class is j, (K, K).

    C_ij counts those labelled i that j is confident of, by the likeliest such j; rows are scaled to the labels' counts:
    C_ij / sum_j C_ij * N_i. A class none of whose examples any class is confident of is taken as labelled.
    """
    num_classes = p_NK.shape[1]
    confident_NK = np.where(p_NK >= thresholds(p_NK, label_N) - ROUNDING, p_NK, -1.0)
    is_counted_N = confident_NK.max(1) >= 0
    count_KK = np.zeros((num_classes, num_classes))
    np.add.at(count_KK, (label_N[is_counted_N], confident_NK.argmax(1)[is_counted_N]), 1)
    is_empty_K = count_KK.sum(1) == 0
    count_KK[is_empty_K, is_empty_K] = 1
    num_K = np.bincount(label_N, minlength=num_classes)
    return count_KK / count_KK.sum(1, keepdims=True) * num_K[:, None]


def suspects(p_NK: np.ndarray, label_N: np.ndarray) -> np.ndarray:
    """Return the rows whose label is probably wrong, the largest lead of another class first.

    Those that both ways of pruning name, with J the joint: of every class i the sum_(j != i) J_ij examples of the
    smallest p_i, and of every pair i, j the J_ij examples labelled i of the largest p_j - p_i. Where the label is the
    likeliest class after all it is not suspect.

    Args:
        p_NK: Out-of-fold probabilities; rows add up to 1.
        label_N: int64 classes as given.
    """
    joint_KK = joint(p_NK, label_N)
    by_class_N, by_pair_N = np.zeros(len(label_N), dtype=bool), np.zeros(len(label_N), dtype=bool)
    given_N = p_NK[np.arange(len(label_N)), label_N]
    for i, row_K in enumerate(joint_KK):
        others_K = np.where(np.arange(len(row_K)) == i, 0.0, row_K)
        rows = np.flatnonzero(label_N == i)
        by_class_N[rows[_first(given_N[rows], others_K.sum())]] = True
        for j in np.flatnonzero(others_K):
            by_pair_N[rows[_first(given_N[rows] - p_NK[rows, j], others_K[j])]] = True
    chosen = np.flatnonzero(by_class_N & by_pair_N & (p_NK.argmax(1) != label_N))
    return chosen[np.argsort(given_N[chosen] - p_NK[chosen].max(1), kind="stable")]


def _first(values: np.ndarray, num: float) -> np.ndarray:
    return np.argsort(values, kind="stable")[: round(float(num))]
