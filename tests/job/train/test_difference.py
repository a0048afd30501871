"""What two trainings differ in: 0.0 only where all bits agree, inf where something is lacking."""

import math

import numpy as np
import pytest
import torch

from dlexp.engine import checkpoint
from dlexp.job.train.difference import compare, difference
from dlexp.run.folder import RunFolder

INF, NAN = math.inf, math.nan


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([1.0, 2.0], [1.0, 2.0], 0.0),
        ([1.0, 2.0], [1.5, 1.75], 0.5),
        ([NAN, 1.0], [NAN, 3.0], 2.0),
        ([NAN, 1.0], [1.0, NAN], INF),
        ([INF], [INF], 0.0),
        ([INF], [-INF], INF),
        ([INF], [1.0], INF),
        ([1.0], [1.0, 1.0], INF),
        ([], [], 0.0),
    ],
)
def test_of_tensors(a, b, expected):
    assert difference(torch.tensor(a), torch.tensor(b)) == expected


def test_types_count_and_a_last_bit_shows():
    assert difference(torch.ones(2), torch.ones(2, dtype=torch.float64)) == INF
    whole = torch.tensor(1.0)
    assert difference(whole, torch.nextafter(whole, torch.tensor(2.0))) == 2**-23
    assert difference(torch.tensor([3, 5]), torch.tensor([3, 9])) == 4.0


def write(tmp_path, name: str, *, weight: float = 1.0, state: float = 1.0, loss: float = 0.5, output: float = 0.0):
    folder = RunFolder.create(tmp_path, "x", name, config={}, overrides=[], manifest={"kind": "train"})
    folder.append_epoch({"epoch": 1, "step": 2, "lr": 0.1, "val/loss": loss, "seconds": hash(name) % 7 + 0.1})
    weights = {"w": torch.full((2,), weight)}
    checkpoint.save(folder.checkpoints / "last", weights, {"epoch": 1, "step": {"velocity": torch.tensor([state])}})
    checkpoint.save(folder.checkpoints / "best", weights, {"epoch": 1})
    folder.write_predictions("val", [0, 1], [0, 1], np.full((2, 2), output))
    folder.unlock()
    return folder


KINDS = ("history", "last weights", "optimiser state", "best weights", "predictions")


def test_equal_runs_differ_in_nothing_whatever_their_seconds(tmp_path):
    assert compare(write(tmp_path, "a"), write(tmp_path, "b")) == dict.fromkeys(KINDS, 0.0)


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"weight": 1.25}, {"last weights": 0.25, "best weights": 0.25}),
        ({"state": 3.0}, {"optimiser state": 2.0}),
        ({"loss": 0.75}, {"history": 0.25}),
        ({"output": 0.5}, {"predictions": 0.5}),
    ],
)
def test_each_kind_of_number_is_told_apart(tmp_path, changed, expected):
    assert compare(write(tmp_path, "a"), write(tmp_path, "b", **changed)) == dict.fromkeys(KINDS, 0.0) | expected


def test_what_one_lacks_is_an_infinite_difference(tmp_path):
    a, b = write(tmp_path, "a"), write(tmp_path, "b")
    (b.path / "predictions" / "val.npz").unlink()
    a.append_epoch({"epoch": 2, "step": 4, "lr": 0.1, "val/loss": 0.4, "seconds": 0.1})
    assert compare(a, b) == dict.fromkeys(KINDS, 0.0) | {"predictions": INF, "history": INF}
