"""Losses: closed forms, torch.nn.functional as reference, the trial axis. T trials, N batch, K classes, D features."""

import math
from typing import Any

import pytest
import torch
from torch.nn import functional as F

from dlexp.build.node import build
from dlexp.config.catalog import list_groups, read_option
from dlexp.config.signature import read
from dlexp.data.balance import balanced_weights
from dlexp.error import ConfigError
from dlexp.loss import BCE, MAE, MSE, CrossEntropy, Hinge, Huber, auto

OPTIONS = list_groups()["loss"]
REGRESSION = ["mse", "mae", "huber"]
PAIRS = ["cosine", "contrastive"]
N, K = 9, 5


def _generator(seed=0):
    return torch.Generator().manual_seed(seed)


def _draw(*shape, dtype=torch.float64, seed=0):
    return torch.randn(shape, dtype=dtype, generator=_generator(seed))


def _classes(*shape, num_classes=K):
    return torch.randint(num_classes, shape, generator=_generator(1))


def _loss(option, **changes):
    task = "regression" if option in REGRESSION else "pairs" if option in PAIRS else "multiclass"
    return build(read_option("loss", option) | changes, task=task, num_classes=K)


def _case(option, num_trials=7, dtype=torch.float64):
    targets = _draw(num_trials, N, dtype=dtype, seed=2) if option in REGRESSION else _classes(num_trials, N)
    if option in PAIRS:
        similarity = _draw(num_trials, N, 1, dtype=dtype).tanh()
        return similarity if option == "cosine" else -similarity.square(), targets % 2
    return _draw(num_trials, N, _loss(option).num_outputs, dtype=dtype), targets


@pytest.mark.parametrize("option", OPTIONS)
def test_yaml_states_every_parameter_at_its_default(option):
    node = read_option("loss", option)
    signature = read(node["_target_"])
    assert {k: v for k, v in node.items() if k != "_target_"} == {k: p.default for k, p in signature.parameters.items()}
    assert signature.doc
    assert all(parameter.doc for parameter in signature.parameters.values())


@pytest.mark.parametrize("option", OPTIONS)
def test_one_number_a_trial_with_finite_gradient_and_correct_derivative(option):
    outputs, targets = _case(option, num_trials=2)
    outputs.requires_grad_()
    loss_T = _loss(option)(outputs, targets)
    assert loss_T.shape == (2,)
    (gradient,) = torch.autograd.grad(loss_T.sum(), outputs)
    assert gradient.isfinite().all()
    assert torch.autograd.gradcheck(lambda z: _loss(option)(z, targets), outputs)


@pytest.mark.parametrize("option", OPTIONS)
def test_huge_outputs_stay_finite(option):
    outputs, targets = _case(option)
    outputs = (outputs * 1e4).requires_grad_()
    loss_T = _loss(option)(outputs, targets)
    (gradient,) = torch.autograd.grad(loss_T.sum(), outputs)
    assert loss_T.isfinite().all()
    assert gradient.isfinite().all()


SWEPT = {"cross_entropy": ["label_smoothing"], "bce": ["alpha", "beta"], "hinge": ["margin"], "huber": ["delta"]}
SWEPT |= {option: ["margin"] for option in PAIRS}


@pytest.mark.parametrize("option", OPTIONS)
def test_a_trial_is_bitwise_the_same_alone_and_among_seven(option):
    outputs, targets = _case(option, dtype=torch.float32)
    rates_T1 = torch.rand(7, 1, generator=_generator(3)) * 0.8 + 0.1

    def run(rows):
        z = outputs[rows].clone().requires_grad_()
        loss_T = _loss(option, **{name: rates_T1[rows] for name in SWEPT.get(option, [])})(z, targets[rows])
        return loss_T, torch.autograd.grad(loss_T.sum(), z)[0]

    loss_T, gradient = run(slice(None))
    for k in range(7):
        alone = run(slice(k, k + 1))
        assert torch.equal(loss_T[k : k + 1], alone[0])
        assert torch.equal(gradient[k : k + 1], alone[1])


@pytest.mark.parametrize("option", sorted(SWEPT))
def test_numbers_and_tensors_give_the_same(option):
    outputs, targets = _case(option)
    for value in (0.3, 0.7):
        plain = _loss(option, **dict.fromkeys(SWEPT[option], value))(outputs, targets)
        tensor = torch.full((7, 1), value, dtype=torch.float64)
        torch.testing.assert_close(_loss(option, **dict.fromkeys(SWEPT[option], tensor))(outputs, targets), plain)


def test_gradient_of_softmax_cross_entropy_with_respect_to_the_weights_is_x_transposed_s_minus_y():
    x_ND, w_DK, targets_N = _draw(N, 4), _draw(4, K, seed=5).requires_grad_(), _classes(N)
    loss_T = CrossEntropy(num_classes=K)((x_ND @ w_DK)[None], targets_N[None])
    (gradient,) = torch.autograd.grad(loss_T.sum(), w_DK)
    s_NK, y_NK = torch.softmax(x_ND @ w_DK, 1), F.one_hot(targets_N, K)
    torch.testing.assert_close(gradient, x_ND.T @ (s_NK - y_NK) / N)


