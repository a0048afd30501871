"""A user's own table: a .csv or .parquet file with a target column."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.dataset import Dataset
from dlexp.data.fact.doubt import doubts
from dlexp.data.fact.spelling import one_category, one_moment
from dlexp.data.file.column import Columns, read_columns, require_name
from dlexp.data.file.dialect import GAPS, Dialect
from dlexp.data.file.encoding import Feature, encode_columns, settle
from dlexp.data.file.guard import budget
from dlexp.data.file.label import read_labels
from dlexp.data.file.mapped import map_columns
from dlexp.data.file.moment import WANTED, ranks
from dlexp.data.file.number import Notation
from dlexp.data.file.source import expected_bytes
from dlexp.data.joint.column import read_columns_of
from dlexp.data.joint.head import Head
from dlexp.data.joint.label import check_names, encode_all, to_divide_by
from dlexp.data.memory.freed import hand_back
from dlexp.data.split import Split
from dlexp.error import ConfigError, DataError
from dlexp.type import SEVERAL, Name, Place

_TIMES = 6  # what a training takes at its peak over what the columns take: 5.2 was measured for 20 million rows


@dataclass(frozen=True)
class Table(Split):
    """A .csv or .parquet file with a target column or several; text columns become one-hot inputs.

    Columns that nothing asks for are not looked at.

    Args:
        path: A .csv (also .gz, .bz2, .zst), .parquet, .feather or .arrow file, a folder of .parquet files, or a pattern
            such as data/*.csv; a .csv has a header row.
        target: Name of the column to predict, or a list of names: a row may then lack any of them.
        features: Names of the input columns; null takes all that no other setting names.
        drop: Names of columns to leave out.
        categorical: Names of columns whose numbers are codes, to be taken as text.
        missing: Refuse missing inputs, or impute: the training mean for numbers, for text the most frequent category,
            or none where training has gaps too.
        unseen: Warn of categories that training has not (they set no input), or take them as an error.
        id: Name of a column that names the examples; null counts rows from 0.
        group: Name of a column: rows of one group never stand in two parts.
        time: Name of a column of numbers or ISO dates: train on the earliest, test on the latest.
        time_format: Form of `time` as strptime takes it, for example %d/%m/%Y; null = numbers or ISO dates.
        delimiter: Character between the fields of a .csv, or tab.
        decimal: Character before the fraction of a number in a .csv.
        thousands: Character between groups of three digits in a .csv; null = none.
        encoding: Characters of a .csv: utf-8, latin-1, ...
        gaps: Texts that stand for a missing value, as an empty field does; null = NA, N/A, NaN, nan, null, NULL, <NA>,
            #N/A.
        memory: Size such as 4GiB that columns and inputs may take in memory; larger ones are mapped from `cache`.
            null = half of what is free.
        cache: Folder for mapped columns; null keeps them in memory whatever their size.
    """

    path: Place = "???"
    target: Name | list[Name] = "???"
    features: list[Name] | None = None
    drop: list[Name] = field(default_factory=list)
    categorical: list[Name] = field(default_factory=list)
    missing: Literal["refuse", "impute"] = "refuse"
    unseen: Literal["warn", "error"] = "warn"
    id: Name | None = None
    group: Name | None = None
    time: Name | None = None
    time_format: str | None = None
    delimiter: str = ","
    decimal: Literal[".", ","] = "."
    thousands: str | None = None
    encoding: str = "utf-8"
    gaps: list[str] | None = None
    memory: str | None = None
    cache: Place | None = "data/cache"

    @property
    def dialect(self) -> Dialect:
        """How the file is written.

        Raises:
            ConfigError: Characters that cannot be told apart.
        """
        if self.thousands is not None and (len(self.thousands) != 1 or self.thousands == self.decimal):
            raise ConfigError(
                f"data.thousands: got {self.thousands!r}; one character other than data.decimal is needed"
            )
        dialect = Dialect(
            self.delimiter,
            self.encoding,
            Notation(self.decimal, self.thousands),
            ("", *(GAPS if self.gaps is None else self.gaps)),
        )
        assert dialect.separator
        return dialect

    def load(self, task: str = "auto") -> Dataset:
        """Return the rows as (N, D) float64.

        Raises:
            DataError: The file cannot be used; row and column are named.
        """
        table = self._read()
        values, encoded, heads = self._encoded_targets(table, task)
        hand_back()  # what looking at the labels took
        notes = [*table.notes, *encoded.notes]
        groups = None if self.group is None else _grouped(table, self.group, notes)
        times = None if self.time is None else moments(table, self.time, self.time_format, notes)
        train, val, test = self.divide(
            encoded.values, groups=groups, times=times, class_names=encoded.class_names, notes=notes
        )
        ids = None if self.id is None else _ids(table, self.id)
        hand_back()  # what dividing took
        features = settle(table, self._features(table.names), self.categorical, train.numpy())
        notes += doubts(table, features, encoded, train.numpy())
        settled = self._encode(table, features)
        has_levels = any(feature.levels is not None for feature in features)
        return Dataset(
            Path(self.path).stem,
            SEVERAL if heads else encoded.task,
            targets=values,
            train=train,
            val=val,
            test=test,
            class_names=[] if heads else encoded.class_names,
            heads=heads,
            ids=ids,
            groups=groups,
            times=times,
            notes=[*notes, *settled.pop("unseen")],
            encode=Encoder(self, table) if has_levels else None,
            **settled,
        )

    @property
    def target_names(self) -> list[str]:
        """The names of the target columns."""
        return [self.target] if isinstance(self.target, str) else self.target

    def _encoded_targets(self, table: Columns, task: str) -> tuple[Tensor, targets.Target, Sequence[Head]]:
        """Return the targets, what the examples are divided by, and of several what each is."""
        if isinstance(self.target, str):
            encoded = self._encoded_target(table, self.target, task)
            return encoded.values, encoded, ()
        values, heads, notes = encode_all(read_columns_of(table, self.target, task), task, self.path)
        return values, to_divide_by(values, heads, notes), heads

    def _encoded_target(self, table: Columns, name: str, task: str) -> targets.Target:
        labels = read_labels(table, name, task)
        alike = one_category(table, name)
        try:
            encoded = targets.encode(labels, task, f"{self.path}, column {name}")
        except DataError as error:
            raise DataError("; ".join([str(error), *alike])) from None
        return replace(encoded, notes=[*encoded.notes, *(alike if encoded.class_names else [])])

    def _read(self) -> Columns:
        path, limit = Path(self.path), budget(self.memory)
        size = _TIMES * expected_bytes(path, self._wanted)
        if self.cache is None or size <= limit:
            return read_columns(path, self.dialect, self._wanted)
        table = map_columns(path, self.dialect, self._wanted, Path(self.cache))
        note = f"{path}: about {size / 1e6:,.0f} MB are more than data.memory, {limit / 1e6:,.0f} MB: mapped"
        return replace(table, notes=[*table.notes, f"{note} from {table.scratch}"])

    def encode(self, table: Columns, train: Tensor) -> dict[str, Any]:
        """Return the fields of a data set whose categories are those of some training rows."""
        features = settle(table, self._features(table.names), self.categorical, train.numpy())
        settled = self._encode(table, features)
        del settled["unseen"]
        return settled

    def _encode(self, table: Columns, features: list[Feature]) -> dict[str, Any]:
        hand_back()  # what looking at the columns took
        encoded = encode_columns(table, features, self.missing, self.unseen)
        return {
            "inputs": encoded.inputs,
            "unseen": [f"{line}, unknown to training, set no input" for line in encoded.unseen],
            "feature_names": [name for feature in features for name in feature.input_names],
            "encoding": {
                "kind": "table",
                "features": [vars(feature) for feature in features],
                "missing": self.missing,
                "unseen": self.unseen,
                "dialect": {
                    "delimiter": self.delimiter,
                    "encoding": self.encoding,
                    "decimal": self.decimal,
                    "thousands": self.thousands,
                    "gaps": list(self.dialect.gaps),
                },
            },
        }

    def _wanted(self, names: list[str]) -> dict[str, bool]:
        """Return the columns that a setting asks for, and whether as text; refuse names that the file has not."""
        if not isinstance(self.target, str):
            check_names(self.target)
        for name in self.target_names:
            require_name(self.path, names, name, "data.target")
        for key in ("id", "group", "time"):
            if getattr(self, key) is not None:
                require_name(self.path, names, getattr(self, key), f"data.{key}")
        for key in ("features", "drop", "categorical"):
            for name in getattr(self, key) or []:
                require_name(self.path, names, name, f"data.{key}")
        named = {*self.target_names, self.id, self.group, self.time, *self._features(names)}
        exact = {*self.target_names, self.id, self.group, self.time, *self.categorical}
        return {name: name in exact for name in names if name in named}

    def _features(self, columns: list[str]) -> list[str]:
        if self.features is not None:
            told = next((name for name in self.target_names if name in self.features), None)
            if told is not None:
                raise ConfigError(f"data.features: got the target {told}; leave it out")
            names = [name for name in self.features if name not in self.drop]
        else:
            spoken_for = {*self.target_names, self.id, self.group, self.time, *self.drop}
            names = [name for name in columns if name not in spoken_for]
        if not names:
            raise DataError(f"{self.path}: no feature columns left besides {', '.join(self.target_names)}")
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
        return replace(self, table=self.table.moved(rows.numpy()))


def moments(table: Columns, name: str, form: str | None, notes: list[str]) -> Tensor:
    """Return the place (N,) of each row in the order of time, equal for equal moments; note their spellings.

    Raises:
        DataError: An entry is missing or cannot be parsed; its row is named.
    """
    texts = table.texts(name)
    table.refuse(name, texts.is_missing, "a time is needed in every row")
    places = [-1 if place is None else place for place in ranks(texts.names, form, table.dialect)]
    place_N = texts.spread(places, -1)
    table.refuse(name, place_N < 0, WANTED if form is None else f"data.time_format={form!r} does not fit")
    notes += one_moment(name, texts, places)
    return torch.from_numpy(place_N.astype(np.int64))


def _grouped(table: Columns, name: str, notes: list[str]) -> Tensor:
    """Return the number of each row's group; note names that are one in different spellings."""
    texts = table.categories(name)
    table.refuse(name, texts.is_missing, "a value is needed in every row")
    notes += one_category(table, name)
    return torch.from_numpy(texts.codes.astype(np.int64))


def _ids(table: Columns, name: str) -> list[str]:
    texts = table.texts(name)
    table.refuse(name, texts.is_missing, "a name is needed in every row")
    _, first = np.unique(texts.codes, return_index=True)
    is_repeated = np.ones(len(texts.codes), dtype=bool)
    is_repeated[first] = False
    table.refuse(name, is_repeated, "another row has it; ids must differ")
    return [texts.names[code] for code in texts.codes.tolist()]
