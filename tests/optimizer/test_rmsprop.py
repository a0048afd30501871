import math

import torch

from dlexp.optimizer.rmsprop import RMSprop


def test_under_a_constant_gradient_the_mean_is_a_geometric_sum():
    alpha, g, lr = 0.9, 2.0, 0.1
    params_TP = torch.zeros(1, 1, dtype=torch.float64)
    rule = RMSprop(alpha=alpha, eps=1e-300)
    state = rule.init(params_TP)
    for step in range(1, 16):
        rule.update(params_TP, torch.full_like(params_TP, g), state, lr, step)
    assert abs(state["mean_of_squares"].item() - g**2 * (1 - alpha**15)) < 1e-13
    assert abs(params_TP.item() + lr * sum(1 / math.sqrt(1 - alpha**k) for k in range(1, 16))) < 1e-13
