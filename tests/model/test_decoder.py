from functools import partial
from itertools import pairwise

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn

from dlexp.activation import Identity
from dlexp.build.model import build_module
from dlexp.config.resolve import resolve
from dlexp.dropout import Inverted
from dlexp.engine.stack.kind import batch_obstacle
from dlexp.error import ConfigError
from dlexp.init import KaimingNormal, Orthogonal, initialize
from dlexp.model.cnn import CNN
from dlexp.model.decoder import PREFIXES
from dlexp.model.mlp import MLP
from dlexp.norm import NoNorm

AS = "reconstruct"
LINEAR = {"norm": partial(NoNorm), "activation": partial(Identity), "dropout": partial(Inverted, p=0.0)}


def shapes(model):
    return {name: tuple(value.shape) for name, value in model.state_dict().items()}


def test_parameters_of_a_mirrored_perceptron_by_hand(count, blocks):
    blocks["norm"] = partial(NoNorm)
    # 64 -> 20 -> 12 -> 3 -> 12 -> 20 -> 64, a weight and a bias each
    sizes = [64, 20, 12, 3, 12, 20, 64]
    expected = sum(a * b + b for a, b in pairwise(sizes))
    assert count(MLP, widths=[20, 12], code=3, in_shape=(1, 8, 8), num_outputs=64, task=AS, **blocks) == expected


def test_without_a_code_the_last_hidden_layer_is_the_code(count, blocks):
    blocks["norm"] = partial(NoNorm)
    sizes = [64, 20, 12, 20, 64]
    expected = sum(a * b + b for a, b in pairwise(sizes))
    assert count(MLP, widths=[20, 12], in_shape=(64,), num_outputs=64, task=AS, **blocks) == expected


def test_parameters_of_a_mirrored_convolutional_net_by_hand(count, blocks):
    blocks["norm"] = partial(NoNorm)
    # 1x8x8 -> 4x4x4 -> 6x2x2 = 24 -> 5 and back
    encoder = (9 * 4 + 4) + (9 * 4 * 6 + 6) + (24 * 5 + 5)
    decoder = (5 * 24 + 24) + (9 * 6 * 4 + 4) + (9 * 4 * 1 + 1)
    assert (
        count(CNN, channels=[4, 6], code=5, in_shape=(1, 8, 8), num_outputs=64, task=AS, **blocks) == encoder + decoder
    )


@pytest.mark.parametrize(("make", "in_shape"), [(partial(MLP, [7, 5]), (11,)), (partial(CNN, widths=[9]), (3, 16, 16))])
def test_the_encoder_has_the_names_and_shapes_of_the_classifier(make, in_shape, blocks):
    classifier = shapes(make(in_shape=in_shape, num_outputs=10, **blocks))
    autoencoder = shapes(make(code=2, in_shape=in_shape, num_outputs=0, task=AS, **blocks))
    encoder = {name: shape for name, shape in autoencoder.items() if not name.startswith(PREFIXES)}
    assert encoder == {name: shape for name, shape in classifier.items() if not name.startswith("output.")}


def test_a_deeper_autoencoder_has_all_layers_of_a_shallower(blocks):
    shallow = shapes(MLP([7], in_shape=(11,), num_outputs=11, task=AS, **blocks))
    deep = shapes(MLP([7, 5], in_shape=(11,), num_outputs=11, task=AS, **blocks))
    assert shallow.items() <= deep.items()


@settings(deadline=None, max_examples=60)
@given(
    sides=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    stages=st.lists(st.tuples(*[st.integers(1, 4)] * 2, st.integers(0, 2), st.integers(1, 3)), min_size=1, max_size=3),
    widths=st.lists(st.integers(1, 3), max_size=2),
)
def test_a_reconstruction_has_the_size_of_the_picture(sides, stages, widths):
    kernels, strides, paddings, pools = (list(each) for each in zip(*stages, strict=True))
    with torch.device("meta"):
        try:
            model = CNN(
                [2] * len(stages), kernels, strides, paddings, pools, "max", widths, 1, in_shape=(2, *sides), **LINEAR,
                num_outputs=0, task=AS,
            )  # fmt: skip
        except ConfigError:  # a picture that is too small for the encoder
            return
        assert model.eval()(torch.empty(3, 2, *sides)).shape == (3, 2 * sides[0] * sides[1])


