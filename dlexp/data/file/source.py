"""Which files a path names, and their columns as pyarrow tables.

A path is a .csv (also packed by gz, bz2 or zst), a .parquet, .feather or .arrow file, a folder of .parquet files, or a
pattern such as ``data/2024-*.csv`` whose files stand one after another.
"""

import glob
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexp.data.file.delimited import Dialect, count_comments, read_delimited, read_header
from dlexp.data.file.guard import require_regular
from dlexp.error import DataError

Choose = Callable[[list[str]], dict[str, bool]]
PACKED = (".gz", ".bz2", ".zst")
_ARROW = {".parquet": "parquet", ".feather": "feather", ".arrow": "feather"}
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
        require_regular(file, can_be_folder=True)
        read = _read_arrow if file.is_dir() or file.suffix.lower() in _ARROW else _read_text
        files.append(read(file, dialect, choose))
        if set(files[-1].names) != set(files[0].names):
            differing = sorted(set(files[-1].names) ^ set(files[0].names))
            raise DataError(f"{file}: got other columns than {files[0].path} ({', '.join(differing[:5])})")
    return files


def _files(path: Path) -> list[Path]:
    if path.exists():
        return [path]
    files = [Path(name) for name in sorted(glob.glob(str(path), recursive=True))]
    if not files:
        raise DataError(f"{path}: no such file; data.path names a .csv or .parquet file")
    return files


def _read_text(path: Path, dialect: Dialect, choose: Choose) -> File:
    names = read_header(path, dialect)
    if not names:
        raise DataError(f"{path}: no examples in it")
    wanted = choose(names)
    num = count_comments(path, dialect)
    notes = [f"{path}: {num} comment line{'s' * (num > 1)} before the header left out"] if num else []
    return File(path, True, names, read_delimited(path, names, wanted, dialect), notes)


def _read_arrow(path: Path, dialect: Dialect, choose: Choose) -> File:
    import pyarrow
    import pyarrow.dataset

    kind = "parquet" if path.is_dir() else _ARROW[path.suffix.lower()]
    try:
        files = pyarrow.dataset.dataset(str(path), format=kind, partitioning="hive" if path.is_dir() else None)
        names = [name for name in files.schema.names if name != INDEX]
        repeated = sorted({name for name in names if names.count(name) > 1})
        if repeated:
            raise DataError(f"{path}: column {repeated[0]} more than once; names must differ")
        return File(path, False, names, files.to_table(columns=list(choose(names))))
    except (pyarrow.ArrowException, OSError) as error:
        reason = " ".join(str(error).split())[:120]
        raise DataError(f"{path}: not a .{kind} file ({reason})") from None
