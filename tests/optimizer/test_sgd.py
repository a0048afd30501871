import torch

from dlexp.optimizer.sgd import SGD


def test_on_a_quadratic_each_step_multiplies_by_one_minus_rate_times_curvature():
    curvature, lr, weight_decay = 3.0, 0.1, 0.5
    params_TP = torch.tensor([[2.0]], dtype=torch.float64)
    rule = SGD(weight_decay=weight_decay)
    for step in range(1, 11):
        rule.update(params_TP, curvature * params_TP, {}, lr, step)
    assert abs(params_TP.item() - 2.0 * (1 - lr * (curvature + weight_decay)) ** 10) < 1e-14


def test_diverges_beyond_two_over_the_curvature():
    params_TP = torch.tensor([[1.0]], dtype=torch.float64)
    for step in range(1, 21):
        SGD().update(params_TP, 3.0 * params_TP, {}, 2 / 3 + 0.05, step)
    assert params_TP.abs().item() > 10
