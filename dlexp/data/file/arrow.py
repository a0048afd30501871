"""Columns of pyarrow as one array of few types, and as NumPy has them."""

import importlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.error import DataError

_REFUSED = "list it in data.drop, or write numbers, booleans, text or dates"
_EXACT_DIGITS = 15  # of a decimal that float64 gives back
_WHOLE_DIGITS = 18  # that int64 holds


def joined(chunks: list) -> Any:
    """Return arrays one after another as one; as text where their types differ."""
    import pyarrow

    kinds = {chunk.type for chunk in chunks}
    if len(kinds) > 1:
        chunks = [chunk.cast(pyarrow.string()) for chunk in chunks]
    return chunks[0] if len(chunks) == 1 else pyarrow.concat_arrays(chunks)


def plain_array(path: Path, name: str, column: Any) -> Any:
    """Return a pyarrow column as one array of text (dates in ISO form), whole numbers or float64."""
    import pyarrow

    types = pyarrow.types
    kind = column.type
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind):
        column, kind = column.cast(pyarrow.string()), pyarrow.string()
    plain = next((convert for is_kind, convert in _conversions() if is_kind(kind)), None)
    if plain is not None:
        column = plain(column)
    elif not (types.is_string(kind) or types.is_integer(kind)):
        raise DataError(f"{path}, column {name}: got type {column.type}; {_REFUSED}")
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _conversions() -> list[tuple[Callable[[Any], bool], Callable[[Any], Any]]]:
    """Return, for the types that are converted, what tells them and what converts a column."""
    import pyarrow

    types = pyarrow.types
    compute: Any = importlib.import_module("pyarrow.compute")
    return [
        (types.is_duration, _seconds),
        (types.is_floating, lambda column: column.cast(pyarrow.float64())),
        (types.is_decimal, _decimals),
        (types.is_boolean, lambda column: compute.if_else(column, "True", "False")),
        (types.is_temporal, _moments),
    ]


def _seconds(column: Any) -> Any:
    import pyarrow

    compute: Any = importlib.import_module("pyarrow.compute")
    counts = compute.cast(column.cast(pyarrow.int64()), pyarrow.float64())
    return compute.divide(counts, {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[column.type.unit])


def _decimals(column: Any) -> Any:
    """Return decimals as the type that holds each digit: float64, int64, or text, which is parsed as that of a .csv."""
    import pyarrow

    kind = column.type
    if kind.precision <= _EXACT_DIGITS:
        return column.cast(pyarrow.float64())
    if kind.scale == 0 and kind.precision <= _WHOLE_DIGITS:
        return column.cast(pyarrow.int64())
    compute: Any = importlib.import_module("pyarrow.compute")
    shorter = compute.replace_substring_regex(column.cast(pyarrow.string()), r"(\.\d*?)0+$", r"\1")
    return compute.replace_substring_regex(shorter, r"\.$", "")


def _moments(column: Any) -> Any:
    """Return dates and times as the text that pandas writes into a .csv: no fraction of zeros, a zone as +01:00."""
    import pyarrow

    compute: Any = importlib.import_module("pyarrow.compute")
    texts = compute.replace_substring_regex(column.cast(pyarrow.string()), r"\.0+(Z|[+-]\d{4})?$", r"\1")
    if pyarrow.types.is_timestamp(column.type) and column.type.tz is not None:
        texts = compute.replace_substring_regex(texts, "Z$", "+0000")
        texts = compute.replace_substring_regex(texts, r"([+-]\d\d)(\d\d)$", r"\1:\2")
    return texts


def floats_of(array: Any) -> np.ndarray:
    """Return whole numbers or floats as float64 with NaN for null."""
    import pyarrow

    if not pyarrow.types.is_float64(array.type):
        array = array.cast(pyarrow.float64(), safe=False)
    return values_of(array, np.float64, np.nan)


def values_of(array: Any, dtype: type, missing: float) -> np.ndarray:
    """Return a pyarrow array with a number for null; its own to_numpy imports pandas, for a third of a second."""
    validity, content = array.buffers()
    values = np.frombuffer(content, dtype)[array.offset : array.offset + len(array)]
    if not array.null_count:
        return values
    is_there = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")[array.offset :][: len(array)]
    return np.where(is_there == 1, values, missing).astype(dtype, copy=False)


def texts_of_floats(array: Any) -> list[str | None]:
    """Return the text of each number, a whole one without a point; None for NaN and null."""
    return [None if x is None or np.isnan(x) else str(int(x)) if x.is_integer() else repr(x) for x in array.to_pylist()]
