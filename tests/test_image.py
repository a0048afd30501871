"""Images as numbers: bytes are divided by 255, floats are left alone."""

import torch

from dlexp.image import as_float


def test_bytes_lie_between_zero_and_one():
    x = torch.tensor([[0, 51, 255]], dtype=torch.uint8)
    y = as_float(x)
    assert y.dtype == torch.float32
    assert torch.equal(y, torch.tensor([[0.0, 0.2, 1.0]]))
    assert x.tolist() == [[0, 51, 255]], "the stored image stays"


def test_floats_keep_their_values():
    x = torch.tensor([[-1.5, 300.0]], dtype=torch.float64)
    assert as_float(x).dtype == torch.float64, "no digit is lost before normalisation"
    assert as_float(x).tolist() == [[-1.5, 300.0]]
