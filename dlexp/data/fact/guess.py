"""What a guess scores that knows the training part's most frequent class, or its mean value, and no input."""

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
