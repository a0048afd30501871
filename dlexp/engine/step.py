"""One update of T trials: forward, loss, gradient, regulariser, clip, rule, projection.

Shapes: T trials, N batch, K outputs, P padded parameters of a trial.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dlexp.engine.flat import matrix_names
from dlexp.engine.forward import Forward
from dlexp.engine.sums import Sums

PRECISION = {"fp32": None, "bf16": torch.bfloat16, "fp16": torch.float16}


@dataclass(frozen=True)
class Rules:
    """What acts on a program's parameters; per-trial hyperparameters are tensors (T, 1).

    Attributes:
        loss: Outputs and targets to a loss (T,).
        optimizer: The update rule.
        schedule: Factor of the learning rate.
        regularizer: Penalty or constraint.
        grad_clip: Largest gradient norm (T, 1), or None.
        ema: Decay of the average of the weights (T, 1), or None.
    """

    loss: Any
    optimizer: Any
    schedule: Any
    regularizer: Any
    grad_clip: Tensor | None = None
    ema: Tensor | None = None


class Step:
    """Owns what an update changes besides the parameters: optimiser state, loss scale, averaged weights.

    Attributes:
        state: Tensors (T, P) or (T, 1) by name: the optimiser's, "ema" and, in fp16, "loss_scale" and "good_steps".
    """

    def __init__(self, forward: Forward, rules: Rules, model: nn.Module, precision: str = "fp32") -> None:
        """Start from the program's present parameters."""
        self.forward, self.rules = forward, rules
        params = forward.flat.tensor
        self._device, self._cast = params.device.type, PRECISION[precision]
        self._aux_weights = [1.0, *getattr(model, "aux_weights", [])]
        weights = forward.flat.mask(matrix_names(model))
        self._decay = None if getattr(rules.optimizer, "biases", True) else weights
        self._penalised = None if getattr(rules.regularizer, "biases", False) else weights
        self._rule_state = rules.optimizer.init(params)
        self.state: dict[str, Tensor] = {f"rule.{name}": value for name, value in self._rule_state.items()}
        if rules.ema is not None:
            self.state["ema"] = params.clone()
        self._is_scaled = self._cast is torch.float16
        if self._is_scaled:
            ones = torch.ones(params.shape[0], 1, dtype=params.dtype, device=params.device)
            self.state["loss_scale"], self.state["good_steps"] = ones * 2.0**16, torch.zeros_like(ones)

    def __call__(self, batches: list[tuple[Tensor, Tensor]], lr_T1: Tensor, number: int, sums: Sums) -> None:
        """Do one update from one or more batches whose gradients are averaged by their sizes.

        Args:
            batches: Inputs (N, ...) and targets (T, N) of each accumulated batch.
            lr_T1: Learning rate of each trial.
            number: The update's number, from 1.
            sums: Gets the losses and right answers added.
        """
        total = sum(targets.shape[1] for _, targets in batches)
        self.forward.grads.zero_()
        for x, targets in batches:
            loss_T, outputs = self._loss(x, targets)
            objective_T = loss_T if len(batches) == 1 else loss_T * (targets.shape[1] / total)
            if self._is_scaled:
                objective_T = objective_T * self.state["loss_scale"][:, 0]
            # A scalar: torch imports its symbolic shapes, for seconds, when a gradient to start from is passed.
            (objective_T.squeeze(0) if len(loss_T) == 1 else objective_T.sum()).backward()
            sums.add(loss_T.detach(), outputs, targets)
        with torch.no_grad():
            if self._is_scaled:
                self._scaled_update(lr_T1, number)
            else:
                self._apply(lr_T1, number)

    def _loss(self, x: Tensor, targets: Tensor) -> tuple[Tensor, Tensor]:
        if self._cast is None:
            outputs = self.forward(x)
        else:
            with torch.autocast(self._device, dtype=self._cast):
                outputs = self.forward(x)
        if isinstance(outputs, list):
            losses = [self.rules.loss(self._full(out), targets) for out in outputs]
            weighted = [w * loss for w, loss in zip(self._aux_weights, losses, strict=True)]
            return torch.stack(weighted).sum(0), outputs[0].detach()
        return self.rules.loss(self._full(outputs), targets), outputs.detach()

    def _full(self, outputs: Tensor) -> Tensor:
        """Return outputs in full precision: a loss in half precision loses small probabilities."""
        return outputs if self._cast is None else outputs.float()

    def _apply(self, lr_T1: Tensor, number: int) -> None:
        params, grads, rules = self.forward.flat.tensor, self.forward.grads, self.rules
        self._add_penalty(params, grads)
        if rules.grad_clip is not None:
            norm = grads.norm(dim=1, keepdim=True)
            grads.mul_((rules.grad_clip / (norm + 1e-6)).clamp(max=1.0))
        rules.optimizer.update(params, grads, self._rule_state, lr_T1, number, self._decay)
        self._project(params)
        if rules.ema is not None:
            self.state["ema"].lerp_(params, 1 - rules.ema)

    def _scaled_update(self, lr_T1: Tensor, number: int) -> None:
        """Divide by the loss scale and undo the update of trials whose gradient overflowed.

        References:
            Micikevicius et al. (2018), Mixed Precision Training, section 3.2; growth and backoff as torch.amp's.
        """
        params, grads = self.forward.flat.tensor, self.forward.grads
        scale, good = self.state["loss_scale"], self.state["good_steps"]
        grads.div_(scale)
        is_finite = grads.isfinite().all(dim=1, keepdim=True)
        before = {name: value.clone() for name, value in self.state.items() if name not in ("loss_scale", "good_steps")}
        old_params = params.clone()
        self._apply(lr_T1, number)
        params.copy_(torch.where(is_finite, params, old_params))
        for name, value in before.items():
            self.state[name].copy_(torch.where(is_finite, self.state[name], value))
        good.copy_(torch.where(is_finite, good + 1, 0.0))
        grown = torch.where(good >= 2000, scale * 2, scale)
        scale.copy_(torch.where(is_finite, grown, scale * 0.5))
        good.copy_(torch.where(good >= 2000, 0.0, good))

    def _add_penalty(self, params: Tensor, grads: Tensor) -> None:
        regularizer = self.rules.regularizer
        if regularizer.scope == "flat":
            gradient = regularizer.gradient(params)
            grads.add_(gradient if self._penalised is None else gradient.mul_(self._penalised))
        elif regularizer.scope == "matrix":
            for weight, grad in zip(self.forward.flat.views, self.forward.flat.split(grads), strict=True):
                if weight.dim() >= 3:
                    grad.add_(regularizer.gradient(weight))

    def _project(self, params: Tensor) -> None:
        constraint = self.rules.regularizer.constraint
        if constraint == "flat":
            self.rules.regularizer.project(params)
        elif constraint == "matrix":
            for weight in self.forward.flat.views:
                if weight.dim() >= 3:
                    self.rules.regularizer.project(weight)

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """Put the averaged weights, where there are any, in the place of the trained ones for a while."""
        params, ema = self.forward.flat.tensor, self.state.get("ema")
        if ema is None:
            yield
            return
        kept = params.clone()
        params.copy_(ema)
        try:
            yield
        finally:
            params.copy_(kept)

    @torch.no_grad()
    def penalty(self) -> Tensor:
        """Return the regulariser's term of each trial (T,), 0 without one."""
        params, regularizer = self.forward.flat.tensor, self.rules.regularizer
        if regularizer.scope == "flat":
            return regularizer.penalty(params if self._penalised is None else params * self._penalised)
        if regularizer.scope == "matrix":
            return torch.stack([regularizer.penalty(w) for w in self.forward.flat.views if w.dim() >= 3]).sum(0)
        return params.new_zeros(params.shape[0])
