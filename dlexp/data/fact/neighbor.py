"""What the nearest training examples score on the validation part, where few examples make that quick.

Shapes: N training examples, M validation examples, D inputs, K classes, k neighbours.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from dlexp.data.dataset import Dataset
from dlexp.data.target import SINGLE_TASKS

NEIGHBORS = 5
MOST_OPERATIONS = 1e9  # N M (D + 16): at most 0.8 s on a core; to order a distance takes as long as 16 inputs
EXACT = "donot_use_mm_for_euclid_dist"  # products round so that copies of an example are not equally far
ROWS = 256  # validation examples at once


def neighbors(data: Dataset, normalize: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """Return what the vote of 5 neighbours scores, `val/accuracy`, or their mean, `val/rmse`.

    Distances are euclidean, of normalised and flattened inputs, in float64; of equal votes the first class is called.
    Empty without a validation part, where an example has not one class or one value, with fewer than 5 training
    examples, or beyond `MOST_OPERATIONS`: whether it is computed depends on the data alone.

    Args:
        data: With its parts.
        normalize: Gives rows of inputs as float64, fitted on the training part.
    """
    num_train, num_val, size = len(data.train), len(data.val), math.prod(data.in_shape)
    is_told = num_val and data.task in SINGLE_TASKS
    if not is_told or num_train < NEIGHBORS or num_train * num_val * (size + 16) > MOST_OPERATIONS:
        return {}
    train_ND = normalize(data.inputs[data.train]).flatten(1)
    nearest = []
    for rows in data.val.split(ROWS):
        gaps_MN = torch.cdist(normalize(data.inputs[rows]).flatten(1), train_ND, compute_mode=EXACT)
        nearest.append(gaps_MN.topk(NEIGHBORS, largest=False).indices)
    targets_Mk = data.targets[data.train][torch.cat(nearest)]
    true_M = data.targets[data.val]
    if data.num_classes:
        votes_MK = F.one_hot(targets_Mk, data.num_classes).sum(1)
        return {"val/accuracy": float((votes_MK.argmax(1) == true_M).double().mean())}
    return {"val/rmse": float((targets_Mk.double().mean(1) - true_M.double()).square().mean().sqrt())}
