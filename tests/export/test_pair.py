"""A file of a model of pairs takes two inputs and says how alike they are, as the model does. N pairs."""

import numpy as np
import pytest
import torch
from torch import nn

from dlexp.export.graph import as_input
from dlexp.export.pair import INPUTS, OUTPUTS, PairGraph, graph_of
from tests import exported

STATED = {"task": "pairs", "num_outputs": 3, "measure": {"link": "similarity"}}


def pair_model(shape, similarity="cosine", **more):
    pairs = {"similarity": similarity, "threshold": 0.25}
    module = nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(shape)), 3))
    return exported.saved(module, exported.about(shape, 2, pairs=pairs, **STATED, **more))


@pytest.mark.parametrize("similarity", ["cosine", "distance"])
@pytest.mark.parametrize("shape", [(6,), (3, 8, 8)])
def test_similarity_is_that_of_the_model_and_of_the_embeddings(shape, similarity):
    model, inputs = pair_model(shape, similarity), exported.draw(shape, 10)
    graph = graph_of(model)
    assert isinstance(graph, PairGraph)
    assert (graph.input_names, graph.output_names) == (INPUTS, OUTPUTS)
    similarity_N, first_NE, second_NE = graph(as_input(inputs[0::2]), as_input(inputs[1::2]))
    said_N2 = model.outputs(inputs)
    assert torch.allclose(similarity_N, said_N2[:, 1], atol=1e-6)
    assert said_N2[:, 0].tolist() == [0.25] * 5
    of_distance = -(first_NE - second_NE).norm(dim=1)
    expected_N = nn.functional.cosine_similarity(first_NE, second_NE) if similarity == "cosine" else of_distance
    assert torch.allclose(similarity_N, expected_N, atol=1e-6)


@pytest.mark.parametrize("form", ["pt2", "onnx"])
def test_a_file_compares_pictures_each_of_its_own_size_in_batches_of_any_number(form):
    model = pair_model((3, 8, 8), encoding={"kind": "image", "size": 8, "fit": "crop"})
    file = exported.through(form, model, model.about)
    for num in exported.SIZES:
        inputs = exported.draw((3, 8, 8), 2 * num)
        assert torch.allclose(file.outputs(inputs), model.outputs(inputs), atol=1e-5)
    small, large = torch.rand(2, 3, 9, 8), torch.rand(2, 3, 21, 13)
    assert torch.allclose(file.answer(small, large)[0], graph_of(model)(small, large)[0], atol=1e-5)
