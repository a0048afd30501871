"""Losses whose gradient by the outputs is written out, by the kernels that autograd calls, as the links of a net are.

Shapes: N batch, K outputs.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from dlexp.loss import BCE, MSE, CrossEntropy

_ATEN: Any = torch.ops.aten
EACH, NO_CLASS = 0, -100  # torch's code of reduction="none", and its default for ignore_index

Gradient = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Outputs (N, K) and targets (N,) to the loss (1,) and its gradient (N, K)."""


def gradient_of(loss: Any) -> Gradient | None:
    """Return the function that gives a loss of one trial and its gradient; None where autograd is to find it.

    Written out are cross-entropy and binary log loss without weights, smoothing or penalty, and squared error.
    """
    if type(loss) is CrossEntropy and loss.class_weight is None and _are(0, loss.label_smoothing, loss.lse_penalty):
        return _cross_entropy
    if type(loss) is BCE and loss.num_outputs == 1 and _are(1, loss.alpha, loss.beta):
        return _log_loss
    return _squares if type(loss) is MSE else None


def _are(value: float, *parameters: float | Tensor) -> bool:
    return all(not isinstance(each, Tensor) and each == value for each in parameters)


def _cross_entropy(z_NK: Tensor, y_N: Tensor) -> tuple[Tensor, Tensor]:
    """-mean(log s_y), s = softmax(z); the gradient is (s - onehot(y)) / N."""
    logp_NK = torch.log_softmax(z_NK, -1)
    each_N, total = _ATEN.nll_loss_forward.default(logp_NK, y_N, None, EACH, NO_CLASS)
    share_N = _shares(len(y_N), z_NK.dtype)
    by_logp_NK = _ATEN.nll_loss_backward.default(share_N, logp_NK, y_N, None, EACH, NO_CLASS, total)
    return each_N.mean(0, keepdim=True), _ATEN._log_softmax_backward_data.default(by_logp_NK, logp_NK, -1, z_NK.dtype)


@lru_cache(maxsize=8)
def _shares(num: int, dtype: torch.dtype) -> Tensor:
    """Return each example's share of a mean (N,)."""
    return torch.full((num,), 1 / num, dtype=dtype)


def _log_loss(z_N1: Tensor, y_N: Tensor) -> tuple[Tensor, Tensor]:
    """-mean(y log s + (1 - y) log(1 - s)), s = sigmoid(z); the gradient is (s - y) / N."""
    y_N1 = y_N.unsqueeze(-1).to(z_N1.dtype)
    rest_N1 = 1 - y_N1
    log_s_N1, buffer = _ATEN.log_sigmoid_forward.default(z_N1)
    each_N = (y_N1 * log_s_N1 + rest_N1 * (log_s_N1 - z_N1)).squeeze(-1)
    share = -1 / len(y_N)
    by_rest_N1 = rest_N1 * share
    by_log_s_N1 = y_N1 * share + by_rest_N1
    by_z_N1 = _ATEN.log_sigmoid_backward.default(by_log_s_N1, z_N1, buffer) - by_rest_N1
    return -each_N.mean(0, keepdim=True), by_z_N1


def _squares(z_N1: Tensor, y_N: Tensor) -> tuple[Tensor, Tensor]:
    """mean((z - y)^2); the gradient is 2 (z - y) / N."""
    error_N = z_N1.squeeze(-1) - y_N
    return error_N.square().mean(0, keepdim=True), (error_N * 2 * (1 / len(y_N))).unsqueeze(-1)
