"""Columns that give the answer away: those that count the rows, and those that tell the class alone.

Shapes: N examples, K classes.
"""

import numpy as np

SHARE = 0.999  # of the training examples that one column must get right
_FEWEST = 20
_MOST_ROWS = 50_000  # looked at
_GLANCE = 2_000  # rows that are looked at first: a column that gets 0.999 of all right gets 0.98 of them right
_GLANCE_SHARE = 0.98


def counts_rows(numbers_N: np.ndarray) -> bool:
    """Return whether the numbers go up by 1 from row to row."""
    return len(numbers_N) >= _FEWEST and bool((np.diff(numbers_N) == 1).all())


def names_rows(numbers_N: np.ndarray) -> bool:
    """Return whether the numbers are whole and differ in every row, as names do."""
    if len(numbers_N) < _FEWEST or (numbers_N[:_GLANCE] % 1 != 0).any() or (numbers_N % 1 != 0).any():
        return False
    return len(np.unique(numbers_N)) == len(numbers_N)


def splits_classes(numbers_N: np.ndarray, classes_N: np.ndarray) -> bool:
    """Return whether one threshold on the numbers gets 0.999 of two classes right that no constant answer gets.

    The share for a threshold is (most frequent class below it + most frequent class above it) / N.
    """
    numbers_N, classes_N = _thinned(numbers_N, classes_N, _MOST_ROWS)
    present = ~np.isnan(numbers_N)
    numbers_N, classes_N = numbers_N[present], classes_N[present]
    if len(numbers_N) < _FEWEST or classes_N.max() != 1 or _is_constant(classes_N):
        return False
    return all(
        _best_share(*_thinned(numbers_N, classes_N, most)) >= share
        for most, share in ((_GLANCE, _GLANCE_SHARE), (_MOST_ROWS, SHARE))
    )


def _best_share(numbers_N: np.ndarray, classes_N: np.ndarray) -> float:
    """Return the share that the best threshold gets right, of classes 0 and 1; 0 where no threshold is."""
    order = np.argsort(numbers_N, kind="stable")
    ones = np.cumsum(classes_N[order])[:-1]
    below = np.arange(1, len(order))
    above_ones, above = ones[-1] + classes_N[order[-1]] - ones, len(order) - below
    right = np.maximum(ones, below - ones) + np.maximum(above_ones, above - above_ones)
    is_border = np.diff(numbers_N[order]) > 0
    return float(right[is_border].max()) / len(order) if is_border.any() else 0.0


def names_classes(codes_N: np.ndarray, classes_N: np.ndarray) -> bool:
    """Return whether each category stands for one class in 0.999 of the rows, with five rows to a category.

    Args:
        codes_N: Categories, -1 where missing.
        classes_N: Classes.
    """
    codes_N, classes_N = _thinned(codes_N, classes_N, _MOST_ROWS)
    present = codes_N >= 0
    codes_N, classes_N = codes_N[present], classes_N[present]
    if len(codes_N) < _FEWEST or _is_constant(classes_N):
        return False
    num_classes = int(classes_N.max()) + 1
    pairs, counts = np.unique(codes_N.astype(np.int64) * num_classes + classes_N, return_counts=True)
    categories, first = np.unique(pairs // num_classes, return_index=True)
    right = np.maximum.reduceat(counts, first).sum()
    return len(categories) * 5 <= len(codes_N) and right >= SHARE * len(codes_N)


def warning(name: str, reason: str) -> str:
    """Return the line for the user."""
    return f"column {name} {reason}: a leak? data.drop='[{name}]' leaves it out"


def _is_constant(classes_N: np.ndarray) -> bool:
    return np.bincount(classes_N).max() >= SHARE * len(classes_N)


def _thinned(values_N: np.ndarray, classes_N: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    step = -(-len(values_N) // most)
    return values_N[::step], classes_N[::step]
