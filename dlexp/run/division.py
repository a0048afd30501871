"""Which rows of the data each part of a training has, as its folder states them."""

import numpy as np

from dlexp.run.array import read_arrays
from dlexp.run.folder import SPLIT, RunFolder

PARTS = ("train", "val", "test")


def read_division(folder: RunFolder) -> dict[str, np.ndarray] | None:
    """Return the row numbers of each part; None where a run states none, as the trials of a sweep.

    Raises:
        RunError: The file is damaged.
    """
    try:
        return read_arrays(folder.path / SPLIT, PARTS, "restore it from a copy or train the run anew")
    except FileNotFoundError:
        return None
