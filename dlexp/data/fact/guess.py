"""What a guess scores that knows the training part's most frequent class, or its mean value, and no input."""

import torch

from dlexp.data.dataset import Dataset
from dlexp.type import RECONSTRUCT


def guess(data: Dataset) -> dict[str, float]:
    """Return what guessing scores on the validation part; empty without such a part.

    That is `val/accuracy`, `val/rmse`, or, of reconstructed inputs, the share of variance that their mean explains: 0.
    """
    if not len(data.val):
        return {}
    if data.task == RECONSTRUCT:
        return {"val/explained_variance": 0.0}
    train, val = data.targets[data.train], data.targets[data.val]
    if data.num_classes:
        most = torch.bincount(train, minlength=data.num_classes).argmax()
        return {"val/accuracy": float((val == most).double().mean())}
    return {"val/rmse": float((val.double() - train.double().mean()).square().mean().sqrt())}
