"""A snapshot of one trial does not tell whether it trained alone or in a stack."""

import pytest
import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.engine.snapshot import best_weights, restore, snapshot
from dlexp.engine.train import Run

COMMON = [
    "data.limit=100",
    "trainer.epochs=3",
    "trainer.threads=1",
    "tracking=none",
    "optimizer=adam",
    "trainer.ema=0.5",
]


def make(seeds: list[int], engine: str, *more: str) -> Run:
    made = [resolve([*COMMON, f"seed={seed}", *more]).config for seed in seeds]
    return make_program(components_of(made, [load_data(made[0])] * len(made)), engine).run


def advance(run: Run, epochs: int) -> None:
    for event in run.events():
        if isinstance(event, EpochEnd) and event.epoch == epochs and event.trial == run.trials[-1]:
            return


def test_a_row_of_a_stack_goes_on_as_a_stack_of_one_to_the_bit():
    stack = make([0, 1, 2], "batched")
    advance(stack, 1)
    saved = snapshot(stack, 1)
    alone = make([1], "batched")
    restore(alone, *saved)
    advance(alone, 2)
    stack = make([0, 1, 2], "batched")
    advance(stack, 2)
    for name, value in snapshot(stack, 1)[0].items():
        assert torch.equal(value, snapshot(alone)[0][name]), name
    for name, value in snapshot(stack, 1)[1]["step"].items():
        assert torch.equal(value, snapshot(alone)[1]["step"][name]), name


def test_a_solo_snapshot_fits_a_row_of_a_stack_and_back():
    solo = make([1], "solo")
    advance(solo, 1)
    stack = make([0, 1], "vmapped")
    restore(stack, *snapshot(solo), row=1)
    for name, value in snapshot(solo)[0].items():
        assert torch.equal(value, snapshot(stack, 1)[0][name])
    assert stack.stopping[1] == solo.stopping[0]


def test_best_weights_are_the_averaged_ones_and_the_trained_ones_come_back():
    run = make([0], "solo")
    advance(run, 1)
    trained = run.step.forward.weights(0)["output.weight"]
    assert not torch.equal(best_weights(run)["output.weight"], trained)
    assert torch.equal(run.step.forward.weights(0)["output.weight"], trained)


@pytest.mark.parametrize("epoch", [1, 2])
@pytest.mark.parametrize(("engine", "other"), [("solo", "solo"), ("batched", "solo"), ("solo", "vmapped")])
def test_layers_that_are_thawed_go_on_on_both_sides_of_their_epoch(engine, other, epoch):
    frozen = (
        "model.widths=[8,8]",
        "freeze=[hidden*]",
        "freeze.until=1",
        "trainer.precision=fp64",
        "optimizer.eps=1e-3",
    )
    straight = make([1], engine, *frozen)
    advance(straight, 3)
    begun = make([1], engine, *frozen)
    advance(begun, epoch)
    saved = snapshot(begun)
    assert saved[1]["thawed"] == (epoch > 1)
    resumed = make([1], other, *frozen)
    restore(resumed, *saved)
    advance(resumed, 3)
    limit = 0 if other == engine else 1e-9
    torch.testing.assert_close(snapshot(resumed)[0], snapshot(straight)[0], rtol=limit, atol=limit)
    torch.testing.assert_close(snapshot(resumed)[1]["step"], snapshot(straight)[1]["step"], rtol=limit, atol=limit)


def test_a_program_that_was_thawed_takes_up_a_snapshot_of_before():
    frozen = ("model.widths=[8,8]", "freeze=[hidden*]", "freeze.until=1")
    run = make([1], "solo", *frozen)
    advance(run, 1)
    early = snapshot(run)
    advance(run, 2)
    assert (early[1]["thawed"], run.is_thawed) == (False, True)
    restore(run, *early)
    assert not run.is_thawed
    assert run.step.forward.flat.names == ["output.weight", "output.bias"]
    torch.testing.assert_close(snapshot(run)[1]["step"], early[1]["step"], rtol=0, atol=0)
