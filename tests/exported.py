"""A model ready for export, without a run: what `dlexp.execution.save.saved_model` would have read."""

from hashlib import sha256
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from dlexp.config import trust
from dlexp.execution.save.saved_model import SavedModel, affine_of, read_unit
from dlexp.export import facts, onnx, pt2
from dlexp.export.file import ExportedModel, parse
from dlexp.export.pair import graph_of

SIZES = (1, 7, 64)  # of the batches that an exported file has to answer
# of a model of three targets: two classes, a value and three classes
TARGETS: dict[str, Any] = {
    "task": "several",
    "num_outputs": 5,
    "unit": {"mean": [0.0, 1e5, 0.0], "std": [1.0, 2e4, 1.0], "columns": [0, 1, 2, 2, 2]},
    "heads": [
        {"name": name, "task": task, "class_names": classes, "positive": 1, "has_gaps": False}
        for name, task, classes in (
            ("two", "binary", ["no", "yes"]),
            ("a/b", "regression", []),
            ("three", "multiclass", ["x", "y", "z"]),
        )
    ],
}


def about(in_shape: tuple[int, ...], num_classes: int = 5, **more: Any) -> dict[str, Any]:
    """Return what a model is told: a normalisation that is not the identity, and classes, or a unit of values."""
    num = in_shape[0]
    scale = [0.5 + 0.25 * place for place in range(num)]
    fill = None if len(in_shape) == 3 else [0.25] * num
    return {
        "task": "multiclass" if num_classes else "regression",
        "in_shape": list(in_shape),
        "num_outputs": num_classes or 1,
        "class_names": [f"class {place}" for place in range(num_classes)],
        "feature_names": None,
        "encoding": None,
        "normalize": {"scale": scale, "shift": [-0.125] * num, "fill": fill},
        "unit": None if num_classes else {"mean": 1e5, "std": 2e4},
        "measure": {"link": "softmax", "beta": 2.0, "delta": 1.0, "positive": 1},
    } | more


def saved(module: nn.Module, told: dict[str, Any]) -> SavedModel:
    """Return a module with what it is told, as a run's model."""
    return SavedModel(told, module.eval(), affine_of(told), read_unit(told))


def draw(in_shape: tuple[int, ...], num: int) -> Tensor:
    """Return raw examples: bytes (N, H, W, C), or rows (N, D) with a gap."""
    source = torch.Generator().manual_seed(0)
    if len(in_shape) == 3:
        channels, height, width = in_shape
        return torch.randint(0, 256, (num, height, width, channels), dtype=torch.uint8, generator=source)
    rows = torch.randn(num, *in_shape, dtype=torch.float64, generator=source)
    rows[0, 0] = torch.nan
    return rows


def said(told: dict[str, Any], precision: str = "fp32") -> dict[str, Any]:
    """Return the facts of a file."""
    return {"form": 1, "dlexp": "0", "run": "r", "precision": precision, "about": told, "config": {}}


def through(form: str, model: SavedModel, told: dict[str, Any], precision: str = "fp32") -> ExportedModel:
    """Return a model as it is read from a file of it."""
    writer = {"pt2": pt2, "onnx": onnx}[form]
    content = writer.write(graph_of(model).eval(), said(told, precision), told["in_shape"])
    trust.accept_file(sha256(content).hexdigest(), Path(f"m.{form}"))
    _, exported = parse(content, Path(f"m.{form}"))
    assert isinstance(exported, ExportedModel)
    return exported


def difference(module: nn.Module, told: dict[str, Any], form: str) -> float:
    """Return the largest difference of a file's answers from the module's, in batches of three sizes."""
    model = saved(module, told)
    exported = through(form, model, told)
    assert facts.read(facts.text_of(said(told)), Path("m"))["about"] == told
    largest = 0.0
    for size in SIZES:
        inputs = draw(tuple(told["in_shape"]), size)
        got, wanted = exported.outputs(inputs), model.outputs(inputs)
        scale = 1.0 if model.unit is None else model.unit.std.item()
        largest = max(largest, ((got - wanted).abs() / scale).max().item())
    return largest