def test_cross_entropy_of_equal_logits_is_log_k():
    assert CrossEntropy(num_classes=K)(torch.zeros(1, N, K), _classes(1, N)).item() == pytest.approx(math.log(K))


WEIGHTS = [0.5, 2.0, 1.0, 0.0, 3.0]


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("class_weight", [None, WEIGHTS])
@pytest.mark.parametrize("is_mixed", [False, True])
def test_cross_entropy_equals_torch(label_smoothing, class_weight, is_mixed):
    outputs = _draw(3, N, K)
    targets = torch.softmax(_draw(3, N, K, seed=4), -1) if is_mixed else _classes(3, N)
    loss_T = CrossEntropy(label_smoothing, class_weight, num_classes=K)(outputs, targets)
    weight = None if class_weight is None else torch.tensor(class_weight, dtype=torch.float64)
    expected = [
        F.cross_entropy(o, t, weight, label_smoothing=label_smoothing) for o, t in zip(outputs, targets, strict=True)
    ]
    torch.testing.assert_close(loss_T, torch.stack(expected), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("option", ["cross_entropy", "bce"])
def test_one_hot_probabilities_are_the_classes(option):
    outputs, targets = _case(option)
    one_hot = F.one_hot(targets, K).double()
    torch.testing.assert_close(_loss(option)(outputs, targets), _loss(option)(outputs, one_hot))


def test_balanced_weights_are_scikit_learns_and_make_every_class_count_the_same():
    targets = torch.tensor([0] * 6 + [1] * 3 + [2] * 1)
    assert balanced_weights(targets, 3) == pytest.approx([10 / 18, 10 / 9, 10 / 3])
    loss = CrossEntropy(class_weight=balanced_weights(targets, 3), num_classes=3)
    of_each_class = [float(loss(torch.zeros(1, 1, 3), torch.tensor([[k]]))) for k in range(3)]
    assert of_each_class == pytest.approx([math.log(3)] * 3)  # a mean weighted by its own weight
    assert balanced_weights(torch.tensor([0, 0]), 2) == [0.5, 1.0]


@pytest.mark.parametrize("label_smoothing", [0.0, 0.1])
@pytest.mark.parametrize("is_mixed", [False, True])
def test_class_weights_of_each_trial_give_the_bits_it_has_alone(label_smoothing, is_mixed):
    outputs = _draw(3, N, K, dtype=torch.float32)
    targets = torch.softmax(_draw(3, N, K, dtype=torch.float32, seed=4), -1) if is_mixed else _classes(3, N)
    weights = [WEIGHTS, [1.0] * K, WEIGHTS[::-1]]
    columns: Any = [torch.tensor(each, dtype=torch.float64).unsqueeze(1) for each in zip(*weights, strict=True)]
    together = CrossEntropy(label_smoothing, columns, num_classes=K)(outputs, targets)
    for row, row_weights in enumerate(weights):
        chosen = slice(row, row + 1)
        alone = CrossEntropy(label_smoothing, row_weights, num_classes=K)(outputs[chosen], targets[chosen])
        assert torch.equal(together[chosen], alone)


def test_class_weights_must_match_the_classes():
    with pytest.raises(ConfigError, match=r"loss.class_weight: got 2 weights; the data has 5 classes"):
        CrossEntropy(class_weight=[1.0, 2.0], num_classes=K)
    with pytest.raises(ConfigError, match=r"loss.class_weight: got \[0.0, 0.0\]; a weight > 0 is needed"):
        CrossEntropy(class_weight=[0.0, 0.0], num_classes=2)


def test_binary_log_loss_is_its_formula_with_both_weights():
    z, y = _draw(2, N, 1), _classes(2, N, num_classes=2)
    s = torch.sigmoid(z[..., 0])
    expected = -(3.0 * y * s.log() + 0.5 * (1 - y) * (1 - s).log()).mean(1)
    torch.testing.assert_close(BCE(3.0, 0.5)(z, y), expected)
    mixed = torch.stack([1 - 0.3 * y, 0.3 * y], -1)
    expected = -(3.0 * 0.3 * y * s.log() + 0.5 * (1 - 0.3 * y) * (1 - s).log()).mean(1)
    torch.testing.assert_close(BCE(3.0, 0.5)(z, mixed), expected)


def test_binary_log_loss_equals_torch():
    z, y = _draw(1, N, 1), _classes(1, N, num_classes=2)
    weight = torch.tensor(2.5, dtype=torch.float64)
    expected = F.binary_cross_entropy_with_logits(z[0, :, 0], y[0].double(), pos_weight=weight)
    torch.testing.assert_close(BCE(alpha=2.5)(z, y)[0], expected)


def test_binary_log_loss_of_many_classes_adds_one_against_the_rest():
    z, y = _draw(1, N, K), _classes(1, N)
    expected = F.binary_cross_entropy_with_logits(z[0], F.one_hot(y[0], K).double(), reduction="sum") / N
    loss = BCE(num_classes=K)
    assert loss.num_outputs == K
    torch.testing.assert_close(loss(z, y)[0], expected)


def test_hinge_by_hand():
    z, y = torch.tensor([[[2.0, 1.5, 3.0, -1.0]]]), torch.tensor([[0]])
    assert Hinge(num_classes=4)(z, y).item() == pytest.approx(0.5 + 2.0)
    assert Hinge(form="crammer_singer", num_classes=4)(z, y).item() == pytest.approx(2.0)
    assert Hinge(0.25, num_classes=4)(z, y).item() == pytest.approx(1.25)
    assert Hinge(num_classes=4)(z, torch.tensor([[2]])).item() == 0.0


def test_hinge_of_weston_and_watkins_is_k_times_torchs_average():
    z, y = _draw(1, N, K), _classes(1, N)
    torch.testing.assert_close(Hinge(0.7, num_classes=K)(z, y)[0], K * F.multi_margin_loss(z[0], y[0], margin=0.7))


def test_hinge_refuses_mixed_labels():
    with pytest.raises(ConfigError, match="loss: got hinge with mixed labels"):
        Hinge(num_classes=K)(_draw(1, N, K), torch.ones(1, N, K))


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (MSE(), F.mse_loss),
        (MAE(), F.l1_loss),
        (Huber(0.6), lambda z, y: F.huber_loss(z, y, delta=0.6)),
    ],
)
def test_regression_losses_equal_torch(ours, theirs):
    z, y = _draw(2, N, 1), _draw(2, N, seed=7)
    expected = torch.stack([theirs(a[:, 0], b) for a, b in zip(z, y, strict=True)])
    torch.testing.assert_close(ours(z, y), expected, rtol=1e-12, atol=0)


