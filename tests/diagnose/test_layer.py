"""Statistics of layers in one batch, by hand."""

from functools import partial

import pytest
import torch
from torch import nn

from dlexp.activation import ReLU, Sigmoid, Tanh
from dlexp.diagnose.layer import measure
from dlexp.model.layer import Blocks
from dlexp.model.mlp import MLP


def linear(weight: list[list[float]]) -> nn.Linear:
    layer = nn.Linear(len(weight[0]), len(weight), bias=False)
    layer.weight.data = torch.tensor(weight)
    return layer


def test_a_rectifier_by_hand():
    x = torch.tensor([[1.0], [3.0]])
    model = nn.Sequential(linear([[1.0], [-1.0], [2.0], [-2.0]]), ReLU(num_features=4))
    (layer,), loss = measure(model, x, lambda output: output.sum())
    # active: x and 2 x, so 1, 3, 2, 6 beside four zeros; the loss is their sum and its gradient 0 or the sum of x
    assert loss == 12.0
    assert (layer.name, layer.num_units, layer.activation, layer.is_normed) == ("0", 4, "relu", False)
    assert layer.dead == 0.5
    assert layer.mean == pytest.approx(12 / 8)
    assert layer.pre_std == pytest.approx(torch.tensor([1.0, 3, -1, -3, 2, 6, -2, -6]).std().item())
    assert layer.weight_rms == pytest.approx(2.5**0.5)
    assert layer.grad_rms == pytest.approx((2 * 4.0**2 / 4) ** 0.5)
    assert layer.saturated is None
    assert sorted(layer.values.tolist()) == [0, 0, 0, 0, 1, 2, 3, 6]
    assert model[0].weight.grad is None  # a copy ran


@pytest.mark.parametrize("activation", [Tanh, Sigmoid])
def test_the_share_at_the_flat_ends(activation):
    # |tanh(2.1)| = 0.9705, |tanh(2.0)| = 0.964; of a sigmoid 2 s(z) - 1 = tanh(z / 2)
    wide, narrow = (2.1, 2.0) if activation is Tanh else (4.2, 4.0)
    x = torch.tensor([[wide], [-wide], [narrow], [0.0]])
    (layer,), _ = measure(nn.Sequential(linear([[1.0]]), activation(num_features=1)), x, lambda output: output.sum())
    assert layer.saturated == 0.5
    assert layer.dead is None


def test_equal_rows_and_a_norm_between():
    from dlexp.dropout import NoDropout
    from dlexp.norm import BatchNorm

    blocks = Blocks(partial(BatchNorm), partial(ReLU), partial(NoDropout))
    model = MLP(
        [3, 3], in_shape=(2,), num_outputs=2, norm=blocks.norm, activation=blocks.activation, dropout=blocks.dropout
    )
    nn.init.constant_(model.get_submodule("hidden.1.linear").weight, 0.5)  # pyright: ignore[reportArgumentType]
    layers, _ = measure(model, torch.randn(8, 2), lambda output: output.square().sum())
    assert [layer.name for layer in layers] == ["hidden.0.linear", "hidden.1.linear", "output"]
    assert [layer.has_equal_rows for layer in layers] == [False, True, False]
    assert [layer.is_normed for layer in layers] == [True, True, False]
    assert layers[0].pre_std == pytest.approx(1.0, abs=0.05)
    assert layers[2].activation == ""
