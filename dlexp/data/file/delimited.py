"""Delimited text files: read by pyarrow, only the columns that are wanted; looked at a second time when that fails."""

import math
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from dlexp.data.file.dialect import Dialect
from dlexp.data.file.record import count_comments, encoding_of, records
from dlexp.data.memory.grown import Floats, Strings
from dlexp.error import DataError, first_ten, shorten

_BLOCK_BYTES = (1 << 20, 1 << 23, 1 << 26)  # several blocks are read ahead; a longer record takes larger ones
# Of a table that is held: 8 columns took 3.1 times the file in blocks of 1 MiB, and 1.6 times, as fast, in blocks of
# 64 KiB. Many columns in small blocks are slow.
_HELD_BYTES, _HELD_BYTES_PER_COLUMN = 1 << 16, 1 << 13
_SAMPLED = 200  # rows


def read_header(path: Path, dialect: Dialect) -> list[str]:
    """Return the names of the columns.

    Raises:
        DataError: The file is empty, or names are absent or repeated.
    """
    header, *below = [*islice(records(path, dialect), 3), []]
    header = [name.strip() for name in header]
    row = count_comments(path, dialect) + 1
    if any("\0" in name for name in header):
        raise DataError(
            f"{path}, row {row}: got NUL bytes, as UTF-16 has without its mark: set data.encoding=utf-16-le, or "
            "utf-16-be"
        )
    unnamed = [i + 1 for i, name in enumerate(header) if not name]
    if unnamed:
        raise DataError(
            f"{path}, row {row}: {first_ten('column', unnamed)} without a name; a header names every column (row "
            "labels: pandas leaves them out with index=False, R with row.names=FALSE)"
        )
    quoted = [name for name in header if len(name) > 1 and name[0] == name[-1] == '"']
    if quoted:
        raise DataError(
            f"{path}, row {row}: got the name {shorten(quoted[0])} with its quotes: a space stands before them; remove "
            "the spaces beside the delimiters"
        )
    repeated = sorted(name for name, number in Counter(header).items() if number > 1)
    if repeated:
        raise DataError(f"{path}, row {row}: {first_ten('column', repeated)} more than once; names must differ")
    if len(header) == 1:
        _refuse_title(path, row, header[0], max(below, key=len))
    return header


def _refuse_title(path: Path, row: int, name: str, following: list[str]) -> None:
    """Refuse a single name that holds a delimiter, or stands above a row of several fields."""
    others = [word for word, mark in ((";", ";"), ("tab", "\t"), ("|", "|")) if mark in name]
    if others:
        raise DataError(f"{path}, row {row}: got one column {shorten(name)!r}; set data.delimiter={others[0]!r}")
    if len(following) > 1:
        raise DataError(
            f"{path}, row {row}: got one name {shorten(name)!r} above {len(following)} fields; the header is the first "
            "row: remove the lines above it, or begin each with #"
        )


class TurnedTextError(Exception):
    """A column whose first entries are numbers holds text further down.

    Attributes:
        name: The column.
    """

    def __init__(self, name: str):
        super().__init__(name)
        self.name = name


def read_delimited(path: Path, names: list[str], wanted: dict[str, bool], dialect: Dialect) -> Any:
    """Return a pyarrow table of text columns, null where a gap is; of float64 where text is not needed.

    Args:
        path: A .csv, also packed by gz, bz2 or zst.
        names: From `read_header`.
        wanted: The columns to read, and whether their text is needed to the letter.
        dialect: How the file is written.

    Raises:
        DataError: The first ten rows at fault, or the byte that cannot be read.
    """
    import pyarrow

    types = column_types(path, names, wanted, dialect)
    block_bytes = min(max(_HELD_BYTES, _HELD_BYTES_PER_COLUMN * len(names)), _BLOCK_BYTES[0])
    while True:
        try:
            columns = {name: Floats() if pyarrow.types.is_float64(kind) else Strings() for name, kind in types.items()}
            for batch in stream_delimited(path, names, types, dialect, block_bytes):
                for column, array in zip(columns.values(), batch.columns, strict=True):
                    column.add(array)
        except TurnedTextError as turned:
            types[turned.name] = pyarrow.string()
        else:
            return pyarrow.table({name: column.array() for name, column in columns.items()})


def column_types(path: Path, names: list[str], wanted: dict[str, bool], dialect: Dialect) -> dict[str, Any]:
    """Return float64 for columns whose first entries are numbers and whose text is not needed, text for others."""
    import pyarrow

    numbers = _numeric(path, names, [name for name in wanted if not wanted[name]], dialect)
    return dict.fromkeys(wanted, pyarrow.string()) | dict.fromkeys(numbers, pyarrow.float64())