def test_huber_is_quadratic_within_delta_and_linear_beyond():
    errors = torch.tensor([[[0.5], [2.0], [-4.0]]])
    losses = [Huber(2.0)(errors[:, i : i + 1], torch.zeros(1, 1)).item() for i in range(3)]
    assert losses == pytest.approx([0.125, 2.0, 2.0 * (4 - 1)])


def test_auto_is_the_tasks_own():
    assert isinstance(auto(task="multiclass", num_classes=K), CrossEntropy)
    assert isinstance(auto(task="binary", num_classes=2), BCE)
    assert isinstance(auto(task="regression", num_classes=0), MSE)
    assert auto(task="multiclass", num_classes=K).num_outputs == K
    assert auto(task="binary", num_classes=2).num_outputs == auto(task="regression", num_classes=0).num_outputs == 1


@pytest.mark.parametrize("option", [option for option in OPTIONS if option not in ("auto", *PAIRS)])
def test_a_loss_that_does_not_fit_the_task_is_refused_with_a_choice(option):
    task, cure = (
        ("multiclass", "cross_entropy, bce or hinge") if option in REGRESSION else ("regression", "mse, mae or huber")
    )
    with pytest.raises(ConfigError, match=f"loss: got {option}; the task is {task}: choose {cure}"):
        build(read_option("loss", option), task=task, num_classes=K)
    with pytest.raises(ConfigError, match=f"loss: got {option}; the task is pairs: choose cosine or contrastive"):
        build(read_option("loss", option), task="pairs", num_classes=2)


@pytest.mark.parametrize("class_weight", [None, [1.0, 2.0, 0.5, 1.0, 3.0]])
def test_the_penalty_is_the_mean_square_of_the_log_of_the_normaliser(class_weight):
    outputs, targets = _draw(3, N, K) * 3 + 5, _classes(3, N)
    plain = CrossEntropy(class_weight=class_weight, num_classes=K)(outputs, targets)
    penalised = CrossEntropy(class_weight=class_weight, lse_penalty=0.3, num_classes=K)(outputs, targets)
    expected = [
        0.3 * sum(math.log(sum(math.exp(z) for z in row)) ** 2 for row in trial) / N for trial in outputs.tolist()
    ]
    torch.testing.assert_close(penalised - plain, torch.tensor(expected, dtype=torch.float64), rtol=1e-10, atol=1e-12)


def test_the_penalty_is_finite_and_right_for_logits_of_a_thousand():
    outputs = torch.tensor([[[1000.0, -1000.0, 0.0]]], dtype=torch.float64)
    loss = CrossEntropy(lse_penalty=1.0, num_classes=3)(outputs, torch.zeros(1, 1, dtype=torch.int64))
    assert loss.tolist() == [1000.0**2]


def test_the_penalty_ties_down_the_constant_that_the_softmax_leaves_free():
    outputs, targets = _draw(1, N, K), _classes(1, N)
    for factor, moves in ((0.0, False), (0.1, True)):
        loss = CrossEntropy(lse_penalty=factor, num_classes=K)
        apart = (loss(outputs, targets) - loss(outputs + 7, targets)).abs().item()
        assert (apart > 1e-6) == moves
