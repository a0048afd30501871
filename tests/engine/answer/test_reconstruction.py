"""Errors of reconstructions are stored as values whose truth is 0: mean squares are the mse."""

import numpy as np
import pytest
import torch

from dlexp.engine.answer.reconstruction import Reconstruction
from dlexp.loss import MSE
from dlexp.statistic import score

OUTPUTS = torch.tensor([[[0.5, 2.0], [1.5, 1.0], [1.0, 3.0]]], dtype=torch.float64)
ZEROS = torch.zeros(1, 3, dtype=torch.float64)


def test_the_loss_of_errors_is_their_mean_square():
    loss = MSE(task="reconstruct", num_inputs=64)
    assert loss.num_outputs == 64
    assert loss(OUTPUTS, ZEROS).item() == pytest.approx((0.25 + 2.25 + 1) / 3)


def test_what_is_stored_gives_the_mse_to_those_that_read_values():
    stored = Reconstruction().stored(OUTPUTS[0]).numpy()
    values_N = score.by_example("mse", stored, np.zeros(3))
    assert values_N is not None
    assert values_N.mean() == pytest.approx(Reconstruction().scores(OUTPUTS, ZEROS, "")["mse"].item())


def test_errors_have_no_unit_but_that_of_normalised_inputs():
    unit = Reconstruction().fit_unit(torch.zeros(5, dtype=torch.float64), torch.arange(5))
    assert torch.equal(unit.unscale(OUTPUTS), OUTPUTS)
