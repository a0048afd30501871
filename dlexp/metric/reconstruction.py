"""Metrics of reconstructed inputs, batched over trials. Shapes: T trials, N examples."""

import torch
from torch import Tensor


def reconstruction(outputs: Tensor) -> dict[str, Tensor]:
    """Return `mse`, `rmse` and `explained_variance`, each (T,), of normalised inputs.

    With e_n the root of an example's mean squared error and s_n its mean squared distance from the training part's
    mean: mse = mean e_n^2, explained_variance = 1 - sum e_n^2 / sum s_n; NaN where all inputs are that mean, and
    throughout a trial with any error that is not finite.

    Args:
        outputs: (T, N, 2), e and s of each example; or e alone (T, N), of which the share of variance is not known.
    """
    error_TN = outputs[..., 0] if outputs.dim() == 3 else outputs
    error_TN = error_TN.masked_fill(~error_TN.isfinite().all(-1, keepdim=True), torch.nan)
    mse_T = error_TN.square().mean(-1)
    scores = {"mse": mse_T, "rmse": mse_T.sqrt()}
    if outputs.dim() == 3:
        spread_T = outputs[..., 1].mean(-1)
        scores["explained_variance"] = torch.where(spread_T > 0, 1 - mse_T / spread_T, torch.nan)
    return scores
