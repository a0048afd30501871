"""precision=fp64 is float64 throughout, and a learning rate is logged as it was written, in any precision."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dlexp.build.program import assemble
from dlexp.config.resolve import resolve
from dlexp.job.train import train
from dlexp.run.folder import RunFolder

QUICK = ["tracking=none", "trainer.threads=1", "model.widths=[4]"]


@pytest.mark.parametrize("precision", ["fp32", "fp64"])
@pytest.mark.parametrize(
    ("schedule", "expected"),
    [
        (["schedule=constant"], [0.05, 0.05]),
        (["schedule=exponential", "schedule.gamma=0.5"], None),
        (["schedule=step", "schedule.step_size=1", "schedule.gamma=0.1"], [0.05, 0.005]),
    ],
    ids=["constant", "exponential", "step"],
)
def test_a_rate_is_logged_as_written(tmp_path, precision, schedule, expected):
    overrides = [*QUICK, *schedule, "data=iris", "trainer.epochs=2", f"trainer.precision={precision}"]
    composed = resolve([*overrides, "optimizer.lr=0.05", f"runs_dir={tmp_path}"])
    folder = RunFolder.open(Path(train.start(composed, announce=lambda _: lambda _: None).result["run_dir"]))
    rates = [record["lr"] for record in folder.history()]
    if expected is None:  # gamma^((steps - 1) / steps of an epoch) at the last update of each
        steps = folder.history()[0]["step"]
        expected = [0.05 * 0.5 ** ((epoch * steps - 1) / steps) for epoch in (1, 2)]
    assert rates == pytest.approx(expected, rel=1e-15)


@pytest.mark.parametrize(
    ("overrides", "name"),
    [
        (["data=diabetes", "loss=huber", "loss.delta=0.3"], "delta"),
        (["data=breast_cancer", "loss=bce", "loss.alpha=0.3"], "alpha"),
        (["data=wine", "loss=cross_entropy", "loss.label_smoothing=0.3"], "label_smoothing"),
        (["data=wine", "loss=hinge", "loss.margin=0.3"], "margin"),
    ],
)
def test_parameters_of_a_loss_are_not_rounded(overrides, name):
    built = assemble(resolve([*QUICK, *overrides, "trainer.precision=fp64"]).config)
    value = getattr(built.run.step.rules.loss, name)
    assert value.dtype == torch.float64
    assert float(value) == 0.3
    single = getattr(assemble(resolve([*QUICK, *overrides]).config).run.step.rules.loss, name)
    assert float(single) == float(np.float32(0.3))
