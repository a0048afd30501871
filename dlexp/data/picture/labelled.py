"""Pictures with their labels, as a table names both: a column of files, and one for each target."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from dlexp.data.fact.spelling import one_category
from dlexp.data.file.column import Columns, read_columns, require_name
from dlexp.data.file.columnar import is_columnar
from dlexp.data.file.dialect import Dialect
from dlexp.data.file.label import read_labels
from dlexp.data.file.record import records
from dlexp.data.file.text import Texts
from dlexp.data.joint.column import read_columns_of
from dlexp.data.joint.label import Labels
from dlexp.data.picture.decoded import name_all
from dlexp.data.picture.listing import list_pictures
from dlexp.error import DataError
from dlexp.number import noun

FILE, LABEL = "file", "label"


@dataclass(frozen=True)
class Pictures:
    """The pictures of a folder.

    Attributes:
        files: Paths relative to it.
        labels: Of each target.
        parts: Name of the part of each file; None where the folder has no parts.
        notes: What was left out, and labels in more than one spelling.
    """

    files: list[str]
    labels: list[Labels]
    parts: list[str] | None
    notes: list[str]

    def without(self, rows: dict[int, str]) -> "Pictures":
        """Return the same without some files, which are named."""
        if not rows:
            return self
        keep = [i for i in range(len(self.files)) if i not in rows]
        parts = None if self.parts is None else [self.parts[i] for i in keep]
        note = f"data.broken=skip: {noun(len(rows), 'file')} left out: {name_all(self.files, rows)}"
        labels = [column.keep(keep) for column in self.labels]
        return Pictures([self.files[i] for i in keep], labels, parts, [*self.notes, note])


def read_list(root: Path, path: Path, encoding: str, task: str, target: str | list[str]) -> Pictures:
    """Return the pictures that a table names.

    Args:
        root: Folder that the files are relative to.
        path: The table.
        encoding: Its characters.
        task: "regression" asks for numbers.
        target: Name of the column with labels, or of several, whose rows may then lack any of them.

    Raises:
        DataError: The table cannot be used; row and column are named.
    """
    if not path.exists():
        columns = f"the columns {FILE} and {target}" if isinstance(target, str) else f"a column {FILE}, and each target"
        raise DataError(f"{path}: no such file; data.labels names a table with {columns}")
    names = [target] if isinstance(target, str) else target
    table = read_columns(path, _dialect(path, encoding, names), partial(_wanted, targets=names))
    texts = table.texts(FILE)
    is_absent = texts.spread([not (root / name).is_file() for name in texts.names], True)
    table.refuse(FILE, is_absent, f"no such file in {root}")
    places = texts.spread([os.path.normpath(name) for name in texts.names], "")  # a/0.png and ./a/0.png are one
    is_repeated = np.ones(len(places), dtype=bool)
    is_repeated[np.unique(places, return_index=True)[1]] = False
    table.refuse(FILE, is_repeated, "another row has it")
    files = [texts.names[code] for code in texts.codes.tolist()]
    columns = [_lone(table, target, task)] if isinstance(target, str) else read_columns_of(table, target, task)
    return Pictures(files, [_as_rows(column) for column in columns], None, _unlabelled(root, files))


def _lone(table: Columns, name: str, task: str) -> Labels:
    alike = one_category(table, name)
    labels = read_labels(table, name, task, "label")
    return Labels(name, labels, np.ones(len(labels), dtype=bool), alike)


def _as_rows(column: Labels) -> Labels:
    """Return labels of which rows can be left out, and with them classes."""
    if not isinstance(column.values, Texts):
        return column
    return Labels(column.name, column.values.spread(column.values.names, ""), column.is_present, column.alike)


def _dialect(path: Path, encoding: str, targets: Sequence[str]) -> Dialect:
    """Return how a file of labels is written: the delimiter is that which tells its columns; NA is a label."""
    dialects = [Dialect(delimiter, encoding, gaps=("",)) for delimiter in (",", ";", "tab", "|")]
    if path.is_file() and not is_columnar(path):
        for dialect in dialects:
            if {FILE, *targets} <= {name.strip() for name in next(records(path, dialect), [])}:
                return dialect
    return dialects[0]


def _unlabelled(root: Path, files: list[str]) -> list[str]:
    """Return a line about pictures that the labels do not name; none where there are none."""
    listed = {(root / file).resolve() for file in files}
    others = [file.relative_to(root).as_posix() for file in list_pictures(root).files if file.resolve() not in listed]
    return [f"{noun(len(others), 'picture')} without a label left out ({others[0]}, ...)"] if others else []


def _wanted(names: list[str], targets: Sequence[str]) -> dict[str, bool]:
    require_name("data.labels", names, FILE, "image_folder needs it")
    for name in targets:
        require_name("data.labels", names, name, "data.target")
    return dict.fromkeys([FILE, *targets], True)
