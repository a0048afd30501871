"""`dlexp data`: what was read, without training."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from dlexp.build.dataset import load_data
from dlexp.build.document import ChannelRecord, ColumnRecord, DataDocument, ExampleRecord, PartRecord
from dlexp.config.compose import Composed
from dlexp.data.dataset import Dataset
from dlexp.data.quality import examine, warn
from dlexp.image import as_float

EXAMPLES = 5
_SAMPLED = 2000  # pictures that means are taken over


def inspect(composed: Composed, figure: Path | None = None) -> DataDocument:
    """Return what ``dlexp data --json`` prints.

    Args:
        composed: Checked configuration.
        figure: Where a picture of the data is written; None draws none.

    Returns:
        `name`, `task`, `fingerprint`, `num_examples`, `in_shape`, `bytes` (in memory or mapped), `class_names` (in the
        order of their numbers), `parts` (number of examples and, for each class, or least, mean and largest value),
        `columns` of a table (`name`, `type`, `gaps`, and `min`, `mean`, `max` or `counts`), `channels` of pictures
        (`mean`, `std`), `examples` (the first of training), `duplicates` and `warnings`.

    Raises:
        DataError: Absent or unusable data.
    """
    data = load_data(composed.config)
    document: DataDocument = {
        "kind": "data",
        "name": data.name,
        "task": data.task,
        "fingerprint": data.fingerprint,
        "num_examples": len(data.targets),
        "in_shape": list(data.in_shape),
        "type": str(data.inputs.dtype).removeprefix("torch."),
        "bytes": data.inputs.numel() * data.inputs.element_size(),
        "class_names": data.class_names,
        "parts": {part: _describe_part(data, rows) for part, rows in _parts(data).items()},
        "columns": [] if data.is_image else _columns(data),
        "channels": _channels(data) if data.is_image else [],
        "examples": [_example(data, row) for row in data.train[:EXAMPLES].tolist()],
        "duplicates": data.duplicates,
        "warnings": warn(examine(data), composed.config),
        "figure": None,
    }
    if figure is not None:
        from dlexp.figure.data import data_figure
        from dlexp.figure.style.canvas import save

        document["figure"] = str(save(data_figure(data), figure))
    return document


def _parts(data: Dataset) -> dict[str, Tensor]:
    return {"train": data.train, "val": data.val, "test": data.test}


def _describe_part(data: Dataset, rows: Tensor) -> PartRecord:
    if not data.heads:
        return _describe_targets(data.targets[rows], data.class_names)
    columns = data.targets[rows].unbind(1)
    by_name: dict[str, dict[str, Any]] = {}
    for head, column in zip(data.heads, columns, strict=True):
        present = column[~column.isnan()]
        by_name[head.name] = {**_describe_targets(present.long() if head.num_classes else present, head.class_names)}
    return {"num": len(rows), "targets": by_name}


def _describe_targets(targets: Tensor, class_names: Sequence[str]) -> PartRecord:
    num = len(targets)
    if class_names:
        counts = torch.bincount(targets, minlength=len(class_names)).tolist()
        return {"num": num, "counts": dict(zip(class_names, counts, strict=True))}
    if not num:
        return {"num": num}
    mean = float(targets.double().mean())
    return {"num": num, "min": float(targets.min()), "mean": mean, "max": float(targets.max())}


def _columns(data: Dataset) -> list[ColumnRecord]:
    features = (data.encoding or {}).get("features")
    if features is None:
        names = data.feature_names or [str(k) for k in range(data.inputs.shape[1])]
        features = [{"name": name, "levels": None} for name in names]
    columns, start = [], 0
    for feature in features:
        width = 1 if feature["levels"] is None else len(feature["levels"])
        block = data.inputs[:, start : start + width].numpy()
        start += width
        columns.append(_column(data, feature, block))
    return columns


def _column(data: Dataset, feature: dict[str, Any], block: np.ndarray) -> ColumnRecord:
    if feature["levels"] is None:
        values = block[:, 0]
        present = values[~np.isnan(values)]
        mean = float(present.mean(dtype=np.float64))
        return {
            "name": feature["name"],
            "type": "number",
            "gaps": int(np.isnan(values).sum()),
            "min": _shortest(present.min()),
            "mean": float(f"{mean:.7g}") if present.dtype == np.float32 else mean,  # the digits that it has
            "max": _shortest(present.max()),
        }
    table = getattr(data.encode, "table", None)
    gaps = 0 if table is None else int(table.is_missing(feature["name"]).sum())
    counts = dict(zip(feature["levels"], block.sum(0).astype(int).tolist(), strict=True))
    return {"name": feature["name"], "type": "category", "gaps": gaps, "counts": counts}


def _channels(data: Dataset) -> list[ChannelRecord]:
    train = data.members(data.train)
    rows = train[torch.linspace(0, len(train) - 1, min(_SAMPLED, len(train))).long()]
    flat = as_float(data.inputs[rows]).flatten(0, 2).double()
    std, mean = torch.std_mean(flat, 0, correction=0)
    return [{"mean": float(m), "std": float(s)} for m, s in zip(mean, std, strict=True)]


def _example(data: Dataset, row: int) -> ExampleRecord:
    names = [head.class_names for head in data.heads] or [data.class_names]
    labels = [_label(*each) for each in zip(data.targets[row].reshape(-1).tolist(), names, strict=True)]
    label = dict(zip([head.name for head in data.heads], labels, strict=True)) if data.heads else labels[0]
    example: ExampleRecord = {"id": data.sample_ids(torch.tensor([row]))[0], "target": label}
    if not data.is_image and data.pairs is None:
        names = data.feature_names or [str(k) for k in range(data.inputs.shape[1])]
        example["inputs"] = dict(zip(names, map(_shortest, data.inputs[row].numpy()), strict=True))
    return example


def _label(target: float, class_names: Sequence[str]) -> Any:
    """Return a class by its name, a value as it is, None in a gap."""
    if math.isnan(target):
        return None
    return class_names[int(target)] if class_names else float(target)


def _shortest(number: np.number) -> float:
    """Return a number by the shortest decimal of its type: of float32 4.3, not 4.300000190734863."""
    return float(str(number))
