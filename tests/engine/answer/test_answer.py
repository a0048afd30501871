"""What a reading knows of a loss: in which unit, and for which trial."""

from typing import Any, cast

import pytest
import torch

from dlexp.data.target_scale import TargetScale
from dlexp.engine.answer.answer import Reading
from dlexp.engine.answer.values import Values
from dlexp.engine.evaluate import report
from dlexp.loss import MSE, Huber


@pytest.mark.parametrize("delta", [0.25, 1.0, 3.0])
def test_huber_is_measured_with_the_delta_of_the_loss(delta):
    # In standard deviations of the training targets, so that val/huber is val/loss times their variance.
    draw = torch.Generator().manual_seed(0)
    targets = 40 * torch.randn(2, 60, generator=draw) + 100
    outputs = (targets + 40 * torch.randn(2, 60, generator=draw)).unsqueeze(-1)
    unit = TargetScale.stack([TargetScale.fit(row, torch.arange(60)) for row in targets])
    scores = report(outputs, targets, Reading(Huber(delta), Values(), unit))
    torch.testing.assert_close(scores["huber"], (scores["loss"] * unit.std[:, 0].square()).double(), rtol=1e-5, atol=0)
    plain = report(outputs, targets, Reading(MSE(), Values(), unit))
    unit_scores = report(outputs, targets, Reading(Huber(1.0), Values(), unit))
    torch.testing.assert_close(plain["huber"], unit_scores["huber"])
    assert Reading(Huber(delta), Values(), unit).measure(1).delta == pytest.approx(delta * float(unit.std[1]))


def test_each_trial_has_its_own_delta():
    targets = torch.randn(2, 30, generator=torch.Generator().manual_seed(1))
    outputs = (targets * 3).unsqueeze(-1)
    stacked = report(outputs, targets, Reading(Huber(cast(Any, torch.tensor([[0.5], [2.0]]))), Values()))
    for row, delta in enumerate((0.5, 2.0)):
        alone = report(outputs[row : row + 1], targets[row : row + 1], Reading(Huber(delta), Values()))
        torch.testing.assert_close(stacked["huber"][row : row + 1], alone["huber"])
