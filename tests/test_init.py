"""Initialisation: the contract over every option, closed forms, torch.nn.init, and variance through thirty layers."""

import math
from typing import Any

import pytest
import torch
from torch import nn

from dlexp.activation import Maxout, PReLU
from dlexp.build.node import build
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.signature import read
from dlexp.init import (
    Constant,
    KaimingNormal,
    Orthogonal,
    Torch,
    Zeros,
    fans,
    initialize,
    output_layers,
    symmetry_warning,
)
from dlexp.norm import BatchNorm, GroupNorm
from tests.present import present

OPTIONS = list_groups()["init"]
RANDOM = [option for option in OPTIONS if option not in ("constant", "zeros", "torch")]
GAIN = 1.3
SHAPES = {"linear": ((40, 60), 1), "conv": ((32, 24, 3, 5), 1), "grouped conv": ((32, 6, 3, 3), 4)}


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


SCALED = [option for option in RANDOM if option not in ("normal", "uniform")]


def _init(option, gain=GAIN, **changes):
    scale = {"gain": gain} if option in SCALED else {}
    return build(read_option("init", option) | scale | changes)


def _std(option, shape, groups):
    fan_in = math.prod(shape[1:])
    fan_out = shape[0] // groups * math.prod(shape[2:])
    kind = option.rsplit("_", 1)[0]
    return {
        "kaiming": GAIN / fan_in**0.5,
        "xavier": GAIN * (2 / (fan_in + fan_out)) ** 0.5,
        "lecun": GAIN / fan_in**0.5,
        "normal": 0.01,
        "uniform": 0.05 / 3**0.5,
    }[kind]


