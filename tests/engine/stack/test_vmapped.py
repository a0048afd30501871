"""Any model mapped over trials: each trial's outputs, chosen rows and buffers are those of its module alone."""

import copy

import pytest
import torch
from torch import Tensor, nn

from dlexp.engine.stack.vmapped import Vmapped, find_obstacle

CPU = torch.device("cpu")


def net(seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(nn.Linear(4, 6), nn.BatchNorm1d(6), nn.Tanh(), nn.Linear(6, 3))


@pytest.fixture
def models():
    return [net(seed) for seed in range(3)]


@pytest.fixture
def stack(models):
    made = Vmapped([copy.deepcopy(model) for model in models], device=CPU, channels_last=False)
    made.set_training(True)
    return made


def batch(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1))


def outputs_of(stack: Vmapped, x: Tensor, **how) -> Tensor:
    outputs = stack(x, **how)
    assert isinstance(outputs, Tensor)
    return outputs


def test_one_batch_for_all(models, stack):
    x = batch(8, 4)
    expected = torch.stack([model.train()(x) for model in models])
    torch.testing.assert_close(outputs_of(stack, x), expected)


def test_a_batch_for_each(models, stack):
    x = batch(3, 8, 4)
    expected = torch.stack([model.train()(x[trial]) for trial, model in enumerate(models)])
    torch.testing.assert_close(outputs_of(stack, x, is_shared=False), expected)


def test_chosen_rows_alone_are_computed_and_alone_take_in_their_statistics(models, stack):
    x = batch(2, 8, 4)
    y = outputs_of(stack, x, is_shared=False, rows=[2, 0])
    torch.testing.assert_close(y, torch.stack([models[2].train()(x[0]), models[0].train()(x[1])]))
    for trial, model in enumerate(models):  # the second has taken in nothing
        torch.testing.assert_close(stack.weights(trial), dict(model.state_dict()))


def test_evaluation_uses_running_statistics(models, stack):
    x = batch(8, 4)
    stack(x)
    for model in models:
        model.train()(x)
    stack.set_training(False)
    expected = torch.stack([model.eval()(x) for model in models])
    torch.testing.assert_close(outputs_of(stack, x), expected)


class Branching(nn.Module):
    """Decides by its numbers, which vmap cannot."""

    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return self.layer(x) if bool(x.sum() > 0) else -self.layer(x)


def test_an_obstacle_is_named_in_one_line():
    assert find_obstacle(net(0), (4,)) is None
    obstacle = find_obstacle(Branching(), (4,))
    assert obstacle is not None
    assert "\n" not in obstacle
    assert obstacle.startswith("RuntimeError: ")


class ChannelsFirst(nn.Module):
    """Hands on what has its channels innermost as (N, C, H, W), as Swin and ConvNeXt do before they average maps."""

    def forward(self, x_NHWC: Tensor) -> Tensor:
        return x_NHWC.permute(0, 3, 1, 2)


def averaging(side: int | tuple[int, int] = 1) -> nn.Sequential:
    pool = nn.AdaptiveAvgPool2d(side)
    return nn.Sequential(nn.Linear(3, 6), ChannelsFirst(), pool, nn.Conv2d(6, 2, 1), nn.Flatten())


@pytest.mark.parametrize("side", [1, (1, 1), 2])
def test_maps_with_channels_innermost_are_averaged_without_a_word_of_torch(side):
    model, x = averaging(side), batch(2, 8, 4, 4, 3)
    stack = Vmapped([copy.deepcopy(model) for _ in range(2)], device=CPU, channels_last=False)
    given = outputs_of(stack, x, is_shared=False)  # a warning is an error of this suite
    torch.testing.assert_close(given, torch.stack([model(part) for part in x]))
    given.sum().backward()


def convolving() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6), nn.ReLU(), nn.Flatten(), nn.Linear(54, 2))


@pytest.mark.parametrize(("make", "shape"), [(convolving, (8, 3, 5, 5)), (averaging, (8, 4, 4, 3))])
def test_a_stack_of_one_has_the_bits_of_its_module_alone(make, shape):
    model, x = make(), batch(*shape)
    stack = Vmapped([copy.deepcopy(model)], device=CPU, channels_last=False)
    stack.set_training(True)
    given, expected = outputs_of(stack, x), model.train()(x)
    assert torch.equal(given, expected[None])
    given.square().sum().backward()
    stack.collect_grads(True)
    expected.square().sum().backward()
    grads = dict(zip(stack.flat.names, stack.flat.split(stack.grads), strict=True))
    for name, parameter in model.named_parameters():
        assert parameter.grad is not None
        assert torch.equal(grads[name][0], parameter.grad)
    for name, value in model.state_dict().items():
        assert torch.equal(stack.weights(0)[name], value)
