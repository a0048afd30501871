"""Delimited text files: read by pyarrow, only the columns that are wanted; looked at a second time when that fails.

A row has the number that a spreadsheet shows: the header is row 1, a record with line breaks in quotes is one row.
Lines before the header that begin with # and have not its number of fields are comments, and are left out.
"""

import codecs
import csv
import io
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import islice, takewhile
from pathlib import Path
from typing import Any, TextIO

from dlexp.data.file.number import Notation
from dlexp.error import ConfigError, DataError, first_ten

GAPS = ("NA", "N/A", "NaN", "nan", "null", "NULL", "<NA>", "#N/A")
_BLOCK_BYTES = (1 << 20, 1 << 23, 1 << 26)  # several blocks are read ahead; a longer record takes larger ones
_SAMPLED = 200  # rows
_MOST_COMMENTS = 1000  # lines
_UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WORDS = {"tab": "\t", "\\t": "\t"}


@dataclass(frozen=True)
class Dialect:
    """How a text file is written.

    Attributes:
        delimiter: Character between fields; "tab" is understood.
        encoding: Of the characters; a file with a mark of UTF-16 is read so whatever this says.
        notation: Of numbers.
        gaps: Texts that stand for a missing value.
    """

    delimiter: str = ","
    encoding: str = "utf-8"
    notation: Notation = field(default_factory=Notation)
    gaps: tuple[str, ...] = ("", *GAPS)

    @property
    def separator(self) -> str:
        """The delimiter as one character.

        Raises:
            ConfigError: It is none.
        """
        character = _WORDS.get(self.delimiter, self.delimiter)
        if len(character) != 1 or character in '"\r\n':
            raise ConfigError(f"data.delimiter: got {self.delimiter!r}; one character is needed, or tab")
        if character == self.notation.decimal:
            raise ConfigError(f"data.decimal: got {self.notation.decimal!r}, as data.delimiter; they must differ")
        return character


def count_comments(path: Path, dialect: Dialect) -> int:
    """Return the number of comment lines before the header; a line of # with the fields of the next one is a header."""
    with _text(path, dialect) as text:
        lines = list(islice(takewhile(lambda line: line.startswith("#"), text), _MOST_COMMENTS))
    if not lines:
        return 0
    with _text(path, dialect) as text:
        following = next(islice(text, len(lines), None), "")
    fields = [len(line.split(dialect.separator)) for line in (lines[-1], following)]
    is_header = fields[0] == fields[1] > 1
    return len(lines) - is_header


def read_header(path: Path, dialect: Dialect) -> list[str]:
    """Return the names of the columns.

    Raises:
        DataError: The file is empty, or names are absent or repeated.
    """
    header = [name.strip() for name in next(_records(path, dialect), [])]
    row = count_comments(path, dialect) + 1
    unnamed = [i + 1 for i, name in enumerate(header) if not name]
    if unnamed:
        raise DataError(
            f"{path}, row {row}: {first_ten('column', unnamed)} without a name; a header names every column (row "
            "labels of pandas: write with index=False)"
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(f"{path}, row {row}: {first_ten('column', repeated)} more than once; names must differ")
    others = [word for word, mark in ((";", ";"), ("tab", "\t"), ("|", "|")) if header and mark in header[0]]
    if len(header) == 1 and others:
        raise DataError(f"{path}, row {row}: got one column {header[0]!r}; set data.delimiter={others[0]!r}")
    return header


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
    while True:
        try:
            batches = list(stream_delimited(path, names, types, dialect))
        except TurnedTextError as turned:
            types[turned.name] = pyarrow.string()
        else:
            return pyarrow.Table.from_batches(batches, pyarrow.schema(list(types.items())))


def column_types(path: Path, names: list[str], wanted: dict[str, bool], dialect: Dialect) -> dict[str, Any]:
    """Return float64 for columns whose first entries are numbers and whose text is not needed, text for others."""
    import pyarrow

    numbers = _numeric(path, names, [name for name in wanted if not wanted[name]], dialect)
    return dict.fromkeys(wanted, pyarrow.string()) | dict.fromkeys(numbers, pyarrow.float64())


def stream_delimited(path: Path, names: list[str], types: dict[str, Any], dialect: Dialect) -> Iterator[Any]:
    """Yield the rows as pyarrow batches; arguments and errors as for `read_delimited`.

    Raises:
        TurnedTextError: A column is not of the type that it is to be read in.
    """
    import pyarrow

    try:
        yield from _blocks(path, names, types, dialect)
    except (pyarrow.ArrowException, UnicodeError, OSError) as error:
        misread = re.match(r"In CSV column #(\d+): (Row #\d+: )?CSV conversion error to double", str(error))
        if misread:
            raise TurnedTextError(names[int(misread[1])]) from None
        _diagnose(path, dialect, len(names))
        raise DataError(f"{path}: cannot be read ({' '.join(str(error).split())[:160]})") from None


def _numeric(path: Path, names: list[str], candidates: list[str], dialect: Dialect) -> list[str]:
    """Return the columns whose first entries are numbers as programs write them, or gaps."""
    if not dialect.notation.is_plain or not candidates:
        return []
    place = {name: k for k, name in enumerate(names)}
    for row in islice(_records(path, dialect), 1, _SAMPLED):
        entries = {name: row[place[name]].strip() for name in candidates if place[name] < len(row)}
        candidates = [
            name
            for name in candidates
            if entries.get(name, "") in dialect.gaps or not math.isnan(dialect.notation.number(entries[name]))
        ]
    return candidates


def _blocks(path: Path, names: list[str], types: dict[str, Any], dialect: Dialect) -> Iterator[Any]:
    """Yield the rows, in larger blocks from the record on that does not fit into one."""
    import pyarrow

    num = 0
    for block_bytes in _BLOCK_BYTES:
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
            encoding=_encoding(path, dialect),
        ),
        "parse_options": pyarrow.csv.ParseOptions(delimiter=dialect.separator, newlines_in_values=True),
        "convert_options": pyarrow.csv.ConvertOptions(
            column_types=types,
            include_columns=list(types),
            null_values=list(dialect.gaps),
            strings_can_be_null=True,
        ),
    }
    with pyarrow.input_stream(str(path), compression="detect") as stream:
        yield from pyarrow.csv.open_csv(stream, **options)


