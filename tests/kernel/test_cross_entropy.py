"""Pieces of the cross-entropy."""

import torch

from dlexp.kernel.cross_entropy import divisor, mass_of_classes, mean_square_lse

Z_TNK = torch.tensor([[[1.0, 2.0, 3.0], [800.0, 0.0, -800.0]]]).double()


def test_the_mass_is_the_sum_of_the_weights_of_each_trial():
    weight_T1K = torch.tensor([[[1.0, 3.0, 0.5]], [[0.0, 2.0, 0.0]]])
    assert mass_of_classes(weight_T1K, torch.tensor([[0, 1, 1]])).tolist() == [7.0, 4.0]
    assert mass_of_classes(weight_T1K[:1], torch.tensor([[0, 1], [2, 2]])).tolist() == [4.0, 1.0]


def test_log_sum_exp_is_exact_for_large_outputs():
    expected = (Z_TNK[0].logsumexp(1) ** 2).mean()
    torch.testing.assert_close(mean_square_lse(Z_TNK, Z_TNK.log_softmax(-1)), expected.reshape(1, 1))


def test_a_sum_of_nothing_is_divided_by_something():
    assert (torch.zeros(2) / divisor(torch.tensor([0.0, 4.0]))).tolist() == [0.0, 0.0]
    assert divisor(torch.tensor([4.0])).item() == 4.0
