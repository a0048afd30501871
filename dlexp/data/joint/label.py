"""The labels of several targets as files have them, before it is known what they are. Shapes: N rows, J targets."""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.file.text import Texts
from dlexp.data.joint.head import Head
from dlexp.data.joint.join import join, strata_of
from dlexp.error import ConfigError, DataError


@dataclass(frozen=True)
class Labels:
    """What a file says of one target.

    Attributes:
        name: Of the column or array.
        values: (N,) numbers or text; what stands in a gap means nothing.
        is_present: (N,) whether the row has the target.
        alike: A line about spellings that are one class.
    """

    name: str
    values: np.ndarray | Texts
    is_present: np.ndarray
    alike: list[str] = field(default_factory=list)

    def keep(self, rows: list[int]) -> "Labels":
        """Return those of some rows."""
        return replace(self, values=_rows(self.values, np.array(rows)), is_present=self.is_present[rows])


def check_names(names: Sequence[str]) -> None:
    """Refuse a list of targets that is none.

    Raises:
        ConfigError: Fewer than two, or a target twice.
    """
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"data.target: got {twice} twice; name each target once")
    if len(names) < 2:
        raise ConfigError(f"data.target: got {list(names)}; name two targets or more, or one without brackets")


def encode_all(
    columns: Sequence[Labels], task: str, path: str, kind: str = "column "
) -> tuple[Tensor, list[Head], list[str]]:
    """Return the targets (N, J), what each is, and what was decided that the user may want otherwise.

    Args:
        columns: Of each target.
        task: As of one target; it holds for each.
        path: Begins messages.
        kind: What messages call a target, before its name.

    Raises:
        DataError: Labels that cannot be a target.
    """
    encoded, notes = [], []
    for column in columns:
        present = _rows(column.values, column.is_present)
        try:
            target = targets.encode(present, task, f"{path}, {kind}{column.name}")
        except DataError as error:
            raise DataError("; ".join([str(error), *column.alike])) from None
        notes += [*target.notes, *(column.alike if target.class_names else [])]
        encoded.append((column.name, target, column.is_present))
    return *join(encoded, path), notes


def to_divide_by(targets_NJ: Tensor, heads: Sequence[Head], notes: list[str]) -> targets.Target:
    """Return what the examples of several targets are divided by, with the notes of all."""
    return targets.Target(*strata_of(targets_NJ, heads), notes=notes)


def _rows(values: np.ndarray | Texts, rows: np.ndarray) -> np.ndarray | Texts:
    return Texts(values.codes[rows], values.names) if isinstance(values, Texts) else values[rows]
