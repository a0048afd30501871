"""Memory of an update, and how many trials fit."""

from typing import Any

import pytest
import torch
from torch import nn
from torch.profiler import ProfilerActivity, profile

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.memory import (
    HEADROOM,
    Allocations,
    evaluation_batch,
    guess_bytes,
    largest_stack,
    output_bytes,
    peak_bytes,
)
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


def test_outputs_are_counted_once_for_each_tensor():
    with torch.device("meta"):
        # 6 numbers, then 6 in place of them, then the same 6 in another shape, then 2
        model = nn.Sequential(
            nn.Linear(5, 6), nn.ReLU(inplace=True), nn.Unflatten(1, (2, 3)), nn.Flatten(), nn.Linear(6, 2)
        )
    assert output_bytes(model, torch.empty(3, 5, device="meta")) == 3 * (6 + 2) * 4


@pytest.mark.parametrize(
    ("layers", "batch_size", "expected"), [(16, 32, 128), (256, 32, 1024), (2, 32, 64), (16, 500, 1024)]
)
def test_evaluation_takes_as_many_examples_as_an_update_has_memory_for(layers, batch_size, expected):
    # L layers put out L tensors, evaluation keeps an input and an output at once: B L / 4 examples,
    # or the 64 whose pairs of 4 MiB fit in 256 MiB
    model = nn.Sequential(*(nn.PReLU() for _ in range(layers)))
    assert evaluation_batch(model, (2**19,), batch_size) == expected
    assert model.training


def test_a_small_model_is_evaluated_in_large_batches_without_counting(monkeypatch):
    monkeypatch.setattr("dlexp.engine.memory.Allocations", None)
    assert evaluation_batch(nn.Linear(64, 10), (64,), 1) == 1024
