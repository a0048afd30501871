"""Frozen layers that are trained later, against torch.optim, where parameters without a gradient are skipped."""

from functools import partial

import pytest
import torch
from torch import nn

from dlexp.build.node import build_per_trial
from dlexp.config.catalog import read_option
from dlexp.engine.freeze.mark import Frozen, freeze
from dlexp.engine.freeze.thaw import Thaw
from dlexp.engine.freeze.thawed import Thawed
from dlexp.engine.rule.rules import Rules
from dlexp.engine.stack.kind import make_forward
from dlexp.engine.step import Step
from dlexp.engine.sums import Sums
from dlexp.engine.task import Batch
from dlexp.loss import CrossEntropy
from dlexp.regularizer import NoRegularizer
from dlexp.schedule.constant import Constant
from tests.engine.stack.test_torch import CPU, RULES, SMALL_RATES, dense, draw, make

FROZEN = Frozen(("0.weight", "1.weight", "1.bias"), ("1",))
BEFORE, AFTER = 8, 12
PARTS = 4  # trials of `draw`, of which two are used


def thawed_models(engine: str, models: list[nn.Module]) -> Thaw:
    return Thaw(1, FROZEN, models, partial(make_forward, engine, device=CPU, channels_last=False), "fp64")


@pytest.mark.parametrize("engine", ["solo", "batched", "vmapped", "graphed"])
@pytest.mark.parametrize("rule", RULES)
def test_what_was_frozen_begins_as_a_parameter_of_torch_without_a_state(rule, engine):
    reference, theirs, ours = RULES[rule]
    rates = SMALL_RATES[: 1 if engine == "solo" else 2]
    models = [make(dense, trial, torch.float64) for trial in range(len(rates))]
    for model in models:
        freeze(model, FROZEN)
    thaw = thawed_models(engine, models)
    nodes = [{**read_option("optimizer", rule), **ours, "lr": lr} for lr in rates]
    optimizer = build_per_trial(nodes, dtype=torch.float64, device=CPU)
    schedule = Constant(total_steps=BEFORE + AFTER, steps_per_epoch=BEFORE)
    forward = thaw.make(models)
    forward.set_training(True)
    step = Step(forward, Rules(CrossEntropy(num_classes=4), optimizer, schedule, NoRegularizer()), models[0])
    data = draw((6,), BEFORE + AFTER, torch.float64)
    sums, lr_T1 = Sums.zero(forward.flat.tensor[:, 0]), torch.tensor(rates, dtype=torch.float64).unsqueeze(1)
    for number, (x, y) in enumerate(data, start=1):
        if number == BEFORE + 1:
            step = thaw.switch(step, list(range(len(rates))), BEFORE, is_thawed=True)
        step([[Batch(None, False, x[: len(rates)], y[: len(rates)])]], lr_T1, number, sums)
    for trial, lr in enumerate(rates):
        module = make(dense, trial, torch.float64)
        update = partial(reference, lr=lr, **theirs)(module.parameters())
        for number, (x, y) in enumerate(data, start=1):
            is_thawed = number > BEFORE
            for name in FROZEN.parameters:
                module.get_parameter(name).requires_grad_(is_thawed)
            module.get_submodule("1").train(is_thawed)
            update.zero_grad()
            nn.functional.cross_entropy(module(x[trial]), y[trial]).backward()
            update.step()
        torch.testing.assert_close(step.forward.weights(trial), dict(module.state_dict()), rtol=1e-9, atol=1e-9)


def test_frozen_parameters_cost_no_state_and_no_gradient():
    model = make(dense, 0, torch.float64)
    freeze(model, FROZEN)
    forward = make_forward("solo", [model], device=CPU, channels_last=False)
    rule = build_per_trial([read_option("optimizer", "adam")], dtype=torch.float64, device=CPU)
    rules = Rules(CrossEntropy(num_classes=4), rule, Constant(total_steps=1, steps_per_epoch=1), NoRegularizer())
    step = Step(forward, rules, model)
    weight, bias = 9 * 4 + -(9 * 4) % 16, 16  # of the last layer, each padded to 16 elements
    assert forward.flat.names == ["3.weight", "3.bias"]
    assert {name: value.shape for name, value in step.state.items()} == {
        name: (1, weight + bias) for name in ("rule.mean", "rule.mean_of_squares")
    }
    assert forward.grads.shape == (1, weight + bias)
    assert all(model.get_parameter(name).grad is None for name in FROZEN.parameters)


def test_frozen_again_it_is_what_it_was():
    model = make(dense, 0, torch.float64)
    freeze(model, FROZEN)
    thaw = thawed_models("solo", [model])
    rule = build_per_trial([read_option("optimizer", "adam")], dtype=torch.float64, device=CPU)
    rules = Rules(CrossEntropy(num_classes=4), rule, Constant(total_steps=1, steps_per_epoch=1), NoRegularizer())
    step = Step(thaw.make([model]), rules, model)
    step.state["rule.mean"].fill_(3.0)
    before = step.forward.weights(0)
    later = thaw.switch(step, [0], 4, is_thawed=True)
    assert isinstance(later, Thawed)
    assert (later.begin, later.before) == (64, 4)
    assert later.forward.flat.names == ["3.weight", "3.bias", *FROZEN.parameters]
    assert later.state["rule.mean"][0].tolist() == [3.0] * 36 + [0.0] * 12 + [3.0] * 4 + [0.0] * (12 + 64 + 16 + 16)
    again = thaw.switch(later, [0], 4, is_thawed=False)
    assert not isinstance(again, Thawed)
    assert again.forward.flat.names == ["3.weight", "3.bias"]
    torch.testing.assert_close(again.forward.weights(0), before, rtol=0, atol=0)
