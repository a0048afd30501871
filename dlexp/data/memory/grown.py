"""Columns that grow block by block: each block is let go at once, so that a column is never held twice.

Shapes: N numbers so far, M that there is room for.
"""

import mmap
from typing import Any

import numpy as np

from dlexp.data.file.arrow import values_of

_FIRST = 1 << 10  # numbers
_BYTES = 8  # of a number
_PAGED = 1 << 20  # bytes; the system allows some 65,000 maps


class Floats:
    """A column of float64."""

    def __init__(self):
        self._values_M = _room(_FIRST)
        self._gaps: list[np.ndarray] = []
        self._num = 0

    def add(self, array: Any) -> None:
        """Append a pyarrow array of float64."""
        end = self._num + len(array)
        if end > len(self._values_M):
            larger = _room(max(end, 2 * len(self._values_M)))
            larger[: self._num] = self._values_M[: self._num]
            self._values_M = larger
        self._values_M[self._num : end] = values_of(array, np.float64, np.nan)
        if array.null_count:
            self._gaps.append(np.flatnonzero(np.asarray(array.is_null())) + self._num)
        self._num = end

    def array(self) -> Any:
        """Return the column as one pyarrow array; nothing may be added to it any more."""
        import pyarrow

        mask = None
        if self._gaps:
            is_there = np.ones(self._num, np.uint8)
            is_there[np.concatenate(self._gaps)] = 0
            mask = pyarrow.py_buffer(np.packbits(is_there, bitorder="little"))
        values = pyarrow.py_buffer(self._values_M[: self._num])
        return pyarrow.Array.from_buffers(pyarrow.float64(), self._num, [mask, values])


class Strings:
    """A column of text."""

    def __init__(self):
        self._chunks: list[Any] = []

    def add(self, array: Any) -> None:
        """Append a pyarrow array of text."""
        self._chunks.append(array)

    def array(self) -> Any:
        """Return the column as pyarrow's chunked array."""
        import pyarrow

        return pyarrow.chunked_array(self._chunks, pyarrow.string())


def _room(num: int) -> np.ndarray:
    """Return an array whose values are not set; a large one in pages of its own.

    Such pages take no memory before they are written to, and none once the array is let go. In the heap, between small
    blocks, columns that grow side by side leave holes as large as themselves.
    """
    if num * _BYTES < _PAGED:
        return np.empty(num)
    return np.frombuffer(mmap.mmap(-1, num * _BYTES, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))
