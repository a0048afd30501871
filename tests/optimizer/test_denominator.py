"""The printed forms of the adaptive rules, each followed by hand in Python's numbers."""

import math
from typing import Any, cast

import pytest
import torch

from dlexp.optimizer.adagrad import Adagrad
from dlexp.optimizer.adam import Adam
from dlexp.optimizer.denominator import denominator
from dlexp.optimizer.rmsprop import RMSprop

FORMS = {
    "outside": lambda s, eps: math.sqrt(s) + eps,
    "inside": lambda s, eps: math.sqrt(s + eps),
    "rootless": lambda s, eps: s + eps,
}
GRADS = [0.3, -2.0, 0.01, 0.5, -0.07]
LR, EPS, START = 0.1, 0.03, 1.0


def _follow(rule) -> float:
    params_TP = torch.tensor([[START]], dtype=torch.float64)
    state = rule.init(params_TP)
    for step, grad in enumerate(GRADS, start=1):
        rule.update(params_TP, torch.tensor([[grad]], dtype=torch.float64), state, LR, step)
    return params_TP.item()


@pytest.mark.parametrize("form", FORMS)
def test_the_three_forms(form):
    squares_TP = torch.tensor([[0.0, 0.25, 4.0]], dtype=torch.float64)
    expected = [FORMS[form](s, EPS) for s in (0.0, 0.25, 4.0)]
    assert denominator(squares_TP, EPS, form)[0].tolist() == pytest.approx(expected, rel=1e-15)
    out = torch.empty_like(squares_TP)
    assert denominator(squares_TP, torch.tensor([[EPS]], dtype=torch.float64), form, out=out) is out
    assert out[0].tolist() == pytest.approx(expected, rel=1e-15)
    assert squares_TP.tolist() == [[0.0, 0.25, 4.0]]


@pytest.mark.parametrize("form", FORMS)
def test_adagrad(form):
    theta, s = START, 0.0
    for grad in GRADS:
        s += grad**2
        theta -= LR * grad / FORMS[form](s, EPS)
    assert _follow(Adagrad(eps=EPS, form=form)) == pytest.approx(theta, rel=1e-13)


@pytest.mark.parametrize("form", FORMS)
def test_rmsprop(form):
    theta, s, alpha = START, 0.0, 0.9
    for grad in GRADS:
        s = alpha * s + (1 - alpha) * grad**2
        theta -= LR * grad / FORMS[form](s, EPS)
    assert _follow(RMSprop(alpha=alpha, eps=EPS, form=form)) == pytest.approx(theta, rel=1e-13)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bias_correction", [True, False])
@pytest.mark.parametrize("is_per_trial", [False, True])
def test_adam(form, bias_correction, is_per_trial):
    theta, m, v, (beta1, beta2) = START, 0.0, 0.0, (0.8, 0.95)
    for t, grad in enumerate(GRADS, start=1):
        m, v = beta1 * m + (1 - beta1) * grad, beta2 * v + (1 - beta2) * grad**2
        a, b = (1 - beta1**t, 1 - beta2**t) if bias_correction else (1.0, 1.0)
        theta -= LR * (m / a) / FORMS[form](v / b, EPS)
    betas = [torch.tensor([[beta]], dtype=torch.float64) for beta in (beta1, beta2)] if is_per_trial else [beta1, beta2]
    rule = Adam(betas=cast(Any, betas), eps=EPS, form=form, bias_correction=bias_correction)
    assert _follow(rule) == pytest.approx(theta, rel=1e-13)
