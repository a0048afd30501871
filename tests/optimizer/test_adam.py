import math

import pytest
import torch

from dlexp.optimizer.adam import Adam
from dlexp.optimizer.adamw import AdamW


def _under_constant_gradient(num_steps, **settings):
    params_TP = torch.zeros(1, 3, dtype=torch.float64)
    rule = Adam(eps=1e-300, **settings)
    state = rule.init(params_TP)
    grads_TP = torch.tensor([[1e-3, 1.0, -1e3]], dtype=torch.float64)
    for step in range(1, num_steps + 1):
        rule.update(params_TP, grads_TP.clone(), state, 0.1, step)
    return params_TP


def test_with_correction_a_constant_gradient_moves_by_the_rate_whatever_its_size():
    expected = torch.tensor([[-0.7, -0.7, 0.7]], dtype=torch.float64)
    torch.testing.assert_close(_under_constant_gradient(7), expected, rtol=1e-12, atol=0)


def test_without_correction_the_steps_are_the_papers_uncorrected_ratio():
    beta1, beta2 = 0.9, 0.999
    moved = sum(0.1 * (1 - beta1**t) / math.sqrt(1 - beta2**t) for t in range(1, 8))
    expected = torch.tensor([[-moved, -moved, moved]], dtype=torch.float64)
    torch.testing.assert_close(_under_constant_gradient(7, bias_correction=False), expected, rtol=1e-12, atol=0)


def test_without_correction_the_first_step_is_three_times_too_long():
    ratio = _under_constant_gradient(1, bias_correction=False) / _under_constant_gradient(1)
    torch.testing.assert_close(ratio, torch.full_like(ratio, 0.1 / math.sqrt(0.001)), rtol=1e-12, atol=0)


@pytest.mark.parametrize("rule", [Adam, AdamW])
def test_corrections_as_a_tensor_give_the_bits_of_the_number(rule):
    for step in (1, 1000):
        results = []
        for count in (step, torch.tensor(rule().corrections(step)).unsqueeze(-1)):
            params_TP = torch.zeros(1, 2)
            rule().update(params_TP, torch.tensor([[0.3, -2.0]]), rule().init(params_TP), torch.tensor([[0.1]]), count)
            results.append(params_TP)
        assert torch.equal(*results)


@pytest.mark.parametrize("rule", [Adam, AdamW])
@pytest.mark.parametrize("bias_correction", [True, False])
def test_betas_of_each_trial_give_the_bits_it_has_alone(rule, bias_correction):
    draw = torch.Generator().manual_seed(0)
    betas = [[0.9, 0.999], [0.8, 0.95], [0.0, 0.5], [0.5, 0.0]]
    start, grads_STP = torch.randn(4, 37, generator=draw), torch.randn(20, 4, 37, generator=draw)

    def run(rows, betas_T):
        params_TP, made = start[rows].clone(), rule(betas=betas_T, bias_correction=bias_correction)
        state = made.init(params_TP)
        for step, grads_TP in enumerate(grads_STP, start=1):
            made.update(params_TP, grads_TP[rows].clone(), state, torch.full((len(params_TP), 1), 0.01), step)
        return params_TP

    columns = [torch.tensor(column, dtype=torch.float64).unsqueeze(1) for column in zip(*betas, strict=True)]
    together = run(slice(None), columns)
    for row, trial_betas in enumerate(betas):
        assert torch.equal(together[row : row + 1], run(slice(row, row + 1), trial_betas))
