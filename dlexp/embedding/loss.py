"""Losses of pairs: the mean over a trial's pairs, one number per trial, for a branch that both inputs pass through.

`outputs` are (T, N, 1) similarities while training, (T, N, 2) threshold and similarity afterwards; targets are (T, N),
1 for a pair that is the same and 0 for one that is not. The branch has `num_outputs` outputs, an embedding, and
`similarity` names what two of them are compared by (`dlexp.embedding.similarity`).
Shapes: T trials, N pairs. With z and z' embeddings, c = cos(z, z'), D = |z - z'|.
"""

from typing import Annotated

from annotated_types import Interval
from torch import Tensor

from dlexp.error import ConfigError
from dlexp.type import Count, PerTrial, Positive


def _require(task: str, loss: str) -> None:
    if task != "pairs":
        raise ConfigError(f"loss: got {loss}; the task is {task}, and this is a loss of pairs: set task=pairs, or auto")


def _similarity(outputs: Tensor, targets_TN: Tensor, loss: str) -> Tensor:
    """Return the similarities (T, N), the last column of outputs.

    Raises:
        ConfigError: The targets are probabilities.
    """
    if targets_TN.ndim == 3:
        raise ConfigError(f"loss: got {loss} with mixed labels; a pair is the same or not: leave out mixup and cutmix")
    return outputs[..., -1]


class Cosine:
    """Cosine loss of pairs: mean of 1 - c where the same, max(0, c - margin) where different.

    With margin = -1 the second is c + 1, and the loss is 1 - y c with y = 1 for the same and -1 for different: the
    form L = -y cos(z, z') up to a constant.

    Args:
        margin: Similarity below which different pairs cost nothing, in [-1, 1).
        embedding: Numbers that the branch makes of an input.

    References:
        Bromley et al. (1993), Signature Verification using a Siamese Time Delay Neural Network, NIPS.
    """

    link = "similarity"
    similarity = "cosine"

    def __init__(
        self,
        margin: PerTrial[Annotated[float, Interval(ge=-1, lt=1)]] = 0.0,
        embedding: Count = 32,
        *,
        task: str = "pairs",
    ):
        _require(task, "cosine")
        self.num_outputs = embedding
        self.margin = margin

    def __call__(self, outputs: Tensor, targets_TN: Tensor) -> Tensor:
        """Return the loss (T,)."""
        c_TN = _similarity(outputs, targets_TN, "cosine")
        same_TN = targets_TN.to(c_TN.dtype)
        return (same_TN * (1 - c_TN) + (1 - same_TN) * (c_TN - self.margin).clamp(min=0)).mean(1)


class Contrastive:
    """Contrastive loss of pairs: mean of D^2 / 2 where the same, max(0, margin - D)^2 / 2 where different.

    Args:
        margin: Distance beyond which different pairs cost nothing, > 0.
        embedding: Numbers that the branch makes of an input.

    References:
        Hadsell, Chopra, LeCun (2006), Dimensionality Reduction by Learning an Invariant Mapping, CVPR, equation 4.
    """

    link = "similarity"
    similarity = "distance"

    def __init__(self, margin: PerTrial[Positive] = 1.0, embedding: Count = 32, *, task: str = "pairs"):
        _require(task, "contrastive")
        self.num_outputs = embedding
        self.margin = margin

    def __call__(self, outputs: Tensor, targets_TN: Tensor) -> Tensor:
        """Return the loss (T,)."""
        distance_TN = -_similarity(outputs, targets_TN, "contrastive")
        same_TN = targets_TN.to(distance_TN.dtype)
        apart_TN = (self.margin - distance_TN).clamp(min=0)
        return ((same_TN * distance_TN.square() + (1 - same_TN) * apart_TN.square()) / 2).mean(1)
