"""The model that a configuration names: built for the data, initialised by its seed, with warnings."""

import math
from types import SimpleNamespace

import pytest
import torch
from torch import nn

from dlexp.build.dataset import load_data
from dlexp.build.model import build_blank_model, build_meta_model, build_model, build_module
from dlexp.config.resolve import resolve

LOSS = SimpleNamespace(num_outputs=10)


def config_of(*overrides: str) -> dict:
    return resolve(["data.limit=50", *overrides]).config


def built(*overrides: str, seed: int = 0):
    config = config_of(*overrides)
    return build_model(config, load_data(config).in_shape, LOSS.num_outputs, seed)


def test_the_net_is_that_of_the_settings():
    model, warnings = built("model.widths=[12,6]", "activation=tanh", "norm=none")
    shapes = [tuple(p.shape) for p in model.parameters()]
    assert shapes == [(12, 64), (12,), (6, 12), (6,), (10, 6), (10,)]
    assert any(type(module).__name__ == "Tanh" for module in model.modules())
    assert warnings == []


def test_the_seed_decides_the_weights_and_torch_s_generator_is_left_alone():
    torch.manual_seed(5)
    before = torch.get_rng_state()
    first = dict(built(seed=1)[0].named_parameters())
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(6)
    again, other = dict(built(seed=1)[0].named_parameters()), dict(built(seed=2)[0].named_parameters())
    assert all(torch.equal(first[name], again[name]) for name in first)
    assert any(not torch.equal(first[name], other[name]) for name in first)


def test_equal_weights_in_hidden_layers_are_warned_of():
    _, warnings = built("init=zeros", "model.widths=[8]")
    assert len(warnings) == 1
    _, warnings = built("init=zeros", "model=softmax")
    assert warnings == [], "a single layer has no symmetry to break"


@pytest.mark.parametrize(
    ("activation", "function"), [("relu", torch.relu), ("identity", lambda z: z), ("tanh", torch.tanh)]
)
def test_the_activation_s_gain_scales_the_weights(activation, function):
    # He et al. (2015): weights of variance gain^2 / fan_in with gain^2 = 1 / E f(z)^2, z standard normal, keep E f^2
    z = torch.linspace(-8, 8, 40_001, dtype=torch.float64)
    density = torch.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    expected = 1 / float(torch.trapezoid(function(z) ** 2 * density, z))
    model, _ = built("init=kaiming_normal", "init.gain=activation", f"activation={activation}", "model.widths=[2000]")
    weight = next(iter(model.parameters()))
    assert float(weight.detach().var()) * 64 == pytest.approx(expected, rel=0.03)


def test_a_module_is_made_for_the_shapes_given():
    module = build_module(config_of("model.widths=[8]"), (3,), 2, seed=0)
    assert module(torch.zeros(5, 3)).shape == (5, 2)


def test_a_model_without_weights_has_the_shapes_of_the_model():
    given = config_of("model.widths=[8]"), (3,), 2
    model, meta = build_module(*given, seed=0), build_meta_model(*given)
    assert [(n, p.shape) for n, p in meta.named_parameters()] == [(n, p.shape) for n, p in model.named_parameters()]
    assert {p.device.type for p in meta.parameters()} == {"meta"}


def test_a_constructor_that_computes_with_numbers_gives_a_model_with_weights(monkeypatch):
    monkeypatch.setattr("dlexp.build.model.make", lambda *_names, **_more: nn.Linear(3, int(torch.ones(()).item())))
    with pytest.raises(RuntimeError, match="meta"):
        build_meta_model(config_of(), (3,), 1)
    assert build_blank_model(config_of(), (3,), 1).weight.device.type == "cpu"
