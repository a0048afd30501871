"""Weights of shares: the mean over all examples of an update, by hand."""

import copy
import math

import pytest
import torch
from torch import Tensor, nn

from dlexp.engine.exchange.exchange import ALONE, Exchange
from dlexp.engine.exchange.share import deal
from dlexp.engine.exchange.weight import weigh
from dlexp.engine.forward import Solo
from dlexp.engine.step import Rules, Step
from dlexp.engine.sums import Sums
from dlexp.engine.task import Batch
from dlexp.kernel.joint_loss import JointLoss
from dlexp.loss import MSE, CrossEntropy
from dlexp.optimizer.sgd import SGD
from dlexp.regularizer import NoRegularizer
from dlexp.schedule.constant import Constant
from tests.engine.exchange.threads import together
from tests.present import present

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
        masses = iter([mass[cut].sum().reshape(1, 1) for mass, cut in zip(MASSES, cuts, strict=True)])
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


WEIGHT = [1.0, 3.0, 0.5, 0.0]
GAPS = [[0.0, math.nan], [1.0, math.nan], [2.0, 0.5], [math.nan, -1.0], [1.0, 2.0]]  # of three classes, and values


def penalised(outputs_NK: Tensor, targets_N: Tensor) -> Tensor:
    """Return the formula: the weighted mean of cross-entropies, and a tenth of the mean square of log-sum-exp."""
    weight_N = torch.tensor(WEIGHT).double()[targets_N]
    lse_N = outputs_NK.logsumexp(1)
    each_N = lse_N - outputs_NK.gather(1, targets_N[:, None])[:, 0]
    return (weight_N * each_N).sum() / weight_N.sum() + 0.1 * lse_N.square().mean()


def of_gaps(outputs_NK: Tensor, targets_NJ: Tensor) -> Tensor:
    """Return the formula: 0.3 times the mean cross-entropy, and the mean square, each over those that have it."""
    has_class_N, has_value_N = (~targets_NJ.isnan()).T
    classes = nn.functional.cross_entropy(outputs_NK[has_class_N, :3], targets_NJ[has_class_N, 0].long())
    return 0.3 * classes + (outputs_NK[has_value_N, 3] - targets_NJ[has_value_N, 1]).square().mean()


LARGE = {
    "weights and a penalty": (
        CrossEntropy(class_weight=WEIGHT, lse_penalty=0.1, num_classes=4),
        penalised,
        torch.tensor([[3, 3, 1, 2, 0]]),
    ),
    "targets with gaps": (
        JointLoss([CrossEntropy(num_classes=3), MSE()], [0.3, 1.0], [True, True]),
        of_gaps,
        torch.tensor([GAPS]).double(),
    ),
}


@pytest.mark.parametrize("name", LARGE)
@pytest.mark.parametrize("num_devices", [1, 2])
def test_what_a_loss_is_divided_by_counts_together_over_batches_and_devices(name, num_devices):
    loss, formula, targets = LARGE[name]
    draw = torch.Generator().manual_seed(3)
    x = torch.randn(5, 6, generator=draw, dtype=torch.float64)
    model = nn.Linear(6, 4).double()
    nn.init.normal_(model.weight, generator=draw)
    nn.init.normal_(model.bias, generator=draw)
    reference = copy.deepcopy(model)
    formula(reference(x), targets[0]).backward()

    def update(exchange: Exchange) -> nn.Module:
        ours = copy.deepcopy(model)
        forward = Solo(ours, device=torch.device("cpu"), channels_last=False)
        rules = Rules(loss, SGD(), Constant(total_steps=1, steps_per_epoch=1), NoRegularizer())
        step = Step(forward, rules, ours, exchange=exchange)
        # nothing has a weight, or the second target, in the first of both
        cuts = [Batch(None, True, x[cut], targets[:, cut]).take(exchange) for cut in (slice(0, 2), slice(2, 5))]
        step([[cut] for cut in cuts], torch.full((1, 1), 0.1).double(), 1, Sums.zero(forward.flat.tensor[:, 0]))
        return ours

    rate = float(torch.tensor(0.1))
    for ours in together(num_devices, update) if num_devices > 1 else [update(ALONE)]:
        for a, b in zip(ours.parameters(), reference.parameters(), strict=True):
            torch.testing.assert_close(a, b - rate * present(b.grad), rtol=1e-12, atol=1e-14)
