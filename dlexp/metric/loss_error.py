"""The loss of each example, and the standard error of their mean. Shapes: T trials, N examples, K outputs."""

from typing import Any

import torch
from torch import Tensor

from dlexp.metric.probability import exact_type


def losses(loss: Any, outputs_NK: Tensor, targets_N: Tensor) -> Tensor:
    """Return the loss of each example alone (N,): the weighted mean by `class_weights` is that of the part.

    Args:
        loss: Of one trial, or of several that share its hyperparameters.
        outputs_NK: Logits, or values in the loss's unit.
        targets_N: Classes, or values in the loss's unit.
    """
    return loss(outputs_NK[:, None, :], targets_N[:, None])


def class_weights(loss: Any, targets: Tensor) -> Tensor | None:
    """Return the weight of each example in the loss of a part, in the shape of targets; None where all count alike.

    Args:
        loss: With weights per class, numbers or (T, 1), or none.
        targets: Classes (N,) or (T, N).
    """
    weight = getattr(loss, "class_weight", None)
    if weight is None:
        return None
    about = {"dtype": exact_type(targets), "device": targets.device}
    table_TK = torch.cat([torch.as_tensor(each, **about).reshape(-1, 1) for each in weight], 1)
    return table_TK[0][targets] if len(table_TK) == 1 else table_TK.gather(1, targets)


def standard_error(loss_TN: Tensor, weight_TN: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Return the mean L of the examples' losses and its standard error, (T,) each in float64.

    L = sum_n w_n l_n / sum_n w_n and
    SE = sqrt(N / (N - 1) * sum_n w_n^2 (l_n - L)^2) / sum_n w_n, the ratio's by linearisation. Where all weights are
    equal that is sd(l) / sqrt(N), sd with N - 1. Of one example it is NaN.

    Args:
        loss_TN: Of each example.
        weight_TN: Of each example; None where all count alike.

    References:
        W. Cochran (1977), Sampling Techniques, 3rd edition, equation 6.13 (a ratio's standard error).
    """
    exact_TN = loss_TN.to(exact_type(loss_TN))
    num = exact_TN.shape[-1]
    if num < 2:
        return exact_TN.mean(-1), torch.full_like(exact_TN[:, 0], torch.nan)
    if weight_TN is None:
        variance_T, mean_T = torch.var_mean(exact_TN, -1)
        return mean_T, variance_T.div_(num).sqrt_()
    mass_T = weight_TN.sum(-1)
    mean_T = (weight_TN * exact_TN).sum(-1) / mass_T
    squares_T = (weight_TN * (exact_TN - mean_T[:, None])).square().sum(-1)
    return mean_T, (squares_T * num / (num - 1)).sqrt() / mass_T
