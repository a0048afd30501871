"""What a guess scores that knows no input."""

import pytest
import torch

from dlexp.data.dataset import Dataset
from dlexp.data.fact.guess import guess


def dataset(task: str, targets: torch.Tensor, names: list[str]) -> Dataset:
    train, val, test = torch.arange(3), torch.arange(3, 7), torch.arange(0)
    return Dataset("d", task, torch.rand(7, 2), targets, train, val, test, names)


def test_the_most_frequent_class_of_training():
    targets = torch.tensor([1, 1, 0, 0, 0, 1, 0])
    data = dataset("binary", targets, ["a", "b"])
    assert guess(data) == {"val/accuracy": 0.25}


def test_the_mean_of_training():
    targets = torch.tensor([1.0, 2.0, 3.0, 2.0, 4.0, 2.0, 0.0], dtype=torch.float64)
    data = dataset("regression", targets, [])
    assert guess(data) == {"val/rmse": pytest.approx(2.0**0.5)}


def test_without_a_validation_part_there_is_none():
    targets = torch.tensor([1, 1, 0, 0, 0, 1, 0])
    data = dataset("binary", targets, ["a", "b"])
    assert guess(data.with_parts(torch.arange(7), torch.arange(0))) == {}
