"""Whether a run is better than a guess: the most frequent class of the training part, or its mean value, for all."""

import math
from typing import Any

import torch

from dlexp.data.dataset import Dataset


def guess(data: Dataset) -> dict[str, float]:
    """Return what guessing scores on the validation part: `val/accuracy`, or `val/rmse`; empty without such a part."""
    if not len(data.val):
        return {}
    train, val = data.targets[data.train], data.targets[data.val]
    if data.num_classes:
        most = torch.bincount(train, minlength=data.num_classes).argmax()
        return {"val/accuracy": float((val == most).double().mean())}
    return {"val/rmse": float((val.double() - train.double().mean()).square().mean().sqrt())}


def no_better_than_guessing(data: Dataset, metrics: dict[str, Any]) -> str:
    """Return a line for the user where a run cannot be told from a guess; "" where it can.

    An accuracy has to lead by more than two standard errors of the guess's, sqrt(p (1 - p) / N); an rmse has to be
    smaller.

    Args:
        data: With its parts.
        metrics: Of the run.
    """
    for name, floor in guess(data).items():
        value = metrics.get(name)
        if value is None or not math.isfinite(value):
            continue
        if name == "val/accuracy":
            error = math.sqrt(floor * (1 - floor) / len(data.val))
            if value <= floor + 2 * error:
                guessed = f"guessing the most frequent class, {floor:.4f} with a standard error of {error:.4f}"
                return f"{name} {value:.4f} is no better than {guessed}"
        elif value >= floor:
            return f"{name} {value:.4g} is no better than guessing the mean of the training targets, {floor:.4g}"
    return ""
