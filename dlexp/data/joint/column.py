"""Several columns of a table as targets. Shapes: N rows, J targets."""

from collections.abc import Sequence

import numpy as np
from torch import Tensor

from dlexp.data import target as targets
from dlexp.data.fact.spelling import one_category
from dlexp.data.file.column import Columns
from dlexp.data.file.label import read_labels
from dlexp.data.file.text import Texts
from dlexp.data.joint.head import Head
from dlexp.data.joint.join import join
from dlexp.error import ConfigError, DataError


def check_names(names: Sequence[str]) -> None:
    """Refuse a list of targets that is none.

    Raises:
        ConfigError: Fewer than two, or a column twice.
    """
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"data.target: got {twice} twice; name each target once")
    if len(names) < 2:
        raise ConfigError(f"data.target: got {list(names)}; name two columns or more, or one without brackets")


def read_targets(table: Columns, names: Sequence[str], task: str, path: str) -> tuple[Tensor, list[Head], list[str]]:
    """Return the targets (N, J), what each is, and what was decided that the user may want otherwise.

    Args:
        table: The file.
        names: Of the columns.
        task: As of one target; it holds for each.
        path: Begins messages.

    Raises:
        DataError: A column that cannot be a target.
    """
    encoded, notes = [], []
    for name in names:
        is_present = ~table.is_missing(name)
        labels = read_labels(table, name, task, has_gaps=True)
        alike = one_category(table, name)
        try:
            target = targets.encode(_present(labels, is_present), task, f"{path}, column {name}")
        except DataError as error:
            raise DataError("; ".join([str(error), *alike])) from None
        notes += [*target.notes, *(alike if target.class_names else [])]
        encoded.append((name, target, is_present))
    return *join(encoded, path), notes


def _present(labels: np.ndarray | Texts, is_present: np.ndarray) -> np.ndarray | Texts:
    """Return the labels of the rows that have one."""
    return Texts(labels.codes[is_present], labels.names) if isinstance(labels, Texts) else labels[is_present]
