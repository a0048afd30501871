"""A delimited text file as records of text fields, from the header on.

A row has the number that a spreadsheet shows: the header is row 1, a record with line breaks in quotes is one row.
Before the header blank lines, a spreadsheet's ``sep=;``, and lines that begin with # and have not its number of fields,
are left out.
"""

import codecs
import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice, takewhile
from pathlib import Path
from typing import TextIO

from dlexp.data.file.dialect import Dialect
from dlexp.error import ConfigError, DataError

_SPREADSHEET = re.compile(r'"?sep=.?"?', re.IGNORECASE)
_MOST_COMMENTS = 1000  # lines
_MOST_CHARACTERS = 2**31 - 1  # of a field; Python's own limit of 131,072 is less than a long text has
# The longer marks first: that of UTF-32 begins as that of UTF-16 does.
_MARKS = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_OTHERS = {
    b"\x1f\x8b": "a file packed by gzip; call it .csv.gz",
    b"BZh": "a file packed by bzip2; call it .csv.bz2",
    b"\x28\xb5\x2f\xfd": "a file packed by zstd; call it .csv.zst",
    b"PK\x03\x04": "a spreadsheet or another zip archive; save it as .csv",
    b"\xd0\xcf\x11\xe0": "an old spreadsheet; save it as .csv",
    b"PAR1": "a parquet file; call it .parquet",
    b"ARROW1": "an Arrow file; call it .arrow",
    b"\x89PNG": "a picture",
    b"\xff\xd8\xff": "a picture",
    b"%PDF": "a document",
    b"SQLite format 3": "a database; save a table of it as .csv",
    b"\x89HDF": "an HDF5 file; save a table of it as .csv",
}


def count_comments(path: Path, dialect: Dialect) -> int:
    """Return the number of lines before the header that are left out."""
    return len(preamble(path, dialect))


def preamble(path: Path, dialect: Dialect) -> list[str]:
    """Return the lines before the header that are left out; a line of # with the fields of the next is the header."""
    with _text(path, dialect) as text:
        lines = list(islice(takewhile(_is_left_out, text), _MOST_COMMENTS))
    if not lines or not lines[-1].startswith("#"):
        return lines
    with _text(path, dialect) as text:
        following = next(islice(text, len(lines), None), "")
    fields = [len(line.split(dialect.separator)) for line in (lines[-1], following)]
    is_header = fields[0] == fields[1] > 1
    return lines[: len(lines) - is_header]


def _is_left_out(line: str) -> bool:
    return line.startswith("#") or not line.strip() or _SPREADSHEET.fullmatch(line.strip()) is not None


def records(path: Path, dialect: Dialect) -> Iterator[list[str]]:
    """Yield the records from the header on, an empty one for a blank row.

    Raises:
        DataError: Quotes that do not end, or bytes that are no text.
    """
    num_comments = count_comments(path, dialect)
    csv.field_size_limit(_MOST_CHARACTERS)
    with _text(path, dialect) as text:
        lines = islice(text, num_comments, None)
        reader = csv.reader(lines, delimiter=dialect.separator, strict=True)
        try:
            yield from reader
        except csv.Error as error:
            raise DataError(f"{path}, line {num_comments + reader.line_num}: {error}") from None


def look_up(path: Path, dialect: Dialect, entries: list[int]) -> Iterator[tuple[int, list[str]]]:
    """Yield the row number that a spreadsheet shows, and the fields, of each entry that was read, in order.

    Args:
        path: The file.
        dialect: How it is written.
        entries: Numbers from 0 that count what was read: blank rows were left out.
    """
    wanted, last, entry = set(entries), max(entries, default=-1), -1
    rows = enumerate(records(path, dialect), 1 + count_comments(path, dialect))
    next(rows, None)
    for row, record in rows:
        entry += bool(record)
        if record and entry in wanted:
            yield row, record
        if entry >= last:
            return


def locate(path: Path, dialect: Dialect, entries: list[int]) -> list[int]:
    """Return the row number that a spreadsheet shows for each entry that was read; arguments as for `look_up`."""
    return [row for row, _ in look_up(path, dialect, entries)]


@contextmanager
def _text(path: Path, dialect: Dialect) -> Iterator[TextIO]:
    import pyarrow

    encoding = encoding_of(path, dialect)
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
    cure = f"save the file as {encoding.upper()}, or train with the encoding that it has, such as data.encoding=latin-1"
    return DataError(f"{path}: {where}; {cure}")


def _first_bad(path: Path, encoding: str, error: UnicodeError) -> int:
    """Return the place of the first byte that an encoding does not know; the stream's error counts from a block."""
    import pyarrow

    with pyarrow.input_stream(str(path), compression="detect") as stream:
        try:
            stream.read().decode(encoding)
        except UnicodeDecodeError as whole:
            return whole.start
    return getattr(error, "start", 0)


def encoding_of(path: Path, dialect: Dialect) -> str:
    """Return the encoding that a file's mark names, or else the one stated.

    Raises:
        ConfigError: No such encoding.
        DataError: The file cannot be read, or is of another kind.
    """
    try:
        name = codecs.lookup(dialect.encoding).name
    except LookupError:
        raise ConfigError(f"data.encoding: got {dialect.encoding}; utf-8, utf-16, latin-1, cp1252, ...") from None
    import pyarrow

    try:
        with pyarrow.input_stream(str(path), compression="detect") as stream:
            start = stream.read(16)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({' '.join(str(error).split())[:120]})") from None
    for mark, kind in _OTHERS.items():
        if start.startswith(mark):
            raise DataError(f"{path}: got {kind}")
    return next((encoding for mark, encoding in _MARKS.items() if start.startswith(mark)), name)