@pytest.mark.parametrize(
    ("sides", "kernel", "stride", "padding", "pool"),
    [((8, 8), 3, 1, 1, 2), ((9, 7), 3, 1, 1, 2), ((11, 8), 5, 2, 2, 1), ((13, 10), 3, 2, 0, 3)],
)
def test_with_the_filters_of_the_encoder_a_stage_is_its_transpose(sides, kernel, stride, padding, pool):
    """<A x, y> = <x, A' y>; averaging divides by the window's pixels, repeating does not."""
    shape = (2, *sides)
    options = {"kernel_size": [kernel], "stride": [stride], "padding": [padding], "pool": [pool], "pooling": "average"}
    model = CNN([3], **options, in_shape=shape, num_outputs=0, task=AS, **LINEAR).double()
    assert model.decoder is not None
    state = {name: torch.zeros_like(value) for name, value in model.state_dict().items()}
    weight = torch.randn(3, 2, kernel, kernel, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    model.load_state_dict(state | {"stages.0.0.conv.weight": weight, "decoder.stages.0.conv.weight": weight})
    x = torch.randn(1, *shape, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    down = model.stages(x).flatten(1)
    y = torch.randn(down.shape, dtype=torch.float64, generator=torch.Generator().manual_seed(2))
    up = model.decoder(y) / pool**2
    torch.testing.assert_close((down * y).sum(), (x.flatten(1) * up).sum())


@pytest.mark.parametrize(("groups", "stride"), [(1, 1), (1, 2), (4, 1)])
def test_a_transposed_convolution_is_filled_from_inputs_to_outputs(groups, stride):
    layer = nn.ConvTranspose2d(64, 16, 3, stride, groups=groups)
    initialize(nn.Sequential(layer, nn.Linear(1, 1)), KaimingNormal(), torch.Generator().manual_seed(0))
    fan_in = 64 // groups * 9
    assert layer.weight.std().item() == pytest.approx((2 / fan_in) ** 0.5, rel=0.05)


def test_an_orthogonal_transposed_filter_keeps_lengths_from_inputs_to_outputs():
    layer = nn.ConvTranspose2d(4, 9, 1)
    initialize(nn.Sequential(layer, nn.Linear(1, 1)), Orthogonal(), torch.Generator().manual_seed(0))
    matrix = layer.weight.detach()[..., 0, 0]  # (in, out)
    torch.testing.assert_close(matrix @ matrix.T, torch.eye(4))


@pytest.mark.parametrize("make", [MLP, partial(CNN, [4, 4], pool=[2, 1], stride=[1, 2], widths=[6])])
def test_trials_can_share_a_program(make, blocks):
    model = make(code=3, in_shape=(1, 9, 9), num_outputs=81, task=AS, **blocks)
    assert batch_obstacle(model, (1, 9, 9)) is None


def built(*overrides):
    config = resolve(list(overrides)).config
    return build_module(config, (1, 8, 8), 64, seed=0)


@pytest.mark.parametrize(
    "model", ["resnet", "softmax", "vgg", "torchvision", "densenet", "nin", "inception", "resnext"]
)
def test_an_architecture_without_a_decoder_is_refused(model):
    with pytest.raises(ConfigError, match=f"model: got {model} with task=reconstruct; mlp and cnn have a decoder"):
        built("task=reconstruct", f"model={model}")


@pytest.mark.parametrize("model", ["mlp", "cnn"])
def test_a_code_without_an_autoencoder_is_refused(model):
    with pytest.raises(ConfigError, match=r"model\.code: got 8; only task=reconstruct has a code, leave it null"):
        built(f"model={model}", "model.code=8")


def test_a_way_past_the_code_is_refused():
    with pytest.raises(ConfigError, match=r"model\.output_shortcut: got true with task=reconstruct; .* set false"):
        built("task=reconstruct", "model.output_shortcut=true")
