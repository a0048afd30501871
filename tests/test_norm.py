"""Norms: the contract over every option, hand-written statistics and torch.nn as references."""

from functools import partial

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap
from torch.nn import functional as F

from dlexp.build.node import factory
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.signature import read
from dlexp.error import ConfigError
from dlexp.norm import BatchNorm, GroupNorm, InstanceNorm, LayerNorm, NoNorm
from tests.present import present

OPTIONS = list_groups()["norm"]
IMAGE, VECTOR = (6, 8, 5, 4), (6, 8)
WORKS = [(option, shape) for option in OPTIONS for shape in (IMAGE, VECTOR) if (option, shape) != ("instance", VECTOR)]


def _draw(shape, seed=0):
    return 3 + 2 * torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


def _build(option):
    changes = {"num_groups": 4} if option == "group" else {}
    module = factory({**read_option("norm", option), **changes})(num_features=8).double()
    for name, parameter in module.named_parameters():
        parameter.data = _draw(8, seed=len(name))
    return module


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_states_every_parameter_at_its_default(option):
    node = read_option("norm", option)
    signature = read(node["_target_"])
    assert {k: v for k, v in node.items() if k != "_target_"} == {k: p.default for k, p in signature.parameters.items()}
    assert all(parameter.doc for parameter in signature.parameters.values())
    assert signature.source or option == "none"


@pytest.mark.parametrize(("option", "shape"), WORKS)
def test_keeps_the_shape_and_sends_finite_gradients_everywhere(option, shape):
    module, x = _build(option), _draw(shape).requires_grad_()
    y = module(x)
    assert y.shape == x.shape
    (y * _draw(shape, seed=1)).sum().backward()
    for tensor in [x, *module.parameters()]:
        assert tensor.grad is not None
        assert tensor.grad.isfinite().all()
        assert tensor.grad.abs().sum() > 0


@pytest.mark.parametrize(("option", "shape"), WORKS)
def test_channels_last_gives_the_same(option, shape):
    if shape == IMAGE:
        x = _draw(shape)
        torch.testing.assert_close(_build(option)(x.contiguous(memory_format=torch.channels_last)), _build(option)(x))


@pytest.mark.parametrize(
    ("make", "axes"),
    [
        (BatchNorm, (0, 2, 3)),
        (LayerNorm, (1, 2, 3)),
        (InstanceNorm, (2, 3)),
        (partial(GroupNorm, 2), None),
    ],
)
def test_normalises_over_the_axes_of_the_literature(make, axes):
    x = _draw(IMAGE)
    y = make(num_features=8).double()(x)
    if axes is None:  # group: split the channels, then over a group and space
        x, y, axes = x.view(6, 2, 4, 5, 4), y.view(6, 2, 4, 5, 4), (2, 3, 4)
    mean, var = x.mean(axes, keepdim=True), x.var(axes, correction=0, keepdim=True)
    torch.testing.assert_close(y, (x - mean) / (var + 1e-5).sqrt(), rtol=1e-10, atol=1e-10)


@pytest.mark.parametrize(("make", "axis"), [(BatchNorm, 0), (LayerNorm, 1)])
def test_on_vectors(make, axis):
    x = _draw(VECTOR)
    mean, var = x.mean(axis, keepdim=True), x.var(axis, correction=0, keepdim=True)
    torch.testing.assert_close(make(num_features=8).double()(x), (x - mean) / (var + 1e-5).sqrt())


@pytest.mark.parametrize("shape", [IMAGE, VECTOR])
def test_equals_torch(shape):
    x = _draw(shape)
    norms = {option: _build(option) for option in OPTIONS}
    w, b = norms["layer"].weight, norms["layer"].bias
    wide = (8, *[1] * (len(shape) - 2))
    references = {
        "batch": (nn.BatchNorm2d if len(shape) == 4 else nn.BatchNorm1d)(8).double(),
        "layer": lambda x: F.layer_norm(x, x.shape[1:]) * w.view(wide) + b.view(wide),
        "instance": lambda x: F.instance_norm(x, weight=w, bias=b),
        "group": lambda x: F.group_norm(x, 4, w, b),
        "none": lambda x: x,
    }
    references["batch"].load_state_dict(norms["batch"].state_dict())
    for option in OPTIONS:
        if (option, shape) in WORKS:
            torch.testing.assert_close(norms[option](x), references[option](x), rtol=1e-10, atol=1e-10)
    torch.testing.assert_close(norms["batch"].eval()(x), references["batch"].eval()(x), rtol=1e-12, atol=1e-12)


