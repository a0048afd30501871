"""Regularisers: closed forms, autograd and projections. T trials, P parameters."""

import math

import pytest
import torch
from torch.func import grad, vmap

from dlexp.build.node import build
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.signature import read
from dlexp.optimizer.sgd import SGD
from dlexp.regularizer import L1, L2, Elastic, Linf, MaxNorm, NormBall

OPTIONS = list_groups()["regularizer"]
PENALTIES = ["l1", "l2", "elastic", "linf"]
CONSTRAINTS = ["max_norm", "norm_ball"]


def _draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(shape, dtype=dtype, generator=torch.Generator().manual_seed(seed))


def _weight(option, dtype=torch.float64, num_trials=7):
    return (
        _draw(num_trials, 5, 3, 3, 3, dtype=dtype) if _part(option) == "matrix" else _draw(num_trials, 61, dtype=dtype)
    )


def _part(option):
    rule = build(read_option("regularizer", option))
    return rule.constraint if option in CONSTRAINTS else rule.scope


def test_the_lists_cover_every_option():
    assert {*PENALTIES, *CONSTRAINTS, "none"} == set(OPTIONS)


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_states_every_parameter_at_its_default(option):
    node = read_option("regularizer", option)
    signature = read(node["_target_"])
    assert {k: v for k, v in node.items() if k != "_target_"} == {k: p.default for k, p in signature.parameters.items()}
    assert signature.source or option == "none"
    rule = build(node)
    assert (rule.scope, rule.constraint) == {
        "none": ("none", "none"), "l1": ("flat", "none"), "l2": ("flat", "none"), "elastic": ("flat", "none"),
        "linf": ("matrix", "none"), "max_norm": ("none", "matrix"), "norm_ball": ("none", "flat"),
    }[option]  # fmt: skip


