"""A model of pairs as one function of two inputs: how alike they are, and what the branch makes of each.

Shapes: N pairs, E numbers of an embedding.
"""

import torch
from torch import Tensor

from dlexp.embedding.similarity import compared
from dlexp.execution.save.saved_model import SavedModel
from dlexp.export.graph import Graph, Prepared

INPUTS = ("first", "second")
OUTPUTS = ("similarity", "first_embedding", "second_embedding")


class PairGraph(Prepared):
    """What is exported of a model of pairs.

    Both inputs are as `Prepared` takes them, pictures of either side of a size of their own. The threshold, above whose
    similarity two are called the same, stands in the facts. Embeddings are what similarities of many pairs can be
    computed from, with one pass of the branch for each input.

    Args:
        model: With its normalisation and facts.
    """

    def __init__(self, model: SavedModel) -> None:
        super().__init__(model, INPUTS, OUTPUTS)
        self.similarity = str(model.about["pairs"]["similarity"])

    def forward(self, first: Tensor, second: Tensor) -> tuple[Tensor, ...]:
        """Return similarity (N,) and embeddings (N, E) of pictures (N, C, H, W) or rows (N, D)."""
        num = first.shape[0]
        z_ME = self.network(torch.cat([self.prepare(first), self.prepare(second)]))
        first_NE, second_NE = z_ME[:num], z_ME[num:]
        in_turn_ME = torch.stack([first_NE, second_NE], 1).flatten(0, 1)
        return compared(in_turn_ME[None], self.similarity)[0, :, 0], first_NE, second_NE


def graph_of(model: SavedModel) -> Prepared:
    """Return what is exported of a model."""
    return PairGraph(model) if model.about["task"] == "pairs" else Graph(model)
