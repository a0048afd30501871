"""Tables larger than the memory: columns in typed files that are made once and mapped.

A column is a file of float64, of int64, or of int32 numbers of its different texts. Their folder is named by a hash of
the source's files (place, size, times) and of how they are read; a sealed note beside them has the hash of each. What
disagrees with its note is made anew. Shapes: N rows.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import numpy as np
import torch
from torch import Tensor

from dlexp.data.file.arrow import plain_array
from dlexp.data.file.column import Columns
from dlexp.data.file.delimited import TurnedTextError
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.source import Choose, sources, stream_files
from dlexp.data.file.text import Texts
from dlexp.error import DataError

_NOTE = "columns.json"
_TYPES = {"number": np.float64, "whole": np.int64, "text": np.int32}


def map_columns(path: Path, dialect: Dialect, choose: Choose, cache: Path) -> Columns:
    """Return the columns as `read_columns` does, mapped.

    Args:
        path: See `dlexp.data.file.source`.
        dialect: How text files are written.
        choose: As for `read_columns`.
        cache: Folder for the typed files.

    Raises:
        DataError: As `read_columns`; or the disk is full.
    """
    folder = cache / f"columns-{_key(path, dialect, choose)}"
    columns = _open(folder, path, dialect)
    if columns is None:
        _write(folder, path, dialect, choose)
        columns = _open(folder, path, dialect)
    if columns is None:
        raise DataError(f"{folder}: the columns are not what was written; the disk is damaged, set data.cache")
    return columns


def scratch_matrix(folder: Path, num_rows: int, num_columns: int) -> Tensor:
    """Return a float64 matrix of zeros in a file that is mapped and has no name: it goes when nothing uses it.

    Raises:
        DataError: The disk is full.
    """
    size, path = num_rows * num_columns, folder / f"inputs.{os.getpid()}.tmp"
    try:
        with path.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, size * 8))
        return torch.from_file(str(path), shared=True, size=size, dtype=torch.float64).view(num_rows, num_columns)
    except OSError as error:
        raise DataError(f"{folder}: writing inputs failed: {error.strerror}; set data.cache") from None
    finally:
        path.unlink(missing_ok=True)


@dataclass
class _Writer:
    """A column that grows.

    Attributes:
        file: Open, of values.
        digest: Of what was written.
        kind: number, whole or text; "" before the first row.
        names: Different texts to their numbers.
        gaps: Rows of missing whole numbers.
        num: Rows so far.
    """

    file: IO[bytes]
    digest: Any = field(default_factory=hashlib.sha256)
    kind: str = ""
    names: dict[str, int] = field(default_factory=dict)
    gaps: list[int] = field(default_factory=list)
    num: int = 0

    def add(self, array: Any, where: str) -> None:
        """Append a pyarrow array of `plain_array`.

        Raises:
            DataError: Rows before had another type.
        """
        import pyarrow

        types = pyarrow.types
        if types.is_integer(array.type) and not types.is_int64(array.type):
            array = array.cast(pyarrow.string() if types.is_uint64(array.type) else pyarrow.int64())
        kind = "text" if types.is_string(array.type) else "whole" if types.is_integer(array.type) else "number"
        if self.kind not in ("", kind):
            raise DataError(f"{where}: got {kind}s in one file and {self.kind}s in another; write both alike")
        self.kind = kind
        values = self._coded(array) if kind == "text" else self._values(array)
        content = np.ascontiguousarray(values, _TYPES[kind]).data
        self.digest.update(content)
        self.file.write(content)
        self.num += len(array)

    def _values(self, array: Any) -> np.ndarray:
        if self.kind == "number":
            return np.asarray(array.fill_null(np.nan))
        if array.null_count:
            self.gaps += (np.flatnonzero(np.asarray(array.is_null())) + self.num).tolist()
        return np.asarray(array.fill_null(0))

    def _coded(self, array: Any) -> np.ndarray:
        coded = array.dictionary_encode()
        numbers = [self.names.setdefault(name, len(self.names)) for name in coded.dictionary.to_pylist()]
        return np.array([*numbers, -1], np.int32)[np.asarray(coded.indices.fill_null(len(numbers)))]


def _write(folder: Path, path: Path, dialect: Dialect, choose: Choose) -> None:
    draft = folder.with_name(f"{folder.name}.{os.getpid()}.tmp")
    as_text: set[str] = set()
    try:
        while True:
            shutil.rmtree(draft, ignore_errors=True)
            draft.mkdir(parents=True)
            try:
                note = _fill(draft, path, dialect, choose, as_text)
                break
            except TurnedTextError as turned:
                as_text.add(turned.name)
        (draft / _NOTE).write_text(json.dumps({"note": note, "seal": _seal(note)}))
        shutil.rmtree(folder, ignore_errors=True)
        os.replace(draft, folder)
    except OSError as error:
        raise DataError(f"{folder.parent}: writing columns failed: {error.strerror}; set data.cache") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _fill(draft: Path, path: Path, dialect: Dialect, choose: Choose, as_text: set[str]) -> dict[str, Any]:
    """Write every column; return what the note says."""
    names: list[str] = []
    lengths: list[tuple[str, int, bool]] = []
    notes: list[str] = []
    writers: dict[str, _Writer] = {}
    try:
        for stream in stream_files(path, dialect, choose, as_text):
            names = names or stream.names
            lengths.append((str(stream.path), _append(draft, stream.path, stream.batches, writers), stream.is_text))
            notes += stream.notes
    finally:
        for writer in writers.values():
            writer.file.close()
    columns = {
        name: {
            "kind": writer.kind,
            "digest": writer.digest.hexdigest(),
            "names": list(writer.names),
            "gaps": writer.gaps,
        }
        for name, writer in writers.items()
    }
    return {"names": names, "files": lengths, "notes": notes, "columns": columns}


def _append(draft: Path, path: Path, batches: Iterator[Any], writers: dict[str, _Writer]) -> int:
    import pyarrow

    num = 0
    for batch in batches:
        for name, column in zip(batch.schema.names, batch.columns, strict=True):
            if name not in writers:
                writers[name] = _Writer((draft / f"{len(writers)}.bin").open("wb"))
            writers[name].add(plain_array(path, name, pyarrow.chunked_array([column])), f"{path}, column {name}")
        num += len(batch)
    return num


def _open(folder: Path, path: Path, dialect: Dialect) -> Columns | None:
    """Map what an earlier run wrote; None where a bit of it has changed."""
    try:
        stored = json.loads((folder / _NOTE).read_bytes())
        note = stored["note"]
        if stored.get("seal") != _seal(note):
            return None
        contents = [(folder / f"{number}.bin") for number in range(len(note["columns"]))]
        digests = [_digest(content) for content in contents]
    except (OSError, ValueError, TypeError, KeyError):
        return None
    if digests != [column["digest"] for column in note["columns"].values()]:
        return None
    lengths = [(Path(file), num, is_text) for file, num, is_text in note["files"]]
    if not sum(num for _, num, _ in lengths):
        raise DataError(f"{path}: no examples in it")
    content = {name: _map(file, column) for (name, column), file in zip(note["columns"].items(), contents, strict=True)}
    return Columns(str(path), note["names"], content, lengths, dialect, note["notes"], folder)


def _map(path: Path, column: dict[str, Any]) -> Any:
    import pyarrow

    values = np.memmap(path, _TYPES[column["kind"]], "r")
    if column["kind"] == "text":
        return Texts(values, column["names"])
    mask = None
    if column["gaps"]:
        is_there = np.ones(len(values), np.uint8)
        is_there[column["gaps"]] = 0
        mask = pyarrow.py_buffer(np.packbits(is_there, bitorder="little"))
    kind = pyarrow.float64() if column["kind"] == "number" else pyarrow.int64()
    return pyarrow.Array.from_buffers(kind, len(values), [mask, pyarrow.py_buffer(values)])


def _key(path: Path, dialect: Dialect, choose: Choose) -> str:
    names: list[str] = []

    def listen(columns: list[str]) -> dict[str, bool]:
        names.extend(columns)
        return choose(columns)

    first = next(stream_files(path, dialect, listen, set()))
    digest = hashlib.sha256(f"{dialect} {sorted(choose(names).items())} {first.is_text};".encode())
    for file in sources(path):
        state = file.stat()
        digest.update(f"{file.absolute()} {state.st_size} {state.st_mtime_ns} {state.st_ctime_ns};".encode())
    return digest.hexdigest()[:32]


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _seal(note: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(note).encode()).hexdigest()
