"""The epoch after which frozen layers are trained: the program goes on with a longer row of parameters.

What the update rule knows of the parameters that it trained before stays; for the others it begins from nothing, as if
that were their first update: zero moments, and bias corrections that count from there. Shapes: T trials, P padded
parameters of a trial.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from dlexp.engine.flat import Flat
from dlexp.engine.forward import Forward
from dlexp.engine.freeze.mark import Frozen, freeze, late_names, thaw
from dlexp.engine.freeze.thawed import Thawed
from dlexp.engine.step import Step


@dataclass(frozen=True)
class Thaw:
    """How a program's frozen layers come to be trained.

    Attributes:
        until: Epochs for which they are frozen.
        frozen: What is frozen till then.
        models: Each trial's module, of which programs are made.
        make: Makes one of them.
        precision: That the program computes in.
    """

    until: int
    frozen: Frozen
    models: list[nn.Module]
    make: Callable[[list[nn.Module]], Forward]
    precision: str

    @torch.no_grad()
    def switch(self, step: Step, trials: list[int], number: int, *, is_thawed: bool) -> Step:
        """Return what goes on with the same weights and with what the update rule knows, the layers thawed or frozen.

        Args:
            step: Of the program so far, which is at its end.
            trials: The number of each row's trial.
            number: Updates that they were frozen for.
            is_thawed: Which of the two.
        """
        models = [self.models[trial] for trial in trials]
        for row, model in enumerate(models):
            model.load_state_dict(step.forward.weights(row))
            (thaw if is_thawed else freeze)(model, self.frozen)
        if step.captures is not None:
            step.captures.close()
        forward = self.make(models)
        forward.set_training(True)
        kind = Thawed if is_thawed else Step
        fresh = kind(forward, step.rules, models[0], self.precision, step.exchange)
        if isinstance(fresh, Thawed):
            fresh.count_apart(_first_late(forward.flat, models[0]), number)
        for name, value in fresh.state.items():
            _take_over(value, step.state[name], forward.flat, step.forward.flat)
        return fresh


def _first_late(flat: Flat, model: nn.Module) -> int:
    """Return the first column of a parameter that was frozen."""
    late = late_names(model)
    return next(offset for name, offset in zip(flat.names, flat.offsets, strict=True) if name in late)


def _take_over(value: Tensor, before: Tensor, flat: Flat, flat_before: Flat) -> None:
    """Write into a state (T, P) the columns of the parameters that were trained before; one (T, 1) is taken whole."""
    if before.shape != flat_before.tensor.shape:
        value.copy_(before)
        return
    known = dict(zip(flat_before.names, flat_before.split(before), strict=True))
    for name, view in zip(flat.names, flat.split(value), strict=True):
        if name in known:
            view.copy_(known[name])
