"""How much the mean loss of a batch, or of a device's share of one, counts in an update and in an epoch.

The gradient of an update is that of all its examples together, whatever batches and devices they are divided over:
the sum over b of n_b / n times the mean of share b, which has n_b of the n examples. What a term of the loss is divided
by may be another mass than its examples, such as the sum of their weights or the number of those that have a target:
it stands in the place of n_b, and its sum over all shares in that of n, for each term by itself.

Shapes: T trials, R chosen trials, B batches, J terms of the loss.
"""

import itertools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlexp.device import send_soon, take_rows
from dlexp.engine.exchange.exchange import Exchange
from dlexp.engine.task import Batch

MassesBy = Callable[[Batch], Tensor | None]


@dataclass(frozen=True)
class Weight:
    """Of one batch, or of a device's share of it.

    Attributes:
        update: What its mean loss is multiplied by in the objective of the update (R,), or a number; (J, R) where each
            term of the loss has its own.
        epoch: What its mean loss is multiplied by, beside its number of examples, in the sum of an epoch, or each term
            of it (J, R); None for 1.
    """

    update: float | Tensor
    epoch: Tensor | None = None

    @property
    def is_by_term(self) -> bool:
        """Whether each term of the loss has a weight of its own."""
        return isinstance(self.update, Tensor) and self.update.dim() == 2

    def in_update(self, loss: Tensor) -> Tensor:
        """Return what a batch's loss (R,), or its terms (J, R), add to the objective of the update (R,)."""
        return (loss * self.update).sum(0) if self.is_by_term else loss * self.update

    def in_epoch(self, loss: Tensor) -> Tensor:
        """Return the loss (R,) that an epoch counts for the batch."""
        counted = loss if self.epoch is None else loss * self.epoch
        return counted.sum(0) if self.is_by_term else counted


def masses_of(loss: Any, batch: Batch, num_trials: int, like: Tensor) -> Tensor | None:
    """Return what each term of the loss of a batch is divided by (J, R); None where that is its size.

    Args:
        loss: One with terms has `masses` and `terms`; see `dlexp.loss.CrossEntropy`.
        batch: With its targets.
        num_trials: T.
        like: What the masses are to be like.
    """
    masses = loss.masses(batch.targets, like.dtype) if hasattr(loss, "masses") else None
    if masses is None:
        return None
    like_R = like.new_empty(num_trials if batch.rows is None else len(batch.rows))
    wholes = [torch.full_like(like_R, batch.num) if mass is None else mass.to(like_R) for mass in masses]
    return torch.stack([mass.expand_as(like_R) for mass in wholes])


def weigh(
    batches: list[list[Batch]], masses_by: MassesBy, num_trials: int, like: Tensor, exchange: Exchange
) -> list[list[Weight]]:
    """Return the weight of each batch of an update. Collective where terms have masses.

    Args:
        batches: Each accumulated batch, in one for each length.
        masses_by: What each term of the loss of a batch is divided by (J, R); None where that is its size.
        num_trials: T.
        like: What the weights are to be like.
        exchange: Between the devices.
    """
    if exchange.size > 1:
        return [[weight] for weight in _weigh_shares([batch for (batch,) in batches], masses_by, like, exchange)]
    masses = [[masses_by(batch) for batch in group] for group in batches]
    totals_JT = _mass_totals(batches, masses, num_trials, like)
    if totals_JT is None:
        totals = _totals(batches, num_trials)
        return [[Weight(_fraction(batch, totals, like)) for batch in group] for group in batches]
    return [
        [
            Weight(mass.to(like) / _floored(totals_JT if batch.rows is None else take_rows(totals_JT.T, batch.rows).T))
            for batch, mass in zip(group, known, strict=True)
            if mass is not None
        ]
        for group, known in zip(batches, masses, strict=True)
    ]


def _weigh_shares(batches: list[Batch], masses_by: MassesBy, like: Tensor, exchange: Exchange) -> list[Weight]:
    """Return the weights of a device's shares of the batches of one trial."""
    known = [mass for mass in map(masses_by, batches) if mass is not None]
    if len(known) < len(batches):
        total = sum(batch.whole for batch in batches)
        return [Weight(batch.num / total) for batch in batches]
    here_BJ1 = torch.stack(known).to(like)
    whole_BJ1 = exchange.sum(here_BJ1.clone())
    update_BJ1, epoch_BJ1 = here_BJ1 / _floored(whole_BJ1.sum(0)), here_BJ1 / _floored(whole_BJ1)
    each = zip(batches, update_BJ1, epoch_BJ1, strict=True)
    return [Weight(update, epoch * (batch.whole / max(batch.num, 1))) for batch, update, epoch in each]


def _floored(mass: Tensor) -> Tensor:
    """Return what can be divided by: where there is no mass, nothing is divided."""
    return mass.clamp(min=torch.finfo(mass.dtype).tiny)


def _totals(batches: list[list[Batch]], num_trials: int) -> list[int]:
    """Return the examples of each trial in an update."""
    totals = [0] * num_trials
    for batch in itertools.chain.from_iterable(batches):
        for row in range(num_trials) if batch.rows is None else batch.rows:
            totals[row] += batch.num
    return totals


def _mass_totals(
    batches: list[list[Batch]], masses: list[list[Tensor | None]], num_trials: int, like: Tensor
) -> Tensor | None:
    """Return the masses of each trial's examples in an update, added (J, T); None where they are their sizes."""
    totals_JT = None
    for batch, mass_JR in zip(
        itertools.chain.from_iterable(batches), itertools.chain.from_iterable(masses), strict=True
    ):
        if mass_JR is None:
            return None
        if totals_JT is None:
            totals_JT = like.new_zeros(len(mass_JR), num_trials)
        if batch.rows is None:
            totals_JT.add_(mass_JR)
        else:
            totals_JT.index_add_(1, send_soon(torch.tensor(batch.rows), like.device), mass_JR.to(like))
    return totals_JT


def _fraction(batch: Batch, totals: list[int], like: Tensor) -> float | Tensor:
    """Return what part of an update's examples a batch has, for each of its trials."""
    rows = range(len(totals)) if batch.rows is None else batch.rows
    shares = [batch.num / totals[row] for row in rows]
    return shares[0] if len(set(shares)) == 1 else send_soon(torch.tensor(shares, dtype=like.dtype), like.device)
