"""One array of a .npy file or of a member of an .npz file: its header is checked before anything is made for it."""

import math
from typing import IO, Any

import numpy as np

from dlexp.data.file.guard import require_memory
from dlexp.error import DataError
from dlexp.number import noun

MAGIC = b"\x93NUMPY"
_HEADERS = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}


def read_npy(stream: IO[bytes], size: int, where: str) -> np.ndarray:
    """Return the array.

    Args:
        stream: At its beginning; it can seek.
        size: Bytes that it holds.
        where: File and array that begin a message.

    Raises:
        DataError: The array is damaged, of objects, or larger than the memory.
    """
    try:
        shape, dtype = _header(stream)
        needed, there = math.prod(shape) * dtype.itemsize, size - stream.tell()
    except DataError as error:
        raise DataError(f"{where}: {error}") from None
    except Exception as error:
        raise damaged(where, error) from None
    if dtype.hasobject:
        raise DataError(f"{where}: got an object array; store numbers or text (np.array([...], float))")
    if needed > there:
        raise DataError(f"{where}: damaged (shape {str(shape)[:80]} of {dtype}, {noun(there, 'byte')} are there)")
    require_memory(needed, f"{where}: its values", "give fewer examples, or a smaller type")
    try:
        stream.seek(0)
        return np.lib.format.read_array(stream, allow_pickle=False)
    except Exception as error:
        raise damaged(where, error) from None


def damaged(where: str, error: Exception) -> DataError:
    """Return the error for whatever reading raised: files that are damaged or made up raise nearly anything."""
    reason = " ".join(str(error).split())[:120] or type(error).__name__
    return DataError(f"{where}: damaged ({reason})")


def _header(stream: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    version = np.lib.format.read_magic(stream)
    if version not in _HEADERS:
        raise DataError("an array for each field is needed")
    shape, _, dtype = _HEADERS[version](stream)
    return shape, dtype
