"""What is watched on the way is what happens, and watching changes nothing."""

import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.diagnose.evidence import FEW, observe
from dlexp.diagnose.watch import SAMPLE, Watch
from dlexp.engine.event import EpochEnd
from tests.diagnose.case import SMALL

RICH = ["model=cnn", "model.channels=[4]", "norm=batch", "dropout=inverted", "augment=affine", "trainer.epochs=2"]


def never() -> bool:
    return False


def watched(*overrides: str, is_watched: bool = True):
    """Train; return the program, its watch and the metrics of each epoch."""
    built = assemble(resolve([*SMALL, *overrides]).config)
    watch, metrics = Watch(built, never) if is_watched else None, []
    for event in built.run.events():
        if isinstance(event, EpochEnd):
            metrics.append(event.metrics)
            if watch is not None:
                watch.end_epoch(event)
    return built, watch, metrics


@pytest.mark.parametrize("batch_size", [16, 64])  # of 64 an epoch has fewer than ten updates
def test_losses_and_updates_are_those_of_a_diagnosis(batch_size):
    words = ["model.widths=[16]", "trainer.epochs=3", f"trainer.accumulate={batch_size // 16}"]
    assert SAMPLE >= 64 * 16
    _, watch, _ = watched(*words)
    composed = resolve([*SMALL, *words])
    seen = observe(assemble(composed.config), composed.choices, FEW)
    assert watch is not None
    assert watch.losses == pytest.approx(seen.losses, rel=1e-5)
    assert watch.steps.keys() == seen.steps.keys()
    for name, values in watch.steps.items():
        assert values == pytest.approx(seen.steps[name], rel=1e-4)


def test_a_sample_tells_the_size_of_an_update():
    words = ["model.widths=[256]", "trainer.epochs=1"]
    _, watch, _ = watched(*words)
    composed = resolve([*SMALL, *words])
    seen = observe(assemble(composed.config), composed.choices, FEW)
    assert watch is not None
    for name, values in watch.steps.items():
        assert values == pytest.approx(seen.steps[name], rel=0.2)


def test_it_changes_no_bit():
    runs = [watched(*RICH, is_watched=flag) for flag in (True, False)]
    (first, watch, metrics), (second, _, others) = runs
    assert metrics == others
    assert torch.equal(first.run.step.forward.flat.tensor, second.run.step.forward.flat.tensor)
    assert all(torch.equal(a, b) for a, b in zip(first.model.buffers(), second.model.buffers(), strict=True))
    assert watch is not None
    assert first.run.should_stop is never
    assert len(watch.dead) == 1


@pytest.mark.parametrize(("bias", "share"), [(-1e4, 1.0), (1e4, 0.0)])
def test_units_that_a_bias_keeps_shut_are_dead(bias, share):
    built = assemble(resolve([*SMALL, "norm=none", "model.widths=[16]", "trainer.epochs=1"]).config)
    watch = Watch(built, never)
    (end,) = [event for event in built.run.events() if isinstance(event, EpochEnd)]
    with torch.no_grad():
        dict(built.model.named_parameters())["hidden.0.linear.bias"].fill_(bias)
    watch.end_epoch(end)
    assert list(watch.dead.values()) == [share]


def test_a_wish_to_stop_is_passed_on():
    built = assemble(resolve([*SMALL, "model.widths=[16]"]).config)
    Watch(built, lambda: built.run.number >= 3)
    assert [event.status for event in built.run.events() if not isinstance(event, EpochEnd)] == ["interrupted"]  # pyright: ignore
    assert built.run.number == 3
