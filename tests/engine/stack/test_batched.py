"""Layers that know the trial axis: every kind equals its module alone, forward and backward; the rest is refused."""

import copy

import pytest
import torch
from torch import Tensor, nn

from dlexp.activation import Maxout
from dlexp.engine.stack.batched import Batched, Unbatchable, in_turn

CPU = torch.device("cpu")
IMAGE, VECTOR = (2, 6, 6), (5,)
#                 layers, shape of an example
NETS = {
    "linear": (lambda: [nn.Linear(5, 3)], VECTOR),
    "linear without bias": (lambda: [nn.Linear(5, 3, bias=False)], VECTOR),
    "one output": (lambda: [nn.Linear(5, 1)], VECTOR),
    "batch norm": (lambda: [nn.BatchNorm1d(5), nn.Linear(5, 3)], VECTOR),
    "batch norm of single values": (lambda: [nn.Linear(5, 1), nn.BatchNorm1d(1)], VECTOR),
    "batch norm by the mean of all batches": (lambda: [nn.BatchNorm1d(5, momentum=None), nn.Linear(5, 3)], VECTOR),
    "prelu": (lambda: [nn.Linear(5, 4), nn.PReLU(4)], VECTOR),
    "convolution": (lambda: [nn.Conv2d(2, 4, 3), nn.Flatten()], IMAGE),
    "strided and padded": (lambda: [nn.Conv2d(2, 4, 3, stride=2, padding=1), nn.Flatten()], IMAGE),
    "groups": (lambda: [nn.Conv2d(2, 4, 3, groups=2, bias=False), nn.Flatten()], IMAGE),
    "dilated": (lambda: [nn.Conv2d(2, 4, 2, dilation=2), nn.Flatten()], IMAGE),
    "batch norm of images": (lambda: [nn.Conv2d(2, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten()], IMAGE),
    "group norm": (lambda: [nn.Conv2d(2, 4, 3), nn.GroupNorm(2, 4), nn.Flatten()], IMAGE),
    "pooling": (lambda: [nn.Conv2d(2, 4, 3), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(16, 3)], IMAGE),
}


def make(layers, seed: int) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        net = nn.Sequential(*layers()).double()
        for parameter in net.parameters():
            nn.init.normal_(parameter)  # norms, too, differ between trials
        return net


@pytest.mark.parametrize("rows", [None, [2, 0]], ids=["all", "chosen"])
@pytest.mark.parametrize("name", NETS)
def test_a_layer_equals_its_module(name, rows):
    layers, shape = NETS[name]
    models = [make(layers, seed) for seed in range(3)]
    stack = Batched([copy.deepcopy(model) for model in models], device=CPU, channels_last=False)
    stack.chain = None  # the layers, not what is written out in their place
    stack.set_training(True)
    chosen = rows or [0, 1, 2]
    x = torch.randn(len(chosen), 7, *shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    outputs = stack(x, is_shared=False, rows=rows)
    assert isinstance(outputs, Tensor)
    expected = torch.stack([models[trial].train()(x[place]) for place, trial in enumerate(chosen)])
    torch.testing.assert_close(outputs, expected, rtol=1e-10, atol=1e-10)
    for trial in range(3):
        torch.testing.assert_close(stack.weights(trial), dict(models[trial].state_dict()), rtol=1e-10, atol=1e-10)
    names = [name for name, _ in models[0].named_parameters()]
    ours = torch.autograd.grad(outputs.square().sum(), [stack.parameters()[name] for name in names])
    expected.square().sum().backward()
    for name, gradient in zip(names, ours, strict=True):
        for place, trial in enumerate(chosen):
            theirs = models[chosen[place]].get_parameter(name).grad
            torch.testing.assert_close(gradient[trial], theirs, rtol=1e-9, atol=1e-9)


def test_weights_of_chosen_trials_lie_in_memory_as_those_of_all():
    """Folds whose last batches differ in length are trained in turns; a kernel may round by the order of channels."""

    def layers():
        return [nn.MaxPool2d(2), nn.Conv2d(256, 256, 3, padding=1), nn.Flatten()]

    models = [make(layers, seed).float().to(memory_format=torch.channels_last) for seed in range(3)]
    stack = Batched([copy.deepcopy(model) for model in models], device=CPU, channels_last=True)
    x = torch.randn(2, 5, 2, 2, 256, generator=torch.Generator().manual_seed(5)).movedim(-1, 2)
    outputs = stack(x, is_shared=False, rows=[2, 0])
    assert isinstance(outputs, Tensor)
    for place, trial in enumerate((2, 0)):
        assert torch.equal(outputs[place], models[trial](x[place]))
    chosen, whole = stack.tensor("1.weight"), stack.parameters()["1.weight"]
    assert chosen is not None
    assert chosen[0].stride() == whole[0].stride()


@pytest.mark.parametrize("maxout", [False, True])
def test_after_a_convolution_a_trial_s_dense_layers_have_the_module_s_bits_whatever_the_sizes(maxout):
    """29 examples of 50 features end inside a line of memory, where the next trial's begin: products round by that."""

    def layers():
        dense = Maxout(num_features=50) if maxout else nn.Linear(50, 10)
        return [nn.Conv2d(2, 2, 2), nn.Flatten(), dense]

    models = [make(layers, seed).float() for seed in range(3)]
    stack = Batched([copy.deepcopy(model) for model in models], device=CPU, channels_last=True)
    x = torch.randn(3, 29, *IMAGE, generator=torch.Generator().manual_seed(5))
    outputs = stack(x, is_shared=False)
    assert isinstance(outputs, Tensor)
    for trial, model in enumerate(models):
        assert torch.equal(outputs[trial], model(x[trial]))


def test_a_layer_without_a_form_is_named():
    models: list[nn.Module] = [nn.Sequential(nn.Linear(5, 4), nn.Bilinear(4, 4, 2)) for _ in range(2)]
    with pytest.raises(Unbatchable, match=r"1 \(Bilinear\) has no form with a trial axis"):
        Batched(models, device=CPU, channels_last=False)


def test_trials_in_turn_have_their_own_part_and_rows():
    x = torch.arange(6.0).view(6, 1)
    factors = torch.tensor([[10.0], [100.0]])
    result = in_turn(lambda part, factor: part * factor, 2, x, factors)
    assert result.flatten().tolist() == [0.0, 10.0, 20.0, 300.0, 400.0, 500.0]
    assert torch.equal(in_turn(lambda part, _none: part, 2, x, None), x)