W = torch.tensor([[[1.0, -2.0], [3.0, 0.0]]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("rule", "penalty", "gradient"),
    [
        (L1(0.1), 0.6, [[0.1, -0.1], [0.1, 0.0]]),
        (L2(0.1), 1.4, [[0.2, -0.4], [0.6, 0.0]]),
        (Elastic(0.1, beta=2.0), 3.4, [[0.5, -0.9], [1.3, 0.0]]),
        (Linf(0.1), 0.3, [[0.1, -0.1], [0.0, 0.0]]),
    ],
)
def test_by_hand(rule, penalty, gradient):
    assert rule.penalty(W).tolist() == pytest.approx([penalty])
    torch.testing.assert_close(rule.gradient(W), torch.tensor([gradient], dtype=torch.float64))


def test_linf_gradient_touches_only_the_row_of_largest_sum():
    weight = torch.tensor([[[1.0, -1.0], [-2.0, 0.5], [0.1, 0.1]]], dtype=torch.float64)
    gradient = Linf(2.0).gradient(weight)
    assert gradient.tolist() == [[[0, 0], [-2, 2], [0, 0]]]


def test_linf_is_the_operator_norm_of_the_maximum_norm():
    weight = _draw(1, 6, 4)
    x = _draw(1000, 4, seed=1).sign()
    stretched = (x @ weight[0].T).abs().amax()
    torch.testing.assert_close(Linf(1.0).penalty(weight)[0], stretched)


def test_smooth_linf_by_hand():
    # Rows of sums 3 and 3: log(2 e^(2 * 3)) / 2 = 3 + ln(2) / 2; each row has half of the gradient.
    rule = Linf(0.1, smooth=2.0)
    assert rule.penalty(W).tolist() == pytest.approx([0.1 * (3 + math.log(2) / 2)])
    torch.testing.assert_close(rule.gradient(W)[0], W[0].sign() * 0.05)


@pytest.mark.parametrize("sharpness", [1e-3, 0.5, 7.0, 1e4])
def test_smooth_linf_lies_between_the_maximum_and_ln_n_over_t_above_it(sharpness):
    weight = _draw(50, 6, 4)
    largest_T, smooth_T = Linf(1.0).penalty(weight), Linf(1.0, smooth=sharpness).penalty(weight)
    slack = 1e-12 * smooth_T
    assert (largest_T <= smooth_T + slack).all()
    assert (smooth_T <= largest_T + math.log(6) / sharpness + slack).all()


def test_smooth_linf_has_autograds_gradient_and_moves_every_row():
    weight, rule = _draw(7, 5, 3, 3, 3), Linf(0.3, smooth=0.5)
    gradient = rule.gradient(weight)
    torch.testing.assert_close(gradient, grad(lambda w: rule.penalty(w).sum())(weight))
    assert gradient.ne(0).all()


@pytest.mark.parametrize("option", PENALTIES)
def test_gradient_is_autograds(option):
    rule = build(read_option("regularizer", option) | {"weight": 0.3})
    weight = _weight(option)
    torch.testing.assert_close(rule.gradient(weight), grad(lambda w: rule.penalty(w).sum())(weight))


@pytest.mark.parametrize("option", PENALTIES)
def test_penalty_and_gradient_of_a_trial_are_bitwise_the_same_alone_and_among_seven(option):
    weight, rates_T1 = _weight(option, torch.float32), torch.rand(7, 1, generator=torch.Generator().manual_seed(3))
    second = {"elastic": {"beta": rates_T1.flip(0)}, "linf": {"smooth": rates_T1.flip(0)}}
    rates = {"weight": rates_T1} | second.get(option, {})

    def run(rows):
        rule = build(read_option("regularizer", option) | {name: rate[rows] for name, rate in rates.items()})
        return rule.penalty(weight[rows]), rule.gradient(weight[rows])

    penalty_T, gradient = run(slice(None))
    assert penalty_T.shape == (7,)
    assert gradient.shape == weight.shape
    for k in range(7):
        alone = run(slice(k, k + 1))
        assert torch.equal(penalty_T[k : k + 1], alone[0])
        assert torch.equal(gradient[k : k + 1], alone[1])


@pytest.mark.parametrize("option", CONSTRAINTS)
def test_projection_of_a_trial_is_bitwise_the_same_alone_and_among_seven(option):
    weight, bounds_T1 = _weight(option, torch.float32), torch.linspace(0.1, 40, 7)[:, None]
    name = {"max_norm": "max_norm", "norm_ball": "eta"}[option]
    together = weight.clone()
    build(read_option("regularizer", option) | {name: bounds_T1}).project(together)
    for k in range(7):
        alone = weight[k : k + 1].clone()
        build(read_option("regularizer", option) | {name: bounds_T1[k : k + 1]}).project(alone)
        assert torch.equal(together[k : k + 1], alone)


@pytest.mark.parametrize("channels_last", [False, True])
def test_max_norm_scales_back_only_the_units_that_are_too_long(channels_last):
    weight = _draw(2, 4, 3, 2, 2)
    weight[:, 1:3] *= 0.1
    if channels_last:
        weight = weight.permute(0, 1, 3, 4, 2).contiguous().permute(0, 1, 4, 2, 3)
    before = weight.clone()
    MaxNorm(max_norm=1.0).project(weight)
    old, new = before.flatten(2).norm(dim=2), weight.flatten(2).norm(dim=2)
    torch.testing.assert_close(new, old.clamp(max=1.0))
    assert (old > 1).any()
    assert (old < 1).any()
    assert torch.equal(weight[old < 1], before[old < 1])
    torch.testing.assert_close(weight[0, 0] * old[0, 0], before[0, 0])


def test_norm_ball_projects_on_the_ball_of_squared_radius_eta_and_leaves_its_inside():
    params_TP = torch.tensor([[3.0, 4.0], [0.3, 0.4]], dtype=torch.float64)
    NormBall(eta=4.0).project(params_TP)
    torch.testing.assert_close(params_TP, torch.tensor([[1.2, 1.6], [0.3, 0.4]], dtype=torch.float64))


def test_norm_ball_is_the_nearest_point():
    point, inside = _draw(1, 5) * 3, _draw(500, 5, seed=1)
    inside = inside / inside.norm(dim=1, keepdim=True).clamp(min=1.0)
    projected = point.clone()
    NormBall(eta=1.0).project(projected)
    assert ((inside - point).norm(dim=1) >= (projected - point).norm()).all()


@pytest.mark.parametrize(("rule", "shape"), [(MaxNorm(), (2, 3, 4)), (NormBall(), (2, 12))])
def test_projection_leaves_zeros_and_is_idempotent(rule, shape):
    zeros = torch.zeros(shape)
    rule.project(zeros)
    assert torch.equal(zeros, torch.zeros(shape))
    once = _draw(*shape) * 100
    rule.project(once)
    twice = once.clone()
    rule.project(twice)
    torch.testing.assert_close(once, twice)


def test_l2_of_half_the_rate_is_sgds_weight_decay():
    params_TP, grads_TP = _draw(2, 9), _draw(2, 9, seed=1)
    decayed, penalised = params_TP.clone(), params_TP.clone()
    SGD(weight_decay=0.1).update(decayed, grads_TP.clone(), {}, 0.5, 1)
    SGD().update(penalised, grads_TP + L2(0.05).gradient(params_TP), {}, 0.5, 1)
    torch.testing.assert_close(decayed, penalised)


@pytest.mark.parametrize("option", PENALTIES)
def test_gradient_at_zero_is_zero_so_that_pads_stay_zero(option):
    rule = build(read_option("regularizer", option))
    assert not rule.gradient(torch.zeros(2, 3, 4)).any()


def test_penalties_are_per_trial_under_vmap_too():
    weight = _draw(3, 11)
    alone = vmap(lambda row: L2(0.5).penalty(row[None])[0])(weight)
    torch.testing.assert_close(L2(0.5).penalty(weight), alone)
