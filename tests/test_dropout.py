"""Dropout: the contract over every option, expectations, and masks that depend on seed and position alone."""

import pytest
import torch
from torch.func import functional_call, vmap

from dlexp.build.node import build
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.signature import read
from dlexp.dropout import Classic, Inverted, NoDropout
from dlexp.engine.forward import layer_seeds

OPTIONS = list_groups()["dropout"]


def _seeded(module, seed):
    module.seed.fill_(seed)
    return module


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_states_every_parameter_at_its_default(option):
    node = read_option("dropout", option)
    signature = read(node["_target_"])
    assert {k: v for k, v in node.items() if k != "_target_"} == {k: p.default for k, p in signature.parameters.items()}
    assert signature.source or option == "none"


@pytest.mark.parametrize("option", OPTIONS)
@pytest.mark.parametrize("shape", [(5, 6), (5, 6, 4, 3)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.bfloat16])
def test_keeps_shape_and_type_and_sends_finite_gradients(option, shape, dtype):
    for is_training in (True, False):
        module, x = build(read_option("dropout", option)).train(is_training), torch.ones(shape, dtype=dtype)
        x.requires_grad_()
        y = module(x)
        assert (y.shape, y.dtype) == (x.shape, dtype)
        y.sum().backward()
        assert x.grad is not None
        torch.testing.assert_close(x.grad, y.detach(), rtol=0, atol=0)


@pytest.mark.parametrize("kind", [Inverted, Classic])
@pytest.mark.parametrize("p", [0.0, 0.1, 0.5, 0.9])
def test_keeps_a_share_of_one_minus_p_and_has_equal_expectations(kind, p):
    module, x = _seeded(kind(p), 3), torch.ones(200_000)
    in_training, in_evaluation = module(x), module.eval()(x)
    share = (in_training != 0).float().mean().item()
    assert abs(share - (1 - p)) < 5 * (p * (1 - p) / 200_000) ** 0.5 + 1e-12
    spread = in_training.std().item() / 200_000**0.5
    assert abs(in_training.mean() - in_evaluation.mean()) < 5 * spread + 1e-6
    assert in_evaluation.unique().numel() == 1


def test_inverted_scales_in_training_and_classic_in_evaluation():
    x = torch.ones(1000)
    assert set(_seeded(Inverted(0.75), 1)(x).tolist()) == {0.0, 4.0}
    assert Inverted(0.75).eval()(x) is x
    assert set(_seeded(Classic(0.75), 1)(x).tolist()) == {0.0, 1.0}
    assert torch.equal(Classic(0.75).eval()(x), x * 0.25)


def test_both_kinds_drop_the_same_elements():
    x = torch.rand(1000) + 1
    assert torch.equal(_seeded(Inverted(0.3), 5)(x) == 0, _seeded(Classic(0.3), 5)(x) == 0)


@pytest.mark.parametrize("kind", [Inverted, Classic])
def test_the_mask_depends_on_the_seed_and_position_alone(kind):
    x = torch.ones(4096)
    first = _seeded(kind(), 1)(x)
    torch.manual_seed(0)
    assert torch.equal(_seeded(kind(), 1)(x), first)
    agreement = (_seeded(kind(), 2)(x) == first).float().mean().item()
    assert abs(agreement - 0.5) < 5 * 0.5 / 64


def test_a_higher_rate_drops_more_of_the_same():
    x = torch.ones(4096)
    low, high = _seeded(Inverted(0.2), 1)(x) == 0, _seeded(Inverted(0.6), 1)(x) == 0
    assert (low <= high).all()


@pytest.mark.parametrize("kind", [Inverted, Classic])
def test_stacked_by_vmap_with_a_seed_and_rate_per_trial_is_bitwise_the_same(kind):
    x = torch.rand(7, 5, 33) + 1
    seeds, rates = torch.arange(7) + 2**40, torch.linspace(0, 0.9, 7)
    module = kind()
    together = vmap(lambda seed, p, row: functional_call(module, {"seed": seed, "p": p}, (row,)))(seeds, rates, x)
    for k in range(7):
        assert torch.equal(together[k], _seeded(kind(rates[k].item()), seeds[k].item())(x[k]))


def test_nothing_is_saved_as_the_program_sets_the_buffers():
    for module in (Inverted(), Classic(), NoDropout()):
        assert not module.state_dict()
    assert {name: (b.shape, b.dtype) for name, b in Inverted().named_buffers()} == {
        "seed": (torch.Size([]), torch.int64),
        "p": (torch.Size([]), torch.float32),
    }


NUM = 1 << 13
SHIFTS = range(-8, 9)


def _masks(p=0.5):
    """Return the masks (trial, step, layer, element) of 4 trials, 4 steps and 4 layers."""
    module, x = Inverted(p), torch.ones(NUM)
    seeds = [layer_seeds(list(range(4)), step, 4) for step in range(4)]
    masks = [
        _seeded(module, seeds[step][trial, layer])(x) for trial in range(4) for step in range(4) for layer in range(4)
    ]
    return (torch.stack(masks) != 0).double()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.8])
def test_masks_of_layers_steps_and_trials_agree_by_chance_alone_at_all_small_shifts(p):
    masks = _masks(p)
    chance = p * p + (1 - p) ** 2
    for shift in SHIFTS:
        a, b = masks[:, max(0, shift) : NUM + min(0, shift)], masks[:, max(0, -shift) : NUM - max(0, shift)]
        num = a.shape[1]
        agreed = (a @ b.T + (1 - a) @ (1 - b).T) / num
        if shift == 0:
            agreed.fill_diagonal_(chance)
        # 64 * 64 * 17 comparisons; one normal deviate passes 6 with probability 2e-9
        assert (agreed - chance).abs().max() < 6 * (chance * (1 - chance) / num) ** 0.5, shift


def test_masks_of_the_examples_of_a_batch_agree_by_chance_alone():
    mask_NC = (_seeded(Inverted(0.5), int(layer_seeds([0], 0, 1)))(torch.ones(64, 4096)) != 0).double()
    agreed = (mask_NC @ mask_NC.T + (1 - mask_NC) @ (1 - mask_NC).T) / 4096
    assert (agreed.fill_diagonal_(0.5) - 0.5).abs().max() < 6 * 0.5 / 64


@pytest.mark.parametrize("kind", [Inverted, Classic])
@pytest.mark.parametrize("num_layers", [2, 3])
def test_a_linear_net_of_width_16_expects_in_training_what_it_gives_in_evaluation(kind, num_layers):
    width, steps, batch = 16, 400, 64
    draw = torch.Generator().manual_seed(0)
    # a shift by one unit a layer: the paths through the net meet the masks of neighbouring units
    weights = [
        torch.eye(width).roll(-1, 0) + 0.05 * torch.rand(width, width, generator=draw) for _ in range(num_layers)
    ]
    dropouts, x = [kind(0.5) for _ in range(num_layers)], torch.ones(batch, width)

    def output():
        h = x
        for weight, dropout in zip(weights, dropouts, strict=True):
            h = dropout(h) @ weight.T
        return h.mean(1)

    means = []
    for step in range(steps):
        for dropout, seed in zip(dropouts, layer_seeds([3], step, num_layers)[0], strict=True):
            dropout.seed = seed
        means.append(output().mean().item())
    for dropout in dropouts:
        dropout.eval()
    expected = output()[0].item()
    values = torch.tensor(means, dtype=torch.float64)
    assert abs(values.mean().item() - expected) < 4 * values.std().item() / steps**0.5
