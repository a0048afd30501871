"""What a user should look at again in the columns of a table before training on them."""

import numpy as np

from dlexp.data.fact import leak
from dlexp.data.fact.spelling import one_category
from dlexp.data.fact.storage import stated_otherwise
from dlexp.data.file.column import Columns
from dlexp.data.file.encoding import Feature
from dlexp.data.target import Target

_FEWEST_LEVELS = 10
_MOST_LEVELS = 0.5  # of the training rows


def doubts(table: Columns, features: list[Feature], target: Target, train: np.ndarray) -> list[str]:
    """Return a line for each column that gives the answer away, names the rows, or is read otherwise than it is stored.

    Args:
        table: The file.
        features: How its columns are encoded.
        target: What is to be predicted.
        train: Rows of the training part.
    """
    classes = target.values.numpy()[train] if target.class_names else None
    stated = stated_otherwise(table, [feature.name for feature in features if feature.levels is None])
    lines: list[str] = []
    for feature in features:
        if feature.levels is None and feature.name in stated:
            lines.append(stated[feature.name])
        about = _about_numbers if feature.levels is None else _about_texts
        lines += about(table, feature, classes, train)
    return lines


def _about_texts(table: Columns, feature: Feature, classes: np.ndarray | None, train: np.ndarray) -> list[str]:
    name, levels, lines = feature.name, len(feature.levels or []), one_category(table, feature.name)
    entries = table.categories(name)
    if classes is not None and leak.names_classes(entries.codes[train], classes):
        lines.append(leak.warning(name, "tells the class alone"))
    if levels > max(_FEWEST_LEVELS, _MOST_LEVELS * len(train)):
        lines.append(
            f"column {name} has {levels} different texts in {len(train):,} training rows, which become an input each: "
            f"data.drop='[{name}]' leaves it out"
        )
    numbers = [number for number in map(table.dialect.notation.number, entries.names) if np.isfinite(number)]
    is_mixed = any(number % 1 for number in numbers) or not {"True", "False"}.isdisjoint(entries.names)
    if numbers and is_mixed and len(numbers) < len(entries.names):
        lines.append(f"column {name} holds numbers and texts, and is taken as text")
    return lines


def _about_numbers(table: Columns, feature: Feature, classes: np.ndarray | None, train: np.ndarray) -> list[str]:
    name, numbers = feature.name, table.numbers(feature.name)[0]
    if leak.counts_rows(numbers):
        return [leak.warning(name, "counts the rows")]
    if leak.names_rows(numbers):
        return [
            f"column {name} has another whole number in every row: a name? data.id={name} takes it as that, "
            f"data.drop='[{name}]' leaves it out"
        ]
    if classes is not None and leak.splits_classes(numbers[train], classes):
        return [leak.warning(name, "tells the class alone, by one threshold")]
    return []
