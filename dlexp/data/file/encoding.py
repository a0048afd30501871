"""How the columns of a table become the inputs of a model: numbers as they are, text one-hot.

The encoding is settled on the training rows, is plain data (JSON), and is stored with the model, so that new rows are
encoded in the same way.
"""

from collections import Counter
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlexp.data.file.column import Columns
from dlexp.data.file.mapped import scratch_matrix
from dlexp.data.file.number import is_dressed
from dlexp.error import DataError, first_ten
from dlexp.number import noun

MAX_LEVELS = 100
_CHUNK_ROWS = 1 << 14  # of a one-hot column that are set at once


@dataclass(frozen=True)
class Feature:
    """One column of the table.

    Attributes:
        name: The column's name.
        levels: The categories that become one input each, in order; None for a column of numbers.
        fill: The category that a gap counts as: the most frequent of a training part without gaps. None where
            training had gaps, which set no input of the column, and for numbers, whose mean normalisation fills in.
    """

    name: str
    levels: list[str] | None
    fill: str | None = None

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs that the column becomes."""
        return [self.name] if self.levels is None else [f"{self.name}={level}" for level in self.levels]


@dataclass(frozen=True)
class Encoded:
    """Rows as a model takes them.

    Attributes:
        inputs: (N, D) float64; a missing number is NaN.
        unseen: A line for each column with categories that training had not: how many rows, and which.
    """

    inputs: Tensor
    unseen: list[str]


def settle(table: Columns, names: list[str], categorical: list[str], train: np.ndarray) -> list[Feature]:
    """Decide how each column is encoded.

    A column is numeric when at least half of its entries are numbers, or else categorical; one of more than 100
    different texts is refused unless `categorical` names it. Levels are those of the training rows.

    Args:
        table: The file.
        names: The columns to encode.
        categorical: Columns to take as categorical even if they hold numbers.
        train: Rows of the training part.

    Raises:
        DataError: A column is empty, mixes numbers and text, or holds numbers in another notation.
    """
    features = [_settle_one(table, name, name in categorical, train) for name in names]
    _refuse_twins(table, features)
    return features


def _refuse_twins(table: Columns, features: list[Feature]) -> None:
    """Refuse columns that become inputs of one name: c with the text a, and another called c=a."""
    counts = Counter(name for feature in features for name in feature.input_names)
    twins = [name for name, number in counts.items() if number > 1]
    if twins:
        raise DataError(f"{table.path}: {first_ten('input', twins)} made of two columns; rename one")


def _settle_one(table: Columns, name: str, is_categorical: bool, train: np.ndarray) -> Feature:
    if not is_categorical:
        numbers, is_text = table.numbers(name)
        present = ~np.isnan(numbers) | is_text
        if not present[train].any():
            raise DataError(f"{table.path}, column {name}: every training entry is missing; list it in data.drop")
        if is_text.sum() * 2 <= present.sum():
            _refuse_text(table, name, is_text)
            table.refuse(name, np.isinf(numbers), "a finite number is needed")
            table.refuse_rounded(name, numbers)
            return Feature(name, None)
        table.refuse_notation(name, is_text)
        if is_dressed(table.texts(name).names):
            _refuse_dressed(table, name, is_text)
    entries = table.categories(name)
    codes = entries.codes[train]
    if (codes < 0).all():
        raise DataError(f"{table.path}, column {name}: every training entry is missing; list it in data.drop")
    counts = np.bincount(codes[codes >= 0], minlength=len(entries.names))
    levels = [entries.names[k] for k in np.flatnonzero(counts).tolist()]
    if len(levels) > MAX_LEVELS and not is_categorical:
        raise DataError(
            f"{table.path}, column {name}: got {len(levels)} different texts; list it in data.drop, or in "
            "data.categorical to give each an input"
        )
    return Feature(name, levels, None if (codes < 0).any() else entries.names[int(counts.argmax())])


def _refuse_text(table: Columns, name: str, is_text: np.ndarray) -> None:
    if not is_text.any():
        return
    table.refuse_notation(name, is_text)
    texts = table.texts(name)
    if is_dressed([texts.names[code] for code in np.unique(texts.codes[is_text]).tolist()]):
        _refuse_dressed(table, name, is_text)
    cure = f"list it in data.gaps if it is a gap; data.categorical='[{name}]' takes the column as text"
    if is_text[0] and is_text.sum() == 1:
        cure = "remove the row if it holds names or units; list it in data.gaps if it is a gap"
    table.refuse(name, is_text, f"a number is needed; {cure}")


def _refuse_dressed(table: Columns, name: str, is_text: np.ndarray) -> None:
    cure = f"write the number alone; data.categorical='[{name}]' takes the column as text"
    table.refuse(name, is_text, f"numbers with other characters: {cure}")


def encode_columns(table: Columns, features: list[Feature], missing: str, unseen: str = "warn") -> Encoded:
    """Return the inputs.

    A missing number is NaN (normalisation fills in the training mean); a missing text counts as the column's `fill`; a
    category that training had not sets none of the column's inputs.

    Args:
        table: The file.
        features: From `settle`.
        missing: "refuse" or "impute".
        unseen: "warn" of categories that training had not, or "error".

    Raises:
        DataError: A column is absent or of the wrong type, or an entry is missing or unseen and to be refused.
    """
    widths = [len(feature.input_names) for feature in features]
    shape, start, said = (len(table), sum(widths)), 0, []
    tensor = torch.zeros(shape, dtype=torch.float64) if table.scratch is None else scratch_matrix(table.scratch, *shape)
    inputs = tensor.numpy()
    for feature, width in zip(features, widths, strict=True):
        table.require(feature.name, "a feature")
        block = inputs[:, start : start + width]
        start += width
        if feature.levels is None:
            block[:, 0] = _numbers(table, feature.name, missing)
        else:
            said += _one_hot(block, table, feature, missing, unseen)
    return Encoded(tensor, said)


def _numbers(table: Columns, name: str, missing: str) -> np.ndarray:
    numbers, is_text = table.numbers(name)
    _refuse_text(table, name, is_text)
    if missing == "refuse":
        _refuse_gaps(table, name, np.isnan(numbers))
    table.refuse(name, np.isinf(numbers), "a finite number is needed")
    table.refuse_rounded(name, numbers)
    return numbers


def _one_hot(block: np.ndarray, table: Columns, feature: Feature, missing: str, unseen: str) -> list[str]:
    """Set the inputs of a column of text; return a line about categories that training had not."""
    entries = table.categories(feature.name)
    if missing == "refuse":
        _refuse_gaps(table, feature.name, entries.is_missing)
    place = {level: k for k, level in enumerate(feature.levels or [])}
    fill = -1 if feature.fill is None else place[feature.fill]
    level_N = entries.spread(np.array([place.get(name, -2) for name in entries.names], np.int32), fill)
    for start in range(0, len(level_N), _CHUNK_ROWS):
        chunk = level_N[start : start + _CHUNK_ROWS]
        rows = np.flatnonzero(chunk >= 0)
        block[start + rows, chunk[rows]] = 1
    is_unseen = level_N == -2
    if not is_unseen.any():
        return []
    if unseen == "error":
        table.refuse(feature.name, is_unseen, "training had no such category; data.unseen=warn takes it as none")
    names = [name for name in entries.names if name not in place]
    return [f"column {feature.name}: {noun(is_unseen.sum(), 'row')} of {first_ten('category', names)}"]


def _refuse_gaps(table: Columns, name: str, is_gap: np.ndarray) -> None:
    table.refuse(name, is_gap, "a value is needed; fill it in, or set data.missing=impute")
