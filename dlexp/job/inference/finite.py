"""Numbers that a model cannot compute with are refused, and what it gives that is no number is no prediction.

Shapes: N examples, D inputs.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from dlexp.data.file.column import Columns
from dlexp.data.file.encoding import Feature
from dlexp.error import DataError, first_ten
from dlexp.export.file import Model

Refuse = Callable[[np.ndarray, int | None, str], None]


@dataclass(frozen=True)
class Batch:
    """The examples of a file, or all pictures.

    Attributes:
        ids: A name for each.
        inputs: (N, ...) as `SavedModel.outputs` takes them; of pairs (2 N, ...).
        refuse: Raises a DataError that names the rows (N,) at fault, the number of the input or None, and the reason.
    """

    ids: list[str]
    inputs: Tensor
    refuse: Refuse


def of_table(table: Columns, features: list[Feature]) -> Refuse:
    """Return what refuses rows of a table, by the numbers that a spreadsheet shows."""
    names = [feature.name for feature in features for _ in feature.input_names]

    def refuse(is_bad: np.ndarray, column: int | None, reason: str) -> None:
        if column is not None:
            table.refuse(names[column], is_bad, reason)
        raise DataError(f"{table.where(np.flatnonzero(is_bad))}: {reason}")

    return refuse


def of_rows(where: str) -> Refuse:
    """Return what refuses rows of an array, counted from 0."""

    def refuse(is_bad: np.ndarray, column: int | None, reason: str) -> None:
        place = "" if column is None else f", column {column}"
        raise DataError(f"{where}, {first_ten('row', np.flatnonzero(is_bad).tolist())}{place}: {reason}")

    return refuse


def of_files(files: list[str]) -> Refuse:
    """Return what refuses pictures, by their names."""

    def refuse(is_bad: np.ndarray, column: int | None, reason: str) -> None:
        raise DataError(f"{first_ten('file', [files[row] for row in np.flatnonzero(is_bad).tolist()])}: {reason}")

    return refuse


def outputs_of(model: Model, batch: Batch) -> Tensor:
    """Return what a model gives for examples; see `SavedModel.outputs`.

    Raises:
        DataError: Normalisation takes an input beyond what the model computes in, or an output is no number.
        ConfigError: Examples of another shape than the model's.
    """
    outputs = model.outputs(batch.inputs)
    is_bad = ~outputs.reshape(len(outputs), -1).isfinite().all(-1).numpy()
    if is_bad.any():
        if len(is_bad) == len(batch.inputs):  # a pair has two inputs
            _refuse_input(model, batch, is_bad)
        batch.refuse(is_bad, None, "the model gives no finite number for it; smaller inputs are needed")
    return outputs


def _refuse_input(model: Model, batch: Batch, is_bad: np.ndarray) -> None:
    """Refuse the first input at fault of rows (N,), if inputs are vectors and the fault is theirs."""
    if batch.inputs.dim() != 2:
        return
    dtype = model.dtype
    rows = torch.from_numpy(np.flatnonzero(is_bad))
    is_beyond_ND = ~model.affine.to("cpu").apply(batch.inputs[rows], dtype=dtype).isfinite()
    columns = is_beyond_ND.any(0).nonzero().flatten().tolist()
    if columns:
        is_beyond = np.zeros(len(is_bad), dtype=bool)
        is_beyond[rows[is_beyond_ND[:, columns[0]]].numpy()] = True
        ends = f"{torch.finfo(dtype).max:.2g}"
        batch.refuse(is_beyond, columns[0], f"normalised it is beyond what the model computes in, {dtype} to {ends}")
