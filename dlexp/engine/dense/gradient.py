"""Losses whose gradient by the outputs is written out, by the kernels that autograd calls, as the links of a net are.

Shapes: T trials (one), N batch, K outputs.
"""

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from dlexp.loss import BCE, MSE, CrossEntropy

_ATEN: Any = torch.ops.aten
Differentiated = tuple[Tensor, Tensor]  # loss (T,), gradient (T, N, K)


@torch.no_grad()
def differentiate(loss: Any, outputs_TNK: Tensor, targets: Tensor) -> Differentiated | None:
    """Return a loss and its gradient by the outputs; None where autograd is to find it.

    Written out are cross-entropy and binary log loss without weights, smoothing or penalty, for targets that are
    classes, and squared error.

    Args:
        loss: Any.
        outputs_TNK: Of one trial.
        targets: As in `dlexp.loss`.
    """
    if len(outputs_TNK) > 1 or targets.dim() != 2:
        return None
    if type(loss) is CrossEntropy and _is_plain(loss.label_smoothing, loss.lse_penalty) and loss.class_weight is None:
        return _cross_entropy(outputs_TNK, targets)
    if type(loss) is BCE and loss.num_outputs == 1 and _is_plain(loss.alpha - 1, loss.beta - 1):
        return _log_loss(outputs_TNK, targets)
    return _squares(outputs_TNK, targets) if type(loss) is MSE else None


def _is_plain(*parameters: float | Tensor) -> bool:
    return not any(isinstance(each, Tensor) or each for each in parameters)


def _cross_entropy(outputs_TNK: Tensor, targets_TN: Tensor) -> Differentiated:
    """-mean(log s_y), s = softmax(z); the gradient is (s - onehot(y)) / N."""
    z_NK, y_N = outputs_TNK[0], targets_TN[0]
    logp_NK = torch.log_softmax(z_NK, -1)
    each_TN = F.nll_loss(logp_NK, y_N, reduction="none").unsqueeze(0)
    share_N = torch.full_like(y_N, 1 / len(y_N), dtype=z_NK.dtype)
    by_logp_NK = _ATEN.nll_loss_backward.default(share_N, logp_NK, y_N, None, 0, -100, share_N[0])
    by_z_NK = _ATEN._log_softmax_backward_data.default(by_logp_NK, logp_NK, -1, z_NK.dtype)
    return each_TN.mean(1), by_z_NK.unsqueeze(0)


def _log_loss(outputs_TN1: Tensor, targets_TN: Tensor) -> Differentiated:
    """-mean(y log s + (1 - y) log(1 - s)), s = sigmoid(z); the gradient is (s - y) / N."""
    y_TN1 = targets_TN.unsqueeze(-1).to(outputs_TN1.dtype)
    rest_TN1 = 1 - y_TN1
    log_s_TN1, buffer = _ATEN.log_sigmoid_forward.default(outputs_TN1)
    each_TN1 = y_TN1 * log_s_TN1 + rest_TN1 * (log_s_TN1 - outputs_TN1)
    share = -1 / y_TN1.shape[1]
    by_negative_TN1 = rest_TN1 * share
    by_log_s_TN1 = y_TN1 * share + by_negative_TN1
    by_z_TN1 = _ATEN.log_sigmoid_backward.default(by_log_s_TN1, outputs_TN1, buffer) - by_negative_TN1
    return -each_TN1.squeeze(-1).mean(1), by_z_TN1


def _squares(outputs_TN1: Tensor, targets_TN: Tensor) -> Differentiated:
    """mean((z - y)^2); the gradient is 2 (z - y) / N."""
    error_TN = outputs_TN1.squeeze(-1) - targets_TN
    by_z_TN = error_TN * 2 * (1 / error_TN.shape[1])
    return error_TN.square().mean(1), by_z_TN.unsqueeze(-1)
