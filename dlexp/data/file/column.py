"""Tables as named columns: each as numbers or as text, whichever is asked for, to the last digit of the file."""

import importlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.data.file.delimited import Dialect, locate
from dlexp.data.file.source import Choose, read_files
from dlexp.data.file.text import Texts, category, without_gaps
from dlexp.error import DataError, did_you_mean, first_ten

_LOOKED_AT = 100  # entries
_ROWS_PER_NAME = 10  # of a column of text that is held by its different entries
_REFUSED = "list it in data.drop, or write numbers, booleans, text or dates"


@dataclass(frozen=True)
class Columns:
    """The columns of one or several files.

    Attributes:
        path: What the user named, for messages.
        names: All columns in the file's order.
        content: Those that were wanted by name: pyarrow arrays, or texts by their entries where they are mapped.
        files: Path, number of rows, and whether the file is text, in order.
        dialect: How text files are written.
        scratch: Folder for inputs that are mapped as the columns are; None where all is in memory.
        notes: What the user should know of the files, one line each.
    """

    path: str
    names: list[str]
    content: dict[str, Any]
    files: list[tuple[Path, int, bool]]
    dialect: Dialect = field(default_factory=Dialect)
    notes: list[str] = field(default_factory=list)
    scratch: Path | None = None

    def __len__(self) -> int:
        return sum(number for _, number, _ in self.files)

    def require(self, name: str, key: str) -> str:
        """Return the name of a column that a setting names.

        Raises:
            DataError: There is none of this name.
        """
        require_name(self.path, self.names, name, key)
        return name

    def numbers(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        """Return the column as float64 with NaN where it is missing or no number, and (N,) whether it is no number."""
        import pyarrow

        array = self._array(name)
        if not isinstance(array, Texts) and not pyarrow.types.is_string(array.type):
            return _floats(array), np.zeros(len(array), dtype=bool)
        parsed = None if isinstance(array, Texts) else self._parsed(array)
        if parsed is not None:
            # The text is let go; from_buffers, because pyarrow.array imports pandas.
            self.content[name] = pyarrow.Array.from_buffers(
                pyarrow.float64(), len(parsed), [None, pyarrow.py_buffer(np.ascontiguousarray(parsed))]
            )
            return parsed, np.zeros(len(array), dtype=bool)
        texts = self.texts(name)
        numbers = texts.spread([self.dialect.notation.number(text) for text in texts.names], np.nan)
        return numbers, np.isnan(numbers) & ~texts.is_missing

    def texts(self, name: str) -> Texts:
        """Return the column as text without spaces around; a whole number has no point."""
        import pyarrow

        array = self._array(name)
        if isinstance(array, Texts):
            return without_gaps(array, self.dialect.gaps)
        if pyarrow.types.is_floating(array.type):
            whole = _text_of_floats(array)
            array = pyarrow.array(whole, pyarrow.string())
        elif not pyarrow.types.is_string(array.type):
            array = array.cast(pyarrow.string())
        coded = array.dictionary_encode()
        texts = Texts(_values(coded.indices, np.int32, -1), coded.dictionary.to_pylist())
        if len(texts.names) * _ROWS_PER_NAME <= len(texts):
            self.content[name] = texts  # the next look is a short one
        return without_gaps(texts, self.dialect.gaps)

    def categories(self, name: str) -> Texts:
        """Return the column's entries as categories: 1.0 is 1, TRUE is True, a day's midnight is the day."""
        return self.texts(name).merged(category)

    def is_missing(self, name: str) -> np.ndarray:
        """Return (N,) whether an entry is missing."""
        import pyarrow

        array = self._array(name)
        if isinstance(array, Texts) or pyarrow.types.is_string(array.type):
            return self.texts(name).is_missing
        return np.isnan(_floats(array)) if pyarrow.types.is_floating(array.type) else np.asarray(array.is_null())

    def refuse(self, name: str, is_bad: np.ndarray, reason: str) -> None:
        """Raise a DataError that names the first ten rows where `is_bad` (N,) holds; nothing when there are none."""
        bad = np.flatnonzero(is_bad)
        if len(bad):
            array, row = self._array(name), int(bad[0])
            got = array.entry(row) if isinstance(array, Texts) else array[row].as_py()
            shown = "''" if got is None or got != got else repr(got)
            raise DataError(f"{self.where(bad)}, column {name}: got {shown}; {reason}")

    def refuse_notation(self, name: str, is_text: np.ndarray) -> None:
        """Refuse texts (N,) that are numbers in another notation than the one stated.

        Raises:
            DataError: Names the rows and the setting.
        """
        if not is_text.any():
            return
        texts = self.texts(name)
        entries = [texts.names[code] for code in np.unique(texts.codes[is_text]).tolist()]
        advice = self.dialect.notation.advice(entries)
        if advice:
            self.refuse(name, is_text, advice)

    def where(self, bad: np.ndarray) -> str:
        """Return file and first ten rows of some entries, those of the first file at fault."""
        start = 0
        for path, number, is_text in self.files:
            inside = bad[(bad >= start) & (bad < start + number)] - start
            if len(inside):
                rows = locate(path, self.dialect, inside.tolist()) if is_text else (inside + 1).tolist()
                return f"{path}, {first_ten('row', rows)}"
            start += number
        return self.path

    def moved(self, rows: np.ndarray) -> "Columns":
        """Return the same with numbers x changed to 1000 - x and texts to others in some rows; gaps stay."""
        import pyarrow

        content = {}
        for name in self.content:
            texts, (numbers, is_text) = self.texts(name), self.numbers(name)
            entries = [texts.names[code] if code >= 0 else None for code in texts.codes.tolist()]
            for row in rows.tolist():
                if entries[row] is not None:
                    entries[row] = f"{entries[row]} moved" if is_text[row] else repr(float(1000 - numbers[row]))
            content[name] = pyarrow.array(entries, pyarrow.string())
        return replace(self, content=content)

    def _array(self, name: str) -> Any:
        self.require(name, "a feature")
        return self.content[name]

    def _parsed(self, array: Any) -> np.ndarray | None:
        """Return text as float64 at once, or None when not all of it is numbers as programs write them."""
        import pyarrow

        compute: Any = importlib.import_module("pyarrow.compute")
        first = next((entry.as_py() for entry in array[:_LOOKED_AT] if entry.is_valid), "0")
        if not self.dialect.notation.is_plain or np.isnan(self.dialect.notation.number(first.strip())):
            return None
        for trim in (False, True):
            try:
                present = compute.ascii_trim_whitespace(array) if trim else array
                return _floats(compute.cast(present, pyarrow.float64()))
            except pyarrow.ArrowInvalid:
                continue
        return None


def require_name(path: str, names: list[str], name: str, key: str) -> None:
    """Refuse the name of a column that a file has not.

    Raises:
        DataError: Names the columns that there are.
    """
    if name not in names:
        shown = ", ".join(names[:10]) + (", ..." if len(names) > 10 else "")
        raise DataError(f"{path}: no column {name} ({key}); it has {shown}{did_you_mean(name, names)}")


def read_columns(path: Path, dialect: Dialect, choose: Choose = lambda names: dict.fromkeys(names, True)) -> Columns:
    """Read a table.

    Args:
        path: See `dlexp.data.file.source`.
        dialect: How text files are written.
        choose: Names of all columns to those that are wanted, and whether their text is needed to the letter; the
            others are not looked at.

    Raises:
        DataError: The file is absent, damaged, ragged or empty.
    """
    import pyarrow

    files = read_files(path, dialect, choose)
    notes = [note for file in files for note in file.notes]
    lengths = [(file.path, len(file.table), file.is_text) for file in files]
    content, names, wanted = {}, files[0].names, files[0].table.column_names
    for name in wanted:
        content[name] = _joined([plain_array(file.path, name, file.table.column(name)) for file in files])
        files = [replace(file, table=file.table.drop_columns([name])) for file in files]  # held once
    pyarrow.default_memory_pool().release_unused()  # blocks of the file, which nothing needs any more
    table = Columns(str(path), names, content, lengths, dialect, notes)
    if not len(table):
        raise DataError(f"{path}: no examples in it")
    return table


def _joined(chunks: list) -> Any:
    import pyarrow

    kinds = {chunk.type for chunk in chunks}
    if len(kinds) > 1:
        chunks = [chunk.cast(pyarrow.string()) for chunk in chunks]
    return chunks[0] if len(chunks) == 1 else pyarrow.concat_arrays(chunks)


def plain_array(path: Path, name: str, column: Any) -> Any:
    """Return a pyarrow column as one array of text (dates in ISO form), whole numbers or float64."""
    import pyarrow

    compute: Any = importlib.import_module("pyarrow.compute")
    types = pyarrow.types
    kind = column.type
    if types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if types.is_large_string(kind) or types.is_string_view(kind) or types.is_null(kind):
        column, kind = column.cast(pyarrow.string()), pyarrow.string()
    if types.is_duration(kind):
        seconds = compute.cast(column.cast(pyarrow.int64()), pyarrow.float64())
        column = compute.divide(seconds, {"s": 1.0, "ms": 1e3, "us": 1e6, "ns": 1e9}[kind.unit])
    elif types.is_floating(kind) or types.is_decimal(kind):
        column = column.cast(pyarrow.float64())
    elif types.is_boolean(kind):
        column = compute.if_else(column, "True", "False")
    elif types.is_temporal(kind):
        column = compute.replace_substring_regex(column.cast(pyarrow.string()), r"\.0+$", "")
    elif not (types.is_string(kind) or types.is_integer(kind)):
        raise DataError(f"{path}, column {name}: got type {column.type}; {_REFUSED}")
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _floats(array: Any) -> np.ndarray:
    """Return whole numbers or floats as float64 with NaN for null."""
    import pyarrow

    if not pyarrow.types.is_float64(array.type):
        array = array.cast(pyarrow.float64(), safe=False)
    return _values(array, np.float64, np.nan)


def _values(array: Any, dtype: type, missing: float) -> np.ndarray:
    """Return a pyarrow array with a number for null; its own to_numpy imports pandas, for a third of a second."""
    validity, content = array.buffers()
    values = np.frombuffer(content, dtype)[array.offset : array.offset + len(array)]
    if not array.null_count:
        return values
    is_there = np.unpackbits(np.frombuffer(validity, np.uint8), bitorder="little")[array.offset :][: len(array)]
    return np.where(is_there == 1, values, missing).astype(dtype, copy=False)


def _text_of_floats(array: Any) -> list[str | None]:
    return [None if x is None or np.isnan(x) else str(int(x)) if x.is_integer() else repr(x) for x in array.to_pylist()]
