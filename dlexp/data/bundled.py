"""Files that scikit-learn ships, read without importing it (its import costs seconds)."""

import importlib.util
from pathlib import Path

import numpy as np

from dlexp.error import DataError


def read(name: str, delimiter: str | None = ",", skip_rows: int = 0) -> np.ndarray:
    """Return the numbers in one of the files of scikit-learn's ``datasets/data`` folder.

    Args:
        name: File name, plain or ending in ``.gz``.
        delimiter: Between columns; None means white space.
        skip_rows: Header lines.

    Returns:
        float64 array (rows, columns).

    Raises:
        DataError: scikit-learn or the file is missing.
    """
    spec = importlib.util.find_spec("sklearn")
    if spec is None or spec.origin is None:
        raise DataError(f"{name}: scikit-learn, which ships it, is not installed; run pip install scikit-learn")
    path = Path(spec.origin).parent / "datasets" / "data" / name
    if not path.is_file():
        raise DataError(f"{path}: not there; reinstall scikit-learn, which ships it")
    return np.loadtxt(path, delimiter=delimiter, skiprows=skip_rows, ndmin=2)
