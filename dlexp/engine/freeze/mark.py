"""Marks on a model: which parameters want no gradient, and which batch norms keep their statistics."""

from collections.abc import Collection
from dataclasses import dataclass

from torch import nn

_STILL, _LATE, _FROZEN = "is_still", "late_names", "frozen_layers"  # attributes, which copies of a model have too


@dataclass(frozen=True)
class Frozen:
    """What training leaves alone.

    Attributes:
        parameters: Names in the model.
        norms: Names of the batch norms that evaluate in training too: they normalise by their running statistics and
            do not change them.
    """

    parameters: Collection[str] = ()
    norms: Collection[str] = ()


def freeze(model: nn.Module, frozen: Frozen) -> None:
    """Mark what training leaves alone."""
    _set(model, frozen, is_frozen=True)
    vars(model)[_LATE], vars(model)[_FROZEN] = frozenset(), frozen


def thaw(model: nn.Module, frozen: Frozen) -> None:
    """Take the marks away; the parameters come after all others in the row of the trained ones."""
    _set(model, frozen, is_frozen=False)
    vars(model)[_LATE] = frozenset(frozen.parameters)


def frozen_by(model: nn.Module) -> Frozen:
    """Return what was frozen last, whether or not it was thawed since."""
    return vars(model).get(_FROZEN, Frozen())


def late_names(model: nn.Module) -> Collection[str]:
    """Return the parameters that were frozen and are no more."""
    return vars(model).get(_LATE, ())


def is_still(module: nn.Module) -> bool:
    """Whether a batch norm keeps its statistics."""
    return bool(vars(module).get(_STILL, False))


def keep_still(module: nn.Module, like: nn.Module) -> None:
    """Mark a layer as another is, in whose place it stands."""
    vars(module)[_STILL] = is_still(like)


def switch_training(model: nn.Module, is_training: bool) -> None:
    """Switch a model between training and evaluation; batch norms that keep their statistics stay in evaluation."""
    model.train(is_training)
    for module in model.modules() if is_training else ():
        if is_still(module):
            module.training = False


def _set(model: nn.Module, frozen: Frozen, *, is_frozen: bool) -> None:
    for name in frozen.parameters:
        parameter = model.get_parameter(name)
        parameter.requires_grad_(not is_frozen)
        parameter.grad = None
    for name in frozen.norms:
        vars(model.get_submodule(name))[_STILL] = is_frozen
