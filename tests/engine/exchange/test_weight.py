"""Weights of shares: the mean over all examples of an update, by hand."""

import torch

from dlexp.engine.exchange.exchange import ALONE
from dlexp.engine.exchange.share import deal
from dlexp.engine.exchange.weight import weigh
from dlexp.engine.task import Batch
from tests.engine.exchange.threads import together

LIKE = torch.zeros(1, dtype=torch.float64)
LOSSES = [torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0]), torch.tensor([3.0, 5.0, 7.0])]
MASSES = [torch.tensor([1.0, 1.0, 3.0, 1.0, 3.0]), torch.tensor([3.0, 3.0, 1.0])]


def batch(num: int) -> Batch:
    return Batch(None, True, torch.zeros(num, 2), torch.arange(num)[None])


def shares(exchange):
    """Return this device's share of each batch, with where it begins and ends."""
    bounds = [deal(len(loss), exchange.size)[exchange.rank] for loss in LOSSES]
    return [[batch(len(loss)).take(exchange)] for loss in LOSSES], bounds


def test_shares_add_up_to_the_mean_over_all_examples():
    def act(exchange):
        batches, bounds = shares(exchange)
        weights = weigh(batches, lambda _: None, 1, LIKE, exchange)
        means = [loss[first:end].mean() for loss, (first, end) in zip(LOSSES, bounds, strict=True)]
        return sum(mean * weight.update for mean, (weight,) in zip(means, weights, strict=True))

    assert abs(sum(together(2, act)) - torch.cat(LOSSES).mean()) < 1e-6


def test_where_classes_have_weights_shares_add_up_to_the_weighted_mean():
    def act(exchange):
        batches, bounds = shares(exchange)
        cuts = [slice(*bound) for bound in bounds]
        means = [
            (loss[cut] * mass[cut]).sum() / mass[cut].sum()
            for loss, mass, cut in zip(LOSSES, MASSES, cuts, strict=True)
        ]
        masses = iter([mass[cut].sum().reshape(1) for mass, cut in zip(MASSES, cuts, strict=True)])
        weights = [weight for (weight,) in weigh(batches, lambda _: next(masses), 1, LIKE, exchange)]
        update = sum(mean * weight.update for mean, weight in zip(means, weights, strict=True))
        nums = [end - first for first, end in bounds]
        factors = [weight.epoch for weight in weights if weight.epoch is not None]
        epoch = sum(mean * factor * num for mean, factor, num in zip(means, factors, nums, strict=True))
        return update, epoch

    (update, epoch), (other_update, other_epoch) = together(2, act)
    loss, mass = torch.cat(LOSSES), torch.cat(MASSES)
    assert abs(update + other_update - (loss * mass).sum() / mass.sum()) < 1e-6
    # an epoch adds, of each batch, its weighted mean times its number of examples
    expected = sum((a * b).sum() / b.sum() * len(a) for a, b in zip(LOSSES, MASSES, strict=True))
    assert abs(epoch + other_epoch - expected) < 1e-5


def test_accumulated_batches_of_one_device_count_by_their_examples():
    weights = weigh([[batch(5)], [batch(3)]], lambda _: None, 1, LIKE, ALONE)
    assert [weight.update for (weight,) in weights] == [5 / 8, 3 / 8]
