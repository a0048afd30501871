from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from dlexp.dropout import Inverted
from dlexp.error import ConfigError
from dlexp.model.densenet import DenseNet
from tests.present import present


def build(blocks, depth: Any = 40, growth_rate=4, **options) -> Any:
    return DenseNet(depth, growth_rate, in_shape=(3, 16, 16), num_outputs=10, **{**blocks, **options})


@pytest.mark.parametrize("depth", [40, 100, 121, 169, 190, 201, 250, 264])
def test_depth_counts_the_layers_with_weights(depth, blocks):
    def layers(**options):
        with torch.device("meta"):
            return sum(isinstance(m, nn.Conv2d | nn.Linear) for m in build(blocks, depth, **options).modules())

    # Table 1 prints 6, 12, 64 and 48 layers for DenseNet-264, which are 265 with the other five.
    assert layers() == (265 if depth == 264 else depth)
    if depth in (40, 100, 190, 250):
        assert layers(bottleneck=False, compression=1.0) == depth
    else:
        with pytest.raises(ConfigError, match=r"model\.bottleneck: got false with depth"):
            layers(bottleneck=False)


def test_each_layer_reads_all_features_before_it(blocks):
    with torch.device("meta"):
        model = build(blocks, bottleneck=False, compression=1.0)
    block = model.blocks[0]
    assert [unit.concat.conv.conv.in_channels for unit in block.units] == [16 + 4 * i for i in range(12)]
    assert model.output.in_features == 16 + 36 * 4


def one_step(model, x):
    model.train()
    model(x).square().sum().backward()
    return {name: present(p.grad) for name, p in model.named_parameters()}, dict(model.named_buffers())


@pytest.mark.parametrize("bottleneck", [True, False])
def test_checkpointing_changes_no_gradient_and_no_statistic(bottleneck, blocks):
    blocks["dropout"] = partial(Inverted, p=0.2)
    model, saving = (build(blocks, bottleneck=bottleneck, checkpointing=switch) for switch in (False, True))
    saving.load_state_dict(model.state_dict())
    x = torch.randn(2, 3, 16, 16)
    for computed, again in zip(one_step(model, x), one_step(saving, x), strict=True):
        assert computed.keys() == again.keys()
        for name in computed:
            assert torch.equal(computed[name], again[name]), name


def test_checkpointing_reads_the_parameters_of_functional_call(blocks):
    model = build(blocks, checkpointing=True)
    params = {name: (p * 1.5).detach().requires_grad_() for name, p in model.named_parameters()}
    x = torch.randn(2, 3, 16, 16)
    torch.func.functional_call(model, params, x).square().sum().backward()
    plain = build(blocks)
    plain.load_state_dict(model.state_dict())
    plain.load_state_dict({name: p.detach() for name, p in params.items()}, strict=False)
    gradients, _ = one_step(plain, x)
    for name, gradient in gradients.items():
        torch.testing.assert_close(params[name].grad, gradient)


def saved_bytes(model, x):
    total = 0

    def pack(tensor):
        nonlocal total
        total += tensor.numel() * tensor.element_size()
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        model.train()(x)
    return total


def test_checkpointing_keeps_less_for_the_backward_pass(blocks):
    x = torch.randn(2, 3, 16, 16)
    assert saved_bytes(build(blocks, 100, checkpointing=True), x) < 0.6 * saved_bytes(build(blocks, 100), x)


@pytest.mark.parametrize(("depth", "stem", "side"), [(121, "small", 8), (40, "small", 4), (121, "imagenet", 29)])
def test_smallest_image_is_named_and_works(depth, stem, side, blocks):
    with torch.device("meta"):
        with pytest.raises(ConfigError, match=f"at least {side}x{side}"):
            DenseNet(depth, stem=stem, in_shape=(3, side - 1, side), num_outputs=10, **blocks)
        model = DenseNet(depth, stem=stem, in_shape=(3, side, side), num_outputs=10, **blocks)
        assert model(torch.empty(2, 3, side, side)).shape == (2, 10)


def test_compression_to_nothing_is_refused(blocks):
    with pytest.raises(ConfigError, match=r"model\.compression"):
        build(blocks, growth_rate=1, compression=0.001)
