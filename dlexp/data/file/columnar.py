"""Columnar files: .parquet, .feather and .arrow, and folders of .parquet, where k=v in a folder's name is a column k.

A folder's files are read one after another, in the order of their names. What begins with a point or an underscore is
left out, as the programs that write such folders mark what is no data.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dlexp.data.bound.tree import files_within
from dlexp.error import DataError, first_ten

KINDS = {".parquet": "parquet", ".feather": "feather", ".arrow": "feather"}
_LABELS = re.compile(r"__index_level_\d+__")  # pandas' row labels without a name
_HIVE = re.compile(r"([^=/]+)=[^/]*")
_BATCH_ROWS = 1 << 16
_OTHERS = {
    b"FEA1": "a Feather file of version 1; write it with version 2",
    b"\xff\xff\xff\xff": "an Arrow stream; write it as a file: pyarrow.ipc.new_file",
}


@dataclass(frozen=True)
class Piece:
    """One file that is open.

    Attributes:
        path: Its place.
        fragment: Of a pyarrow data set.
        schema: Of pyarrow, columns of folder names included.
        columns: Names without spaces around to the names that the file has; row labels of pandas are none.
        notes: What the user should know, one line each.
    """

    path: Path
    fragment: Any
    schema: Any
    columns: dict[str, str]
    notes: list[str] = field(default_factory=list)

    @property
    def names(self) -> list[str]:
        """The names of the columns, in the file's order."""
        return list(self.columns)

    def count_rows(self) -> int:
        """Return the number of rows, which stands at the file's end."""
        return self._guarded(self.fragment.count_rows)

    def table(self, wanted: list[str]) -> Any:
        """Return some columns as a pyarrow table."""
        return self._guarded(lambda: self.fragment.to_table(schema=self.schema, columns=self._fields(wanted)))

    def batches(self, wanted: list[str]) -> Iterator[Any]:
        """Yield some columns as pyarrow batches, few ahead: what is read must not pile up."""
        batches = iter(
            self.fragment.to_batches(
                schema=self.schema,
                columns=self._fields(wanted),
                batch_size=_BATCH_ROWS,
                batch_readahead=1,
                fragment_readahead=1,
                use_threads=False,
            )
        )
        while (batch := self._guarded(lambda: next(batches, None))) is not None:
            yield batch

    def _fields(self, wanted: list[str]) -> dict[str, Any]:
        import pyarrow.dataset

        return {name: pyarrow.dataset.field(self.columns[name]) for name in wanted}

    def _guarded(self, read: Any) -> Any:
        import pyarrow

        try:
            return read()
        except (pyarrow.ArrowException, OSError) as error:
            raise _damaged(self.path, error) from None


def is_columnar(path: Path) -> bool:
    """Return whether a path is a folder, or a file that its name says to be columnar."""
    return path.is_dir() or path.suffix.lower() in KINDS


def open_columnar(path: Path) -> Iterator[Piece]:
    """Yield the open files that a path names.

    Args:
        path: A file, or a folder of .parquet files.

    Raises:
        DataError: A file is damaged or of another kind, or its columns have no or the same name.
    """
    import pyarrow

    files, notes = _listed(path) if path.is_dir() else ([path], [])
    levels = [_HIVE.findall(str(file.parent.relative_to(path))) if path.is_dir() else [] for file in files]
    partitions = pyarrow.schema([(name, pyarrow.string()) for name in levels[0]])
    for file, names in zip(files, levels, strict=True):
        if names != levels[0]:
            got, first = (", ".join(level) or "no column" for level in (names, levels[0]))
            raise DataError(f"{file}: got {got} in its folder's name; {files[0]} has {first}")
        yield _open(file, path, partitions, notes if file == files[0] else [])


def _listed(folder: Path) -> tuple[list[Path], list[str]]:
    """Return the .parquet files of a folder, and a line about others."""
    inner = sorted(files_within(folder))
    files = [file for file in inner if not any(name[0] in "._" for name in file.relative_to(folder).parts)]
    parquet = [file for file in files if file.suffix.lower() == ".parquet"]
    others = [str(file.relative_to(folder)) for file in files if file.suffix.lower() != ".parquet"]
    if not parquet:
        raise DataError(f"{folder}: got a folder without .parquet files; a pattern such as {folder}/*.csv names others")
    return parquet, [f"{folder}: {first_ten('file', others)} left out"] if others else []


def _open(path: Path, root: Path, partitions: Any, notes: list[str]) -> Piece:
    import pyarrow
    import pyarrow.dataset
    import pyarrow.fs

    kinds = {"parquet": pyarrow.dataset.ParquetFileFormat, "feather": pyarrow.dataset.IpcFileFormat}
    form = kinds[KINDS[path.suffix.lower()]]()
    try:
        inside = form.inspect(str(path.absolute()), pyarrow.fs.LocalFileSystem())
        columns = _columns(path, inside.names, partitions.names)
        files = pyarrow.dataset.dataset(
            [str(path.absolute())],
            format=form,
            partitioning=pyarrow.dataset.partitioning(partitions, flavor="hive") if len(partitions) else None,
            partition_base_dir=str(root.absolute()) if len(partitions) else None,
        )
        (fragment,) = files.get_fragments()
    except (pyarrow.ArrowException, OSError) as error:
        raise _damaged(path, error) from None
    return Piece(path, fragment, files.schema, columns, notes)


def _columns(path: Path, inside: list[str], outside: list[str]) -> dict[str, str]:
    names = [name for name in [*inside, *outside] if not _LABELS.fullmatch(name)]
    unnamed = [i + 1 for i, name in enumerate(names) if not name.strip()]
    if unnamed:
        raise DataError(f"{path}: {first_ten('column', unnamed)} without a name")
    both = [name for name in outside if name in inside]
    if both:
        raise DataError(f"{path}: column {both[0]} stands in the file and in its folder's name; remove one")
    repeated = sorted(name for name, num in Counter(name.strip() for name in names).items() if num > 1)
    if repeated:
        raise DataError(f"{path}: {first_ten('column', repeated)} more than once; names must differ")
    return {name.strip(): name for name in names}


def _damaged(path: Path, error: Exception) -> DataError:
    with path.open("rb") as file:
        start = file.read(4)
    if start in _OTHERS:
        return DataError(f"{path}: got {_OTHERS[start]}")
    return DataError(f"{path}: not a {path.suffix.lower()} file ({' '.join(str(error).split())[:120]})")
