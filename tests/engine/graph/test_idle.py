"""A row of a trial that is over has the weights and state of another, so that its numbers stay finite."""

import torch

from dlexp.build.components import components_of
from dlexp.build.dataset import load_data
from dlexp.build.program import make_program
from dlexp.config.resolve import resolve
from dlexp.engine.graph.idle import rest


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
