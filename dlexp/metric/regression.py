"""Regression metrics, batched over trials.

Shapes: T trials, N examples; outputs (T, N) or (T, N, 1).
"""

import torch
from torch import Tensor


def regression(outputs: Tensor, targets_TN: Tensor) -> dict[str, Tensor]:
    """Return `mse`, `rmse`, `mae` and `r2`, each (T,), in the unit of the targets (mse: its square).

    R2 = 1 - sum (y - f)^2 / sum (y - mean y)^2; NaN when all targets are equal.
    """
    error_TN = _errors(outputs, targets_TN)
    mse = error_TN.square().mean(-1)
    wide = targets_TN.to(error_TN.dtype)
    variance = (wide - wide.mean(-1, keepdim=True)).square().mean(-1)
    is_spread = (targets_TN != targets_TN[..., :1]).any(-1)  # the mean of equal ones may round to another number
    r2 = torch.where(is_spread & (variance > 0), 1 - mse / variance, torch.nan)
    return {"mse": mse, "rmse": mse.sqrt(), "mae": error_TN.abs().mean(-1), "r2": r2}


def regression_report(outputs: Tensor, targets_TN: Tensor, delta: float | Tensor = 1.0) -> dict[str, Tensor]:
    """Return everything: the metrics of `regression`, `huber`, `median_error` (absolute) and `bias`, each (T,).

    Args:
        outputs: (T, N) or (T, N, 1) predictions.
        targets_TN: Values.
        delta: Error at which Huber's loss turns from e^2 / 2 into delta * (|e| - delta / 2), in the targets'
            unit; a number or (T, 1).
    """
    error_TN = _errors(outputs, targets_TN)
    size_TN = error_TN.abs()
    inner_TN = torch.minimum(size_TN, torch.as_tensor(delta, dtype=size_TN.dtype, device=size_TN.device))
    return regression(outputs, targets_TN) | {
        "huber": (inner_TN * (size_TN - inner_TN / 2)).mean(-1),
        "median_error": size_TN.quantile(0.5, dim=-1),
        "bias": error_TN.mean(-1),
    }


def _errors(outputs: Tensor, targets_TN: Tensor) -> Tensor:
    """Return prediction minus target (T, N), NaN throughout a trial with any output that is not finite."""
    wide = torch.float32 if outputs.device.type == "mps" else torch.float64
    error_TN = (outputs.squeeze(-1) if outputs.dim() == 3 else outputs).to(wide) - targets_TN.to(wide)
    is_broken_T1 = ~error_TN.isfinite().all(-1, keepdim=True)
    return error_TN.masked_fill(is_broken_T1, torch.nan)
