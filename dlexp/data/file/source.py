"""Which files a path names, and their columns as pyarrow tables.

A path is a .csv (also packed by gz, bz2 or zst), a .parquet, .feather or .arrow file, a folder of .parquet files, or a
pattern such as ``data/2024-*.csv`` whose files stand one after another.
"""

import glob
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexp.data.bound.tree import files_within
from dlexp.data.file.columnar import KINDS, is_columnar, open_columnar
from dlexp.data.file.delimited import column_types, read_delimited, read_header, stream_delimited
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.guard import require_regular
from dlexp.data.file.record import preamble
from dlexp.error import DataError
from dlexp.number import noun

Choose = Callable[[list[str]], dict[str, bool]]
PACKED = (".gz", ".bz2", ".zst")
_PACKING = 5  # times that text shrinks


@dataclass(frozen=True)
class File:
    """One file that was read.

    Attributes:
        path: Its place.
        is_text: Whether rows are counted as a spreadsheet does, the header being row 1.
        names: Its columns.
        table: A pyarrow table of those that were wanted.
        notes: What the user should know of it, one line each.
    """

    path: Path
    is_text: bool
    names: list[str]
    table: Any
    notes: list[str] = field(default_factory=list)


def is_table(path: Path) -> bool:
    """Return whether a file's name says that it is a table."""
    stem = path.with_suffix("") if path.suffix.lower() in PACKED else path
    return stem.suffix.lower() in (".csv", ".tsv", ".txt", *KINDS)


def read_files(path: Path, dialect: Dialect, choose: Choose) -> list[File]:
    """Read the files that a path names.

    Args:
        path: See above.
        dialect: How text files are written.
        choose: Names of all columns to those that are wanted, and whether their text is needed to the letter.

    Raises:
        DataError: A file is absent or damaged, or its columns are not those of the first.
    """
    files: list[File] = []
    alike = _Alike(choose)
    for file in _files(path):
        if not is_columnar(file):
            files.append(_read_text(file, dialect, alike))
            continue
        for piece in open_columnar(file):
            wanted = list(alike(piece.path, piece.names))
            files.append(File(piece.path, False, piece.names, piece.table(wanted), piece.notes))
    return files


class _Alike:
    """Chooses the columns of one file after another, and refuses a file whose columns are not those of the first."""

    def __init__(self, choose: Choose):
        self.choose = choose
        self.first: tuple[Path, list[str]] | None = None

    def __call__(self, path: Path, names: list[str]) -> dict[str, bool]:
        self.first = self.first or (path, names)
        differing = sorted(set(names) ^ set(self.first[1]))
        if differing:
            raise DataError(f"{path}: got other columns than {self.first[0]} ({', '.join(differing[:5])})")
        return self.choose(names)


@dataclass(frozen=True)
class Stream:
    """One file that is read batch by batch.

    Attributes:
        path: Its place.
        is_text: As for `File`.
        names: Its columns.
        batches: pyarrow batches of those that were wanted.
        notes: As for `File`.
    """

    path: Path
    is_text: bool
    names: list[str]
    batches: Iterator[Any]
    notes: list[str]


def stream_files(path: Path, dialect: Dialect, choose: Choose, as_text: set[str]) -> Iterator[Stream]:
    """Yield the files that a path names, to be read batch by batch; arguments and errors as for `read_files`.

    Args:
        path: See above.
        dialect: How text files are written.
        choose: As for `read_files`.
        as_text: Columns that are text in spite of their first entries.

    Raises:
        TurnedTextError: Another column that is.
    """
    alike = _Alike(choose)
    for file in _files(path):
        if is_columnar(file):
            for piece in open_columnar(file):
                batches = piece.batches(list(alike(piece.path, piece.names)))
                yield Stream(piece.path, False, piece.names, batches, piece.notes)
            continue
        names = _header(file, dialect)
        wanted = {name: is_exact or name in as_text for name, is_exact in alike(file, names).items()}
        types = column_types(file, names, wanted, dialect)
        yield Stream(file, True, names, stream_delimited(file, names, types, dialect), _comment_notes(file, dialect))


def expected_bytes(path: Path, choose: Choose) -> int:
    """Return about what the columns take in memory: 8 bytes a number, and for text files what they take on the disk."""
    size = 0
    for file in _files(path):
        if is_columnar(file):
            size += sum(8 * piece.count_rows() * len(choose(piece.names)) for piece in open_columnar(file))
        else:
            size += file.stat().st_size * (_PACKING if file.suffix.lower() in PACKED else 1)
    return size


def sources(path: Path) -> list[Path]:
    """Return every file that a path names, those in folders too."""
    return [inner for file in _files(path) for inner in (sorted(files_within(file)) if file.is_dir() else [file])]


def _files(path: Path) -> list[Path]:
    files = [path] if path.exists() else [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    if not files:
        raise DataError(f"{path}: no such file; data.path names a .csv or .parquet file")
    for file in files:
        require_regular(file, can_be_folder=True)
    return files


def _header(path: Path, dialect: Dialect) -> list[str]:
    names = read_header(path, dialect)
    if not names:
        raise DataError(f"{path}: no examples in it")
    return names


def _read_text(path: Path, dialect: Dialect, alike: _Alike) -> File:
    names = _header(path, dialect)
    table = read_delimited(path, names, alike(path, names), dialect)
    return File(path, True, names, table, _comment_notes(path, dialect))


def _comment_notes(path: Path, dialect: Dialect) -> list[str]:
    """Return a line about the comments before the header; none where there are none."""
    num = sum(line.startswith("#") for line in preamble(path, dialect))
    return [f"{path}: {noun(num, 'comment line')} before the header left out"] if num else []
