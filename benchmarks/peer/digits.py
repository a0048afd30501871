"""The problem of every script: digits, a 128-128 net with batch norm, plain gradient descent, batches of 32."""

import sys
from typing import Any

import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from torch import Tensor, nn

BATCH_SIZE, LR = 32, 0.1


def epochs_of_command() -> int:
    """Return the number that the script was given, and let torch use one thread, as dlexp does for such a net."""
    torch.set_num_threads(1)
    return int(sys.argv[1])


def arrays() -> tuple[np.ndarray, np.ndarray]:
    """Return all examples (N, 64), standardised, and their classes."""
    data: Any = load_digits()
    x, y = data.data, data.target
    x = (x - x.mean(0)) / np.maximum(x.std(0), 1e-7)
    return x.astype(np.float32), y.astype(np.int64)


def divided() -> tuple[tuple[Tensor, Tensor], tuple[Tensor, Tensor]]:
    """Return training (60 %) and validation (20 %) part."""
    x, y = arrays()
    x, _, y, _ = train_test_split(x, y, test_size=0.2, random_state=0, stratify=y)
    x_train, x_val, y_train, y_val = train_test_split(x, y, test_size=0.25, random_state=0, stratify=y)
    tensors = [torch.from_numpy(each) for each in (x_train, y_train, x_val, y_val)]
    return (tensors[0], tensors[1]), (tensors[2], tensors[3])


def net() -> nn.Sequential:
    """Return the net, with weights by torch."""
    return nn.Sequential(
        *(nn.Linear(64, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU()),
        *(nn.Linear(128, 128, bias=False), nn.BatchNorm1d(128), nn.ReLU()),
        nn.Linear(128, 10),
    )