def test_only_batch_norm_keeps_running_statistics():
    buffers = {option: list(_build(option).state_dict().keys() - {"weight", "bias"}) for option in OPTIONS}
    assert sorted(buffers.pop("batch")) == ["num_batches_tracked", "running_mean", "running_var"]
    assert not any(buffers.values())


def test_running_statistics_are_exponential_averages_with_the_unbiased_variance():
    norm, x = BatchNorm(momentum=0.25, num_features=8).double(), _draw(IMAGE)
    norm(x)
    torch.testing.assert_close(norm.running_mean, 0.25 * x.mean((0, 2, 3)))
    torch.testing.assert_close(norm.running_var, 0.75 + 0.25 * x.var((0, 2, 3)))
    before = present(norm.running_mean).clone()
    norm.eval()(x)
    assert torch.equal(present(norm.running_mean), before)


@pytest.mark.parametrize(("option", "shape"), [w for w in WORKS if w[0] != "batch"])
def test_the_others_treat_each_example_by_itself(option, shape):
    norm, x = _build(option), _draw(shape)
    torch.testing.assert_close(norm(x[2:3]), norm(x)[2:3], rtol=1e-12, atol=1e-12)
    torch.testing.assert_close(norm.eval()(x), norm.train()(x))


@pytest.mark.parametrize(("option", "shape"), WORKS)
def test_state_survives_save_and_load(option, shape):
    norm, other, x = _build(option), _build(option), _draw(shape)
    for parameter in other.parameters():
        parameter.data.zero_()
    norm(x)
    other.load_state_dict(norm.state_dict())
    assert torch.equal(norm.eval()(x), other.eval()(x))


@pytest.mark.parametrize(("option", "shape"), WORKS)
def test_stacked_by_vmap_each_trial_gets_its_own_numbers_and_statistics(option, shape):
    norms, x = [_build(option) for _ in range(3)], _draw((3, *shape))
    for k, norm in enumerate(norms):
        for parameter in norm.parameters():
            parameter.data += k
    if not list(norms[0].parameters()):
        assert torch.equal(vmap(norms[0])(x), x)
        return
    params, buffers = stack_module_state(norms)
    together = vmap(lambda p, b, row: functional_call(norms[0], (p, b), (row,)))(params, buffers, x)
    torch.testing.assert_close(together, torch.stack([n(row) for n, row in zip(norms, x, strict=True)]))
    if option == "batch":
        torch.testing.assert_close(buffers["running_var"], torch.stack([n.running_var for n in norms]))


@pytest.mark.parametrize("shape", [(1, 8), (1, 8, 1, 1)])
def test_batch_norm_refuses_one_value_per_channel_in_training_only(shape):
    norm = BatchNorm(num_features=8)
    with pytest.raises(ConfigError, match="norm: got batch norm on one value per channel"):
        norm(torch.ones(shape))
    assert norm.eval()(torch.ones(shape)).isfinite().all()


def test_batch_norm_of_one_image_works_over_its_space():
    assert BatchNorm(num_features=8)(torch.ones(1, 8, 2, 2)).isfinite().all()


@pytest.mark.parametrize(("shape", "what"), [((4, 8), "vectors"), ((1, 8, 1, 1), "1x1 maps")])
@pytest.mark.parametrize(("norm", "kind"), [(InstanceNorm, "instance"), (partial(GroupNorm, 8), "group")])
def test_statistics_over_one_value_are_refused(norm, kind, shape, what):
    with pytest.raises(ConfigError, match=f"norm: got {kind} norm on {what} of 8 features; it needs two or more"):
        norm(num_features=8)(torch.ones(shape))


def test_layer_norm_refuses_a_single_feature():
    with pytest.raises(ConfigError, match="norm: got layer norm on vectors of 1 feature"):
        LayerNorm(num_features=1)(torch.ones(4, 1))


def test_group_norm_refuses_groups_that_do_not_divide():
    with pytest.raises(ConfigError, match=r"norm.num_groups: got 3; it must divide the layer's 8 features"):
        GroupNorm(3, num_features=8)


@pytest.mark.parametrize(("option", "shape"), WORKS)
def test_constant_input_is_finite(option, shape):
    x = torch.full(shape, 7.0, dtype=torch.float64).requires_grad_()
    y = _build(option)(x)
    y.sum().backward()
    assert y.isfinite().all()
    assert x.grad is not None
    assert x.grad.isfinite().all()


def test_all_but_none_make_the_layers_own_bias_redundant():
    assert not NoNorm.adds_bias
    assert all(norm.adds_bias for norm in (BatchNorm, LayerNorm, InstanceNorm, GroupNorm))
