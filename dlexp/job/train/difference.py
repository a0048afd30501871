"""What two trainings of one configuration differ in: weights, optimiser state, history, predictions."""

from typing import Any

import torch
from torch import Tensor

from dlexp.engine import checkpoint
from dlexp.run.folder import RunFolder

NOT_NUMBERS = ("seconds", "time")


def compare(a: RunFolder, b: RunFolder) -> dict[str, float]:
    """Return the largest absolute difference of each kind of number between two runs; inf where one lacks something.

    0.0 says that all numbers are the same to the last bit.
    """
    differences = {"history": _compare_history(a.history(), b.history())}
    for name in ("last", "best"):
        if checkpoint.exists(a.checkpoints / name):
            has_both = checkpoint.exists(b.checkpoints / name)
            differences |= _compare_checkpoints(a, b, name) if has_both else {f"{name} weights": float("inf")}
    if has_predictions(a):
        outputs = [
            torch.from_numpy(folder.predictions("val")["output"]) for folder in (a, b) if has_predictions(folder)
        ]
        differences["predictions"] = difference(*outputs) if len(outputs) == 2 else float("inf")
    return differences


def _compare_checkpoints(a: RunFolder, b: RunFolder, name: str) -> dict[str, float]:
    (weights_a, state_a), (weights_b, state_b) = (checkpoint.load(folder.checkpoints / name) for folder in (a, b))
    differences = {f"{name} weights": _compare_tensors(weights_a, weights_b)}
    if name == "last":
        differences["optimiser state"] = _compare_tensors(state_a["step"], state_b["step"])
    return differences


def _compare_tensors(a: dict[str, Tensor], b: dict[str, Tensor]) -> float:
    if a.keys() != b.keys():
        return float("inf")
    return max((difference(value, b[name]) for name, value in a.items()), default=0.0)


def _compare_history(a: list[dict[str, Any]], b: list[dict[str, Any]]) -> float:
    largest = 0.0 if len(a) == len(b) else float("inf")
    for epoch_a, epoch_b in zip(a, b, strict=False):
        names = [name for name in epoch_a if name not in NOT_NUMBERS]
        values = (
            [torch.nan if record.get(name) is None else record[name] for name in names] for record in (epoch_a, epoch_b)
        )
        largest = max(largest, difference(*(torch.tensor(list(row), dtype=torch.float64) for row in values)))
    return largest


def difference(a: Tensor, b: Tensor) -> float:
    """Return the largest absolute difference of two tensors; 0.0 only where all bits agree.

    It is inf where shapes, types or the places of NaN differ.
    """
    if a.shape != b.shape or a.dtype != b.dtype or not torch.equal(a.isnan(), b.isnan()):
        return float("inf")
    differing = (a != b) & ~a.isnan()
    if not bool(differing.any()):
        return 0.0
    gap = float((a[differing].double() - b[differing].double()).abs().max())
    return gap if gap == gap else float("inf")


def has_predictions(folder: RunFolder) -> bool:
    """Whether a run kept its validation predictions."""
    return (folder.path / "predictions" / "val.npz").exists()
