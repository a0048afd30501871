from typing import Literal

import numpy as np
import pytest
import torch

from dlexp.optimizer.momentum import Momentum


def test_on_a_quadratic_follows_the_power_of_its_transition_matrix():
    curvature, lr, m = 2.0, 0.1, 0.9
    params_TP = torch.tensor([[1.0]], dtype=torch.float64)
    rule = Momentum(momentum=m)
    state = rule.init(params_TP)
    for step in range(1, 31):
        rule.update(params_TP, curvature * params_TP, state, lr, step)
    # v' = m v + h x and x' = x - lr v': (x', v') = A (x, v).
    transition = np.array([[1 - lr * curvature, -lr * m], [curvature, m]])
    expected = np.linalg.matrix_power(transition, 30) @ np.array([1.0, 0.0])
    assert abs(params_TP.item() - expected[0]) < 1e-13
    assert abs(state["velocity"].item() - expected[1]) < 1e-13


def test_under_a_constant_gradient_the_velocity_tends_to_g_over_one_minus_momentum():
    params_TP = torch.zeros(1, 1, dtype=torch.float64)
    rule = Momentum(momentum=0.5)
    state = rule.init(params_TP)
    for step in range(1, 61):
        rule.update(params_TP, torch.ones_like(params_TP), state, 0.1, step)
    assert abs(state["velocity"].item() - 2.0) < 1e-12


RATES, GRADS, ALPHA = [0.1, 0.1, 0.02, 0.3], [1.0, -0.5, 2.0, 0.25], 0.9


def _follow(form: Literal["torch", "sutskever"], rates: list[float]) -> float:
    params_TP = torch.ones(1, 1, dtype=torch.float64)
    rule = Momentum(momentum=ALPHA, form=form)
    state = rule.init(params_TP)
    for step, (rate, grad) in enumerate(zip(rates, GRADS, strict=True), start=1):
        rule.update(params_TP, torch.full_like(params_TP, grad), state, rate, step)
    return params_TP.item()


def test_sutskevers_form_keeps_the_rate_each_gradient_entered_with():
    theta, v = 1.0, 0.0
    for rate, grad in zip(RATES, GRADS, strict=True):
        v = ALPHA * v - rate * grad
        theta += v
    assert _follow("sutskever", RATES) == pytest.approx(theta, rel=1e-13)


def test_the_forms_agree_at_constant_rate_and_part_under_a_schedule():
    constant = [0.1] * len(GRADS)
    assert _follow("sutskever", constant) == pytest.approx(_follow("torch", constant), rel=1e-13)
    assert abs(_follow("sutskever", RATES) - _follow("torch", RATES)) > 0.01
