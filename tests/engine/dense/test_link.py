"""Links in a row and side by side, on functions whose gradients are known."""

import torch
from torch import Tensor

from dlexp.engine.dense.link import Row, Sum, Trained, is_trained


class Scale:
    """y = w x for a number w: the gradient by w is the sum of g x, that by x is w g."""

    def __init__(self, weight: float, is_trained: bool = True) -> None:
        self.weight = Trained(torch.tensor(weight), torch.tensor(0.0) if is_trained else None)
        self.calls = 0

    def need(self, is_needed: bool) -> bool:
        self.is_needed = is_needed
        return is_needed or is_trained(self.weight)

    def forward(self, x: Tensor) -> Tensor:
        self.x = x
        return x * self.weight.value

    def backward(self, grad: Tensor, is_first: bool) -> Tensor | None:
        self.calls += 1
        self.weight.write((grad * self.x).sum(), is_first)
        return grad * self.weight.value if self.is_needed else None


X = torch.tensor([1.0, 2.0])
ONES = torch.ones(2)


def test_a_row_is_the_chain_rule():
    first, second = Scale(3.0), Scale(5.0)
    row = Row([Row([first]), second])
    assert row.need(False)
    assert row.forward(X).tolist() == [15.0, 30.0]
    assert row.backward(ONES, True) is None
    assert (first.weight.grad, second.weight.grad) == (5 * 3, 3 * 3)


def test_a_later_batch_is_added():
    scale = Scale(3.0)
    row = Row([scale])
    row.need(False)
    for is_first, expected in ((True, 3.0), (False, 6.0), (True, 3.0)):
        row.forward(X)
        row.backward(ONES, is_first)
        assert scale.weight.grad == expected


def test_what_is_below_the_lowest_trained_parameter_has_no_backward_pass():
    below, trained = Scale(3.0, is_trained=False), Scale(5.0)
    row = Row([below, trained])
    row.need(False)
    row.forward(X)
    row.backward(ONES, True)
    assert (below.calls, trained.calls) == (0, 1)


def test_what_is_not_trained_passes_the_gradient_on():
    trained, above = Scale(5.0), Scale(3.0, is_trained=False)
    row = Row([trained, above])
    row.need(False)
    row.forward(X)
    row.backward(ONES, True)
    assert trained.weight.grad == 3 * 3


def test_two_ways_add_their_outputs_and_gradients():
    below, first, second = Scale(2.0), Scale(3.0), Scale(5.0)
    row = Row([below, Sum(first, second)])
    row.need(False)
    assert row.forward(X).tolist() == [16.0, 32.0]
    row.backward(ONES, True)
    assert below.weight.grad == (3 + 5) * 3
    assert first.weight.grad == second.weight.grad == 2 * 3


def test_two_ways_from_the_inputs_need_no_gradient_by_them():
    both = Sum(Scale(3.0), Scale(5.0))
    assert both.need(False)
    both.forward(X)
    assert both.backward(ONES, True) is None
