"""A regulariser's reach: the elements that it penalises, the matrices that it looks at one by one."""

from typing import Any

import pytest
import torch
from torch import nn

from dlexp.engine.flat import Flat, matrix_names
from dlexp.engine.rule.penalty import Penalty
from dlexp.regularizer import L2, Linf, MaxNorm, NoRegularizer


def two_nets() -> Flat:
    """Return the parameters of two nets, standard normal."""
    flat = Flat(nn.Linear(5, 3), 2, dtype=torch.float64, device=torch.device("cpu"), channels_last=False)
    for view in flat.views:
        view.normal_(generator=torch.Generator().manual_seed(0))
    return flat


@pytest.mark.parametrize(
    ("regularizer", "biases"), [(L2(0.3), False), (L2(0.3, biases=True), True), (Linf(0.3), False)]
)
def test_the_gradient_is_that_of_the_total_and_biases_are_left_alone(regularizer: Any, biases):
    flat = two_nets()
    penalty = Penalty(flat, None if biases else flat.mask(["weight"]))
    grads, step = torch.zeros_like(flat.tensor), 1e-6
    penalty.add(regularizer, flat.tensor, grads)
    for column in range(flat.tensor.shape[1]):
        flat.tensor[:, column] += step
        above = penalty.total(regularizer)
        flat.tensor[:, column] -= 2 * step
        slope_T = (above - penalty.total(regularizer)) / (2 * step)
        flat.tensor[:, column] += step
        torch.testing.assert_close(grads[:, column], slope_T, rtol=1e-6, atol=1e-8)
    assert bool(flat.split(grads)[1].any()) == biases


def test_a_constraint_holds_for_each_trial_and_nothing_is_added():
    flat = two_nets()
    penalty, constraint = Penalty(flat, None), MaxNorm(0.5)
    penalty.project(constraint)
    assert flat.views[0].norm(dim=2).max() <= 0.5 + 1e-12
    assert penalty.total(constraint).tolist() == [0, 0]


def test_without_a_regulariser_nothing_moves():
    flat = two_nets()
    before, grads = flat.tensor.clone(), torch.zeros_like(flat.tensor)
    penalty = Penalty(flat, flat.mask(matrix_names(nn.Linear(5, 3))))
    penalty.add(NoRegularizer(), flat.tensor, grads)
    penalty.project(NoRegularizer())
    assert torch.equal(flat.tensor, before)
    assert not grads.any()
    assert penalty.total(NoRegularizer()).tolist() == [0, 0]
