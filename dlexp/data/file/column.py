"""Tables as named columns, read from .csv or .parquet files.

A row has the number that a spreadsheet shows: the header of a .csv is row 1. A .parquet has no header row.
"""

import csv
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.error import DataError, did_you_mean, first_ten

MISSING = ("", "NA", "N/A", "NaN", "nan", "null")

Column = np.ndarray  # (N,) float64 with NaN for missing, or text with "" for missing


@dataclass(frozen=True)
class Columns:
    """The columns of a file in its order.

    Attributes:
        path: The file, for messages.
        first_row: The number of the first example's row.
        columns: Name to (N,) float64 or text.
    """

    path: str
    first_row: int
    columns: dict[str, Column]

    def __len__(self) -> int:
        return len(next(iter(self.columns.values())))

    def get(self, name: str, key: str) -> Column:
        """Return a column that a setting names.

        Raises:
            DataError: There is none of this name.
        """
        if name not in self.columns:
            known = list(self.columns)
            shown = ", ".join(known[:10]) + (", ..." if len(known) > 10 else "")
            raise DataError(f"{self.path}: no column {name} ({key}); it has {shown}{did_you_mean(name, known)}")
        return self.columns[name]

    def refuse(self, name: str, is_bad: np.ndarray, reason: str) -> None:
        """Raise a DataError that names the first ten rows where `is_bad` (N,) holds; nothing when there are none."""
        bad = np.flatnonzero(is_bad)
        if len(bad):
            rows = first_ten("row", (bad + self.first_row).tolist())
            got = self.columns[name][bad[0]]
            raise DataError(f"{self.path}, {rows}, column {name}: got {got.item()!r}; {reason}")


def read_columns(path: Path, delimiter: str) -> Columns:
    """Read a .csv or .parquet file.

    Raises:
        DataError: The file is absent, damaged, ragged or empty.
    """
    if not path.is_file():
        raise DataError(f"{path}: no such file; data.path names a .csv or .parquet file")
    found = _read_parquet(path) if path.suffix == ".parquet" else _read_csv(path, delimiter)
    if not found.columns or not len(found):
        raise DataError(f"{path}: no examples in it")
    return found


def is_missing(column: Column) -> np.ndarray:
    """Return (N,) whether an entry is missing."""
    return np.isnan(column) if column.dtype.kind == "f" else column == ""


def as_numbers(column: Column) -> tuple[np.ndarray, np.ndarray]:
    """Return the column as float64 with NaN where it is missing or no number, and (N,) whether it is no number."""
    if column.dtype.kind == "f":
        return column, np.zeros(len(column), dtype=bool)
    present = column != ""
    numbers = np.full(len(column), np.nan)
    try:
        numbers[present] = column[present].astype(np.float64)
    except ValueError:
        numbers[present] = [_number(text) for text in column[present].tolist()]
    return numbers, present & np.isnan(numbers)


def as_texts(column: Column) -> np.ndarray:
    """Return the column as text with "" where it is missing; a whole number has no point."""
    if column.dtype.kind != "f":
        return column
    return np.array(
        ["" if np.isnan(x) else str(int(x)) if x.is_integer() else str(x) for x in column.tolist()], dtype=str
    )


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")


def _read_csv(path: Path, delimiter: str) -> Columns:
    try:
        # utf-8-sig drops the byte-order mark that spreadsheets write; it would become part of the first name.
        with path.open(encoding="utf-8-sig", newline="") as file:
            rows = _rows(path, csv.reader(file, delimiter=delimiter, strict=True))
            header = next(rows, [])
            _check_header(path, header)
            records = list(rows)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    ragged = [i + 2 for i, record in enumerate(records) if len(record) != len(header)]
    if ragged:
        got = len(records[ragged[0] - 2])
        raise DataError(f"{path}, {first_ten('row', ragged)}: got {got} fields; the header has {len(header)}")
    texts = np.array(records, dtype=str).reshape(len(records), len(header))
    texts = np.char.strip(texts) if texts.size else texts
    texts[np.isin(texts, MISSING)] = ""
    return Columns(str(path), 2, {name: texts[:, i] for i, name in enumerate(header)})


def _rows(path: Path, reader: Any) -> Iterator[list[str]]:
    """Yield the records that are not blank lines at the file's end."""
    blank: list[list[str]] = []
    while True:
        try:
            record = next(reader, None)
        except csv.Error as error:
            raise DataError(f"{path}, line {reader.line_num}: {error}") from None
        if record is None:
            return
        if not record:
            blank.append(record)
            continue
        yield from blank
        blank.clear()
        yield record


def _check_header(path: Path, header: list[str]) -> None:
    header[:] = [name.strip() for name in header]
    unnamed = [i + 1 for i, name in enumerate(header) if not name]
    if unnamed:
        raise DataError(f"{path}, row 1: {first_ten('column', unnamed)} without a name; a header names every column")
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"{path}, row 1: {first_ten('column', repeated)} more than once; names must differ")


def _read_parquet(path: Path) -> Columns:
    if importlib.util.find_spec("pyarrow") is None:
        raise DataError(f"{path}: reading .parquet needs pyarrow; run pip install pyarrow, or save as .csv")
    import pyarrow
    import pyarrow.parquet

    try:
        table = pyarrow.parquet.read_table(path)
    except (pyarrow.ArrowException, OSError) as error:
        raise DataError(f"{path}: not a .parquet file ({' '.join(str(error).split())[:120]})") from None
    columns = {name: _arrow_column(path, name, table.column(name)) for name in table.column_names}
    return Columns(str(path), 1, columns)


def _arrow_column(path: Path, name: str, column: Any) -> Column:
    import pyarrow

    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        kind = kind.value_type
    if pyarrow.types.is_string(kind) or pyarrow.types.is_large_string(kind):
        texts = np.array([text or "" for text in column.to_pylist()], dtype=str)
        texts[np.isin(texts, MISSING)] = ""
        return texts
    if any(getattr(pyarrow.types, f"is_{word}")(kind) for word in ("integer", "floating", "boolean", "decimal")):
        return np.array([np.nan if value is None else value for value in column.to_pylist()], dtype=np.float64)
    if pyarrow.types.is_temporal(kind):
        return np.array(["" if value is None else value.isoformat() for value in column.to_pylist()], dtype=str)
    raise DataError(f"{path}, column {name}: got type {column.type}; numbers, booleans, text or dates are needed")
