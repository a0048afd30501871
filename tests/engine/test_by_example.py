"""What is kept of each example gives back the metric, and is the same for a trial alone and in a stack."""

from typing import Any

import numpy as np
import pytest
import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.by_example import pack, unpack
from dlexp.engine.event import EpochEnd
from dlexp.loss import BCE, MAE, MSE, CrossEntropy, Hinge, Huber
from dlexp.metric.loss_error import class_weights, losses

TARGETS = torch.tensor([0, 2, 1, 1, 0, 2, 2])
LOGITS = torch.randn(len(TARGETS), 3, generator=torch.Generator().manual_seed(0))
VALUES = torch.randn(len(TARGETS), 1, generator=torch.Generator().manual_seed(1))
PER_TRIAL: Any = torch.tensor([[0.1]])  # as a program hands it to a loss
SMALL = ["tracking=none", "trainer.threads=1", "data.limit=200", "model.widths=[8]", "trainer.epochs=3"]


@pytest.mark.parametrize(
    ("loss", "outputs", "targets"),
    [
        (CrossEntropy(num_classes=3), LOGITS, TARGETS),
        (CrossEntropy(0.1, num_classes=3), LOGITS, TARGETS),
        (CrossEntropy(class_weight=[1.0, 2.0, 0.5], num_classes=3), LOGITS, TARGETS),
        (CrossEntropy(0.2, class_weight=[1.0, 2.0, 0.5], num_classes=3), LOGITS, TARGETS),
        (BCE(2.0, 0.5, task="multiclass", num_classes=3), LOGITS, TARGETS),
        (BCE(2.0, 0.5, num_classes=2), VALUES, TARGETS.clamp(max=1)),
        (Hinge(num_classes=3), LOGITS, TARGETS),
        (Hinge(form="crammer_singer", num_classes=3), LOGITS, TARGETS),
        (MSE(), VALUES, TARGETS.float()),
        (MAE(), VALUES, TARGETS.float()),
        (Huber(0.5), VALUES, TARGETS.float()),
        (Huber(PER_TRIAL), VALUES, TARGETS.float()),
        (CrossEntropy(PER_TRIAL, num_classes=3), LOGITS, TARGETS),
    ],
)
def test_the_weighted_mean_of_the_examples_is_the_loss_of_the_part(loss, outputs, targets):
    each_N, sizes_N = losses(loss, outputs, targets).double(), class_weights(loss, targets)
    sizes_N = torch.ones(len(targets)) if sizes_N is None else sizes_N
    together = float(loss(outputs[None], targets[None])[0])
    assert float((each_N * sizes_N).sum() / sizes_N.sum()) == pytest.approx(together, rel=1e-6)


@pytest.mark.parametrize(("kind", "size"), [("bits", 2), ("losses", 44), ("values", 88)])
def test_packed_and_back(kind, size):
    values_N = np.random.default_rng(0).integers(0, 2, 11).astype(np.float64)
    record = pack(kind, values_N.astype(bool) if kind == "bits" else values_N)
    assert len(record) == size
    assert unpack(kind, record, 11).tolist() == values_N.tolist()


def events_of(*overrides: str, num_trials: int = 1, engine: str = "solo") -> list[list[EpochEnd]]:
    rates = ("0.01", "0.1", "0.3")[:num_trials]
    configs = [resolve([*SMALL, *overrides, f"optimizer.lr={lr}"]).config for lr in rates]
    data = load_data(configs[0])
    events = list(make_program(components_of(configs, [data] * num_trials), engine).run.events())
    return [[e for e in events if isinstance(e, EpochEnd) and e.trial == trial] for trial in range(num_trials)]


@pytest.mark.parametrize(
    ("overrides", "kind"),
    [
        ((), "bits"),
        (("trainer.monitor=val/loss", "loss.label_smoothing=0.1"), "losses"),
        (("trainer.monitor=val/loss", "loss.class_weight=balanced"), "losses"),
        (("trainer.monitor=val/log_loss",), "losses"),
        (("data=diabetes",), "values"),
        (("data=diabetes", "loss=huber", "trainer.precision=fp64"), "values"),
    ],
)
def test_a_trial_in_a_stack_has_the_records_it_has_alone(overrides, kind):
    overrides = (*overrides, "loss=cross_entropy") if any("loss." in override for override in overrides) else overrides
    (alone,), (solo,) = events_of(*overrides, engine="batched"), events_of(*overrides)
    together, *_ = events_of(*overrides, num_trials=3, engine="batched")
    assert [event.record for event in alone] == [event.record for event in together]
    for override, other in zip(solo, together, strict=True):
        assert override.record is not None
        assert other.record is not None
        num = len(override.record[1]) * 8 if kind == "bits" else 0
        assert unpack(*override.record, num) == pytest.approx(unpack(*other.record, num), rel=1e-3, abs=1e-4)
    assert {event.record[0] for event in alone if event.record} == {kind}


def test_the_bits_are_the_accuracy():
    (events,) = events_of()
    num = len(load_data(resolve(SMALL).config).val)
    for event in events:
        assert event.record is not None
        right_N = unpack(*event.record, num=num)
        assert right_N.mean() == pytest.approx(event.metrics["val/accuracy"], abs=1e-12)
