import time
from functools import partial

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from dlexp.activation import Maxout
from dlexp.model.cnn import CNN
from dlexp.model.densenet import DenseNet
from dlexp.model.inception import GoogLeNet, Inception
from dlexp.model.layer import Blocks
from dlexp.model.mlp import MLP
from dlexp.model.resnet import ResNet
from dlexp.model.summary import summarize
from dlexp.model.vgg import VGG
from dlexp.norm import InstanceNorm, NoNorm
from tests.present import present


def one_layer(layer, *in_shape):
    (layer_counted,) = summarize(layer, in_shape).layers
    return layer_counted


def test_hand_arithmetic_of_single_layers():
    with torch.device("meta"):
        assert one_layer(nn.Conv2d(3, 5, 3), 3, 256, 256).num_params == 140
        assert one_layer(nn.Conv2d(3, 16, 7), 3, 32, 32).output_shape == (16, 26, 26)
        assert one_layer(nn.Conv2d(16, 32, 3, bias=False), 16, 10, 10).num_params == 4608
        dense = nn.Sequential(nn.Flatten(), nn.Linear(32 * 32 * 3, 500))
        assert summarize(dense, (3, 32, 32)).num_params == 1_536_500
        four = one_layer(nn.Conv2d(3, 4, 4), 3, 32, 32)
        assert (four.output_shape, four.num_params) == ((4, 29, 29), 196)
        # Each of the 4 * 29 * 29 outputs takes 48 multiply-adds of two operations.
        assert four.flops == 2 * 4 * 29 * 29 * 48
        assert (four.receptive_field, four.stride) == (4, 1)


def test_receptive_field_and_stride_by_hand():
    chain = nn.Sequential(
        nn.Conv2d(1, 1, 7, 2, 3), nn.MaxPool2d(3, 2, 1), nn.Conv2d(1, 1, 3, padding=2, dilation=2), nn.AvgPool2d(2)
    )
    layers = summarize(chain.to("meta"), (1, 224, 224)).layers
    # 1 + 6; + 2 * 2; + 4 * 4; + 1 * 4
    assert [layer.receptive_field for layer in layers] == [7, 11, 27, 31]
    assert [layer.stride for layer in layers] == [2, 4, 4, 8]


def seen_pixels(model, in_shape, name):
    """Side of the window of the image that moves the middle output pixel of a module: measured, not computed."""
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.1)
    outputs = {}
    model.get_submodule(name).register_forward_hook(lambda module, args, output: outputs.update(y=output))
    # In a rising image the largest value of a window lies at its end, in a falling one at its beginning.
    rising = torch.arange(in_shape[1] * in_shape[2], dtype=torch.float64).view(1, 1, *in_shape[1:]).expand(1, *in_shape)
    moved = torch.zeros(in_shape[1:], dtype=torch.bool)
    for image in (rising, rising.flip(2, 3)):
        x = image.clone().requires_grad_()
        model.double().eval()(x)
        y = outputs["y"]
        y[0, :, y.shape[2] // 2, y.shape[3] // 2].sum().backward()
        moved |= present(x.grad)[0].abs().sum(0) > 0
    rows = moved.any(1).nonzero()
    return int(rows.max() - rows.min()) + 1


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (partial(ResNet, 8, "small"), "stages.2.0"),
        (partial(ResNet, 18, "imagenet"), "stages.1.1"),
        (partial(CNN, [2, 2, 2], [5, 3, 3], padding=[2, 1, 1]), "stages.2"),
        (partial(DenseNet, 40, 2, stem="small"), "blocks.1"),
    ],
)
def test_receptive_field_is_what_gradients_measure(build, name, blocks):
    model = build(in_shape=(1, 128, 128), num_outputs=2, **{**blocks, "norm": partial(NoNorm)})
    layers = {layer.name: layer for layer in summarize(model, (1, 128, 128)).layers}
    computed = max(present(layer.receptive_field) for layer in layers.values() if layer.name.startswith(name))
    assert seen_pixels(model, (1, 128, 128), name) == computed


def test_branches_count_by_the_largest(blocks):
    module = Inception(1, (2, 2, 2, 2, 2, 2), 5, Blocks(**{**blocks, "norm": partial(NoNorm)}))
    computed = max(present(layer.receptive_field) for layer in summarize(module, (1, 24, 24)).layers)
    assert seen_pixels(nn.Sequential(module), (1, 24, 24), "0") == computed == 5


def test_sides_are_followed_apart():
    chain = nn.Sequential(nn.Conv2d(1, 1, (1, 7), (2, 1)), nn.Conv2d(1, 1, (3, 1)))
    layers = summarize(chain.to("meta"), (1, 32, 32)).layers
    assert [(layer.receptive_field, layer.stride) for layer in layers] == [(7, 2), (7, 2)]


def test_vgg16_sees_212_pixels(blocks):
    """Araujo, Norris and Sim (2019), table of known nets: VGG-16 has a receptive field of 212 and a stride of 32."""
    with torch.device("meta"):
        model = VGG(16, in_shape=(3, 224, 224), num_outputs=1000, **blocks)
    last = [layer for layer in summarize(model, (3, 224, 224)).layers if layer.type == "MaxPool2d"][-1]
    assert (last.receptive_field, last.stride) == (212, 32)


