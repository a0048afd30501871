"""Memory of an update, and how many trials fit."""

from typing import Any

import pytest
import torch
from torch.profiler import ProfilerActivity, profile

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.memory import HEADROOM, Allocations, guess_bytes, largest_stack, peak_bytes
from tests.present import present

CPU = torch.device("cpu")


def test_counts_what_lives_and_what_lived_at_most():
    x = torch.ones(1000)
    with Allocations() as allocations:
        y = x * 2
        z = y + 1
        del y
        w = z.view(10, 100)
        w.add_(1)
    assert allocations.peak == 8000
    assert allocations.live == 4000


def _stack(overrides: list[str], size: int, engine: str):
    return _assembled(overrides, size, engine).run


def _assembled(overrides: list[str], size: int, engine: str):
    common = ["tracking=none", "trainer.threads=1", *overrides]
    made = [resolve([*common, f"seed={i}"]).config for i in range(size)]
    return make_program(components_of(made, [load_data(made[0])] * size), engine)


@pytest.mark.parametrize(("overrides", "engine"), [(["optimizer=adam"], "batched"), (["model=cnn"], "vmapped")])
def test_two_small_stacks_predict_a_large_one_within_15_percent(overrides, engine):
    peaks = {size: peak_bytes(_stack(overrides, size, engine).one_update(), CPU) for size in (2, 4)}
    per_trial = (peaks[4] - peaks[2]) / 2
    update = _stack(overrides, 16, engine).one_update()
    update()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as profiler:
        update()
    recorded: Any = present(present(profiler.profiler).kineto_results).events()
    events = sorted((e.start_ns(), e.nbytes()) for e in recorded if e.name() == "[memory]")
    live = peak = 0
    for _, size in events:
        live += size
        peak = max(peak, live)
    assert peaks[2] + 14 * per_trial == pytest.approx(peak, rel=0.15)


@pytest.mark.parametrize("overrides", [["optimizer=adam"], ["model=cnn"], ["model=resnet", "model.depth=8"]])
def test_the_guess_is_generous_and_leaves_the_model_as_it_was(overrides):
    built = _assembled(overrides, 1, "solo")
    before = {name: value.clone() for name, value in built.model.state_dict().items()}
    guess = guess_bytes(built.model, built.dataset.in_shape, built.run.trainer.batch_size)
    step = built.run.step
    lasting = [step.forward.flat.tensor, step.forward.grads, *step.state.values()]
    held = sum(tensor.numel() * tensor.element_size() for tensor in lasting)
    assert all(torch.equal(value, before[name]) for name, value in built.model.state_dict().items())
    taken = held + peak_bytes(built.run.one_update(), CPU)
    assert taken < guess < 30 * taken


def test_the_largest_stack_that_fits():
    assert largest_stack((2, 300), (4, 500), free=round(1100 / HEADROOM) + 1) == 10
    assert largest_stack((2, 300), (4, 500), free=0) == 1
