"""Rules of some of the trials."""

from typing import Any

import torch

from dlexp.engine.rule.rules import Rules
from dlexp.loss import CrossEntropy
from dlexp.optimizer.sgd import SGD
from dlexp.regularizer import NoRegularizer
from dlexp.schedule.constant import Constant


def test_those_of_some_trials_are_their_rows_and_what_is_none_stays_so():
    rates: Any = torch.tensor([[0.1], [0.2], [0.3]])
    clip = torch.tensor([[1.0], [2.0], [3.0]])
    schedule = Constant(total_steps=1, steps_per_epoch=1)
    rules = Rules(
        CrossEntropy(num_classes=3), SGD(lr=rates), schedule, NoRegularizer(), grad_clip=clip, lr=rates.double()
    )
    left = rules.keep([2, 0], 3)
    assert torch.equal(left.optimizer.lr, rates[[2, 0]])
    assert left.lr is not None
    assert torch.equal(left.lr, rates.double()[[2, 0]])
    assert left.grad_clip is not None
    assert left.grad_clip.tolist() == [[3.0], [1.0]]
    assert left.ema is None
