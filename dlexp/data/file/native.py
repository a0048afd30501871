"""Arrays of any NumPy type as the few types that a data set holds: booleans, whole numbers, floats and text."""

import numpy as np

from dlexp.error import DataError, first_ten

_CURES = {
    "c": "real numbers are needed: give their real and imaginary numbers a column each",
    "M": "numbers are needed: store seconds since a day",
    "m": "numbers are needed: store seconds",
    "V": "an array for each field is needed",
    "O": "numbers or text are needed: np.array([...], dtype=float)",
}


def native(array: np.ndarray, where: str) -> np.ndarray:
    """Return the array in the machine's byte order, bytes as text, half as single and long double as double floats.

    Args:
        array: Of any type and shape.
        where: File and array that begin a message.

    Returns:
        The same values with kind b, i, u, f (float32 or float64) or U.

    Raises:
        DataError: A type that is neither numbers nor text, bytes that are not UTF-8, or a number beyond float64.
    """
    kind = array.dtype.kind
    if kind in _CURES:
        raise DataError(f"{where}: got type {array.dtype}; {_CURES[kind]}")
    if kind == "S":
        return _text(array, where)
    if kind == "T":
        return np.array(array.tolist(), dtype=str).reshape(array.shape)
    if kind != "f":
        return array.astype(array.dtype.newbyteorder("="), copy=False)
    return _floats(array, where)


def _text(array: np.ndarray, where: str) -> np.ndarray:
    try:
        return np.char.decode(array, "utf-8")
    except UnicodeDecodeError as error:
        raise DataError(f"{where}: got bytes {error.object[:20]!r}; UTF-8 is needed") from None


def _floats(array: np.ndarray, where: str) -> np.ndarray:
    wanted = np.dtype(np.float32 if array.dtype.itemsize <= 4 else np.float64)
    with np.errstate(over="ignore"):
        floats = array.astype(wanted, copy=False)
    if array.dtype.itemsize > 8:
        beyond = np.isinf(floats) & np.isfinite(array)
        rows = np.unique(np.nonzero(beyond)[0]).tolist()
        if rows:
            raise DataError(f"{where}, {first_ten('row', rows)}: got {array[beyond][0]!s}; float64 ends at 1.8e308")
    return floats
