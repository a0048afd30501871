"""What is left of trials that are over: a row of finite numbers, or, after the last, the weights and no graph."""

import pytest
import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.event import EpochEnd
from dlexp.engine.graph.idle import rest
from tests.engine.graph.test_update import program
from tests.pretended.device import pretend


def test_idle_rows_are_copies():
    common = ["data.limit=40", "trainer.threads=1", "tracking=none", "optimizer=adam", "model.widths=[4]"]
    configs = [resolve([*common, f"seed={seed}"]).config for seed in range(3)]
    step = make_program(components_of(configs, [load_data(configs[0])] * 3), "batched").run.step
    step.forward.flat.tensor[0].fill_(float("nan"))
    step.state["rule.mean"][0].fill_(float("inf"))
    others = step.forward.flat.tensor[2].clone()
    rest(step, [0], like=1)
    torch.testing.assert_close(step.forward.weights(0), step.forward.weights(1), rtol=0, atol=0)
    assert torch.equal(step.state["rule.mean"][0], step.state["rule.mean"][1])
    assert torch.equal(step.forward.flat.tensor[2], others)


@pytest.mark.parametrize("form", ["solo", "graphed"])
def test_a_program_that_is_over_holds_no_graph_and_its_last_weights(form):
    with pretend():
        built = program(form, **{"trainer.epochs": "2"})
        captures, held = built.run.step.captures, []
        assert captures is not None
        for event in built.run.events():
            held.append((type(event), captures.is_replayed))
        assert (EpochEnd, True) in held
        assert not captures.is_replayed
        assert all(weight.isfinite().all() for weight in built.run.step.forward.weights(0).values())
