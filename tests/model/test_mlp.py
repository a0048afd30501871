from functools import partial

import torch

from dlexp.activation import Tanh
from dlexp.dropout import Inverted, NoDropout
from dlexp.model.mlp import MLP, DenseLayer
from dlexp.model.softmax import Softmax
from dlexp.norm import NoNorm
from tests.present import present


def bare(**changes):
    return {"norm": partial(NoNorm), "activation": partial(Tanh), "dropout": partial(NoDropout), **changes}


def test_softmax_is_one_linear_layer(count):
    assert count(Softmax, in_shape=(1, 28, 28), num_outputs=10) == 28 * 28 * 10 + 10


def test_parameter_count_by_hand(count, blocks):
    # With a norm the hidden layers have no bias of their own, but the norm's weight and bias.
    assert count(MLP, in_shape=(13,), num_outputs=3, widths=[5, 7], **blocks) == 13 * 5 + 10 + 5 * 7 + 14 + 7 * 3 + 3
    assert count(MLP, in_shape=(13,), num_outputs=3, widths=[5], **bare()) == 13 * 5 + 5 + 5 * 3 + 3


def test_shortcut_adds_a_linear_map_of_the_input():
    model = MLP([4], True, in_shape=(3,), num_outputs=2, **bare())
    layer = model.hidden[0]
    assert isinstance(layer, DenseLayer)
    x = torch.randn(5, 3)
    expected = torch.tanh(x @ layer.linear.weight.T + layer.linear.bias) + x @ present(layer.shortcut).weight.T
    torch.testing.assert_close(layer(x), expected)


def test_images_are_flattened():
    model = MLP([4], in_shape=(2, 3, 3), num_outputs=2, **bare())
    x = torch.randn(5, 2, 3, 3)
    torch.testing.assert_close(model(x), model(x.flatten(1)))
    channels_last = x.contiguous(memory_format=torch.channels_last)
    torch.testing.assert_close(model(channels_last), model(x))


def test_dropout_follows_each_hidden_layer():
    model = MLP([4, 4], in_shape=(3,), num_outputs=2, **bare(dropout=partial(Inverted, p=0.3)))
    assert sum(isinstance(module, Inverted) for module in model.modules()) == 2