def stream_delimited(
    path: Path, names: list[str], types: dict[str, Any], dialect: Dialect, block_bytes: int = _BLOCK_BYTES[0]
) -> Iterator[Any]:
    """Yield the rows as pyarrow batches; arguments and errors as for `read_delimited`.

    Args:
        path: See there.
        names: See there.
        types: The columns to read, and their types.
        dialect: See there.
        block_bytes: Of the file that are parsed at once; larger blocks follow where a record does not fit.

    Raises:
        TurnedTextError: A column is not of the type that it is to be read in.
    """
    import pyarrow

    try:
        yield from _blocks(path, names, types, dialect, block_bytes)
    except (pyarrow.ArrowException, UnicodeError, OSError) as error:
        misread = re.match(r"In CSV column #(\d+): (Row #\d+: )?CSV conversion error to double", str(error))
        if misread:
            raise TurnedTextError(names[int(misread[1])]) from None
        _diagnose(path, dialect, len(names))
        raise DataError(f"{path}: cannot be read ({' '.join(str(error).split())[:160]})") from None


def stream_texts(path: Path, name: str, dialect: Dialect) -> Iterator[Any]:
    """Yield the text of one column of a file as pyarrow arrays."""
    import pyarrow

    for batch in stream_delimited(path, read_header(path, dialect), {name: pyarrow.string()}, dialect):
        yield batch.column(0)


def _numeric(path: Path, names: list[str], candidates: list[str], dialect: Dialect) -> list[str]:
    """Return the columns whose first entries are numbers as programs write them, or gaps."""
    if not dialect.notation.is_plain or not candidates:
        return []
    place = {name: k for k, name in enumerate(names)}
    for row in islice(records(path, dialect), 1, _SAMPLED):
        entries = {name: row[place[name]].strip() for name in candidates if place[name] < len(row)}
        candidates = [
            name
            for name in candidates
            if entries.get(name, "") in dialect.gaps or not math.isnan(dialect.notation.number(entries[name]))
        ]
    return candidates


def _blocks(path: Path, names: list[str], types: dict[str, Any], dialect: Dialect, first_bytes: int) -> Iterator[Any]:
    """Yield the rows, in larger blocks from the record on that does not fit into one."""
    import pyarrow

    num = 0
    for block_bytes in dict.fromkeys((first_bytes, *_BLOCK_BYTES)):
        skipped = num
        try:
            for batch in _batches(path, names, types, dialect, block_bytes):
                rest = batch.slice(min(skipped, len(batch)))
                skipped -= len(batch) - len(rest)
                num += len(rest)
                yield rest
            return
        except pyarrow.ArrowInvalid as error:
            if "straddl" not in str(error) or block_bytes == _BLOCK_BYTES[-1]:
                raise


def _batches(path: Path, names: list[str], types: dict[str, Any], dialect: Dialect, block_bytes: int) -> Iterator[Any]:
    import pyarrow.csv

    options = {
        "read_options": pyarrow.csv.ReadOptions(
            column_names=names,
            skip_rows=count_comments(path, dialect),
            skip_rows_after_names=1,
            block_size=block_bytes,
            encoding=encoding_of(path, dialect),
        ),
        "parse_options": pyarrow.csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=True),
        "convert_options": pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(dialect.gaps),
            strings_can_be_null=True,
        ),
    }
    # pyarrow's own pool keeps what its threads have freed; the system's hands it back
    pool = pyarrow.system_memory_pool()
    with pyarrow.input_stream(str(path), compression="detect") as stream:
        yield from pyarrow.csv.open_csv(stream, **options, memory_pool=pool)


def _diagnose(path: Path, dialect: Dialect, width: int) -> None:
    """Raise a DataError that says where a file is wrong."""
    num, ragged = 0, []
    for row, record in enumerate(records(path, dialect), 1 + count_comments(path, dialect)):
        num += bool(record)
        if record and len(record) != width:
            ragged.append((row, len(record)))
    if num < 2:
        raise DataError(f"{path}: no examples in it")
    if ragged:
        rows = first_ten("row", [row for row, _ in ragged])
        is_labelled = len(ragged) == num - 1 and {length for _, length in ragged} == {width + 1}
        cure = " (row labels without a name? R leaves them out with row.names=FALSE)" if is_labelled else ""
        raise DataError(f"{path}, {rows}: got {ragged[0][1]} fields; the header has {width}{cure}")
