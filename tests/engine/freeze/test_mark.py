"""Marks of what is frozen, and the mode of batch norms that keep their statistics."""

import copy

import torch
from torch import nn

from dlexp.engine.freeze.mark import Frozen, freeze, frozen_by, is_still, late_names, switch_training, thaw

FROZEN = Frozen(("0.weight", "1.weight", "1.bias"), ("1",))


def make() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 2), nn.BatchNorm1d(2))


def test_what_is_frozen_wants_no_gradient_and_copies_know_it():
    model = make()
    freeze(model, FROZEN)
    for each in (model, copy.deepcopy(model)):
        assert [name for name, p in each.named_parameters() if not p.requires_grad] == list(FROZEN.parameters)
        assert [is_still(module) for module in each] == [False, True, False, False]
        assert (frozen_by(each), set(late_names(each))) == (FROZEN, set())


def test_a_frozen_batch_norm_evaluates_in_training_and_keeps_its_statistics():
    model = make()
    freeze(model, FROZEN)
    switch_training(model, True)
    assert [module.training for module in model] == [True, False, True, True]
    before = copy.deepcopy(model.state_dict())
    model(torch.randn(8, 3))
    assert torch.equal(model.state_dict()["1.running_mean"], before["1.running_mean"])
    assert not torch.equal(model.state_dict()["3.running_mean"], before["3.running_mean"])
    switch_training(model, False)
    assert not any(module.training for module in model.modules())


def test_thawed_all_is_trained_and_what_was_frozen_is_late():
    model = make()
    freeze(model, FROZEN)
    thaw(model, FROZEN)
    assert all(p.requires_grad for p in model.parameters())
    assert not any(is_still(module) for module in model)
    assert set(late_names(model)) == set(FROZEN.parameters)
    assert frozen_by(model) == FROZEN, "what it was"
