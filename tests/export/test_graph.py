"""A graph gives what the model gives: raw examples in, the run's own answers out. N examples."""

from functools import partial

import pytest
import torch
from torch import nn

from dlexp.build.node import factory
from dlexp.config.catalog import list_groups, read_option
from dlexp.dropout import Classic, NoDropout
from dlexp.export.graph import Graph, as_input, num_together, side_of
from dlexp.metric.probability import log_weights
from dlexp.model.cnn import CNN
from dlexp.model.layer import Heads
from dlexp.model.mlp import MLP
from dlexp.model.torchvision import TorchvisionNet
from dlexp.norm import BatchNorm
from tests import exported

BLOCKS = {"norm": partial(BatchNorm), "dropout": partial(NoDropout)}
FORMS = ("pt2", "onnx")


def dense(num_inputs=6, num_outputs=5, **blocks):
    options = {**BLOCKS, "activation": factory(read_option("activation", "relu")), **blocks}
    return MLP([8], in_shape=(num_inputs,), num_outputs=num_outputs, **options)


@pytest.mark.parametrize("link", ["softmax", "sigmoid", "margin"])
@pytest.mark.parametrize("shape", [(6,), (3, 8, 8)])
def test_answers_are_those_of_the_model(shape, link):
    told = exported.about(shape, measure={"link": link})
    module = nn.Sequential(nn.Flatten(), nn.Linear(int(torch.tensor(shape).prod()), 5))
    model, inputs = exported.saved(module, told), exported.draw(shape, 9)
    outputs, probabilities = Graph(model)(as_input(inputs))
    assert torch.allclose(outputs, model.outputs(inputs), atol=1e-5)
    assert torch.allclose(probabilities.double(), log_weights(outputs, link).softmax(-1), atol=1e-6)


def test_values_are_in_the_unit_of_the_target():
    told = exported.about((6,), 0)
    model, inputs = exported.saved(dense(num_outputs=1), told), exported.draw((6,), 9)
    (values_N,) = Graph(model)(as_input(inputs))
    assert (values_N.shape, values_N.dtype) == ((9,), torch.float64)
    assert torch.allclose(values_N, model.outputs(inputs), rtol=1e-6)


def test_several_targets_have_what_each_has_alone():
    told = exported.about((6,), 0, **exported.TARGETS)
    module = Heads([nn.Linear(6, 1), nn.Linear(6, 1), nn.Linear(6, 3)])
    model, inputs = exported.saved(module, told), exported.draw((6,), 9)
    graph = Graph(model)
    assert graph.output_names == ("outputs", "two.probabilities", "a_b.values", "three.probabilities")
    outputs, two, value, three = graph(as_input(inputs))
    wanted = model.outputs(inputs)
    assert torch.allclose(outputs, wanted, rtol=1e-6)
    assert torch.allclose(value, wanted[:, 1], rtol=1e-6)
    assert torch.allclose(two[:, 1], wanted[:, 0].sigmoid().float(), atol=1e-6)
    assert torch.allclose(three, wanted[:, 2:].softmax(1).float(), atol=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_rows_pass_through_a_file_in_batches_of_any_size(form):
    assert exported.difference(dense(), exported.about((6,)), form) <= 1e-4
    assert exported.difference(dense(num_outputs=1), exported.about((6,), 0), form) <= 1e-4


@pytest.mark.parametrize("form", FORMS)
def test_pictures_of_other_sizes_are_brought_to_the_network_s_in_the_file(form):
    told = exported.about((3, 8, 8), encoding={"kind": "image", "size": 8, "fit": "crop"})
    model = exported.saved(nn.Sequential(nn.Flatten(), nn.Linear(192, 5)), told)
    answer = exported.through(form, model, told).answer
    pictures = torch.rand(3, 3, 21, 13)
    assert torch.allclose(answer(pictures)[0], Graph(model)(pictures)[0], atol=1e-5)


def test_pictures_that_were_taken_as_they_are_have_one_size_only():
    assert side_of(exported.about((3, 8, 8))) == (8, "crop")
    assert side_of(exported.about((3, 8, 8), encoding={"size": 8, "fit": "pad"})) == (8, "pad")
    assert side_of(exported.about((3, 8, 8), encoding={"size": None})) == (None, "crop")
    assert side_of(exported.about((3, 8, 9))) == (None, "crop")
    assert side_of(exported.about((6,)))[0] is None


def test_large_pictures_are_asked_in_small_batches():
    assert num_together([1, 8, 8]) == 256
    assert num_together([3, 224, 224]) == 27
    assert num_together([3, 4096, 4096]) == 1


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("shape", [(6,), (3, 8, 8)])
@pytest.mark.parametrize("option", list_groups()["activation"])
def test_every_activation(option, shape, form):
    activation = factory(read_option("activation", option))
    image = partial(CNN, [4, 4], in_shape=shape, num_outputs=5)
    module = dense(activation=activation) if len(shape) == 1 else image(**{**BLOCKS, "activation": activation})
    assert exported.difference(module, exported.about(shape), form) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("option", list_groups()["norm"])
def test_every_norm_and_a_dropout_that_acts_in_evaluation(option, form):
    norm = factory(read_option("norm", option))
    blocks = {"norm": norm, "activation": factory(read_option("activation", "relu")), "dropout": partial(Classic, 0.5)}
    module = CNN([8, 8], in_shape=(3, 8, 8), num_outputs=5, **blocks)
    assert exported.difference(module, exported.about((3, 8, 8)), form) <= 1e-4


@pytest.mark.slow
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("link", ["sigmoid", "margin"])
def test_every_link(link, form):
    assert exported.difference(dense(), exported.about((6,), measure={"link": link}), form) <= 1e-4


@pytest.mark.parametrize(
    ("name", "form"),
    [
        ("squeezenet1_1", "pt2"),
        *(
            pytest.param(name, form, marks=pytest.mark.slow)
            for name in ("resnet18", "mobilenet_v3_small", "shufflenet_v2_x0_5", "squeezenet1_1")
            for form in FORMS
            if (name, form) != ("squeezenet1_1", "pt2")
        ),
    ],
)
def test_networks_of_torchvision(name, form):
    told = exported.about((3, 32, 32))
    module = TorchvisionNet(name, in_shape=(3, 32, 32), num_outputs=5)
    assert exported.difference(module, told, form) <= 1e-4
