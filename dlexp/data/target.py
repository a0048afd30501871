"""Targets: which task they make, and classes as numbers 0 to K - 1."""

from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from dlexp.data.file.label import TOO_LARGE
from dlexp.data.file.native import native
from dlexp.data.file.number import EXACT, LARGEST_VALUE
from dlexp.data.file.text import Texts
from dlexp.error import ConfigError, DataError, first_ten
from dlexp.number import noun

CLASS_TASKS = ("multiclass", "binary")
SINGLE_TASKS = (*CLASS_TASKS, "regression")  # whose examples have one class or one value
_EXAMPLES_PER_CLASS = 5


@dataclass(frozen=True)
class Target:
    """Encoded targets.

    Attributes:
        values: (N,) int64 classes or float64 values.
        task: "multiclass", "binary" or "regression".
        class_names: The labels in the order of their numbers; empty for regression.
        notes: What was decided that the user may want otherwise, one line each.
    """

    values: Tensor
    task: str
    class_names: list[str]
    notes: list[str] = field(default_factory=list)


def encode(labels: np.ndarray | Texts, task: str, where: str, class_names: list[str] | None = None) -> Target:
    """Infer the task from the labels, or take the one asked for, and encode them.

    Text and booleans are classes; numbers with a fraction are values; whole numbers are classes when there are at
    least five examples for each different number, else values.

    Args:
        labels: (N,) numbers, booleans or text; text by its different entries has them sorted, and all of them in rows.
        task: "auto" or the task to take.
        where: File and column that begin a message.
        class_names: Names of classes 0 to K - 1, if the data bring them; labels must then be such numbers.

    Raises:
        DataError: Labels that do not fit the task; the first ten rows are named. Numbers with a fraction of which most
            are different are no classes.
    """
    if isinstance(labels, Texts):
        return _classes(labels.names, labels.codes, task, where)
    labels = native(labels, where)
    if labels.dtype.kind == "f":
        refuse_rows(where, labels, ~np.isfinite(labels), "a finite number is needed")
    if class_names is not None:
        return _named(labels, where, class_names)
    is_regression = task == "regression" or (task == "auto" and _is_value(labels))
    if is_regression:
        if labels.dtype.kind == "U":
            raise _no_number(where, str(labels[0]))
        refuse_rows(where, labels, np.abs(labels.astype(np.float64)) > LARGEST_VALUE, TOO_LARGE)
        if (labels == labels[0]).all():
            raise DataError(f"{where}: got only the value {labels[0]}; there is nothing to learn")
        notes = _notes_of_values(labels, where) if task == "auto" else []
        return Target(torch.from_numpy(labels.astype(np.float64)), "regression", [], notes)
    distinct, classes = np.unique(labels, return_inverse=True)
    if labels.dtype.kind == "f" and (distinct != np.floor(distinct)).any() and len(distinct) * 2 > len(labels):
        such = ", ".join(map(str, distinct[:2]))
        raise DataError(
            f"{where}: got {such} and more, {len(distinct)} different numbers with a fraction in "
            f"{noun(len(labels), 'example')}; task={task} needs classes, task=regression takes them as values"
        )
    return _classes(_names(distinct), classes.reshape(-1), task, where)


def _classes(names: list[str], classes: np.ndarray, task: str, where: str) -> Target:
    if task == "regression":
        raise _no_number(where, names[classes[0]])
    if len(names) < 2:
        raise DataError(f"{where}: got only the label {names[0]}; at least two classes are needed")
    return Target(torch.from_numpy(classes.astype(np.int64)), class_task(task, len(names)), names)


def _no_number(where: str, text: str) -> DataError:
    return DataError(f"{where}: got text such as {text!r}; task=regression needs numbers")


def class_task(task: str, num_classes: int) -> str:
    """Return the task of classified data: the one asked for if it fits, else by the number of classes.

    Raises:
        ConfigError: The task asked for does not fit.
    """
    if task == "regression":
        raise ConfigError(f"task: got regression; the data have {noun(num_classes, 'class')}")
    if task == "binary" and num_classes != 2:
        raise ConfigError(f"task: got binary; the data have {noun(num_classes, 'class')}, two are needed")
    if task in ("auto", "pairs"):  # pairs are drawn from classes
        return "binary" if num_classes == 2 else "multiclass"
    return task


def require_seen(
    target: Target, train: Tensor, parts: dict[str, Tensor], where: str, is_present: Tensor | None = None
) -> None:
    """Refuse validation and test labels that no training example has.

    Args:
        target: All labels.
        train: Indices of the examples that training may draw on.
        parts: Indices by name of part.
        where: Begins the message.
        is_present: (N,) which examples have the target; None for all.

    Raises:
        DataError: Names the label and the first ten rows of the part.
    """
    if not target.class_names:
        return
    has_it = torch.ones(len(target.values), dtype=torch.bool) if is_present is None else is_present
    is_seen = torch.zeros(len(target.class_names), dtype=torch.bool)
    is_seen[target.values[train[has_it[train]]]] = True
    for part, indices in parts.items():
        rows = (has_it[indices] & ~is_seen[target.values[indices]]).nonzero().flatten().tolist()
        if rows:
            label = target.class_names[int(target.values[indices[rows[0]]])]
            raise DataError(
                f"{where}: label {label!r} of the {part} part ({first_ten('row', rows)}) is out of range; "
                "no training example has it"
            )


def _is_value(labels: np.ndarray) -> bool:
    if labels.dtype.kind in "bU":
        return False
    if labels.dtype.kind == "f" and ((labels != np.floor(labels)) | (np.abs(labels) >= EXACT)).any():
        return True  # from 2^53 on every float is whole
    return len(np.unique(labels)) * _EXAMPLES_PER_CLASS > len(labels)


def _named(labels: np.ndarray, where: str, class_names: list[str]) -> Target:
    allowed = f"labels are whole numbers from 0 to {len(class_names) - 1}, one for each of class_names"
    if labels.dtype.kind not in "biu":
        raise DataError(f"{where}: got type {labels.dtype}; {allowed}")
    wide = labels.astype(np.int64)
    refuse_rows(where, labels, (wide < 0) | (wide >= len(class_names)), allowed)
    return Target(torch.from_numpy(wide), class_task("auto", len(class_names)), class_names)


def refuse_rows(where: str, labels: np.ndarray, is_bad: np.ndarray, cure: str) -> None:
    """Raise a DataError that names the first ten rows where `is_bad` (N,) holds; nothing when there are none."""
    rows = np.flatnonzero(is_bad).tolist()
    if rows:
        got = labels[rows[0]]
        raise DataError(f"{where}, {first_ten('row', rows)}: got {str(got) or repr(str(got))}; {cure}")


def _notes_of_values(labels: np.ndarray, where: str) -> list[str]:
    if labels.dtype.kind == "f" and (labels != np.floor(labels)).any():
        return []
    number = len(np.unique(labels))
    return [
        f"{where}: {number} different whole numbers in {noun(len(labels), 'example')} are taken as "
        "values (regression); "
        "task=multiclass takes them as classes"
    ]


def _names(distinct: np.ndarray) -> list[str]:
    """Return the text of each label; whole numbers have no point where no label has a fraction."""
    if distinct.dtype.kind == "f" and (distinct == np.floor(distinct)).all():
        return [str(int(label)) for label in distinct.tolist()]
    if distinct.dtype == np.float32:
        half = distinct.astype(np.float16)
        # the shortest text that gives the same number back in the type that holds it
        return [str(label) for label in (half if (half == distinct).all() else distinct)]
    return [str(label) for label in distinct.tolist()]
