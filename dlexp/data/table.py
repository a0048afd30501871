"""A user's own table: a .csv or .parquet file with a target column."""

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.dataset import Dataset
from dlexp.data.file.column import Columns, as_numbers, as_texts, is_missing, read_columns
from dlexp.data.file.encoding import encode_columns, settle
from dlexp.data.split import Split
from dlexp.error import ConfigError, DataError


@dataclass(frozen=True)
class Table(Split):
    """A .csv or .parquet file with one target column; text columns become one-hot inputs.

    A missing value is an empty field, NA, N/A, NaN or null.

    Args:
        path: The file; a .csv has a header row and is UTF-8.
        target: Name of the column to predict.
        features: Names of the input columns; null takes all that no other setting names.
        drop: Names of columns to leave out.
        categorical: Names of columns whose numbers are codes, to be taken as text.
        missing: Refuse missing inputs, or impute: the training mean for numbers, no level for text.
        id: Name of a column that names the examples; null counts rows from 0.
        group: Name of a column: rows of one group never stand in two parts.
        time: Name of a column of numbers or ISO dates: train on the earliest, test on the latest.
        delimiter: Character between the fields of a .csv.
    """

    path: str = "???"
    target: str = "???"
    features: list[str] | None = None
    drop: list[str] = field(default_factory=list)
    categorical: list[str] = field(default_factory=list)
    missing: Literal["refuse", "impute"] = "refuse"
    id: str | None = None
    group: str | None = None
    time: str | None = None
    delimiter: str = ","

    def load(self, task: str = "auto") -> Dataset:
        """Return the rows as (N, D) float32.

        Raises:
            DataError: The file cannot be used; row and column are named.
        """
        if len(self.delimiter) != 1:
            raise ConfigError(f"data.delimiter: got {self.delimiter!r}; one character is needed")
        table = read_columns(Path(self.path), self.delimiter)
        encoded = targets.encode(self._labels(table), task, f"{self.path}, column {self.target}")
        groups = _numbered(table, self.group, "data.group")
        train, val, test = self.divide(
            encoded.values,
            groups=groups,
            times=_numbered(table, self.time, "data.time"),
            class_names=encoded.class_names,
        )
        settled = self.encode(table, train)
        has_levels = any(feature["levels"] is not None for feature in settled["encoding"]["features"])
        return Dataset(
            Path(self.path).stem,
            encoded.task,
            targets=encoded.values,
            train=train,
            val=val,
            test=test,
            class_names=encoded.class_names,
            ids=None if self.id is None else _ids(table, self.id),
            groups=groups,
            encode=Encoder(self, table) if has_levels else None,
            **settled,
        )

    def encode(self, table: Columns, train: Tensor) -> dict[str, Any]:
        """Return the fields of a data set whose categories are those of some training rows."""
        features = settle(table, self._feature_names(table), self.categorical, train.numpy())
        return {
            "inputs": encode_columns(table, features, self.missing),
            "feature_names": [name for feature in features for name in feature.input_names],
            "encoding": {
                "kind": "table",
                "features": [{"name": feature.name, "levels": feature.levels} for feature in features],
                "missing": self.missing,
                "delimiter": self.delimiter,
            },
        }

    def _labels(self, table: Columns) -> np.ndarray:
        column = table.get(self.target, "data.target")
        table.refuse(self.target, is_missing(column), "a target is needed in every row")
        numbers, is_text = as_numbers(column)
        if is_text.sum() * 2 > len(column):
            return column
        table.refuse(self.target, is_text, "a number is needed")
        return numbers

    def _feature_names(self, table: Columns) -> list[str]:
        for key in ("features", "drop", "categorical"):
            for name in getattr(self, key) or []:
                table.get(name, f"data.{key}")
        if self.features is not None:
            if self.target in self.features:
                raise ConfigError(f"data.features: got the target {self.target}; leave it out")
            names = [name for name in self.features if name not in self.drop]
        else:
            spoken_for = {self.target, self.id, self.group, self.time, *self.drop}
            names = [name for name in table.columns if name not in spoken_for]
        if not names:
            raise DataError(f"{self.path}: no feature columns left besides {self.target}")
        return names


@dataclass(frozen=True)
class Encoder:
    """A table whose inputs depend on the training part, because only its texts become inputs.

    Attributes:
        option: What the user set.
        table: The file.
    """

    option: Table
    table: Columns

    def __call__(self, train: Tensor) -> dict[str, Any]:
        """Return the fields of a data set that are settled on some rows."""
        return self.option.encode(self.table, train)

    def perturbed(self, rows: Tensor) -> "Encoder":
        """Return the same with each text and number in some rows replaced: an audit looks who notices."""
        moved = {name: _moved(column, rows.numpy()) for name, column in self.table.columns.items()}
        return replace(self, table=replace(self.table, columns=moved))


def _moved(column: np.ndarray, rows: np.ndarray) -> np.ndarray:
    """Replace numbers x by 1000 - x and texts by others, in some rows; what is missing stays missing."""
    texts, (numbers, is_text) = as_texts(column).tolist(), as_numbers(column)
    for row in rows.tolist():
        if is_text[row]:
            texts[row] += " moved"
        elif texts[row]:
            texts[row] = repr(float(1000 - numbers[row]))
    return np.array(texts, dtype=str)


def _numbered(table: Columns, name: str | None, key: str) -> Tensor | None:
    """Return the rank of each entry among the distinct ones, or None for no column."""
    if name is None:
        return None
    column = table.get(name, key)
    table.refuse(name, is_missing(column), "a value is needed in every row")
    numbers, is_text = as_numbers(column)
    ordered = column if is_text.any() else numbers
    return torch.from_numpy(np.unique(ordered, return_inverse=True)[1].astype(np.int64))


def _ids(table: Columns, name: str) -> list[str]:
    texts = as_texts(table.get(name, "data.id")).tolist()
    _, first = np.unique(texts, return_index=True)
    is_repeated = np.ones(len(texts), dtype=bool)
    is_repeated[first] = False
    table.refuse(name, is_repeated, "another row has it; ids must differ")
    return texts
