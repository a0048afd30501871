"""One module a trial: the very kernels of a solo run, so the very bits, convolutions included."""

import pytest
import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.event import TrialEnd
from dlexp.engine.snapshot import snapshot

COMMON = ["data.limit=100", "trainer.epochs=2", "trainer.threads=1", "tracking=none"]


def train(made: list[dict], engine: str) -> dict[int, dict[str, torch.Tensor]]:
    data = load_data(made[0])
    run = make_program(components_of(made, [data] * len(made)), engine).run
    ends = {}
    for event in run.events():
        if isinstance(event, TrialEnd):
            ends[event.trial] = snapshot(run, run.trials.index(event.trial))[0]
    return ends


def configs(overrides: list[str], rates: list[str]) -> list[dict]:
    return [resolve([*COMMON, *overrides, f"seed={i}", f"optimizer.lr={rate}"]).config for i, rate in enumerate(rates)]


@pytest.mark.parametrize("overrides", [["model=cnn"], ["optimizer=adam", "dropout=inverted"], ["seeds.order=1"]])
def test_every_trial_has_the_bits_it_has_alone(overrides):
    made = configs(overrides, ["0.02", "0.05", "0.01"])
    together = train(made, "graphed")
    for trial, config in enumerate(made):
        (alone,) = train([config], "solo").values()
        for name, value in alone.items():
            assert torch.equal(value, together[trial][name]), name


def test_a_trial_that_leaves_does_not_disturb_the_rest():
    made = configs(["norm=none"], ["0.02", "1e30", "0.01"])
    together = train(made, "graphed")
    for trial in (0, 2):
        (alone,) = train([made[trial]], "solo").values()
        assert all(torch.equal(value, together[trial][name]) for name, value in alone.items())


@pytest.mark.gpu
@pytest.mark.parametrize("overrides", [["model=cnn"], ["optimizer=adam", "dropout=inverted"]])
def test_graphs_on_streams_give_what_the_modules_give(overrides):
    made = configs([*overrides, "trainer.device=cuda"], ["0.02", "0.05", "0.01"])
    together = train(made, "graphed")
    for trial, config in enumerate(made):
        (alone,) = train([config], "solo").values()
        for name, value in alone.items():
            torch.testing.assert_close(value, together[trial][name], rtol=1e-4, atol=1e-5)
