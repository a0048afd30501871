"""What every architecture must do."""

import copy
import inspect
from functools import partial
from typing import cast

import pytest
import torch
from torch import nn
from torch.func import functional_call, stack_module_state, vmap

import dlexp.model.densenet
import dlexp.model.inception
import dlexp.model.resnext
from dlexp.config.catalog import list_groups
from dlexp.dropout import Inverted
from dlexp.error import ConfigError
from dlexp.init import output_layers
from dlexp.model.cnn import CNN
from dlexp.model.densenet import DenseNet
from dlexp.model.inception import GoogLeNet
from dlexp.model.mlp import MLP
from dlexp.model.nin import NiN
from dlexp.model.resnet import ResNet
from dlexp.model.resnext import ResNeXt
from dlexp.model.softmax import Softmax
from dlexp.model.vgg import VGG
from dlexp.norm import NoNorm
from tests import exported

IMAGE_NETS = {
    "cnn": CNN,
    "vgg": partial(VGG, 11),
    "nin": NiN,
    "inception": GoogLeNet,
    "inception-without-norm": GoogLeNet,
    "inception-response-norm": partial(GoogLeNet, stem="imagenet"),
    "resnet": partial(ResNet, 8),
    "resnet-basic": partial(ResNet, 18),
    "resnet-plain": partial(ResNet, 8, residual=False),
    "resnet-preactivation": partial(ResNet, 8, preactivation=True),
    "resnet-projection": partial(ResNet, 8, shortcut="projection"),
    "resnext": partial(ResNeXt, 50, 4, 4),
    "densenet": partial(DenseNet, 121, 8),
    "densenet-small": partial(DenseNet, 40, 4),
    "densenet-checkpointing": partial(DenseNet, 40, 4, checkpointing=True),
}
ALL = {"softmax": Softmax, "mlp": MLP, "mlp-shortcut": partial(MLP, [8, 8], True, True, 0.1), **IMAGE_NETS}
FUSABLE = [name for name in ALL if name != "densenet-checkpointing"]


def test_the_table_covers_every_option():
    elsewhere = {"torchvision", "knn", "majority"}  # have tests of their own; the last two have no gradient
    assert {name.partition("-")[0] for name in ALL} == set(list_groups()["model"]) - elsewhere


@pytest.fixture(autouse=True)
def shallow(monkeypatch):
    """Few units in each stage of the deepest nets, few filters in inception's; the parity tests build them whole."""
    monkeypatch.setattr(dlexp.model.densenet, "_counts", lambda depth, _: (2, 2, 2, 2) if depth == 121 else (2, 2, 2))
    monkeypatch.setitem(dlexp.model.resnext.UNITS, 50, (2, 1, 1, 1))
    monkeypatch.setattr(dlexp.model.inception, "MODULES", dict.fromkeys(dlexp.model.inception.MODULES, (16,) * 6))


def build(name, blocks, in_shape):
    """Build with the blocks that the class takes, and with dropout in each place that has one."""
    options = {**blocks, "dropout": partial(Inverted, p=0.1)}
    if name in ("inception-without-norm", "inception-response-norm"):
        options["norm"] = partial(NoNorm)
    taken = inspect.signature(ALL[name]).parameters
    return ALL[name](in_shape=in_shape, num_outputs=5, **{key: options[key] for key in options if key in taken})


def image_of(name):
    """Return a shape that the net reads, small so that the test is quick."""
    return (3, 32, 32) if name == "inception-response-norm" else (3, 16, 16)


def outputs_of(result):
    return result if isinstance(result, list) else [result]


@pytest.mark.parametrize("in_shape", [(3, 32, 32), (1, 64, 48), (3, 224, 224)])
@pytest.mark.parametrize("name", ALL)
def test_output_shapes(name, in_shape, blocks):
    with torch.device("meta"):
        model = build(name, blocks, in_shape)
        for training in (True, False):
            outputs = outputs_of(model.train(training)(torch.empty(2, *in_shape)))
            assert [output.shape for output in outputs] == len(outputs) * [(2, 5)]
            assert len(outputs) == (3 if training and name.startswith("inception") else 1)


