"""Loss scaling of fp16: gradients are taken of a multiple of the loss, so that small ones do not become nought.

Shapes: T trials, P padded parameters of a trial.

References:
    Micikevicius et al. (2018), Mixed Precision Training, section 3.2; growth and backoff as torch.amp's.
"""

from collections.abc import Callable

import torch
from torch import Tensor

FIRST, GOOD_STEPS = 2.0**16, 2000  # the scale at the start; updates without overflow after which it doubles
SCALE, GOOD = "loss_scale", "good_steps"


def start(params_TP: Tensor) -> dict[str, Tensor]:
    """Return the scale of each trial (T, 1) and how many updates it has held for."""
    ones_T1 = torch.ones(params_TP.shape[0], 1, dtype=params_TP.dtype, device=params_TP.device)
    return {SCALE: ones_T1 * FIRST, GOOD: torch.zeros_like(ones_T1)}


def undo_overflow(params_TP: Tensor, state: dict[str, Tensor], is_finite_T1: Tensor, apply: Callable[[], None]) -> None:
    """Apply an update, then undo it for trials whose gradient overflowed, and set the scale for the next.

    Args:
        params_TP: Parameters, changed in place.
        state: All that the update changes besides, and the scale; changed in place.
        is_finite_T1: Whether a trial's gradient is.
        apply: Does the update.
    """
    scale_T1, good_T1 = state[SCALE], state[GOOD]
    before = {name: value.clone() for name, value in state.items() if name not in (SCALE, GOOD)}
    old_params = params_TP.clone()
    apply()
    params_TP.copy_(torch.where(is_finite_T1, params_TP, old_params))
    for name, value in before.items():
        state[name].copy_(torch.where(is_finite_T1, state[name], value))
    good_T1.copy_(torch.where(is_finite_T1, good_T1 + 1, 0.0))
    grown = torch.where(good_T1 >= GOOD_STEPS, scale_T1 * 2, scale_T1)
    scale_T1.copy_(torch.where(is_finite_T1, grown, scale_T1 * 0.5))
    good_T1.copy_(torch.where(good_T1 >= GOOD_STEPS, 0.0, good_T1))
