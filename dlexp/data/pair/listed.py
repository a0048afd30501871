"""A user's own list of pairs: a table of two paths and a label."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from dlexp.data.dataset import Dataset
from dlexp.data.file.column import Columns, read_columns, require_name
from dlexp.data.file.dialect import Dialect
from dlexp.data.pair.pictures import ListedPairs, PairPictures
from dlexp.error import ConfigError, DataError
from dlexp.type import Name, Place

SAME = ("1", "true", "yes", "same", "genuine")
DIFFERENT = ("0", "-1", "false", "no", "different", "forged")


@dataclass(frozen=True)
class PairCsv(PairPictures):
    """Pairs of pictures in a table: two columns of paths, and a label that says whether the two are the same.

    Pairs that share a picture, and those that share one with these, stand in one part.

    Args:
        path: The table.
        root: Folder that the paths in it are relative to; null takes that of the table.
        first: Column of the one path.
        second: Column of the other.
        label: Column of the label: 1, true, yes, same or genuine; or 0, -1, false, no, different or forged.
        delimiter: Character between fields; tab is understood.
        encoding: Characters of the table: utf-8, latin-1, ...
    """

    path: Place = "???"
    root: Place | None = None
    first: Name = "first"
    second: Name = "second"
    label: Name = "label"
    delimiter: str = ","
    encoding: str = "utf-8"

    def load(self, task: str = "auto") -> Dataset:
        """Return the pairs, the pictures as (N, size, size, C) bytes (floats with `depth`), in the order of the rows.

        Raises:
            ConfigError: Another task than pairs, or two columns of one name.
            DataError: Names the rows or files at fault.
        """
        path, columns = Path(self.path), [self.first, self.second, self.label]
        if len(set(columns)) < len(columns):
            raise ConfigError(f"data.first: got columns {', '.join(columns)}; three different ones are needed")
        if not path.is_file():
            raise DataError(f"{path}: no such file; data.path names a table of pairs")
        dialect = Dialect(self.delimiter, self.encoding, gaps=("",))
        table = read_columns(path, dialect, self._choose)
        root = path.parent if self.root is None else Path(self.root)
        sides = [file_names(table, name, root) for name in (self.first, self.second)]
        is_itself = sides[0] == sides[1]
        table.refuse(self.second, is_itself, f"column {self.first} has the same file; a pair has two")
        files, codes = np.unique(np.concatenate(sides), return_inverse=True)
        pairs_M2 = codes.reshape(2, -1).T
        _, first = np.unique(np.sort(pairs_M2, 1), axis=0, return_index=True)
        if len(first) < len(pairs_M2):
            is_again = np.ones(len(pairs_M2), dtype=bool)
            is_again[first] = False
            table.refuse(self.first, is_again, "another row has this pair")
        return self.assemble(path, root, ListedPairs(files.tolist(), pairs_M2, self._labels(table), table.notes), task)

    def _choose(self, names: list[str]) -> dict[str, bool]:
        for key in ("first", "second", "label"):
            require_name(str(self.path), names, getattr(self, key), f"data.{key}")
        return {self.first: True, self.second: True, self.label: True}

    def _labels(self, table: Columns) -> np.ndarray:
        texts = table.texts(self.label)
        meant = [1 if name.lower() in SAME else 0 if name.lower() in DIFFERENT else -1 for name in texts.names]
        labels = texts.spread(np.array(meant, dtype=np.int64), -1)
        table.refuse(self.label, labels < 0, f"one of {', '.join(SAME)}, or of {', '.join(DIFFERENT)}, is needed")
        if len(np.unique(labels)) < 2:
            kind = "same" if labels[0] else "different"
            raise DataError(f"{self.path}, column {self.label}: got only pairs that are {kind}; both kinds are needed")
        return labels


def file_names(table: Columns, name: str, root: Path) -> np.ndarray:
    """Return the files (M,) that a column names, as text; a/0.png and ./a/0.png are one.

    Raises:
        DataError: Names the rows whose file there is none of.
    """
    texts = table.texts(name)
    is_absent = texts.spread([not (root / entry).is_file() for entry in texts.names], True)
    table.refuse(name, is_absent, f"no such file in {root}")
    return np.array([os.path.normpath(entry) for entry in texts.names])[texts.codes]
