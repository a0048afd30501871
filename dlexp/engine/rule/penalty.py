"""What a regulariser does to the parameters of all trials: adds to gradients, projects, weighs.

Shapes: T trials, P padded parameters of a trial.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from dlexp.engine.flat import Flat


@dataclass(frozen=True)
class Penalty:
    """A regulariser's reach. Regularisers act on all elements at once, or on each matrix; they change with the trials.

    Attributes:
        flat: The parameters.
        weights: 1 at the elements (P,) that are penalised, 0 elsewhere; None for all.
    """

    flat: Flat
    weights: Tensor | None

    def add(self, regularizer: Any, params: Tensor, grads: Tensor) -> None:
        """Add the penalty's gradient (T, P) to others."""
        if regularizer.scope == "flat":
            gradient = regularizer.gradient(params)
            grads.add_(gradient if self.weights is None else gradient.mul_(self.weights))
        elif regularizer.scope == "matrix":
            for weight, grad in zip(self.flat.views, self.flat.split(grads), strict=True):
                if weight.dim() >= 3:
                    grad.add_(regularizer.gradient(weight))

    def project(self, regularizer: Any) -> None:
        """Move the parameters to where the constraint holds."""
        if regularizer.constraint == "flat":
            regularizer.project(self.flat.tensor)
        elif regularizer.constraint == "matrix":
            for weight in self.flat.views:
                if weight.dim() >= 3:
                    regularizer.project(weight)

    @torch.no_grad()
    def total(self, regularizer: Any) -> Tensor:
        """Return the penalty of each trial (T,), 0 without one."""
        params = self.flat.tensor
        if regularizer.scope == "flat":
            return regularizer.penalty(params if self.weights is None else params * self.weights)
        if regularizer.scope == "matrix" and (matrices := [w for w in self.flat.views if w.dim() >= 3]):
            return torch.stack([regularizer.penalty(w) for w in matrices]).sum(0)
        return params.new_zeros(params.shape[0])
