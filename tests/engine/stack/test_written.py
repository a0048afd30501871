"""Stacks that are written out train as their layers do under autograd, to the bit; all others run as layers."""

from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.case import Case
from benchmarks.equality import configure, divide, train
from dlexp.engine.stack import batched
from dlexp.engine.stack.batched import Batched
from tests.cover import foremost
from tests.engine.dense.test_chain import ROWS
from tests.engine.dense.test_chain import case_of as case_of_one
from tests.present import present

QUICK = 8
# whole vectors of channels in either precision, so that batch norm is written out too
WIDTHS = {"deep": "[16,32,16]", "one": "[16]", "shortcuts": "[16,32]", "inputs": "[32]"}
TRIALS = [{"seed": "3"}, {"seed": "4", "optimizer.lr": "0.03"}, {"seed": "5"}]
FOREMOST = foremost(ROWS, QUICK)


def case_of(row: tuple[str, ...], **changes: str) -> Case:
    case = case_of_one(row)
    chosen = case.overrides | ({"model.widths": WIDTHS[row[3]]} if row[3] in WIDTHS else {})
    return Case(case.name, chosen | changes, TRIALS)


def require_equal(case: Case, precision: str, monkeypatch: pytest.MonkeyPatch) -> None:
    configs = configure(case, precision)
    data = divide(case, configs)
    seen: list[Any] = []
    make = batched.stack_chain_of
    with monkeypatch.context() as patch:
        patch.setattr(batched, "stack_chain_of", lambda *args: seen.append(make(*args)) or seen[-1])
        ours = train(configs, data, "batched")
        patch.setattr(batched, "stack_chain_of", lambda *_: None)
        layers = train(configs, data, "batched")
    assert seen[0] is not None
    for ((weights, state), metrics), ((expected, expected_state), expected_metrics) in zip(ours, layers, strict=True):
        assert metrics == expected_metrics
        for mine, theirs in ((weights, expected), (state["step"], expected_state["step"])):
            assert mine.keys() == theirs.keys()
            for name, value in mine.items():
                assert torch.equal(value, theirs[name]), name


@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=() if row in FOREMOST else pytest.mark.slow, id=" ".join(row)) for row in ROWS]
)
def test_a_training_equals_that_of_the_layers_to_the_bit(row, monkeypatch):
    require_equal(case_of(row), row[-1], monkeypatch)


UNEVEN = ("silu", "none", "inverted", "one", "cross_entropy", "plain", "momentum", "fp32")
BATCH = ("relu", "batch", "none", "deep", "cross_entropy", "plain", "sgd", "fp32")


def test_activations_of_uneven_vectors_are_those_of_each_trial(monkeypatch):
    require_equal(case_of(UNEVEN, **{"model.widths": "[7]"}), "fp32", monkeypatch)


def test_trials_that_leave_and_folds_of_other_lengths(monkeypatch):
    case = case_of(BATCH, **{"trainer.patience": "1", "trainer.epochs": "5", "optimizer.lr": "0.3"})
    folds = Case("folds", {**case.overrides, "data.limit": "37"}, [{}, {}, {}], folds=True)
    require_equal(case, "fp32", monkeypatch)
    require_equal(folds, "fp32", monkeypatch)


def stack_of(make: Any, num: int = 2) -> Batched:
    torch.manual_seed(0)
    return Batched([make() for _ in range(num)], device=torch.device("cpu"), channels_last=False)


class Own(nn.Sequential):
    """A net of a user's that does more than its layers."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(input) * 2


@pytest.mark.parametrize(
    "make", [lambda: Own(nn.Linear(6, 6)), lambda: nn.Sequential(nn.Linear(6, 6), nn.PReLU())], ids=["own", "weighted"]
)
def test_other_nets_run_as_layers(make):
    assert stack_of(make).chain is None


@pytest.mark.parametrize(("num_channels", "is_written"), [(16, True), (12, False)])
def test_batch_norm_of_no_whole_vectors_runs_as_layers(num_channels, is_written):
    from dlexp.norm import BatchNorm

    stack = stack_of(lambda: nn.Sequential(nn.Linear(6, num_channels), BatchNorm(num_features=num_channels)))
    assert (stack.chain is not None) is is_written


def test_frozen_parameters_have_no_gradient_and_the_others_autograds():
    def make() -> nn.Module:
        net = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4))
        net.get_parameter("2.weight").requires_grad_(False)
        return net

    stack = stack_of(make)
    x = torch.randn(2, 7, 6)
    stack.prepare_grads()
    outputs: Any = stack(x, is_shared=False)
    outputs.square().sum().backward()
    stack.collect_grads(is_first=True)
    ours = stack.grads.clone()
    stack.chain = None
    outputs = stack(x, is_shared=False)
    outputs.square().sum().backward()
    stack.collect_grads(is_first=True)
    assert torch.equal(ours, stack.grads)
    assert ours.abs().sum() > 0


def test_pads_stay_zero_whatever_a_rule_leaves_there():
    stack = stack_of(lambda: nn.Sequential(nn.Linear(6, 5)))
    stack.grads.fill_(7.0)  # as an update rule that works in place does
    stack.prepare_grads()
    chain = present(stack.chain)
    outputs = chain.forward(torch.randn(2, 4, 6), is_shared=False)
    chain.backward(torch.ones_like(outputs), is_first=True)
    used = sum(view[0].numel() for view in stack.flat.views)
    assert stack.grads.count_nonzero() <= 2 * used
    assert all(not pad.any() for pad in stack.flat.pads(stack.grads))
