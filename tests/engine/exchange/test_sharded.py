"""The rule's state divided over devices: the numbers of the whole, a share of the elements.

Expected: of P elements and W devices each holds about P / W of every tensor of the rule's state; weights are those of
the undivided step, equal to the bit where the sum of the gradients is.
"""

import copy

import pytest
import torch

from dlexp.engine.exchange.sharded import Sharded
from dlexp.engine.graph.moment import Moment
from dlexp.error import ConfigError
from dlexp.optimizer.adam import Adam
from dlexp.optimizer.adamw import AdamW
from dlexp.regularizer import L1
from tests.engine.exchange.threads import together
from tests.engine.test_step import make_model, make_step

SIZE = 3


def updated(step, rank, size):
    """Move by gradients that the devices have a share of each; return the weights."""
    for number in (1, 2, 3):
        whole = torch.randn(step.forward.flat.tensor.shape, generator=torch.Generator().manual_seed(number)).double()
        step.forward.prepare_grads()
        step.forward.grads.copy_(whole * (0.25, 0.5, 0.25)[rank] if size > 1 else whole)
        with torch.no_grad():
            step._share_gradient()
        step.apply(Moment.of(torch.full((1, 1), 0.05).double(), number))
    return step.forward.flat.tensor.clone()


def make(model, exchange, clip=None):
    plain = make_step(copy.deepcopy(model), AdamW(weight_decay=0.1), L1(weight=0.01), grad_clip=clip)
    return Sharded(plain.forward, plain.rules, model, "fp32", exchange)


def test_each_device_holds_a_slice_and_all_have_the_weights_of_the_whole():
    model = make_model()
    clip = torch.tensor([[0.5]]).double()
    single = make_step(copy.deepcopy(model), AdamW(weight_decay=0.1), L1(weight=0.01), grad_clip=clip)
    expected = updated(single, 0, 1)

    def act(exchange):
        step = make(model, exchange, clip)
        weights = updated(step, exchange.rank, SIZE)
        exchange.bring_together()
        return weights, step.state, step.row_state(0)

    played = together(SIZE, act)
    num = expected.shape[1]
    for weights, state, _ in played:
        torch.testing.assert_close(weights, expected, rtol=1e-12, atol=1e-12)
        assert torch.equal(weights, played[0][0])
        assert all(value.shape[1] <= num // SIZE + 16 * SIZE for value in state.values())
    assert sum(state["rule.mean"].shape[1] for _, state, _ in played) == num
    for name, value in single.row_state(0).items():
        torch.testing.assert_close(played[0][2][name], value, rtol=1e-12, atol=1e-12)


def test_a_whole_state_is_taken_up_by_slices():
    model = make_model()
    single = make_step(copy.deepcopy(model), AdamW(weight_decay=0.1), L1(weight=0.01))
    updated(single, 0, 1)
    saved = {name: value.clone() for name, value in single.row_state(0).items()}
    saved["rule.mean"] = torch.arange(saved["rule.mean"].numel()).double()[None]

    def act(exchange):
        step = make(model, exchange)
        step.load_row(0, saved)
        return step.state["rule.mean"][0]

    assert torch.cat(together(SIZE, act)).tolist() == saved["rule.mean"][0].tolist()


class Normed(Adam):
    """A rule of one's own, which might look at a norm of all weights."""


def test_a_rule_that_may_look_at_all_weights_is_refused():
    model = make_model()
    step = make_step(model, Normed())

    def act(exchange):
        return Sharded(step.forward, step.rules, model, "fp32", exchange)

    with pytest.raises(ConfigError, match=r"trainer\.shard: got true with optimizer Normed; its state can be divided"):
        together(1, act)