def locate(path: Path, dialect: Dialect, entries: list[int]) -> list[int]:
    """Return the row numbers that a spreadsheet shows for the entries that were read: blank rows were left out."""
    wanted, rows, entry = set(entries), [], -1
    records = enumerate(_records(path, dialect), 1 + count_comments(path, dialect))
    next(records, None)
    for row, record in records:
        entry += bool(record)
        if record and entry in wanted:
            rows.append(row)
    return rows


def _diagnose(path: Path, dialect: Dialect, width: int) -> None:
    """Raise a DataError that says where a file is wrong."""
    num, ragged = 0, []
    for row, record in enumerate(_records(path, dialect), 1 + count_comments(path, dialect)):
        num += bool(record)
        if record and len(record) != width:
            ragged.append((row, len(record)))
    if num < 2:
        raise DataError(f"{path}: no examples in it")
    if ragged:
        rows = first_ten("row", [row for row, _ in ragged])
        raise DataError(f"{path}, {rows}: got {ragged[0][1]} fields; the header has {width}")


def _records(path: Path, dialect: Dialect) -> Iterator[list[str]]:
    """Yield the records from the header on, an empty one for a blank row."""
    num_comments = count_comments(path, dialect)
    with _text(path, dialect) as text:
        lines = islice(text, num_comments, None)
        reader = csv.reader(lines, delimiter=dialect.separator, strict=True)
        try:
            yield from reader
        except csv.Error as error:
            raise DataError(f"{path}, line {num_comments + reader.line_num}: {error}") from None


@contextmanager
def _text(path: Path, dialect: Dialect) -> Iterator[TextIO]:
    import pyarrow

    encoding = _encoding(path, dialect)
    # utf-8-sig drops the byte-order mark that spreadsheets write; it would begin the first name.
    codec = "utf-8-sig" if codecs.lookup(encoding).name == "utf-8" else encoding
    try:
        with pyarrow.input_stream(str(path), compression="detect") as stream:
            yield io.TextIOWrapper(io.BufferedReader(stream), encoding=codec, newline="")
    except UnicodeError as error:
        raise _not_in(path, encoding, error) from None
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({' '.join(str(error).split())[:120]})") from None


def _not_in(path: Path, encoding: str, error: UnicodeError) -> DataError:
    where = f"byte {_first_bad(path, encoding, error)} is not {encoding.upper()}"
    return DataError(f"{path}: {where}; save the file as UTF-8, or state its encoding: data.encoding=latin-1")


def _first_bad(path: Path, encoding: str, error: UnicodeError) -> int:
    """Return the place of the first byte that an encoding does not know; the stream's error counts from a block."""
    import pyarrow

    with pyarrow.input_stream(str(path), compression="detect") as stream:
        try:
            stream.read().decode(encoding)
        except UnicodeDecodeError as whole:
            return whole.start
    return getattr(error, "start", 0)


def _encoding(path: Path, dialect: Dialect) -> str:
    try:
        name = codecs.lookup(dialect.encoding).name
    except LookupError:
        raise ConfigError(f"data.encoding: got {dialect.encoding}; utf-8, utf-16, latin-1, cp1252, ...") from None
    import pyarrow

    try:
        with pyarrow.input_stream(str(path), compression="detect") as stream:
            start = stream.read(2)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({' '.join(str(error).split())[:120]})") from None
    return "utf-16" if start in _UTF_16 else name