@pytest.mark.parametrize(
    "build",
    [
        partial(MLP, [16]),
        CNN,
        partial(VGG, 11),
        partial(ResNet, 18),
        partial(DenseNet, 40, 4),
        partial(GoogLeNet, stem="imagenet"),
    ],
)
@pytest.mark.parametrize("changes", [{}, {"activation": partial(Maxout)}, {"norm": partial(InstanceNorm)}])
def test_totals_equal_torchs_counter_and_the_sums_of_the_layers(build, changes, blocks):
    if build.__class__ is partial and build.func is MLP:
        changes = {key: value for key, value in changes.items() if key != "norm"}
    with torch.device("meta"):
        model = build(in_shape=(3, 128, 128), num_outputs=10, **{**blocks, **changes})
        summary = summarize(model, (3, 128, 128))
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            model.eval()(torch.empty(1, 3, 128, 128))
    assert summary.flops == counter.get_total_flops()
    assert summary.flops == sum(layer.flops for layer in summary.layers if not layer.is_auxiliary)
    assert (
        summary.num_params
        == sum(layer.num_params for layer in summary.layers)
        == sum(p.numel() for p in model.parameters())
    )
    assert sum(layer.share for layer in summary.layers) == pytest.approx(1)
    assert sum(layer.flops_share for layer in summary.layers) == pytest.approx(1)


def test_resnet152_takes_less_than_five_seconds_and_no_memory(blocks):
    started = time.perf_counter()
    with torch.device("meta"):
        model = ResNet(152, in_shape=(3, 224, 224), num_outputs=1000, **blocks)
    summary = summarize(model, (3, 224, 224))
    assert time.perf_counter() - started < 5
    assert summary.num_params == 60_192_808
    assert all(parameter.is_meta for parameter in model.parameters())


def test_a_model_with_weights_is_left_as_it_is(blocks):
    model = ResNet(8, in_shape=(3, 16, 16), num_outputs=10, **blocks).train()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    summarize(model, (3, 16, 16))
    assert model.training
    assert not any(module._forward_hooks for module in model.modules())
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())


def test_where_auxiliary_heads_attach(blocks):
    with torch.device("meta"):
        model = GoogLeNet(aux_weights=[0.3, 0.2], in_shape=(3, 224, 224), num_outputs=1000, **blocks)
    summary = summarize(model, (3, 224, 224))
    attached = [(head.name, head.behind, head.weight) for head in summary.auxiliary]
    assert attached == [("aux1", "inception4a", 0.3), ("aux2", "inception4d", 0.2)]
    heads = [layer for layer in summary.layers if layer.is_auxiliary]
    assert {layer.name.split(".")[0] for layer in heads} == {"aux1", "aux2"}
    assert heads[0].output_shape == (512, 4, 4)


def test_frozen_parameters_are_not_trainable(blocks):
    model = MLP([4], in_shape=(3,), num_outputs=2, **blocks)
    model.output.weight.requires_grad_(False)
    summary = summarize(model, (3,))
    assert summary.num_params - summary.num_trainable == 8
    assert all(layer.receptive_field is None for layer in summary.layers)


def test_warnings_name_the_first_layer_that_sees_more_than_the_image_and_the_window_on_one_pixel(blocks):
    with torch.device("meta"):
        small, large = (
            ResNet(18, stem, in_shape=(3, 32, 32), num_outputs=10, **blocks) for stem in ("small", "imagenet")
        )
        net = CNN([2], in_shape=(3, 32, 32), num_outputs=10, **blocks)
    assert summarize(net, (3, 32, 32)).warnings == []
    (field,) = summarize(small, (3, 32, 32)).warnings
    # 3, then two units of two 3x3 filters: 11; the first unit of stride 2: 13, 17; then 21, 25; then 29, 37
    assert field.startswith("stages.2.0.convs.1: its receptive field of 37 pixels exceeds the image's 32")
    # fields 3 ... 29 and 37: the side that is exceeded is named, be it the shorter or not
    for shape, text in {(3, 32, 99): "height of 32", (3, 99, 32): "width of 32", (3, 33, 35): "height of 33"}.items():
        assert f"37 pixels exceeds the image's {text}; from" in summarize(small, shape).warnings[0]
    shrunk = summarize(large, (3, 32, 32)).warnings[1]
    assert shrunk.startswith("stages.3.0.convs.1: a 3x3 window reads a 1x1 map")


def test_a_module_called_twice_counts_its_parameters_once():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer = nn.Linear(3, 3)

        def forward(self, x):
            return self.layer(self.layer(x)) @ torch.ones(3, 2, device=x.device)

    summary = summarize(Twice(), (3,))
    assert [(layer.name, layer.num_params, layer.flops) for layer in summary.layers] == [
        ("layer", 12, 18),
        ("layer", 0, 18),
        ("", 0, 12),
    ]
