"""Losses whose gradient by the outputs is written out, by the kernels that autograd calls, as the links of a net are.

Shapes: T trials, N batch, M = T * N examples, K outputs.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Any

import torch
from torch import Tensor

from dlexp.loss import BCE, MSE, CrossEntropy

_ATEN: Any = torch.ops.aten
_NLL, _NLL_BACKWARD = _ATEN.nll_loss_forward.default, _ATEN.nll_loss_backward.default
_LOG_SOFTMAX_BACKWARD: Any = torch._log_softmax_backward_data  # pyright: ignore[reportPrivateImportUsage]
EACH, NO_CLASS = 0, -100  # torch's code of reduction="none", and its default for ignore_index

Gradient = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""Outputs (M, K) and targets (T, N) to the loss (T,) and its gradient (M, K)."""


def gradient_of(loss: Any) -> Gradient | None:
    """Return the function that gives a loss and its gradient; None where autograd is to find it.

    Written out are cross-entropy and binary log loss without weights, smoothing or penalty, and squared error.
    """
    if type(loss) is CrossEntropy and loss.class_weight is None and _are(0, loss.label_smoothing, loss.lse_penalty):
        return _cross_entropy
    if type(loss) is BCE and loss.num_outputs == 1 and _are(1, loss.alpha, loss.beta):
        return _log_loss
    return _squares if type(loss) is MSE else None


def _are(value: float, *parameters: float | Tensor) -> bool:
    return all(not isinstance(each, Tensor) and each == value for each in parameters)


def _cross_entropy(z_MK: Tensor, y_TN: Tensor) -> tuple[Tensor, Tensor]:
    """-mean(log s_y), s = softmax(z); the gradient is (s - onehot(y)) / N."""
    logp_MK = torch.log_softmax(z_MK, -1)
    y_M = y_TN.flatten()
    each_M, total = _NLL(logp_MK, y_M, None, EACH, NO_CLASS)
    by_logp_MK = _NLL_BACKWARD(_shares(y_TN.shape, z_MK.dtype), logp_MK, y_M, None, EACH, NO_CLASS, total)
    return each_M.view(y_TN.shape).mean(1), _LOG_SOFTMAX_BACKWARD(by_logp_MK, logp_MK, -1, z_MK.dtype)


@lru_cache(maxsize=8)
def _shares(shape: torch.Size, dtype: torch.dtype) -> Tensor:
    """Return the share of each of (T, N) examples in its trial's mean (T * N,)."""
    return torch.full((shape.numel(),), 1 / shape[1], dtype=dtype)


def _log_loss(z_M1: Tensor, y_TN: Tensor) -> tuple[Tensor, Tensor]:
    """-mean(y log s + (1 - y) log(1 - s)), s = sigmoid(z); the gradient is (s - y) / N."""
    y_M1 = y_TN.reshape(-1, 1).to(z_M1.dtype)
    rest_M1 = 1 - y_M1
    log_s_M1, buffer = _ATEN.log_sigmoid_forward.default(z_M1)
    each_TN = (y_M1 * log_s_M1 + rest_M1 * (log_s_M1 - z_M1)).view(y_TN.shape)
    share = -1 / y_TN.shape[1]
    by_rest_M1 = rest_M1 * share
    by_log_s_M1 = y_M1 * share + by_rest_M1
    by_z_M1 = _ATEN.log_sigmoid_backward.default(by_log_s_M1, z_M1, buffer) - by_rest_M1
    return -each_TN.mean(1), by_z_M1


def _squares(z_M1: Tensor, y_TN: Tensor) -> tuple[Tensor, Tensor]:
    """mean((z - y)^2); the gradient is 2 (z - y) / N."""
    error_TN = z_M1.view(y_TN.shape) - y_TN
    return error_TN.square().mean(1), (error_TN * 2 * (1 / y_TN.shape[1])).view(z_M1.shape)
