"""The numbers of an update as tensors: those that the host computes, rounded once, for any update in any order."""

import pytest
import torch

from dlexp.engine.graph.moment import AHEAD, Ahead, Moment, most_kept
from dlexp.optimizer.adam import Adam
from dlexp.optimizer.adamw import AdamW
from dlexp.optimizer.sgd import SGD

BETAS = [torch.tensor([[0.9], [0.5]], dtype=torch.float64), torch.tensor([[0.999], [0.9]], dtype=torch.float64)]
RULES = {
    "adam": Adam(lr=0.01),
    "adam, root over both": Adam(lr=0.01, form="inside", eps=0.1),
    "adam, betas by trial": Adam(lr=0.01, betas=BETAS),  # pyright: ignore[reportArgumentType]: as a program has them
    "adam, eps by trial": Adam(lr=0.01, eps=torch.tensor([[1e-3], [1e-8]])),  # pyright: ignore[reportArgumentType]
    "adamw": AdamW(lr=0.01),
    "sgd": SGD(lr=0.01),
}


def test_the_decay_of_the_average_begins_small():
    assert [most_kept(number) for number in (1, 8, 89)] == [2 / 11, 9 / 18, 90 / 99]


@pytest.mark.parametrize("name", RULES)
def test_a_rule_that_reads_tensors_gives_the_bits_of_one_that_is_told_the_number(name):
    rule, lr_T1 = RULES[name], torch.tensor([[0.01], [0.02]])
    generator = torch.Generator().manual_seed(0)
    told = [torch.randn(2, 40, generator=generator)]
    read = [told[0].clone()]
    states = [rule.init(told[0]), rule.init(read[0])]
    ahead = Ahead(rule, told[0])
    for number in (1, 2, AHEAD, AHEAD + 1, 5):  # beyond what is computed ahead, and back
        grads = torch.randn(2, 40, generator=generator)
        rule.update(told[0], grads.clone(), states[0], lr_T1, Moment.of(lr_T1, number).step)
        moment = ahead.moment(ahead.values(number).clone(), lr_T1)
        rule.update(read[0], grads.clone(), states[1], moment.lr_T1, moment.step)
        assert torch.equal(told[0], read[0])
        assert moment.most_kept == torch.tensor([[most_kept(number)]])
