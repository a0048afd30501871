"""Which files a path names, and their columns as pyarrow tables.

A path is a .csv (also packed by gz, bz2 or zst), a .parquet, .feather or .arrow file, a folder of .parquet files, or a
pattern such as ``data/2024-*.csv`` whose files stand one after another.
"""

import glob
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexp.data.file.delimited import column_types, read_delimited, read_header, stream_delimited
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.guard import require_regular
from dlexp.data.file.record import preamble
from dlexp.error import DataError
from dlexp.number import noun

Choose = Callable[[list[str]], dict[str, bool]]
PACKED = (".gz", ".bz2", ".zst")
_ARROW = {".parquet": "parquet", ".feather": "feather", ".arrow": "feather"}
_BATCH_ROWS = 1 << 16
_PACKING = 5  # times that text shrinks
INDEX = "__index_level_0__"  # pandas' row labels in a .parquet


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
    return stem.suffix.lower() in (".csv", ".tsv", ".txt", *_ARROW)


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
    for file in _files(path):
        read = _read_arrow if _is_arrow(file) else _read_text
        files.append(read(file, dialect, choose))
        if set(files[-1].names) != set(files[0].names):
            differing = sorted(set(files[-1].names) ^ set(files[0].names))
            raise DataError(f"{file}: got other columns than {files[0].path} ({', '.join(differing[:5])})")
    return files


@dataclass(frozen=True)
class Stream:
    """One file that is read batch by batch.

    Attributes:
        path: Its place.
        is_text: As for `File`.
        names: Its columns.
        batches: pyarrow batches of those that were wanted.
    """

    path: Path
    is_text: bool
    names: list[str]
    batches: Iterator[Any]


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
    for file in _files(path):
        if _is_arrow(file):
            files, names = _open_arrow(file)
            wanted = list(choose(names))
            yield Stream(file, False, names, _guarded(file, files, wanted))
            continue
        names = _header(file, dialect)
        wanted = {name: is_exact or name in as_text for name, is_exact in choose(names).items()}
        types = column_types(file, names, wanted, dialect)
        yield Stream(file, True, names, stream_delimited(file, names, types, dialect))


def expected_bytes(path: Path, choose: Choose) -> int:
    """Return about what the columns take in memory: 8 bytes a number, and for text files what they take on the disk."""
    size = 0
    for file in _files(path):
        if _is_arrow(file):
            files, names = _open_arrow(file)
            size += 8 * files.count_rows() * len(choose(names))
        else:
            size += file.stat().st_size * (_PACKING if file.suffix.lower() in PACKED else 1)
    return size


def sources(path: Path) -> list[Path]:
    """Return every file that a path names, those in folders too."""
    return [
        inner
        for file in _files(path)
        for inner in (sorted(entry for entry in file.rglob("*") if entry.is_file()) if file.is_dir() else [file])
    ]


def _files(path: Path) -> list[Path]:
    files = [path] if path.exists() else [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    if not files:
        raise DataError(f"{path}: no such file; data.path names a .csv or .parquet file")
    for file in files:
        require_regular(file, can_be_folder=True)
    return files


def _is_arrow(path: Path) -> bool:
    return path.is_dir() or path.suffix.lower() in _ARROW


def _header(path: Path, dialect: Dialect) -> list[str]:
    names = read_header(path, dialect)
    if not names:
        raise DataError(f"{path}: no examples in it")
    return names


def _read_text(path: Path, dialect: Dialect, choose: Choose) -> File:
    names = _header(path, dialect)
    table = read_delimited(path, names, choose(names), dialect)
    return File(path, True, names, table, comment_notes(path, dialect))


def comment_notes(path: Path, dialect: Dialect) -> list[str]:
    """Return a line about the comments before the header; none where there are none."""
    num = sum(line.startswith("#") for line in preamble(path, dialect))
    return [f"{path}: {noun(num, 'comment line')} before the header left out"] if num else []


def _read_arrow(path: Path, _: Dialect, choose: Choose) -> File:
    import pyarrow

    files, names = _open_arrow(path)
    wanted = list(choose(names))
    try:
        return File(path, False, names, files.to_table(columns=wanted))
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _guarded(path: Path, files: Any, wanted: list[str]) -> Iterator[Any]:
    import pyarrow

    try:
        # few batches ahead: what is read must not pile up
        yield from files.to_batches(
            columns=wanted, batch_size=_BATCH_ROWS, batch_readahead=1, fragment_readahead=1, use_threads=False
        )
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from None


def _open_arrow(path: Path) -> tuple[Any, list[str]]:
    """Return a pyarrow data set and its columns."""
    import pyarrow
    import pyarrow.dataset

    try:
        files = pyarrow.dataset.dataset(str(path), format=_kind(path), partitioning="hive" if path.is_dir() else None)
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from None
    names = [name for name in files.schema.names if name != INDEX]
    repeated = sorted({name for name in names if names.count(name) > 1})
    if repeated:
        raise DataError(f"{path}: column {repeated[0]} more than once; names must differ")
    return files, names


def _kind(path: Path) -> str:
    return "parquet" if path.is_dir() else _ARROW[path.suffix.lower()]


def _damaged(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: not a .{_kind(path)} file ({' '.join(str(error).split())[:120]})")
