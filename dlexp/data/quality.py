"""What a user should know of data before trusting a score: examples that stand in two parts, unequal classes."""

from typing import Any

import torch

from dlexp.data.balance import is_imbalanced
from dlexp.data.dataset import Dataset
from dlexp.data.fact.positive import positive_fact
from dlexp.number import noun

_SHOWN = 10  # columns


def examine(data: Dataset) -> dict[str, Any]:
    """Return what a manifest and a result say of the data besides name and fingerprint.

    Returns:
        `duplicates` {"val": n, "test": m}, see `dlexp.data.dataset.count_duplicates`; for classes `train_counts`,
        examples of the training part by class, `is_imbalanced` and, of two, the name of the `positive` one; `notes`,
        see `Dataset`, where there are any.
    """
    facts: dict[str, Any] = {"duplicates": data.duplicates}
    if data.notes:
        facts["notes"] = [" ".join(note.split()) for note in data.notes]  # names may hold line breaks
    if data.num_classes:
        classes = data.targets[data.train]
        counts = torch.bincount(classes, minlength=data.num_classes).tolist()
        facts["train_counts"] = dict(zip(data.class_names, counts, strict=True))
        facts["is_imbalanced"] = is_imbalanced(classes, data.num_classes)
        facts |= positive_fact(data)
    return facts


def describe_inputs(data: Dataset) -> str:
    """Return what a model is given of a table: "2 numbers (age, height), 1 text (city, 7 levels); constant: k".

    Returns:
        "" where the inputs have no names.
    """
    if data.feature_names is None:
        return ""
    features = (data.encoding or {}).get("features") or [{"name": name, "levels": None} for name in data.feature_names]
    numbers = [feature["name"] for feature in features if feature["levels"] is None]
    texts = [f"{feature['name']}, {noun(len(feature['levels']), 'level')}" for feature in features if feature["levels"]]
    kinds = [_named(numbers, "number", ", "), _named(texts, "text", "; ")]
    constant = _constant(data, features)
    return ", ".join(kind for kind in kinds if kind) + (f"; constant: {', '.join(constant)}" if constant else "")


def _named(names: list[str], kind: str, between: str) -> str:
    if not names:
        return ""
    shown = between.join(names[:_SHOWN]) + (f"{between}..." if len(names) > _SHOWN else "")
    return f"{noun(len(names), kind)} ({shown})"


def _constant(data: Dataset, features: list[dict[str, Any]]) -> list[str]:
    """Return the columns that have one value in the training part."""
    names, start = [], 0
    for feature in features:
        width = 1 if feature["levels"] is None else len(feature["levels"])
        block = data.inputs[:, start : start + width][data.members(data.train)]
        start += width
        if bool((block == block[0]).all()):
            names.append(feature["name"])
    return names


def warn(facts: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """Return a line for each finding of `examine`.

    Args:
        facts: From `examine`.
        config: Of the run: what evens classes out needs no advice.
    """
    duplicates = [
        f"{noun(number, 'example')} of {part} lying in {'train' if part == 'val' else 'train or val'} too, byte for "
        "byte: scores may be too good"
        for part, number in facts["duplicates"].items()
        if number
    ]
    return [*facts.get("notes", []), *duplicates, *_warn_of_imbalance(facts, config)]


def warn_of_folds(facts: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """Return the lines of a cross-validation, whose facts are those of its first fold; arguments as for `warn`."""
    number = facts.get("duplicates", {}).get("val", 0)
    duplicates = [
        f"{noun(number, 'example')} held out by the first fold lying in its training part too, byte for byte: "
        "scores may be too good; the same command with --audit counts those of all folds"
    ]
    return [*facts.get("notes", []), *(duplicates if number else []), *_warn_of_imbalance(facts, config)]


def _warn_of_imbalance(facts: dict[str, Any], config: dict[str, Any]) -> list[str]:
    """Return a line where classes are unequal and nothing evens them out; arguments as for `warn`."""
    is_evened = config["trainer"]["oversample"] or config["loss"].get("class_weight") is not None
    if not facts.get("is_imbalanced") or is_evened:
        return []
    counts = facts["train_counts"].values()
    return [
        f"classes are unequal, {min(counts):,} to {max(counts):,} training examples: look at the metrics by class; "
        "trainer.oversample=true or loss=cross_entropy loss.class_weight=balanced evens them out"
    ]
