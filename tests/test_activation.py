"""Activations: the contract over every option, references and gains. N examples, C channels, H, W space."""

import math

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

from dlexp.activation import ELU, GELU, Identity, LeakyReLU, Maxout, PReLU, ReLU, Sigmoid, SiLU, Tanh, expected
from dlexp.build.node import build, factory
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.signature import read

OPTIONS = list_groups()["activation"]
SHAPES = [(5, 6), (5, 6, 4, 3)]


def _draw(shape, seed=0):
    return torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _build(option, num_features=6, seed=0):
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        return factory(read_option("activation", option))(num_features=num_features).double()


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_states_every_parameter_at_its_default(option):
    node = read_option("activation", option)
    signature = read(node["_target_"])
    assert {k: v for k, v in node.items() if k != "_target_"} == {k: p.default for k, p in signature.parameters.items()}
    assert signature.source
    assert all(parameter.doc for parameter in signature.parameters.values())


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_keeps_the_shape_and_sends_finite_gradients_everywhere(option, shape):
    module, x = _build(option), _draw(shape).requires_grad_()
    y = module(x)
    assert y.shape == x.shape
    y.square().sum().backward()
    for tensor in [x, *module.parameters()]:
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().sum() > 0


@pytest.mark.parametrize("option", OPTIONS)
def test_gradients_equal_finite_differences(option):
    assert torch.autograd.gradcheck(_build(option), _draw((3, 6), seed=4).requires_grad_())


@pytest.mark.parametrize("option", OPTIONS)
def test_state_survives_save_and_load_and_equal_seeds_give_equal_numbers(option):
    module, other, x = _build(option), _build(option, seed=9), _draw((5, 6))
    assert torch.equal(module(x), _build(option)(x))
    other.load_state_dict(module.state_dict())
    assert torch.equal(module(x), other(x))


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("shape", SHAPES)
def test_stacked_by_vmap_each_trial_gets_its_own_numbers(option, shape):
    modules = [_build(option, seed=k) for k in range(3)]
    for k, module in enumerate(modules):
        for parameter in module.parameters():
            parameter.data += 0.1 * k
    x = _draw((3, *shape))
    alone = torch.stack([module(row) for module, row in zip(modules, x, strict=True)])
    if list(modules[0].parameters()):
        state = stack_module_state(modules)
        together = vmap(lambda p, b, row: functional_call(modules[0], (p, b), (row,)))(*state, x)
    else:
        together = vmap(modules[0])(x)
    torch.testing.assert_close(together, alone, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (ReLU(), nn.functional.relu),
        (LeakyReLU(0.2), lambda x: torch.where(x > 0, x, 0.2 * x)),
        (ELU(0.7), lambda x: torch.where(x > 0, x, 0.7 * (x.exp() - 1))),
        (GELU(), lambda x: x * torch.special.ndtr(x)),
        (GELU("tanh"), lambda x: 0.5 * x * (1 + torch.tanh(math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)))),
        (SiLU(), lambda x: x / (1 + (-x).exp())),
        (Sigmoid(), lambda x: 1 / (1 + (-x).exp())),
        (Tanh(), lambda x: (x.exp() - (-x).exp()) / (x.exp() + (-x).exp())),
        (Identity(), lambda x: x),
    ],
)
def test_equals_its_formula(ours, theirs):
    x = torch.linspace(-5, 5, 101, dtype=torch.float64)
    torch.testing.assert_close(ours(x), theirs(x), rtol=1e-12, atol=1e-13)


def test_prelu_has_a_slope_per_feature_or_a_shared_one():
    per_feature, shared = PReLU(0.3, num_features=4), PReLU(0.3, shared=True, num_features=4)
    assert per_feature.weight.tolist() == pytest.approx([0.3] * 4)
    assert shared.weight.shape == (1,)
    per_feature.weight.data = torch.tensor([0.0, 0.1, 0.2, 0.3])
    x = -torch.ones(2, 4, 3, 3)
    assert per_feature(x)[1, :, 2, 0].tolist() == pytest.approx([0, -0.1, -0.2, -0.3])


def test_maxout_is_the_maximum_of_its_affine_maps():
    module, x = Maxout(3, num_features=4).double(), _draw((6, 4))
    weights, biases = module.affine.weight.chunk(3), module.affine.bias.chunk(3)
    expected_NC = torch.stack([x @ w.T + b for w, b in zip(weights, biases, strict=True)]).amax(0)
    torch.testing.assert_close(module(x), expected_NC)
    assert sum(p.numel() for p in module.parameters()) == 3 * 4 * 5


def test_maxout_acts_at_each_position_of_an_image_as_on_a_vector():
    module, x = Maxout(2, num_features=4).double(), _draw((6, 4, 3, 5))
    flat = module(x.permute(0, 2, 3, 1).reshape(-1, 4)).view(6, 3, 5, 4).permute(0, 3, 1, 2)
    torch.testing.assert_close(module(x), flat)
    torch.testing.assert_close(module(x.contiguous(memory_format=torch.channels_last)), flat)


def test_maxout_of_plus_and_minus_identity_is_the_absolute_value():
    module = Maxout(2, num_features=3).double()
    module.affine.weight.data = torch.cat([torch.eye(3), -torch.eye(3)]).double()
    module.affine.bias.data.zero_()
    x = _draw((5, 3))
    torch.testing.assert_close(module(x), x.abs())


@pytest.mark.parametrize(
    ("module", "gain"),
    [
        (ReLU(), math.sqrt(2)),
        (LeakyReLU(0.3), nn.init.calculate_gain("leaky_relu", 0.3)),
        (PReLU(0.3), nn.init.calculate_gain("leaky_relu", 0.3)),
        (Identity(), nn.init.calculate_gain("linear")),
        (Maxout(1), 1.0),
        (Maxout(2), 1.0),
        (Maxout(3), (1 + math.sqrt(3) / (2 * math.pi)) ** -0.25),
    ],
)
def test_gain_in_closed_form(module, gain):
    assert module.gain == pytest.approx(gain, rel=1e-6)


@pytest.mark.parametrize("option", [option for option in OPTIONS if option != "maxout"])
def test_gain_restores_unit_second_moment_of_a_normal_input(option):
    module = _build(option, num_features=1)
    with torch.no_grad():
        moment = expected(lambda z: module(z[:, None])[:, 0].square())
    assert module.gain**2 * moment == pytest.approx(1, rel=1e-6)


def test_gain_is_near_torchs_table_where_that_is_a_rule_of_thumb():
    assert Tanh().gain == pytest.approx(nn.init.calculate_gain("tanh"), rel=0.05)


def test_builds_through_the_configuration_with_the_programs_features():
    assert build(read_option("activation", "prelu"), num_features=7).weight.shape == (7,)
