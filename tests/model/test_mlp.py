from functools import partial
from typing import cast

import pytest
import torch

from dlexp.activation import Tanh
from dlexp.dropout import Classic, Inverted, NoDropout
from dlexp.error import ConfigError
from dlexp.init import KaimingNormal, initialize
from dlexp.model.layer import DenseLayer
from dlexp.model.mlp import MLP
from dlexp.model.softmax import Softmax
from dlexp.norm import NoNorm
from tests.present import present


def first_of(model: MLP) -> DenseLayer:
    """Return the first hidden layer."""
    layer = model.hidden[0]
    assert isinstance(layer, DenseLayer)
    return layer


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


def test_output_shortcut_adds_a_linear_map_of_the_input_to_the_logits():
    model = MLP([4], output_shortcut=True, in_shape=(3,), num_outputs=2, **bare())
    x = torch.randn(5, 3)
    expected = model.output(model.hidden(x)) + x @ present(model.output_shortcut).weight.T
    torch.testing.assert_close(model(x), expected)
    assert present(model.output_shortcut).bias is None


def test_both_layers_that_give_logits_start_with_the_gain_of_outputs():
    model = MLP([400], output_shortcut=True, in_shape=(500,), num_outputs=300, **bare())
    initialize(model, KaimingNormal(), torch.Generator().manual_seed(0))
    for layer, variance in (
        (model.output, 1 / 400),
        (present(model.output_shortcut), 1 / 500),
        (first_of(model).linear, 2 / 500),
    ):
        assert layer.weight.square().mean().item() == pytest.approx(variance, rel=0.03)


@pytest.mark.parametrize("kind", [Inverted, Classic])
def test_input_dropout_zeroes_inputs_at_its_own_rate_before_the_first_layer(kind):
    model = MLP(
        [4], output_shortcut=True, input_dropout=0.2, in_shape=(64,), num_outputs=2, **bare(dropout=partial(kind))
    )
    seen = []
    first_of(model).linear.register_forward_hook(lambda _, inputs, __: seen.append(inputs[0].detach()))
    x = torch.ones(500, 64)
    model(x)
    model.eval()(x)
    dropped = (seen[0] == 0).double().mean().item()
    assert abs(dropped - 0.2) < 5 * (0.16 / 32000) ** 0.5
    spread = seen[0].std().item() / 32000**0.5
    assert abs(seen[0].mean() - seen[1].mean()) < 5 * spread
    assert cast(Inverted | Classic, first_of(model).dropout).p.item() == 0.5


def test_input_dropout_needs_a_kind_of_dropout():
    with pytest.raises(
        ConfigError, match=r"model.input_dropout: got 0.2 with dropout=none; choose dropout=inverted or"
    ):
        MLP([4], input_dropout=0.2, in_shape=(3,), num_outputs=2, **bare())
