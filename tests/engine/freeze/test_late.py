"""An update of two shares of a row, each by its own number."""

import torch
from torch import Tensor

from dlexp.engine.freeze.late import Late


class Counted:
    """A rule that writes the number of the update, and what it was given of its state and mask."""

    def update(self, params: Tensor, grads: Tensor, state: dict[str, Tensor], lr: Tensor, step: int, decay) -> None:
        params.fill_(step)
        for value in state.values():
            value.add_(step)
        assert decay is None or decay.shape == params.shape[1:]


def test_each_share_counts_its_own_updates():
    params, state = torch.zeros(2, 5), {"mean": torch.zeros(2, 5)}
    Late(3, 10).update(Counted(), params, torch.zeros(2, 5), state, torch.ones(2, 1), 12, torch.ones(5))
    assert params.tolist() == [[12, 12, 12, 2, 2]] * 2
    assert state["mean"].tolist() == [[12, 12, 12, 2, 2]] * 2


def test_a_rule_with_another_state_moves_all_at_once():
    params, state = torch.zeros(2, 5), {"count": torch.zeros(2, 1)}
    Late(3, 10).update(Counted(), params, torch.zeros(2, 5), state, torch.ones(2, 1), 12, None)
    assert params.tolist() == [[12] * 5] * 2
    assert state["count"].tolist() == [[12], [12]]
