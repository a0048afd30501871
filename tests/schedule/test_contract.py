"""Every schedule: the contract, and torch's schedulers as reference. T trials, S steps."""

import io
import warnings
from typing import Any

import pytest
import torch
from torch.optim import lr_scheduler

from dlexp.build.node import build
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.signature import read

OPTIONS = list_groups()["schedule"]
TOTAL, PER_EPOCH = 60, 6
STEPS = torch.arange(TOTAL, dtype=torch.float64)


def _schedule(option, total=TOTAL, **changes: Any):
    return build({**read_option("schedule", option), **changes}, total_steps=total, steps_per_epoch=PER_EPOCH)


# Ours, and torch's scheduler stepped once per update.
REFERENCE = {
    "constant": ({}, lambda o: lr_scheduler.ConstantLR(o, factor=1.0)),
    "step": ({"step_size": 3.0, "gamma": 0.5}, lambda o: lr_scheduler.StepLR(o, 3 * PER_EPOCH, 0.5)),
    "exponential": ({"gamma": 0.7}, lambda o: lr_scheduler.ExponentialLR(o, 0.7 ** (1 / PER_EPOCH))),
    "cosine": ({"final": 0.05}, lambda o: lr_scheduler.CosineAnnealingLR(o, TOTAL, eta_min=0.05)),
    "linear": ({"final": 0.1}, lambda o: lr_scheduler.LinearLR(o, 1.0, 0.1, TOTAL)),
    "one_cycle": (
        {"pct_start": 0.4, "div_factor": 10.0, "final_div_factor": 50.0},
        lambda o: lr_scheduler.OneCycleLR(
            o, 1.0, TOTAL, pct_start=0.4, div_factor=10.0, final_div_factor=50.0, cycle_momentum=False
        ),
    ),
}


def _torch_rates(make, total=TOTAL):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    with warnings.catch_warnings():  # torch wants optimizer.step() in between, and warns of its own SequentialLR
        warnings.simplefilter("ignore")
        scheduler = make(optimizer)
        rates = []
        for _ in range(total):
            rates.append(optimizer.param_groups[0]["lr"])
            scheduler.step()
    return torch.tensor(rates, dtype=torch.float64)


def test_the_table_covers_every_option():
    assert set(REFERENCE) | {"plateau"} == set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_states_every_parameter_at_its_default(option):
    node = read_option("schedule", option)
    signature = read(node["_target_"])
    assert {k: v for k, v in node.items() if k != "_target_"} == {k: p.default for k, p in signature.parameters.items()}
    assert "warmup" in signature.parameters
    assert all(parameter.doc for parameter in signature.parameters.values())
    assert torch.equal(_schedule(option).factor(STEPS), build(
        {"_target_": node["_target_"]}, total_steps=TOTAL, steps_per_epoch=PER_EPOCH
    ).factor(STEPS))  # fmt: skip


@pytest.mark.parametrize("option", sorted(REFERENCE))
def test_equals_torch(option):
    changes, make = REFERENCE[option]
    factor = _schedule(option, **changes).factor(STEPS)
    assert factor.dtype == torch.float64
    torch.testing.assert_close(factor, _torch_rates(make), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("option", ["constant", "exponential"])
def test_with_warm_up_equals_torchs_sequence_of_linear_and_itself(option):
    changes, make = REFERENCE[option]

    def sequence(optimizer):
        rise = lr_scheduler.LinearLR(optimizer, 1 / 12, 1.0, total_iters=11)
        return lr_scheduler.SequentialLR(optimizer, [rise, make(optimizer)], milestones=[12])

    factor = _schedule(option, warmup=2.0, **changes).factor(STEPS)
    torch.testing.assert_close(factor, _torch_rates(sequence), rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("option", ["cosine", "linear", "one_cycle"])
def test_a_decay_over_the_whole_training_begins_where_the_warm_up_ends(option):
    changes, _ = REFERENCE[option]
    warm = _schedule(option, warmup=2.0, **changes).factor(STEPS)
    alone = _schedule(option, total=TOTAL - 12, **changes).factor(STEPS[: TOTAL - 12])
    torch.testing.assert_close(warm[12:], alone, rtol=1e-12, atol=1e-15)
    torch.testing.assert_close(warm[:12], alone[0] * (STEPS[:12] + 1) / 12, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("warmup", [0.0, 1.0, 2.5])
def test_warm_up_rises_linearly_from_one_step_of_it(option, warmup):
    length = round(warmup * PER_EPOCH)
    factor = _schedule(option, warmup=warmup).factor(STEPS)
    assert factor.isfinite().all()
    assert (factor >= 0).all()
    assert (factor <= 1 + 1e-12).all()
    top = factor[length]
    torch.testing.assert_close(factor[:length], top * (STEPS[:length] + 1) / max(length, 1))


@pytest.mark.parametrize("option", OPTIONS)
def test_warm_up_longer_than_training_and_training_of_one_step_stay_finite(option):
    assert _schedule(option, warmup=100.0).factor(STEPS).isfinite().all()
    assert _schedule(option, total=1).factor(STEPS[:1]).isfinite().all()
    assert _schedule(option, total=1, warmup=1.0).factor(STEPS[:1]).isfinite().all()


@pytest.mark.parametrize("option", OPTIONS)
def test_a_trial_is_bitwise_the_same_alone_and_among_seven(option):
    generator = torch.Generator().manual_seed(0)
    numbers = {
        name: torch.rand(7, 1, dtype=torch.float64, generator=generator) * 0.8 + 0.1
        for name in read(read_option("schedule", option)["_target_"]).parameters
        if name not in ("milestones", "warmup")
    }
    numbers["warmup"] = torch.tensor([[0.0], [1], [2], [3], [0.5], [0], [20]], dtype=torch.float64)
    together = _schedule(option, TOTAL, **numbers).factor(STEPS)
    assert together.shape == (7, TOTAL)
    for k in range(7):
        alone = _schedule(option, TOTAL, **{name: value[k : k + 1] for name, value in numbers.items()}).factor(STEPS)
        assert torch.equal(together[k : k + 1], alone)


@pytest.mark.parametrize("option", OPTIONS)
def test_a_step_can_be_asked_for_by_itself(option):
    schedule = _schedule(option, warmup=1.0)
    factor = schedule.factor(STEPS)
    assert all(torch.equal(schedule.factor(STEPS[s : s + 1]), factor[s : s + 1]) for s in range(0, TOTAL, 7))


def test_plateaus_state_survives_save_and_load():
    schedule = _schedule("plateau", patience=1)
    values = [3.0, 2.0, 2.5, 2.4, 2.3, 2.2, 2.1]
    through = schedule.start(1, "cpu")
    for value in values:
        schedule.observe(through, torch.tensor([value]))
    state = schedule.start(1, "cpu")
    for number, value in enumerate(values):
        if number == 3:
            buffer = io.BytesIO()
            torch.save(state, buffer)
            buffer.seek(0)
            state = torch.load(buffer, weights_only=True)
        schedule.observe(state, torch.tensor([value]))
    assert all(torch.equal(state[name], through[name]) for name in through)
    assert through["scale"].item() < 0.5
