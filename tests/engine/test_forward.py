"""The plain module behind the engine's interface."""

from functools import partial

import torch
from torch import nn

from dlexp.activation import ReLU
from dlexp.dropout import Inverted
from dlexp.engine.forward import Solo
from dlexp.model.mlp import MLP
from dlexp.norm import BatchNorm
from tests.present import present

CPU = torch.device("cpu")


def make() -> tuple[nn.Module, Solo]:
    parts = {"activation": partial(ReLU), "norm": partial(BatchNorm), "dropout": partial(Inverted, p=0.5)}
    model = MLP([8, 8], in_shape=(5,), num_outputs=3, **parts)
    return model, Solo(model, device=CPU, channels_last=False)


def outputs_of(forward: Solo, x: torch.Tensor) -> torch.Tensor:
    outputs = forward(x)
    assert isinstance(outputs, torch.Tensor)
    return outputs


def test_outputs_have_a_trial_axis_and_parameters_are_views_of_the_row():
    model, forward = make()
    assert outputs_of(forward, torch.zeros(4, 5)).shape == (1, 4, 3)
    forward.flat.tensor.zero_()
    assert all(float(p.detach().abs().sum()) == 0 for p in model.parameters())


def test_a_backward_pass_fills_the_gradient_row():
    model, forward = make()
    outputs_of(forward, torch.ones(4, 5)).square().sum().backward()
    forward.collect_grads(is_first=True)
    assert torch.equal(forward.flat.split(forward.grads)[0][0], present(next(model.parameters()).grad))
    assert float(forward.grads.abs().sum()) > 0


def test_dropout_depends_on_seed_and_step_alone():
    _, forward = make()
    x = torch.ones(4, 5)

    def draw(seed: int, step: int) -> torch.Tensor:
        forward.seed_dropout([seed], step)
        return outputs_of(forward, x).detach()

    first = draw(1, 1)
    assert not torch.equal(first, draw(1, 2))
    assert not torch.equal(first, draw(2, 1))
    assert torch.equal(first, draw(1, 1))


def test_layers_draw_different_masks():
    model, forward = make()
    forward.seed_dropout([3], 7)
    seeds = {int(m.seed) for m in model.modules() if isinstance(m, Inverted)}
    assert len(seeds) == 2


def test_weights_round_trip_and_are_copies():
    _, forward = make()
    copies = forward.weights(0)
    forward.flat.tensor.add_(1.0)
    forward.load_weights(0, copies)
    for name, value in forward.weights(0).items():
        assert torch.equal(value, copies[name])
