"""How much the mean loss of a batch, or of a device's share of one, counts in an update and in an epoch.

The gradient of an update is that of all its examples together, whatever batches and devices they are divided over:
the sum over b of n_b / n times the mean of share b, which has n_b of the n examples; where the classes have weights,
the sums of the examples' weights stand in the place of n_b and n. Shapes: T trials, R chosen trials, B batches.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from dlexp.device import send_soon, take_rows
from dlexp.engine.exchange.exchange import Exchange
from dlexp.engine.task import Batch

MassOf = Callable[[Batch], Tensor | None]


@dataclass(frozen=True)
class Weight:
    """Of one batch, or of a device's share of it.

    Attributes:
        update: What its mean loss is multiplied by in the objective of the update (R,), or a number.
        epoch: What its mean loss is multiplied by, beside its number of examples, in the sum of an epoch; None for 1.
    """

    update: float | Tensor
    epoch: Tensor | None = None


def weigh(
    batches: list[list[Batch]], mass_of: MassOf, num_trials: int, like: Tensor, exchange: Exchange
) -> list[list[Weight]]:
    """Return the weight of each batch of an update. Collective where the classes have weights.

    Args:
        batches: Each accumulated batch, in one for each length.
        mass_of: The sum of the weights of a batch's examples (R,); None where all count the same.
        num_trials: T.
        like: What the weights are to be like.
        exchange: Between the devices.
    """
    if exchange.size > 1:
        return [[weight] for weight in _weigh_shares([batch for (batch,) in batches], mass_of, like, exchange)]
    masses_T = _mass_totals(batches, mass_of, num_trials, like)
    totals = _totals(batches, num_trials)
    return [[Weight(_fraction(batch, totals, masses_T, mass_of, like)) for batch in group] for group in batches]


def _weigh_shares(batches: list[Batch], mass_of: MassOf, like: Tensor, exchange: Exchange) -> list[Weight]:
    """Return the weights of a device's shares of the batches of one trial."""
    masses = [mass_of(batch) for batch in batches]
    known = [mass for mass in masses if mass is not None]
    if len(known) < len(batches):
        total = sum(batch.whole for batch in batches)
        return [Weight(batch.num / total) for batch in batches]
    here_B = torch.cat(known).to(like)
    whole_B = exchange.sum(here_B.clone()).clamp(min=torch.finfo(like.dtype).tiny)
    update_B1, epoch_B1 = (here_B / whole_B.sum())[:, None], (here_B / whole_B)[:, None]
    each = zip(batches, update_B1, epoch_B1, strict=True)
    return [Weight(update, epoch * (batch.whole / max(batch.num, 1))) for batch, update, epoch in each]


def _totals(batches: list[list[Batch]], num_trials: int) -> list[int]:
    """Return the examples of each trial in an update."""
    totals = [0] * num_trials
    for batch in itertools.chain.from_iterable(batches):
        for row in range(num_trials) if batch.rows is None else batch.rows:
            totals[row] += batch.num
    return totals


def _mass_totals(batches: list[list[Batch]], mass_of: MassOf, num_trials: int, like: Tensor) -> Tensor | None:
    """Return the class weights of each trial's examples in an update, added; None where all count the same."""
    totals_T = like.new_zeros(num_trials)
    for batch in itertools.chain.from_iterable(batches):
        mass_R = mass_of(batch)
        if mass_R is None:
            return None
        if batch.rows is None:
            totals_T.add_(mass_R)
        else:
            totals_T.index_add_(0, send_soon(torch.tensor(batch.rows), like.device), mass_R)
    return totals_T


def _fraction(
    batch: Batch, totals: list[int], masses_T: Tensor | None, mass_of: MassOf, like: Tensor
) -> float | Tensor:
    """Return what part of an update's examples, or of their weights, a batch has, for each of its trials."""
    if masses_T is not None:
        mass_R = mass_of(batch)
        assert mass_R is not None
        whole_R = masses_T if batch.rows is None else take_rows(masses_T, batch.rows)
        return mass_R.to(like) / whole_R.to(like).clamp(min=torch.finfo(like.dtype).tiny)
    rows = range(len(totals)) if batch.rows is None else batch.rows
    shares = [batch.num / totals[row] for row in rows]
    return shares[0] if len(set(shares)) == 1 else send_soon(torch.tensor(shares, dtype=like.dtype), like.device)
