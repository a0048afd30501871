"""Tables as named columns: each as numbers or as text, whichever is asked for, to the last digit of the file."""

import importlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from dlexp.data.file.arrow import floats_of, joined, plain_array, texts_of_floats, values_of
from dlexp.data.file.delimited import read_header, stream_texts
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.number import EXACT, Notation
from dlexp.data.file.record import locate, look_up
from dlexp.data.file.source import Choose, read_files
from dlexp.data.file.text import Texts, category, without_gaps
from dlexp.data.memory.freed import hand_back
from dlexp.error import DataError, did_you_mean, first_ten, shorten

_LOOKED_AT = 100  # entries
_SPACE_AND_QUOTE = re.compile(r'[ \t]+".*"\s*')
_ROWS_PER_NAME = 10  # of a column of text that is held by its different entries


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
            return floats_of(array), np.zeros(len(array), dtype=bool)
        parsed = None if isinstance(array, Texts) else self._parsed(array)
        if parsed is not None and (np.abs(parsed) >= EXACT).any():
            return parsed, np.zeros(len(array), dtype=bool)  # the text says whether float64 holds each digit
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
            whole = texts_of_floats(array)
            array = pyarrow.array(whole, pyarrow.string())
        elif not pyarrow.types.is_string(array.type):
            array = array.cast(pyarrow.string())
        coded = array.dictionary_encode()
        texts = Texts(values_of(coded.indices, np.int32, -1), coded.dictionary.to_pylist())
        damaged = [code for code, text in enumerate(texts.names) if "\0" in text]
        if damaged:
            self.refuse(name, np.isin(texts.codes, damaged), "a NUL byte is no text; the file is damaged")
        quoted = [code for code, text in enumerate(texts.names) if _SPACE_AND_QUOTE.fullmatch(text)]
        if quoted:
            self.refuse(name, np.isin(texts.codes, quoted), "a space stands before its quotes: remove it")
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
        return np.isnan(floats_of(array)) if pyarrow.types.is_floating(array.type) else np.asarray(array.is_null())

    def refuse(self, name: str, is_bad: np.ndarray, reason: str) -> None:
        """Raise a DataError that names the first ten rows where `is_bad` (N,) holds; nothing when there are none."""
        bad = np.flatnonzero(is_bad)
        if not len(bad):
            return
        got = self.written(name, bad[:1])[0]
        is_word = isinstance(got, str) and got.strip() in self.dialect.gaps[1:] and self.is_missing(name)[bad[0]]
        cure = f"; {got.strip()} stands for a gap, unless data.gaps='[]'" if is_word else ""
        shown = "''" if got is None or got != got else shorten(repr(got))
        raise DataError(f"{self.where(bad)}, column {name}: got {shown}; {reason}{cure}")

    def refuse_rounded(self, name: str, numbers: np.ndarray) -> None:
        """Refuse numbers of a column, beyond 2^53, that float64 rounds, as `numbers` (N,) has them.

        Raises:
            DataError: Names the rows and what takes such numbers to the last digit.
        """
        is_large = (numbers >= EXACT) | (numbers <= -EXACT)
        if not is_large.any():
            return
        is_rounded = np.zeros(len(numbers), dtype=bool)
        for start, chunk in self._chunks(name):
            rows = slice(start, start + len(chunk))
            is_rounded[rows] = _rounded(chunk, numbers[rows], is_large[rows], self.dialect.notation)
        cure = f"data.id or data.categorical='[{name}]' takes every digit, data.drop='[{name}]' leaves it out"
        self.refuse(name, is_rounded, f"as a number it keeps 15 digits: {cure}")

    def _chunks(self, name: str) -> Iterator[tuple[int, Any]]:
        """Yield a column in pieces, with the place of each: as pyarrow arrays, as text where the file is text."""
        import pyarrow

        array, start = self._array(name), 0
        if isinstance(array, Texts):
            array = pyarrow.array(array.names, pyarrow.string()).take(
                pyarrow.array(array.codes, pyarrow.int32(), mask=array.is_missing)
            )
        is_held = pyarrow.types.is_string(array.type)
        for path, number, is_text in self.files:
            inner = stream_texts(path, name, self.dialect) if is_text and not is_held else [array.slice(start, number)]
            for chunk in inner:
                yield start, chunk
                start += len(chunk)

    def written(self, name: str, rows: np.ndarray) -> list[Any]:
        """Return some entries as the file has them; None where it has none.

        Args:
            name: The column.
            rows: Numbers of the entries, in order.
        """
        array, start, entries = self._array(name), 0, []
        for path, number, is_text in self.files:
            inside = rows[(rows >= start) & (rows < start + number)].tolist()
            if is_text:
                place = read_header(path, self.dialect).index(name)
                records = look_up(path, self.dialect, [row - start for row in inside])
                entries += [record[place] for _, record in records]
            else:
                entries += [array.entry(row) if isinstance(array, Texts) else array[row].as_py() for row in inside]
            start += number
        return entries

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
        if name not in self.content:
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
                return floats_of(compute.cast(present, pyarrow.float64()))
            except pyarrow.ArrowInvalid:
                continue
        return None


def _rounded(chunk: Any, numbers: np.ndarray, is_large: np.ndarray, notation: Notation) -> np.ndarray:
    """Return (N,) which of the large numbers are not what a pyarrow array of text or whole numbers says."""
    import pyarrow

    is_rounded = np.zeros(len(chunk), dtype=bool)
    if pyarrow.types.is_floating(chunk.type):
        return is_rounded
    rows = np.flatnonzero(is_large)
    if pyarrow.types.is_string(chunk.type):
        compute: Any = importlib.import_module("pyarrow.compute")
        # an exponent says that digits are left out; only texts without are compared, one after another
        is_written_out = compute.invert(compute.match_substring(chunk, "e", ignore_case=True)).fill_null(False)
        rows = rows[values_of(is_written_out.cast(pyarrow.uint8()), np.uint8, 0)[rows] == 1]
    texts = map(str, chunk.take(pyarrow.array(rows.tolist(), pyarrow.int64())).to_pylist())
    is_rounded[rows] = [notation.is_rounded(text, x) for text, x in zip(texts, numbers[rows].tolist(), strict=True)]
    return is_rounded


def require_name(path: str, names: list[str], name: str, key: str) -> None:
    """Refuse the name of a column that a file has not.

    Raises:
        DataError: Names the columns that there are.
    """
    if name not in names:
        shown = ", ".join(map(shorten, names[:10])) + (", ..." if len(names) > 10 else "")
        cure = "; set data.delimiter=' '" if len(names) == 1 and " " in names[0] else did_you_mean(name, names)
        raise DataError(f"{path}: no column {name} ({key}); it has {shown}{cure}")


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
    files = read_files(path, dialect, choose)
    notes = [note for file in files for note in file.notes]
    lengths = [(file.path, len(file.table), file.is_text) for file in files]
    names, wanted = files[0].names, files[0].table.column_names
    columns = [(file.path, {name: file.table.column(name) for name in wanted}) for file in files]
    del files
    # each is let go when it has been joined: held once
    content = {name: joined([plain_array(place, name, held.pop(name)) for place, held in columns]) for name in wanted}
    hand_back()  # blocks of the file
    table = Columns(str(path), names, content, lengths, dialect, notes)
    if not len(table):
        raise DataError(f"{path}: no examples in it")
    return table
