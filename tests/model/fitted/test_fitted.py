"""What models that are fitted in one step share: probabilities, and buffers as large as the training part."""

import math

import pytest
import torch
from safetensors.torch import load, save

from dlexp.error import ConfigError
from dlexp.model.fitted.fitted import SMALLEST, require_smoothing, smooth
from dlexp.model.fitted.knn import KNN
from dlexp.model.fitted.majority import Majority

X, Y = torch.tensor([[0.0], [1.0], [5.0]]), torch.tensor([0, 0, 2])


def fitted(model):
    model.fit(X, Y)
    return model


@pytest.mark.parametrize("model", [KNN(2, in_shape=(1,), num_outputs=3), Majority(num_outputs=3)], ids=["knn", "guess"])
def test_outputs_are_zero_before_it_is_fitted(model):
    assert torch.equal(model(X), torch.zeros(3, 3, dtype=torch.float64))


def test_a_class_without_a_vote_has_the_probability_that_scikit_learn_gives_it():
    outputs = fitted(KNN(2, in_shape=(1,), num_outputs=3))(torch.tensor([[0.4]]))
    assert outputs.tolist() == [[0.0, math.log(SMALLEST), math.log(SMALLEST)]]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("make", [lambda: KNN(2, in_shape=(1,), num_outputs=3), lambda: Majority(num_outputs=3)])
def test_stored_weights_of_any_size_are_loaded_to_the_bit(make, dtype):
    model, other = make().to(dtype), make().to(dtype)
    model.fit(X.to(dtype), Y)
    other.fit(X[:2].to(dtype) + 3, Y[1:])
    other(X.to(dtype))  # what it searches in is made anew
    other.load_state_dict(load(save(model.state_dict())))
    assert torch.equal(other(X.to(dtype)), model(X.to(dtype)))
    assert all(torch.equal(a, b) for a, b in zip(other.buffers(), model.buffers(), strict=True))


def test_pseudo_votes():
    share = torch.tensor([[1.0, 0.0, 0.0]], dtype=torch.float64)
    assert smooth(share, 4, 0.0) is share
    assert smooth(share, 4, 1.0).tolist() == [[5 / 7, 1 / 7, 1 / 7]]


def test_pseudo_votes_of_values_are_refused():
    require_smoothing(0.0, has_classes=False)
    with pytest.raises(ConfigError, match=r"^model.smoothing: got 0.5; the data have values, which get no votes"):
        KNN(smoothing=0.5, in_shape=(1,), num_outputs=1)