@pytest.mark.parametrize("name", ALL)
def test_output_layers_give_the_outputs(name, blocks):
    model = build(name, blocks, image_of(name))
    layers = [cast(nn.Linear, layer) for layer in output_layers(model)]
    assert [layer.weight.shape[0] for layer in layers] == len(layers) * [5]
    assert len(layers) == (3 if name.startswith("inception") else 2 if name == "mlp-shortcut" else 1)
    with torch.no_grad():
        for layer in layers:
            layer.weight.zero_()
            if layer.bias is not None:
                layer.bias.fill_(2.0)
    for output in outputs_of(model(torch.ones(2, *image_of(name)))):
        assert (output == 2.0).all()


@pytest.mark.parametrize("name", IMAGE_NETS)
def test_vectors_are_refused(name, blocks):
    with pytest.raises(ConfigError, match=r"needs images; the data has vectors of 13 features"):
        build(name, blocks, (13,))


@pytest.mark.parametrize("stem", ["small", "imagenet"])
@pytest.mark.parametrize("name", IMAGE_NETS)
def test_a_too_small_image_is_refused_with_the_smallest_size_which_works(name, stem, blocks):
    options = {**blocks, "dropout": partial(Inverted)}
    if name != "cnn":
        options["stem"] = stem
    with torch.device("meta"):
        try:
            ALL[name](in_shape=(3, 1, 1), num_outputs=5, **options)
            smallest = 1
        except ConfigError as error:
            smallest = int(str(error).split("at least ")[1].split("x")[0])
        model = ALL[name](in_shape=(3, smallest, smallest), num_outputs=5, **options)
        assert outputs_of(model(torch.empty(2, 3, smallest, smallest)))[0].shape == (2, 5)
        if smallest > 1:
            with pytest.raises(ConfigError, match=f"at least {smallest}x{smallest}"):
                ALL[name](in_shape=(3, smallest + 9, smallest - 1), num_outputs=5, **options)


@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("name", ALL)
def test_gradient_reaches_every_parameter(name, channels_last, blocks):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = build(name, blocks, image_of(name))
        x = torch.randn(4, *image_of(name))
    if channels_last:
        x, model = x.contiguous(memory_format=torch.channels_last), model.to(memory_format=torch.channels_last)
    torch.stack([output.square().sum() for output in outputs_of(model(x))]).sum().backward()
    for parameter_name, parameter in model.named_parameters():
        assert parameter.grad is not None, parameter_name
        assert parameter.grad.isfinite().all(), parameter_name
        assert parameter.grad.any(), parameter_name


@pytest.mark.parametrize("name", FUSABLE)
def test_two_models_side_by_side_equal_each_alone(name, blocks):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        models = [build(name, blocks, image_of(name)) for _ in range(2)]
        x = torch.randn(2, 4, *image_of(name))
    skeleton = copy.deepcopy(models[0]).to("meta")
    for training in (True, False):
        for model in [skeleton, *models]:
            model.train(training)
        params, buffers = stack_module_state(models)
        together = outputs_of(
            vmap(lambda p, b, x: functional_call(skeleton, (p, b), (x,)), randomness="different")(params, buffers, x)
        )
        for trial, model in enumerate(models):
            for output, alone in zip(together, outputs_of(model(x[trial])), strict=True):
                torch.testing.assert_close(output[trial], alone, rtol=1e-3, atol=1e-4)


@pytest.mark.slow
@pytest.mark.parametrize("form", ["pt2", "onnx"])
@pytest.mark.parametrize("name", ALL)
def test_an_exported_file_gives_the_same_outputs(name, form, blocks):
    shape = image_of(name)
    assert exported.difference(build(name, blocks, shape), exported.about(shape), form) <= 1e-4
