"""An update of two shares of a row, each by its own number."""

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from dlexp.engine.freeze.thawed import Thawed
from dlexp.engine.graph.moment import Moment
from dlexp.engine.rule.rules import Rules
from dlexp.engine.stack.kind import make_forward
from dlexp.regularizer import NoRegularizer


class Counted:
    """A rule that adds the number of the update."""

    biases = False

    def __init__(self, width: int | None) -> None:
        self.width = width

    def init(self, params: Tensor) -> dict[str, Tensor]:
        return {"mean": torch.zeros(len(params), self.width or params.shape[1])}

    def update(self, params: Tensor, grads: Tensor, state: dict[str, Tensor], lr: Any, step: int, decay: Any) -> None:
        params.add_(step)
        state["mean"].add_(step)
        assert decay.shape == params.shape[1:]


@pytest.mark.parametrize(("width", "late"), [(None, 2), (1, 12)], ids=["by parameter", "a rule with another state"])
def test_each_share_counts_its_own_updates(width, late):
    net = nn.Sequential(nn.Linear(4, 4, bias=False), nn.Linear(4, 4, bias=False))
    for weight in net.parameters():
        nn.init.zeros_(weight)
    forward = make_forward("batched", [net, net], device=torch.device("cpu"), channels_last=False)
    rules = Rules(None, Counted(width), None, NoRegularizer())
    step = Thawed(forward, rules, net, begin=16, before=10)
    step.apply(Moment.of(torch.ones(2, 1), 12))
    assert forward.flat.tensor.tolist() == [[12] * 16 + [late] * 16] * 2
    assert step.state["rule.mean"][0].tolist() == ([12] if width else [12] * 16 + [late] * 16)
