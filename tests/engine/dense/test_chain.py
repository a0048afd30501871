"""Nets that are written out train like the module's layers under autograd, to the bit; all others run as layers."""

from functools import partial
from typing import Any

import pytest
import torch
from torch import nn

from benchmarks.case import ADAPTIVE, Case
from benchmarks.equality import configure, divide, train
from dlexp.config.catalog import list_groups
from dlexp.engine import forward as forwards
from dlexp.engine.forward import Solo
from dlexp.model.mlp import MLP
from tests.cover import cover, foremost
from tests.present import present

QUICK = 10
NORMS = {
    **{name: {"norm": name} for name in ("none", "layer", "batch")},
    "group": {"norm": "group", "norm.num_groups": "2"},
    "exact": {"norm": "batch", "norm.statistics": "exact", "norm.variance": "biased"},
    "cumulative": {"norm": "batch", "norm.statistics": "cumulative"},
}
NETS = {
    "deep": {"model.widths": "[16,12,18]"},
    "one": {"model.widths": "[7]"},
    "shortcuts": {"model.widths": "[16,12]", "model.shortcut": "true", "model.output_shortcut": "true"},
    "inputs": {"model.widths": "[12]", "dropout": "inverted", "model.input_dropout": "0.2"},
    "softmax": {"model": "softmax"},
}
LOSSES = {
    "cross_entropy": {},
    "smooth": {"loss": "cross_entropy", "loss.label_smoothing": "0.1"},
    "hinge": {"loss": "hinge"},
    "mixup": {"augment": "mixup"},
    "bce": {"data": "breast_cancer"},
    "weighted": {"data": "breast_cancer", "loss": "bce", "loss.alpha": "2"},
    "mse": {"data": "diabetes"},
    "huber": {"data": "diabetes", "loss": "huber"},
}
HABITS = {
    "plain": {},
    "accumulate": {"trainer.accumulate": "2"},
    "clip": {"trainer.grad_clip": "0.5"},
    "ema": {"trainer.ema": "0.5"},
    "penalty": {"regularizer": "l2", "optimizer.weight_decay": "0.01"},
}
ACTIVATIONS = [name for name in list_groups()["activation"] if name not in ("prelu", "maxout")]
FACTORS: list[list[str]] = [
    ACTIVATIONS,
    list(NORMS),
    ["none", "inverted", "classic"],
    list(NETS),
    list(LOSSES),
    list(HABITS),
    ["sgd", "momentum", "adam"],
    ["fp32", "fp64"],
]
ROWS = cover(FACTORS)
FOREMOST = foremost(ROWS, QUICK)


def case_of(row: tuple[str, ...]) -> Case:
    activation, norm, dropout, net, loss, habit, optimizer, _ = row
    blocks = {"activation": activation, "dropout": dropout, **NORMS[norm]}
    chosen = {**({} if net == "softmax" else blocks), **NETS[net], **LOSSES[loss], **HABITS[habit]}
    chosen |= {"optimizer": optimizer, **ADAPTIVE.get(optimizer, {})}
    if norm == "group" and net != "softmax":
        chosen["model.widths"] = {"one": "[8]"}.get(net, NETS[net]["model.widths"])
    return Case(" ".join(row), chosen, [{"seed": "3"}])


@pytest.mark.parametrize(
    "row", [pytest.param(row, marks=() if row in FOREMOST else pytest.mark.slow, id=" ".join(row)) for row in ROWS]
)
def test_a_training_equals_that_of_the_layers_to_the_bit(row, monkeypatch):
    case = case_of(row)
    configs = configure(case, row[-1])
    data = divide(case, configs)
    seen: list[Any] = []
    make = forwards.chain_of
    monkeypatch.setattr(forwards, "chain_of", lambda *args: seen.append(make(*args)) or seen[-1])
    ((weights, state), metrics) = train(configs, data, "solo")[0]
    assert seen[0] is not None
    monkeypatch.setattr(forwards, "chain_of", lambda *_: None)
    ((expected, expected_state), expected_metrics) = train(configs, data, "solo")[0]
    assert metrics == expected_metrics
    for ours, theirs in ((weights, expected), (state["step"], expected_state["step"])):
        assert ours.keys() == theirs.keys()
        for name, value in ours.items():
            assert torch.equal(value, theirs[name]), name


def solo(model: nn.Module) -> Solo:
    return Solo(model, device=torch.device("cpu"), channels_last=False)


class Own(nn.Sequential):
    """A net of a user's that does more than its layers."""

    def forward(self, input: torch.Tensor) -> torch.Tensor:
        return super().forward(input) * 2


def tied() -> nn.Module:
    layer = nn.Linear(6, 6)
    return nn.Sequential(layer, nn.ReLU(), layer)


def hooked() -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 6), nn.ReLU())
    net[0].register_forward_hook(lambda *_: None)
    return net


def watched() -> nn.Module:
    net = nn.Sequential(nn.Linear(6, 6))
    net.get_parameter("0.weight").register_hook(lambda grad: None)
    return net


AS_LAYERS = {
    "own forward": lambda: Own(nn.Linear(6, 6)),
    "tied": tied,
    "hooked": hooked,
    "watched": watched,
    "convolution": lambda: nn.Sequential(nn.Conv1d(6, 6, 1), nn.Flatten()),
    "own random numbers": lambda: nn.Sequential(nn.Linear(6, 6), nn.Dropout(0.5)),
    "weighted activation": lambda: nn.Sequential(nn.Linear(6, 6), nn.PReLU()),
    "parametrized": lambda: nn.Sequential(nn.utils.parametrizations.weight_norm(nn.Linear(6, 6))),
}


@pytest.mark.parametrize("name", AS_LAYERS)
def test_other_nets_run_as_layers(name):
    assert solo(AS_LAYERS[name]()).chain is None


def test_a_users_sequence_of_layers_is_written_out():
    net = nn.Sequential(nn.Flatten(), nn.Linear(6, 5), nn.ReLU(), nn.Sequential(nn.Linear(5, 4), nn.Tanh()))
    assert solo(net).chain is not None


@pytest.mark.parametrize("frozen", ["0.weight", "2.bias", "0.weight 0.bias", "2.weight 2.bias"])
def test_frozen_parameters_have_no_gradient_and_the_others_autograds(frozen):
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 4))
    for name in frozen.split():
        net.get_parameter(name).requires_grad_(False)
    x = torch.randn(3, 6)
    trained = [parameter for parameter in net.parameters() if parameter.requires_grad]
    expected = torch.autograd.grad(net(x).square().sum(), trained)
    forward = solo(net)
    outputs = forward(x)
    assert isinstance(outputs, torch.Tensor)
    outputs.square().sum().backward()
    forward.collect_grads(is_first=True)
    for parameter, grad in zip(trained, expected, strict=True):
        assert torch.equal(present(parameter.grad), grad)


def test_evaluation_and_autocast_are_left_to_the_module():
    from dlexp.activation import ReLU
    from dlexp.dropout import NoDropout
    from dlexp.norm import NoNorm

    blocks = {"activation": partial(ReLU), "norm": partial(NoNorm), "dropout": partial(NoDropout)}
    forward = solo(MLP([4], in_shape=(6,), num_outputs=3, **blocks))
    chain = present(forward.chain)
    assert chain.is_due()
    with torch.no_grad():
        assert not chain.is_due()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert not chain.is_due()
    forward.set_training(False)
    assert not chain.is_due()
