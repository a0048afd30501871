"""The gains of initialisation: what each paper takes, and variance through thirty layers."""

import math
from typing import cast

import pytest
import torch
from torch import nn

from dlexp.activation import ReLU, Sigmoid, Tanh
from dlexp.build.dataset import load_data
from dlexp.build.model import build_model
from dlexp.build.node import build, factory
from dlexp.build.objective import build_loss
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.resolve import resolve
from dlexp.config.signature import read
from dlexp.init import Normal, initialize
from dlexp.model.layer import DenseLayer
from dlexp.model.mlp import MLP

SCALED = [
    option for option in list_groups()["init"] if option not in ("constant", "zeros", "torch", "normal", "uniform")
]


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _init(option: str, gain: float | str):
    return build(read_option("init", option) | {"gain": gain})


class Inner(nn.Sequential):
    """A layer inside a network: none of its own layers gives outputs."""

    output_layers = ()


def _second_moments(init, activation, width=256, depth=30):
    """Return the mean square of the pre-activations (batch and units) after each of `depth` layers.

    Random signs before and after the activation give each example a network of its own with the same law (the weights'
    law is symmetric), so that a batch averages over networks; without them a draw of 30 layers strays by a fifth.
    """
    generator = _generator(5)
    layer = Inner(nn.Linear(width, width), activation)
    z, moments = torch.randn(768, width, generator=generator), []

    def flip(x):
        return x * (torch.randint(2, x.shape, generator=generator) * 2 - 1)

    with torch.no_grad():
        for _ in range(depth):
            initialize(layer, init, generator)
            z = layer[0](flip(activation(flip(z))))
            moments.append(z.square().mean().item())
    return moments


def _activation(option, width=256):
    return factory(read_option("activation", option))(num_features=width)


# Not gelu and silu: for them unit variance is a fixed point that repels (see the test below).
STABLE = ["relu", "leaky_relu", "prelu", "elu", "sigmoid", "tanh", "identity", "maxout"]
MATCHED = [("kaiming_normal", a) for a in STABLE] + [
    ("kaiming_uniform", "relu"), ("xavier_normal", "tanh"), ("xavier_uniform", "tanh"), ("orthogonal", "relu"),
    ("orthogonal", "tanh"), ("lecun_normal", "identity"), ("lecun_uniform", "identity"),
]  # fmt: skip


@pytest.mark.parametrize(("init", "activation"), MATCHED)
def test_through_thirty_layers_variance_stays_within_ten_percent_where_init_and_activation_match(init, activation):
    module = _activation(activation)
    assert all(abs(moment - 1) < 0.1 for moment in _second_moments(_init(init, gain=module.gain), module))


@pytest.mark.parametrize("activation", ["gelu", "silu"])
def test_gelu_and_silu_keep_unit_variance_one_layer_on_but_it_repels(activation):
    module = _activation(activation)
    moments = _second_moments(_init("kaiming_normal", gain=module.gain), module)
    assert moments[0] == pytest.approx(1, rel=0.05)
    assert moments[-1] > 2


@pytest.mark.parametrize(
    ("init", "activation", "low", "high"),
    [
        (_init("lecun_normal", gain="auto"), "relu", 0.5**30 / 2, 0.5**30 * 2),
        (_init("xavier_normal", gain="auto"), "relu", 0.5**30 / 2, 0.5**30 * 2),
        (_init("kaiming_normal", gain="auto"), "identity", 2**30 / 2, 2**30 * 2),
        (Normal(0.01), "relu", 0, 1e-30),
        (_init("xavier_normal", gain=1.0), "tanh", 0, 0.1),
        (_init("kaiming_normal", gain=math.sqrt(2)), "identity", 2**30 / 2, 2**30 * 2),
        (Normal(1.0), "relu", 1e30, math.inf),
    ],
)
def test_through_thirty_layers_it_collapses_or_explodes_where_they_do_not(init, activation, low, high):
    assert low <= _second_moments(init, _activation(activation))[-1] <= high


PAPERS = {"kaiming": math.sqrt(2), "xavier": 1.0, "lecun": 1.0, "orthogonal": 1.0}
DENSE = [("relu", math.sqrt(2)), ("tanh", Tanh().gain), ("sigmoid", Sigmoid().gain), ("identity", 1.0)]


@pytest.mark.parametrize("option", SCALED)
@pytest.mark.parametrize(("activation", "gain"), DENSE)
def test_auto_is_the_papers_gain_under_every_activation_and_activation_is_its_own(option, activation, gain):
    module = _activation(activation)
    assert build(read_option("init", option), activation_gain=module.gain).gain == PAPERS[option.partition("_")[0]]
    by_activation = build(read_option("init", option) | {"gain": "activation"}, activation_gain=module.gain)
    assert by_activation.gain == pytest.approx(gain)


# (fan_in, fan_out) 784 and 300: the literal variances of the papers
LITERAL = {
    "xavier_normal": 2 / (784 + 300),
    "xavier_uniform": 2 / (784 + 300),
    "kaiming_normal": 2 / 784,
    "kaiming_uniform": 2 / 784,
    "lecun_normal": 1 / 784,
    "lecun_uniform": 1 / 784,
}


@pytest.mark.parametrize("option", LITERAL)
@pytest.mark.parametrize("activation", ["relu", "tanh", "sigmoid", "identity"])
def test_a_network_of_the_program_has_the_papers_variance_and_one_over_fan_at_its_output(option, activation):
    overrides = [f"init={option}", f"activation={activation}", "model.widths=[300,200]", "norm=none", "data=fake"]
    config = resolve([*overrides, "data.shape=[784]", "data.num_train=20"]).config
    data = load_data(config)
    model, _ = build_model(config, data.in_shape, build_loss([config], [data], torch.device("cpu")).num_outputs, 0)
    assert isinstance(model, MLP)
    hidden, output = cast(DenseLayer, model.hidden[0]).linear.weight, model.output.weight
    assert hidden.shape == (300, 784)
    assert hidden.square().mean().item() == pytest.approx(LITERAL[option], rel=5 * math.sqrt(2 / hidden.numel()))
    literal = 2 / (200 + 10) if option.startswith("xavier") else 1 / 200
    assert output.square().mean().item() == pytest.approx(literal, rel=5 * math.sqrt(2 / output.numel()))


def test_xavier_and_kaiming_differ_on_square_layers_under_relu():
    weights = [torch.empty(200, 200) for _ in range(2)]
    for weight, option in zip(weights, ("xavier_normal", "kaiming_normal"), strict=True):
        build(read_option("init", option), activation_gain=ReLU.gain).fill(weight, _generator())
    torch.testing.assert_close(weights[0] * math.sqrt(2), weights[1])


@pytest.mark.parametrize("option", SCALED)
def test_options_state_the_gain(option):
    parameter = read(read_option("init", option)["_target_"]).parameters["gain"]
    assert ("sqrt(2)" if option.startswith("kaiming") else "auto: 1") in parameter.doc
    assert "utput layers take 1" in parameter.doc
