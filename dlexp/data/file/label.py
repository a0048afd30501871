"""The labels in a column of a table: whole numbers, floats or text, whichever holds each to the last digit."""

import numpy as np

from dlexp.data.file.column import Columns
from dlexp.data.file.number import LARGEST_VALUE, is_code, is_dressed, is_whole
from dlexp.data.file.text import Texts

TOO_LARGE = f"errors are squared, and float64 holds squares of values to {LARGEST_VALUE:g}: take another unit"


def read_labels(
    table: Columns, name: str, task: str, noun: str = "target", *, has_gaps: bool = False
) -> np.ndarray | Texts:
    """Return the labels (N,) as int64 or float64, or as text by its different entries.

    Codes such as 007 and whole numbers beyond int64 stay text, unless values are asked for.

    Args:
        table: The file.
        name: The column.
        task: "regression" asks for numbers.
        noun: What messages call a label.
        has_gaps: Whether rows may lack it: what stands there means nothing.

    Raises:
        DataError: A label is missing, or most are numbers and this one is none, or a value is too large to score.
    """
    texts = table.categories(name)
    if not has_gaps or texts.is_missing.all():
        table.refuse(name, texts.is_missing, f"a {noun} is needed in {'some' if has_gaps else 'every'} row")
    names, wants_classes = texts.names, task != "regression"
    if wants_classes and all(map(is_whole, names)):
        is_small = all(abs(int(label)) < 2**63 for label in names)
        return np.array([int(label) for label in names])[texts.codes] if is_small else texts
    if wants_classes and any(map(is_code, names)):
        return texts
    numbers, is_text = table.numbers(name)
    table.refuse_notation(name, is_text)
    if is_text.sum() * 2 > len(numbers):
        if task == "auto" and is_dressed(names):
            cure = "write the number alone; task=multiclass takes them as classes"
            table.refuse(name, is_text, f"numbers with other characters: {cure}")
        return texts
    table.refuse(name, is_text, "a number is needed")
    table.refuse(name, np.isinf(numbers), "a finite number is needed")
    table.refuse_rounded(name, numbers)
    if task in ("auto", "regression"):
        table.refuse(name, np.abs(numbers) > LARGEST_VALUE, TOO_LARGE)
    return numbers
