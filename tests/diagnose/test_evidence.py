"""What is observed is what training does."""

import math

import pytest

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.diagnose.evidence import observe
from tests.diagnose.case import SMALL


def observed(*overrides: str, updates: int = 100):
    composed = resolve([*SMALL, *overrides])
    return observe(assemble(composed.config), composed.choices, updates)


def test_the_updates_are_the_run_s_own():
    overrides = ["model.widths=[16]", "trainer.epochs=1"]
    run = assemble(resolve([*SMALL, *overrides]).config).run
    (loss,) = [event.metrics["train/loss"] for event in run.events() if hasattr(event, "metrics")]  # pyright: ignore
    evidence = observed(*overrides, updates=run.steps_per_epoch)
    num = run.task.num_drawn
    sizes = [16] * (num // 16) + [num % 16]
    total = sum(loss * size for loss, size in zip(evidence.losses, sizes, strict=False))
    assert total / num == pytest.approx(loss, rel=1e-5)


def test_a_step_of_plain_descent_is_rate_times_gradient():
    evidence = observed("model.widths=[16]", "norm=none", "optimizer.lr=0.1", updates=1)
    for layer in evidence.first:
        assert evidence.ratios[f"{layer.name}.weight"] == pytest.approx(
            0.1 * layer.grad_rms / layer.weight_rms, rel=1e-4
        )


def test_constant_spread_and_end():
    evidence = observed("data=wine", updates=12)
    assert evidence.constant == pytest.approx(math.log(3))
    assert evidence.spread == pytest.approx((1.0, 1.0), abs=0.01)
    assert evidence.end == pytest.approx(sum(evidence.losses[-10:]) / 10)
    assert evidence.start == evidence.losses[0]


def test_updates_end_where_the_loss_is_not_finite():
    evidence = observed("norm=none", "optimizer.lr=1e12")
    assert len(evidence.losses) < 20
    assert not math.isfinite(evidence.losses[-1])
