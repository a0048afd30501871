import torch

from dlexp.optimizer.adam import Adam
from dlexp.optimizer.adamw import AdamW


def test_without_gradient_the_parameters_shrink_by_rate_times_decay():
    params_TP = torch.tensor([[2.0, -1.0]], dtype=torch.float64)
    rule = AdamW(weight_decay=0.3)
    state = rule.init(params_TP)
    for step in range(1, 6):
        rule.update(params_TP, torch.zeros_like(params_TP), state, 0.1, step)
    expected = torch.tensor([[2.0, -1.0]], dtype=torch.float64) * (1 - 0.1 * 0.3) ** 5
    torch.testing.assert_close(params_TP, expected, rtol=1e-14, atol=0)


def test_decay_is_not_rescaled_by_the_gradients_as_coupled_decay_is():
    moved = {}
    for rule in (AdamW(weight_decay=0.1), Adam(weight_decay=0.1)):
        params_TP = torch.ones(1, 2, dtype=torch.float64)
        before = params_TP.clone()
        grads_TP = torch.tensor([[1.0, 100.0]], dtype=torch.float64)
        rule.update(params_TP, grads_TP, rule.init(params_TP), 0.01, 1)
        moved[type(rule)] = before - params_TP
    torch.testing.assert_close(moved[AdamW], torch.full((1, 2), 0.01 + 0.001).double(), rtol=1e-6, atol=0)
    torch.testing.assert_close(moved[Adam], torch.full((1, 2), 0.01).double(), rtol=1e-6, atol=0)
