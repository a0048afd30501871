import math

import torch

from dlexp.optimizer.adagrad import Adagrad


def test_under_a_constant_gradient_the_step_falls_as_one_over_the_root_of_the_step():
    params_TP = torch.zeros(1, 2, dtype=torch.float64)
    rule = Adagrad(eps=1e-300)
    state = rule.init(params_TP)
    for step in range(1, 21):
        rule.update(params_TP, torch.tensor([[3.0, -0.01]], dtype=torch.float64), state, 0.1, step)
    expected = 0.1 * sum(1 / math.sqrt(k) for k in range(1, 21))
    torch.testing.assert_close(
        params_TP, torch.tensor([[-expected, expected]], dtype=torch.float64), rtol=1e-13, atol=0
    )


def test_initial_value_damps_the_first_step():
    params_TP = torch.zeros(1, 1, dtype=torch.float64)
    rule = Adagrad(initial=3.0)
    rule.update(params_TP, torch.ones_like(params_TP), rule.init(params_TP), 1.0, 1)
    assert abs(params_TP.item() + 0.5) < 1e-9
