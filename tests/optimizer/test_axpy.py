"""y + sign * a * x, for numbers and for a rate of each trial, in place or elsewhere."""

import pytest
import torch

from dlexp.optimizer.axpy import axpy

X = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
RATES = torch.tensor([[0.5], [2.0]])


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("a", [0.25, RATES], ids=["number", "rates"])
def test_the_formula(a, sign):
    y = torch.tensor([[8.0, 8.0, 8.0], [16.0, 16.0, 16.0]])
    expected = y + sign * a * X  # powers of two: no rounding
    result = axpy(a, X, y, sign=sign)
    assert result is y, "in place"
    assert torch.equal(y, expected)


@pytest.mark.parametrize("a", [0.25, RATES], ids=["number", "rates"])
def test_the_result_goes_where_it_is_asked_for(a):
    x, y = X.clone(), torch.ones_like(X)
    axpy(a, x, y, out=x)
    assert torch.equal(x, 1 + a * X)
    assert torch.equal(y, torch.ones_like(X))
    x, out = X.clone(), torch.empty_like(X)
    axpy(a, x, y, out=out)
    assert torch.equal(out, 1 + a * X)
    assert torch.equal(x, X)
