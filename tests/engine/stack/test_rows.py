"""The rows of a stack."""

import gc
import weakref
from typing import Any

import pytest
import torch
from torch import nn

from dlexp.engine.stack.kind import make_forward
from dlexp.engine.stack.rows import Rows, select_rows
from dlexp.optimizer.adam import Adam
from dlexp.optimizer.momentum import Momentum

CPU = torch.device("cpu")


def models(num: int) -> list[nn.Module]:
    made = []
    for seed in range(num):
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            made.append(nn.Sequential(nn.Linear(3, 5), nn.BatchNorm1d(5), nn.Linear(5, 2)))
    return made


def test_each_trials_weights_come_back_under_their_names():
    stacked = models(3)
    rows = Rows(stacked, device=CPU, channels_last=False)
    for trial, model in enumerate(stacked):
        weights = rows.weights(trial)
        assert list(weights) == list(model.state_dict())
        assert all(torch.equal(value, weights[name]) for name, value in model.state_dict().items())


def test_the_weights_of_several_come_as_one_trials_each_and_are_copies():
    rows = Rows(models(3), device=CPU, channels_last=False)
    together = rows.weights_of([2, 0])
    for place, trial in enumerate((2, 0)):
        alone = rows.weights(trial)
        assert list(together) == list(alone)
        assert all(torch.equal(value, together[name][place]) for name, value in alone.items())
    before = {name: value.clone() for name, value in together.items()}
    rows.flat.tensor.zero_()
    rows.buffers["1.running_var"].zero_()
    assert all(torch.equal(value, together[name]) for name, value in before.items())


def test_gradients_reach_the_row_of_their_trial_alone():
    rows = Rows(models(3), device=CPU, channels_last=False)
    rows.prepare_grads()
    rows.parameters()["0.weight"][1].sum().backward()
    rows.collect_grads(is_first=True)
    assert float(rows.grads[1].sum()) == 15.0
    assert float(rows.grads[[0, 2]].abs().sum()) == 0.0


def test_gradients_of_a_second_pass_are_added_and_those_of_the_next_update_replace_them():
    rows = Rows(models(2), device=CPU, channels_last=False)
    for is_first, expected in ((True, 15.0), (False, 30.0), (True, 15.0)):
        rows.parameters()["0.weight"][1].sum().backward()
        rows.collect_grads(is_first)
        assert float(rows.grads.sum()) == expected


def test_dropped_trials_free_their_rows_and_the_rest_keep_theirs():
    rows = Rows(models(4), device=CPU, channels_last=False)
    weights = rows.weights(2)
    rows.keep([0, 2])
    assert rows.num_trials == 2
    assert rows.flat.tensor.shape == rows.grads.shape
    assert all(torch.equal(value, weights[name]) for name, value in rows.weights(1).items())


def test_hyperparameters_are_cut_to_the_chosen_rows():
    rates: Any = torch.tensor([[0.1], [0.2], [0.3]])  # the engine gives a tensor for the number
    rule: Any = Momentum(lr=rates, momentum=0.9)
    chosen = select_rows(rule, [2, 0], 3)
    assert chosen.lr.flatten().tolist() == [torch.tensor(0.3).item(), torch.tensor(0.1).item()]
    assert chosen.momentum == 0.9
    assert rule.lr.shape == (3, 1)


def test_lists_of_each_trial_are_cut_and_lists_of_all_are_left():
    betas: Any = [torch.tensor([[0.1], [0.2], [0.3]]), torch.tensor([[0.4], [0.5], [0.6]])]
    rule: Any = Adam(betas=betas)
    assert [column.flatten().tolist() for column in select_rows(rule, [1], 3).betas] == [
        [torch.tensor(0.2).item()],
        [torch.tensor(0.5).item()],
    ]
    assert select_rows(Adam(betas=[0.1, 0.2]), [1], 3).betas == [0.1, 0.2]


@pytest.mark.parametrize("kind", ["batched", "vmapped", "graphed"])
def test_the_memory_of_trials_that_left_is_freed(kind):
    stack = make_forward(kind, models(4), device=CPU, channels_last=False)
    outputs = stack(torch.randn(6, 3))
    assert isinstance(outputs, torch.Tensor)
    outputs.sum().backward()
    stack.collect_grads(is_first=True)
    old = [weakref.ref(tensor.untyped_storage()) for tensor in (stack.flat.tensor, stack.grads)]
    del outputs
    gc.collect()
    assert None not in [ref() for ref in old]
    stack.keep([1, 3])
    gc.collect()
    assert [ref() for ref in old] == [None, None]
