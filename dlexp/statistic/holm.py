"""Holm's correction: many comparisons without more false alarms than one."""

import numpy as np


def holm(p_values: np.ndarray) -> np.ndarray:
    """Return adjusted p-values: to call each at most alpha significant keeps the chance of any false alarm at alpha.

    The i-th smallest of m becomes max over j <= i of min(1, (m - j + 1) p_(j)). NaN counts as 1.

    Args:
        p_values: (m,).

    References:
        S. Holm (1979), A Simple Sequentially Rejective Multiple Test Procedure, Scandinavian Journal of Statistics 6.
    """
    plain = np.nan_to_num(np.asarray(p_values, dtype=np.float64), nan=1.0)
    order = np.argsort(plain, kind="stable")
    steps = np.maximum.accumulate(plain[order] * np.arange(len(plain), 0, -1))
    adjusted = np.empty_like(plain)
    adjusted[order] = np.minimum(steps, 1.0)
    return adjusted