class Net(nn.Module):
    """A layer of every kind, and a last norm that the model itself adjusts."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(4, 8, 3, groups=2)
        self.norm, self.activation = BatchNorm(num_features=8), PReLU(num_features=8)
        self.maxout, self.head = Maxout(2, num_features=8), nn.Linear(8, 3)
        self.last = GroupNorm(2, num_features=8)

    def adjust_init(self):
        nn.init.zeros_(self.last.weight)


class Named(Net):
    """The same, which names the layer that gives its outputs."""

    @property
    def output_layers(self) -> list[nn.Module]:
        return [self.conv]


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_states_every_parameter_at_its_default(option):
    node = read_option("init", option)
    signature = read(node["_target_"])
    assert {k: v for k, v in node.items() if k != "_target_"} == {k: p.default for k, p in signature.parameters.items()}
    assert all(parameter.doc for parameter in signature.parameters.values())


@pytest.mark.parametrize("option", OPTIONS)
def test_equal_seeds_give_equal_weights_and_the_global_generator_is_left_alone(option):
    before = torch.get_rng_state()
    nets = [Net() for _ in range(3)]
    torch.set_rng_state(before)
    for net, seed in zip(nets, [1, 1, 2], strict=True):
        initialize(net, _init(option), _generator(seed))
    assert torch.equal(torch.get_rng_state(), before)
    first, again, other = ([p.detach() for p in net.parameters()] for net in nets)
    assert all(torch.equal(a, b) for a, b in zip(first, again, strict=True))
    assert any(not torch.equal(a, b) for a, b in zip(first, other, strict=True)) == (
        option not in ("constant", "zeros")
    )


@pytest.mark.parametrize("option", OPTIONS)
def test_norms_start_neutral_slopes_at_their_own_and_the_model_has_the_last_word(option):
    net = Net()
    for parameter in net.parameters():
        parameter.data.fill_(7.0)
    initialize(net, _init(option), _generator())
    assert net.norm.weight.tolist() == [1.0] * 8
    assert net.norm.bias.tolist() == net.last.bias.tolist() == [0.0] * 8
    assert net.activation.weight.tolist() == [0.25] * 8
    assert net.last.weight.tolist() == [0.0] * 8
    biases = [net.conv.bias, net.head.bias, net.maxout.affine.bias]
    assert all(bool(bias.any()) == (option == "torch") for bias in biases)


@pytest.mark.parametrize("option", [option for option in RANDOM if option != "orthogonal"])
@pytest.mark.parametrize("layer", list(SHAPES))
def test_standard_deviation_is_the_formulas(option, layer):
    shape, groups = SHAPES[layer]
    draws = torch.empty(20, *shape, dtype=torch.float64)
    generator, init = _generator(), _init(option)
    for weight in draws:
        init.fill(weight, generator, groups)
    std = _std(option, shape, groups)
    num = draws.numel()
    assert abs(draws.mean()) < 5 * std / num**0.5
    assert draws.square().mean().sqrt() == pytest.approx(std, rel=5 / num**0.5)
    if option.endswith("uniform"):
        assert std * 3**0.5 * 0.99 < draws.abs().max() <= std * 3**0.5


@pytest.mark.parametrize("shape", [(40, 60), (32, 24, 3, 5)])
def test_equals_torchs_functions_bit_for_bit(shape):
    pairs = {
        "kaiming_normal": lambda w, g: nn.init.kaiming_normal_(w, nonlinearity="relu", generator=g),
        "kaiming_uniform": lambda w, g: nn.init.kaiming_uniform_(w, nonlinearity="relu", generator=g),
        "xavier_normal": lambda w, g: nn.init.xavier_normal_(w, generator=g),
        "xavier_uniform": lambda w, g: nn.init.xavier_uniform_(w, generator=g),
        "lecun_normal": lambda w, g: nn.init.kaiming_normal_(w, nonlinearity="linear", generator=g),
        "lecun_uniform": lambda w, g: nn.init.kaiming_uniform_(w, nonlinearity="linear", generator=g),
        "normal": lambda w, g: nn.init.normal_(w, 0.0, 0.01, generator=g),
        "uniform": lambda w, g: nn.init.uniform_(w, -0.05, 0.05, generator=g),
        "orthogonal": lambda w, g: nn.init.orthogonal_(w, generator=g),
    }
    assert set(pairs) == set(RANDOM)
    for option, reference in pairs.items():
        ours, theirs = torch.empty(shape), torch.empty(shape)
        build(read_option("init", option), activation_gain=1.7).fill(ours, _generator())
        reference(theirs, _generator())
        torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)


def test_fan_out_keeps_the_backward_pass():
    weight = torch.empty(2000, 50, dtype=torch.float64)
    KaimingNormal("fan_out", gain=1.0).fill(weight, _generator())
    gradient = torch.randn(100, 2000, dtype=torch.float64, generator=_generator(1)) @ weight
    assert gradient.square().mean() == pytest.approx(1, rel=0.1)
    ours, theirs = torch.empty(8, 6, 3, 3), torch.empty(8, 6, 3, 3)
    KaimingNormal("fan_out").fill(ours, _generator())
    nn.init.kaiming_normal_(theirs, mode="fan_out", nonlinearity="relu", generator=_generator())
    torch.testing.assert_close(ours, theirs, rtol=1e-6, atol=0)


def test_fans_of_a_grouped_convolution_are_those_of_one_group():
    conv = nn.Conv2d(12, 20, (3, 2), groups=4)
    assert fans(conv.weight, conv.groups) == (3 * 6, 5 * 6)


@pytest.mark.parametrize(("shape", "groups"), [((6, 10), 1), ((10, 6), 1), ((8, 3, 3, 3), 1), ((8, 2, 3, 3), 2)])
def test_orthogonal_matrices_are_orthogonal_in_each_group(shape, groups):
    weight = torch.empty(shape, dtype=torch.float64)
    Orthogonal(gain=1.5).fill(weight, _generator(), groups)
    for part in weight.flatten(1).chunk(groups):
        small = part @ part.T if part.shape[0] <= part.shape[1] else part.T @ part
        torch.testing.assert_close(small, 1.5**2 * torch.eye(len(small), dtype=torch.float64))


def test_constant_and_zeros_fill():
    weight = torch.empty(3, 4)
    Constant(0.3).fill(weight, _generator())
    assert (weight == 0.3).all()
    Zeros().fill(weight, _generator())
    assert not weight.any()


def test_torch_leaves_each_module_to_its_own_rule():
    net, reference = Net(), Net()
    initialize(net, Torch(), _generator(3))
    seed = int(torch.randint(2**62, (), generator=_generator(3)))
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)
        for module in reference.modules():
            reset: Any = getattr(module, "reset_parameters", None)
            if reset is not None:
                reset()
    assert torch.equal(net.head.weight, reference.head.weight)
    assert torch.equal(present(net.conv.bias), present(reference.conv.bias))


def test_a_users_module_is_reset_by_itself_and_reproducibly():
    class Scale(nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = nn.Parameter(torch.empty(3))
            self.reset_parameters()

        def reset_parameters(self):
            nn.init.normal_(self.scale)

    a, b = Scale(), Scale()
    initialize(a, KaimingNormal(), _generator())
    initialize(b, KaimingNormal(), _generator())
    assert torch.equal(a.scale, b.scale)


def test_the_user_is_warned_where_symmetry_is_never_broken():
    for option in OPTIONS:
        warning = symmetry_warning(_init(option))
        assert (warning is not None) == (option in ("constant", "zeros"))
    assert str(symmetry_warning(Zeros())).startswith("init=zeros gives all units of a layer the same")


def test_with_a_constant_the_hidden_units_indeed_stay_copies_of_each_other():
    net = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3))
    initialize(net, Constant(0.1), _generator())
    x, y = torch.randn(20, 4, generator=_generator(1)), torch.randint(3, (20,), generator=_generator(2))
    for _ in range(5):
        loss = nn.functional.cross_entropy(net(x), y)
        for parameter, gradient in zip(
            net.parameters(), torch.autograd.grad(loss, list(net.parameters())), strict=True
        ):
            parameter.data -= 0.5 * gradient
    hidden = next(net.parameters()).detach()
    torch.testing.assert_close(hidden, hidden[:1].expand_as(hidden))
    assert not torch.allclose(hidden, torch.full_like(hidden, 0.1))


def test_the_output_layer_is_the_last_unless_the_model_names_others():
    net = Net()
    assert output_layers(net) == [net.head]
    named = Named()
    assert output_layers(named) == [named.conv]
    assert output_layers(nn.Sequential(nn.ReLU())) == []
