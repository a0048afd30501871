import torch

from dlexp.model.softmax import Softmax


def test_logits_are_affine_in_the_flattened_input():
    model = Softmax(in_shape=(1, 4, 4), num_outputs=3)
    x = torch.randn(2, 1, 4, 4)
    torch.testing.assert_close(model(x), x.flatten(1) @ model.linear.weight.T + model.linear.bias)


def test_gradient_with_cross_entropy_is_inputs_times_probability_minus_target():
    model = Softmax(in_shape=(6,), num_outputs=3).double()
    x, y = torch.randn(4, 6, dtype=torch.float64), torch.tensor([0, 2, 1, 2])
    torch.nn.functional.cross_entropy(model(x), y).backward()
    error = model(x).softmax(1) - torch.nn.functional.one_hot(y, 3)
    torch.testing.assert_close(model.linear.weight.grad, error.T @ x / 4)
