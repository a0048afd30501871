"""Adam, and the step that AdamW shares. Shapes: T trials, P parameters."""

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

import torch
from annotated_types import Len
from torch import Tensor

from dlexp.device import send_soon
from dlexp.optimizer.axpy import axpy
from dlexp.optimizer.decay import add_coupled
from dlexp.optimizer.denominator import Form, denominator
from dlexp.type import NonNegative, PerTrial, Positive, Probability

Betas = PerTrial[Annotated[list[Probability], Len(2, 2)]]


def init_moments(params_TP: Tensor) -> dict[str, Tensor]:
    """Return the state of `adam_step`: both running means, zero."""
    return {"mean": torch.zeros_like(params_TP), "mean_of_squares": torch.zeros_like(params_TP)}


def adam_step(
    params_TP: Tensor,
    grads_TP: Tensor,
    state: dict[str, Tensor],
    lr_T1: float | Tensor,
    step: int | Tensor,
    betas: list[float] | list[Tensor],
    eps: float | Tensor,
    bias_correction: bool,
    form: Form = "outside",
) -> None:
    """Move the parameters and means in place; overwrites the gradients.

    Betas are two numbers, or two tensors (T, 1) where trials differ; `step` is the update's number, from 1, or the
    `corrections` for it as a tensor (C, R, 1). The bits of a trial are the same either way.

    The corrections meet in two numbers instead of two passes over memory: with a = 1 - beta1^t and b^2 = 1 - beta2^t,
    lr m^ / (sqrt(v^) + eps) = (lr b / a) m / (sqrt(v) + eps b); without correction a = b = 1. Likewise
    lr m^ / sqrt(v^ + eps) = (lr b / a) m / sqrt(v + eps b^2) and lr m^ / (v^ + eps) = (lr b^2 / a) m / (v + eps b^2).
    """
    rest1, rest2, beta2, lr_factor, addend = _coefficients(betas, step, eps, bias_correction, form, params_TP)
    mean_TP = state["mean"].lerp_(grads_TP, rest1)
    squares_TP = state["mean_of_squares"].mul_(beta2)
    if isinstance(rest2, Tensor):
        squares_TP.addcmul_(grads_TP * rest2, grads_TP)
    else:
        squares_TP.addcmul_(grads_TP, grads_TP, value=rest2)
    divisor_TP = denominator(squares_TP, addend, form, out=grads_TP)
    axpy(lr_T1 * lr_factor, torch.div(mean_TP, divisor_TP, out=grads_TP), params_TP, sign=-1)


def _coefficients(
    betas: list[float] | list[Tensor],
    step: int | Tensor,
    eps: float | Tensor,
    bias_correction: bool,
    form: Form,
    like_TP: Tensor,
) -> tuple[Any, ...]:
    """Return 1 - beta1, 1 - beta2, beta2, the factor of lr and the addend of the denominator: numbers or tensors."""
    beta1, beta2 = betas
    if not isinstance(beta1, Tensor) and not isinstance(beta2, Tensor):
        if isinstance(step, Tensor):
            lr_factor, last = step.unbind()
            return 1 - beta1, 1 - beta2, beta2, lr_factor, eps * last if isinstance(eps, Tensor) else last
        *rest, eps_factor = _of_trial(beta1, beta2, step, bias_correction, form)
        return *rest, eps * eps_factor
    if not isinstance(step, Tensor):
        rows = corrections(betas, step, eps, bias_correction, form)
        step = send_soon(torch.tensor(rows, dtype=like_TP.dtype).unsqueeze(-1), like_TP.device)
    *rest, eps_factor = step.unbind()
    return *rest, eps * eps_factor


def corrections(
    betas: list[float] | list[Tensor], step: int, eps: float | Tensor, bias_correction: bool, form: Form
) -> list[list[float]]:
    """Return the numbers that follow from an update's number, C rows of 1 or T, for an update that reads tensors.

    Where all trials have the same betas: the factor of lr, and eps times its factor (the factor alone where eps is a
    tensor). Where trials differ: 1 - beta1, 1 - beta2, beta2 and the factors of lr and eps, of each trial.
    """
    beta1, beta2 = betas
    if not isinstance(beta1, Tensor) or not isinstance(beta2, Tensor):
        assert not isinstance(beta1, Tensor)
        assert not isinstance(beta2, Tensor)
        *_, lr_factor, eps_factor = _of_trial(beta1, beta2, step, bias_correction, form)
        return [[lr_factor], [eps_factor if isinstance(eps, Tensor) else eps * eps_factor]]
    # As Python's numbers, so that a trial's are those it has alone; then one transfer to the device.
    pairs = zip(beta1.flatten().tolist(), beta2.flatten().tolist(), strict=True)
    return [list(row) for row in zip(*[_of_trial(*pair, step, bias_correction, form) for pair in pairs], strict=True)]


def _of_trial(beta1: float, beta2: float, step: int, bias_correction: bool, form: Form) -> tuple[float, ...]:
    """Return 1 - beta1, 1 - beta2, beta2 and the factors of lr and eps."""
    square, a = (1 - beta2**step, 1 - beta1**step) if bias_correction else (1.0, 1.0)
    root = square**0.5
    lr_factor = square if form == "rootless" else root
    return 1 - beta1, 1 - beta2, beta2, lr_factor / a, root if form == "outside" else square


@dataclass(frozen=True)
class Adam:
    """Adam: m = beta1 m + (1 - beta1) g; v = beta2 v + (1 - beta2) g^2; params -= lr * m^ / (sqrt(v^) + eps).

    With bias correction m^ = m / (1 - beta1^t) and v^ = v / (1 - beta2^t), t the step; without, m^ = m and v^ = v.
    `form` says where eps stands, as printed in one text or another, and whether there is a root.

    Args:
        lr: Step size per update, > 0.
        betas: Fractions of the running means of gradient and square kept, each in [0, 1).
        eps: Keeps the denominator from zero, > 0.
        form: Denominator: outside, sqrt(v^) + eps; inside, sqrt(v^ + eps); rootless, v^ + eps.
        bias_correction: Whether the means are corrected for having begun at zero.
        weight_decay: Factor of the parameters added to their gradient, >= 0.
        biases: Whether weight decay also acts on biases and normalisation parameters.

    References:
        Kingma and Ba (2015), Adam: A Method for Stochastic Optimization, ICLR, algorithm 1.
    """

    lr: PerTrial[Positive] = 0.001
    betas: Betas = field(default_factory=lambda: [0.9, 0.999])
    eps: PerTrial[Positive] = 1e-8
    form: Literal["outside", "inside", "rootless"] = "outside"
    bias_correction: bool = True
    weight_decay: PerTrial[NonNegative] = 0.0
    biases: bool = False

    def init(self, params_TP: Tensor) -> dict[str, Tensor]:
        """Return the state: running means of gradients and of their squares, zero."""
        return init_moments(params_TP)

    def corrections(self, step: int) -> list[list[float]]:
        """Return what `update` may be given as a tensor in place of the number of an update; see `corrections`."""
        return corrections(self.betas, step, self.eps, self.bias_correction, self.form)

    def update(
        self,
        params_TP: Tensor,
        grads_TP: Tensor,
        state: dict[str, Tensor],
        lr_T1: float | Tensor,
        step: int | Tensor,
        decay_P: Tensor | None = None,
    ) -> None:
        """Move the parameters and means in place; overwrites the gradients."""
        add_coupled(grads_TP, params_TP, self.weight_decay, decay_P)
        adam_step(params_TP, grads_TP, state, lr_T1, step, self.betas, self.eps, self.bias_correction, self.form)
