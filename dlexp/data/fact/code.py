"""Columns of a text file that are taken as numbers though entries begin with a zero: codes such as 007."""

import importlib
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.data.file.column import Columns
from dlexp.data.file.delimited import read_header, stream_delimited
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.record import encoding_of

_CODE = r"^\s*[+-]?0\d+\s*$"
_CHUNK_BYTES = 1 << 18  # stays in a core's cache
_ZERO = np.uint8(ord("0"))
_LAST_MARK = ord(
    ","
)  # line breaks, tab, space, quotes and + come before it among bytes; point, minus and digits after it


def find_codes(table: Columns, names: list[str]) -> dict[str, str]:
    """Return, for columns of whole numbers whose text has a leading zero in any row, the first such entry.

    The bytes of a file tell whether any field begins so, at a hundredth of the time of reading; only then is the text
    of the columns looked at.

    Args:
        table: The file.
        names: Columns that are taken as numbers.
    """
    codes: dict[str, str] = {}
    wanted = [name for name in names if _is_whole(table.numbers(name)[0])]
    for path, _, is_text in table.files:
        if is_text and wanted and _may_hold_codes(path, table.dialect):
            codes |= _look_for_codes(path, table.dialect, wanted)
            wanted = [name for name in wanted if name not in codes]
    return codes


def _is_whole(numbers_N: np.ndarray) -> bool:
    return not any((part - np.floor(part) > 0).any() for part in (numbers_N[:1000], numbers_N))


def _may_hold_codes(path: Path, dialect: Dialect) -> bool:
    """Return whether a field of a file may be a code: a mark, a 0, a digit, and another digit or mark."""
    import pyarrow

    if "\n0".encode(encoding_of(path, dialect)) != b"\n0":
        return True
    marks = [byte for byte in dialect.separator.encode() if byte > _LAST_MARK]
    before = b"\n"
    with pyarrow.input_stream(str(path), compression="detect") as stream:
        while chunk := stream.read(_CHUNK_BYTES):
            if _holds_codes(np.frombuffer(before + chunk, np.uint8), marks):
                return True
            before = chunk[-3:] if len(chunk) > 2 else (before + chunk)[-3:]
    return _holds_codes(np.frombuffer(before + b"\n", np.uint8), marks)


def _holds_codes(text: np.ndarray, marks: list[int]) -> bool:
    is_begun = _are_marks(text[:-3], marks)
    is_begun &= text[1:-2] == _ZERO
    is_begun &= _are_digits(text[2:-1])
    next_bytes = text[3:][np.flatnonzero(is_begun)]  # those of 09:30 and 01-05 are no codes
    return bool((_are_digits(next_bytes) | _are_marks(next_bytes, marks)).any())


def _are_marks(text: np.ndarray, marks: list[int]) -> np.ndarray:
    is_mark = text <= _LAST_MARK
    for mark in marks:
        is_mark |= text == mark
    return is_mark


def _are_digits(text: np.ndarray) -> np.ndarray:
    return text - _ZERO < 10  # bytes before 0 wrap around


def _look_for_codes(path: Path, dialect: Dialect, names: list[str]) -> dict[str, str]:
    import pyarrow

    compute: Any = importlib.import_module("pyarrow.compute")
    codes: dict[str, str] = {}
    types = dict.fromkeys(names, pyarrow.string())
    for batch in stream_delimited(path, read_header(path, dialect), types, dialect):
        for name in [name for name in names if name not in codes]:
            entries = batch.column(name)
            is_code = compute.match_substring_regex(entries, _CODE)
            place = compute.index(is_code, True).as_py()
            if place >= 0:
                codes[name] = entries[place].as_py().strip()
        if len(codes) == len(names):
            break
    return codes
