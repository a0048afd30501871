"""How alike the embeddings z and z' of a pair are: one number, larger for likelier the same.

Embeddings of N pairs come as 2 N rows, z and z' in turn. Shapes: T trials, N pairs, E numbers of an embedding.
"""

from collections.abc import Callable

import torch
from torch import Tensor

EPS = 1e-12  # added to squared lengths, as torch.nn.CosineEmbeddingLoss does
LEAST = 1e-24  # of a squared distance, whose root has no slope at 0


def cosine(z_TME: Tensor) -> Tensor:
    """Return <z, z'> / sqrt((|z|^2 + 1e-12) (|z'|^2 + 1e-12)) of each pair (T, N), in [-1, 1].

    Args:
        z_TME: (T, 2 N, E).
    """
    first_TNE, second_TNE = _sides(z_TME)
    products_TN = (first_TNE * second_TNE).sum(-1)
    squares_TN = (first_TNE.square().sum(-1) + EPS) * (second_TNE.square().sum(-1) + EPS)
    return products_TN / squares_TN.sqrt()


def distance(z_TME: Tensor) -> Tensor:
    """Return -|z - z'| of each pair (T, N), at most -1e-12; where z = z' its gradient is 0.

    Args:
        z_TME: (T, 2 N, E).
    """
    first_TNE, second_TNE = _sides(z_TME)
    return -(first_TNE - second_TNE).square().sum(-1).clamp(min=LEAST).sqrt()


def _sides(z_TME: Tensor) -> tuple[Tensor, Tensor]:
    first_TNE, second_TNE = z_TME.unflatten(1, (-1, 2)).unbind(2)
    return first_TNE, second_TNE


SIMILARITIES: dict[str, Callable[[Tensor], Tensor]] = {"cosine": cosine, "distance": distance}


def compared(outputs: Tensor, similarity: str | None) -> Tensor:
    """Return how alike the outputs (T, 2 N, E) of pairs are, (T, N, 1); outputs that are no pairs' as they are.

    Args:
        outputs: (T, 2 N, E), or any others.
        similarity: One of `SIMILARITIES`; None for no pairs.
    """
    return outputs if similarity is None else SIMILARITIES[similarity](outputs).unsqueeze(-1)


def best_threshold(similarity_TN: Tensor, is_same_TN: Tensor) -> Tensor:
    """Return the threshold (T, 1) above which calling pairs the same is right most often.

    It lies in the middle between two similarities that occur, or is the largest of all, or 1 below the least; of
    thresholds that are right equally often the highest is taken.

    Args:
        similarity_TN: Of the pairs that decide.
        is_same_TN: Which of them are the same.
    """
    ordered_TN, order_TN = similarity_TN.sort(-1, descending=True)
    same_TN = is_same_TN.expand_as(order_TN).gather(-1, order_TN).long()
    none_T1 = torch.zeros_like(same_TN[:, :1])
    # place c: the first c pairs are called the same
    right_TC = torch.cat([none_T1, (2 * same_TN - 1).cumsum(-1)], -1)
    is_tied_TC = torch.cat([none_T1, (ordered_TN[:, 1:] == ordered_TN[:, :-1]).long(), none_T1], -1)
    place_T1 = right_TC.masked_fill(is_tied_TC.bool(), -similarity_TN.shape[-1] - 1).argmax(-1, keepdim=True)
    upper_TC = torch.cat([ordered_TN[:, :1], ordered_TN], -1)  # the last that is called the same
    lower_TC = torch.cat([ordered_TN, ordered_TN[:, -1:] - 2], -1)  # the first that is not
    upper_T1, lower_T1 = upper_TC.gather(-1, place_T1), lower_TC.gather(-1, place_T1)
    middle_T1 = lower_T1 + (upper_T1 - lower_T1) / 2
    return torch.where(middle_T1 < upper_T1, middle_T1, lower_T1)
