"""Both published forms and the change of variable between them."""

import torch

from dlexp.optimizer.nesterov import Nesterov

CURVATURE_P = torch.tensor([1.0, 4.0], dtype=torch.float64)
M = 0.9


def _gradient(x):
    return CURVATURE_P * x + torch.sin(x)


def _run(form, rates):
    params_TP = torch.tensor([[1.0, -2.0]], dtype=torch.float64)
    rule = Nesterov(momentum=M, form=form)
    state, path = rule.init(params_TP), []
    for step, lr in enumerate(rates, start=1):
        rule.update(params_TP, _gradient(params_TP), state, lr, step)
        path.append((params_TP.clone(), state["velocity"].clone()))
    return path


def test_sutskever_form_is_the_papers_recursion_seen_from_the_look_ahead_point():
    rates = [0.1 / (1 + 0.05 * k) for k in range(30)]
    theta, v = torch.tensor([[1.0, -2.0]], dtype=torch.float64), torch.zeros(1, 2, dtype=torch.float64)
    for lr, (phi, velocity) in zip(rates, _run("sutskever", rates), strict=True):
        v = M * v - lr * _gradient(theta + M * v)
        theta = theta + v
        torch.testing.assert_close(velocity, v, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(phi, theta + M * v, rtol=1e-12, atol=1e-12)


def test_the_two_forms_agree_at_constant_rate_with_v_equal_minus_lr_b():
    for (phi, b), (psi, v) in zip(_run("torch", [0.1] * 30), _run("sutskever", [0.1] * 30), strict=True):
        torch.testing.assert_close(phi, psi, rtol=1e-12, atol=1e-12)
        torch.testing.assert_close(v, -0.1 * b, rtol=1e-12, atol=1e-12)


def test_the_two_forms_differ_when_the_rate_changes():
    rates = [0.1] * 5 + [0.01] * 5
    assert not torch.allclose(_run("torch", rates)[-1][0], _run("sutskever", rates)[-1][0], rtol=1e-3)


def test_converges_faster_than_plain_descent_on_an_ill_conditioned_quadratic():
    curvature_P = torch.tensor([0.01, 1.0], dtype=torch.float64)
    nesterov, plain = torch.ones(1, 2, dtype=torch.float64), torch.ones(1, 2, dtype=torch.float64)
    rule = Nesterov(momentum=M)
    state = rule.init(nesterov)
    for step in range(1, 101):
        rule.update(nesterov, curvature_P * nesterov, state, 1.0, step)
        plain -= curvature_P * plain
    assert nesterov.abs().max() < 0.1 * plain.abs().max()
