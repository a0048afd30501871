"""The weighted sum of losses, each over the examples that have its target."""

import math

import torch
from torch.nn import functional as F

from dlexp.kernel.joint_loss import JointLoss, narrow
from dlexp.loss import BCE, MSE, CrossEntropy

DRAW = torch.Generator().manual_seed(0)
OUTPUTS = torch.randn(2, 6, 5, generator=DRAW)
KIND = torch.tensor([0, 1, 2, 0, 1, 2]).expand(2, 6)
SIDE = torch.tensor([0, 1, 1, 0, 1, 0]).expand(2, 6)
SIZE = torch.randn(2, 6, generator=DRAW)
LOSSES = [CrossEntropy(num_classes=3), BCE(), MSE()]
WHOLE = torch.stack([KIND.float(), SIDE.float(), SIZE], -1)


def expected(rows: list[int], weights: tuple[float, float, float]) -> torch.Tensor:
    """Return the sum by torch's losses, the last target of some rows alone."""
    sums = []
    for t in range(2):
        kind = F.cross_entropy(OUTPUTS[t, :, :3], KIND[t])
        side = F.binary_cross_entropy_with_logits(OUTPUTS[t, :, 3], SIDE[t].float())
        size = F.mse_loss(OUTPUTS[t, rows, 4], SIZE[t, rows])
        sums.append(weights[0] * kind + weights[1] * side + weights[2] * size)
    return torch.stack(sums)


def test_the_weighted_sum():
    loss = JointLoss(LOSSES, [1.0, 0.5, 2.0], [False] * 3)
    assert (loss.num_outputs, loss.head_sizes) == (5, [3, 1, 1])
    torch.testing.assert_close(loss(OUTPUTS, WHOLE), expected(list(range(6)), (1.0, 0.5, 2.0)))


def test_a_gap_counts_nowhere_and_has_no_gradient():
    lacking = WHOLE.clone()
    lacking[:, [1, 4], 2] = math.nan
    loss, outputs = JointLoss(LOSSES, [1.0, 1.0, 1.0], [False, False, True]), OUTPUTS.clone().requires_grad_()
    value = loss(outputs, lacking)
    torch.testing.assert_close(value, expected([0, 2, 3, 5], (1.0, 1.0, 1.0)))
    value.sum().backward()
    assert outputs.grad is not None
    assert outputs.grad[:, [1, 4], 4].abs().max() == 0
    assert outputs.grad.isfinite().all()


def test_a_batch_without_a_target_has_its_loss_zero():
    lacking = WHOLE.clone()
    lacking[..., 2] = math.nan
    both = JointLoss(LOSSES, [1.0, 1.0, 1.0], [False, False, True])
    torch.testing.assert_close(both(OUTPUTS, lacking), expected(list(range(6)), (1.0, 1.0, 0.0)))


def test_examples_have_the_loss_as_mean_and_the_error_of_a_mean_over_those_with_the_target():
    lacking = WHOLE.clone()
    lacking[:, [1, 4], 2] = math.nan
    alone = JointLoss(LOSSES, [0.0, 0.0, 1.0], [False, False, True])
    each_TN = alone.examples(OUTPUTS, lacking)
    torch.testing.assert_close(each_TN.mean(1), alone(OUTPUTS, lacking))
    errors_Tn = (OUTPUTS[:, [0, 2, 3, 5], 4] - SIZE[:, [0, 2, 3, 5]]).square()
    # population deviations: sd / sqrt(n) of the four, to the factor of Bessel's correction
    torch.testing.assert_close(each_TN.std(1, correction=0) / 6**0.5, errors_Tn.std(1, correction=0) / 4**0.5)


def test_weights_may_differ_between_trials():
    weights = [torch.tensor([[1.0], [0.0]]), torch.tensor([[0.0], [1.0]]), torch.tensor([[0.0], [0.0]])]
    together = JointLoss(LOSSES, weights, [False] * 3)(OUTPUTS, WHOLE)
    first = expected(list(range(6)), (1.0, 0.0, 0.0))[0]
    second = expected(list(range(6)), (0.0, 1.0, 0.0))[1]
    torch.testing.assert_close(together, torch.stack([first, second]))


def test_float32_that_went_through_float64_is_float32_again():
    assert torch.equal(narrow(OUTPUTS.double()), OUTPUTS)
    assert narrow(OUTPUTS.double() / 3).dtype == torch.float64
