"""The rules of a program: what acts on the parameters of its trials. Shapes: T trials."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from dlexp.engine.stack.rows import select_rows

RULES = ("loss", "optimizer", "schedule", "regularizer")


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
        lr: The optimiser's rate (T, 1) in float64 on the CPU, before it is rounded to the model's type; None takes the
            rounded one.
    """

    loss: Any
    optimizer: Any
    schedule: Any
    regularizer: Any
    grad_clip: Tensor | None = None
    ema: Tensor | None = None
    lr: Tensor | None = None

    def keep(self, rows: list[int], num_trials: int) -> "Rules":
        """Return the rules of some of the trials."""
        chosen = {name: select_rows(getattr(self, name), rows, num_trials) for name in RULES}
        clip, ema, lr = (None if value is None else value[rows] for value in (self.grad_clip, self.ema, self.lr))
        return Rules(**chosen, grad_clip=clip, ema=ema, lr=lr)
