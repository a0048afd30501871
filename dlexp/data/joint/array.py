"""Arrays of an .npz file as targets; each part of the examples has one of its own. Shapes: N examples."""

import numpy as np

from dlexp.data.bound.archive import Content
from dlexp.data.file.label import TOO_LARGE
from dlexp.data.file.native import native
from dlexp.data.file.number import LARGEST_VALUE
from dlexp.data.joint.label import Labels
from dlexp.data.target import refuse_rows
from dlexp.error import DataError


def read_array(content: Content, name: str, sizes: dict[str, int], path: str, *, has_gaps: bool) -> Labels:
    """Return what the arrays say of a target, those of the parts one after another.

    Args:
        content: The file.
        name: Of the target.
        sizes: Examples of each part, by what its arrays' names end in.
        path: Begins messages.
        has_gaps: Whether examples may lack it: NaN, or a text of nothing but spaces.

    Raises:
        DataError: An array cannot be a target.
    """
    parts = [_read(content, f"{name}{part}", num, path, has_gaps=has_gaps) for part, num in sizes.items()]
    labels = np.concatenate([labels for labels, _ in parts])
    is_present = np.concatenate([is_present for _, is_present in parts])
    if not is_present.any():
        raise DataError(f"{path}, {name}: got a gap in every example; a target is needed in some")
    return Labels(name, labels, is_present)


def _read(content: Content, key: str, num: int, path: str, *, has_gaps: bool) -> tuple[np.ndarray, np.ndarray]:
    """Return the labels of a part, and which of its examples have one."""
    where, y = f"{path}, {key}", content.get(key)
    if y.shape not in ((num,), (num, 1)):
        raise DataError(f"{where}: got shape {y.shape}; ({num},), one target an example, is needed{_cure(y, num, key)}")
    labels = native(y.reshape(-1), where)
    is_present = np.ones(num, dtype=bool)
    if labels.dtype.kind == "U":
        labels = np.char.strip(labels)  # as in a table
        is_present = labels != ""
        if not has_gaps:
            refuse_rows(where, labels, ~is_present, "a target is needed in every row")
    elif labels.dtype.kind == "f" and has_gaps:
        is_present = ~np.isnan(labels)
        refuse_rows(where, labels, np.isinf(labels), "a finite number, or NaN for a gap, is needed")
        refuse_rows(where, labels, np.abs(labels) > LARGEST_VALUE, TOO_LARGE)
    return labels, is_present


def _cure(y: np.ndarray, num: int, key: str) -> str:
    if y.ndim != 2 or len(y) != num:
        return ""
    return f": {key}.argmax(1) makes classes of it, and data.target=[a,b] takes an array for each column"
