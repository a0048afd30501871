"""How the columns of a table become the inputs of a model: numbers as they are, text one-hot.

The encoding is settled on the training rows, is plain data (JSON), and is stored with the model, so that new rows are
encoded in the same way.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlexp.data.column import Columns, as_numbers, as_texts, is_missing
from dlexp.error import DataError

MAX_LEVELS = 100


@dataclass(frozen=True)
class Feature:
    """One column of the table.

    Attributes:
        name: The column's name.
        levels: The texts that become one input each, in order; None for a column of numbers.
    """

    name: str
    levels: list[str] | None

    @property
    def input_names(self) -> list[str]:
        """The names of the inputs that the column becomes."""
        return [self.name] if self.levels is None else [f"{self.name}={level}" for level in self.levels]


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
        DataError: A column is empty, or mixes numbers and text.
    """
    return [_settle_one(table, name, name in categorical, train) for name in names]


def _settle_one(table: Columns, name: str, is_categorical: bool, train: np.ndarray) -> Feature:
    column = table.columns[name]
    present = ~is_missing(column)
    if not present.any():
        raise DataError(f"{table.path}, column {name}: every entry is missing; list it in data.drop")
    numbers, is_text = as_numbers(column)
    if not is_categorical and is_text.sum() * 2 <= present.sum():
        table.refuse(name, is_text, "a number is needed")
        table.refuse(name, np.isinf(numbers), "a finite number is needed")
        return Feature(name, None)
    levels = sorted(set(as_texts(column)[train][present[train]].tolist()))
    if len(levels) > MAX_LEVELS and not is_categorical:
        raise DataError(
            f"{table.path}, column {name}: got {len(levels)} different texts; list it in data.drop, or in "
            "data.categorical to give each an input"
        )
    return Feature(name, levels)


def encode_columns(table: Columns, features: list[Feature], missing: str) -> Tensor:
    """Return the inputs (N, D) float64.

    A missing number is NaN (normalisation fills in the training mean); a missing text, or one that training had not,
    sets none of the column's inputs.

    Args:
        table: The file.
        features: From `settle`.
        missing: "refuse" or "impute".

    Raises:
        DataError: A column is absent or of the wrong type, or an entry is missing and to be refused.
    """
    blocks = []
    for feature in features:
        column = table.get(feature.name, "a feature")
        if missing == "refuse":
            table.refuse(feature.name, is_missing(column), "a value is needed; fill it in, or set data.missing=impute")
        if feature.levels is None:
            numbers, is_text = as_numbers(column)
            table.refuse(feature.name, is_text, "a number is needed")
            table.refuse(feature.name, np.isinf(numbers), "a finite number is needed")
            blocks.append(numbers[:, None])
        else:
            blocks.append(as_texts(column)[:, None] == np.array(feature.levels, dtype=str)[None, :])
    return torch.from_numpy(np.concatenate([block.astype(np.float64) for block in blocks], axis=1))
