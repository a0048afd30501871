"""What a component of the user's must have and is given; what lacks is named when it is built, with the cure."""

import inspect
import re
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from dlexp.build.node import build, build_per_trial, factory
from dlexp.data.dataset import Dataset
from dlexp.error import ConfigError
from dlexp.type import Config

PAGE = "docs/configure.md, Your own components"


@dataclass(frozen=True)
class Contract:
    """What the program calls and reads of a kind of component.

    Attributes:
        needs: Attributes by name, methods as they are called.
        gives: Keyword-only parameters that its constructor may have.
        insists: Those of them that it must have.
    """

    needs: tuple[str, ...]
    gives: tuple[str, ...] = ()
    insists: tuple[str, ...] = ()


UNWRITTEN = ("normalize", "dropout")  # kinds that `dlexp new` does not know
MODULES = ("model", "activation", "norm", "dropout")
FEATURES = ("num_features",)
CONTRACTS = {
    "data": Contract(("load(task)",)),
    "normalize": Contract(("fit(inputs, train)",)),
    "augment": Contract(("__call__(images, targets, generator)",), ("num_classes",)),
    "model": Contract(("forward(x)",), ("in_shape", "num_outputs", "activation", "norm", "dropout", "task")),
    "activation": Contract(("forward(x)", "gain"), FEATURES, FEATURES),
    "norm": Contract(("forward(x)", "adds_bias"), FEATURES, FEATURES),
    "dropout": Contract(("forward(x)",)),
    "init": Contract(("fill(weight, generator, groups=)",), ("activation_gain",)),
    "regularizer": Contract(("scope", "constraint")),
    "loss": Contract(("num_outputs", "__call__(outputs_TNK, targets_TN)"), ("task", "num_classes", "num_inputs")),
    "optimizer": Contract(("init(params_TP)", "update(params_TP, grads_TP, state, lr_T1, step, decay_P)")),
    "schedule": Contract(("factor(step_S)",), ("total_steps", "steps_per_epoch")),
}
PENALTY, PROJECTION = ("penalty(weight)", "gradient(weight)"), ("project(weight)",)


def make(config: Config, group: str, **program: Any) -> Any:
    """Build what a configuration names for a group.

    Args:
        config: Checked.
        group: A group of `CONTRACTS`.
        **program: As for `dlexp.build.node.build`.

    Raises:
        ConfigError: A class of the user's lacks something.
    """
    _check_constructor(config[group], group)
    return check(group, build(config[group], **program))


def make_per_trial(nodes: list[Config], group: str, *, dtype: Any, device: Any, **program: Any) -> Any:
    """Build one component that serves several trials; see `dlexp.build.node.build_per_trial`.

    Raises:
        ConfigError: A class of the user's lacks something.
    """
    _check_constructor(nodes[0], group)
    return check(group, build_per_trial(nodes, dtype=dtype, device=device, **program))


def maker(config: Config, group: str) -> Any:
    """Return a factory of the blocks that a configuration names for a group, their class checked.

    Raises:
        ConfigError: A class of the user's lacks something.
    """
    _check_constructor(config[group], group)
    made = factory(config[group])
    if group == "norm":
        _require(group, made.func, made.func, CONTRACTS[group].needs)
    return made


def check(group: str, component: Any) -> Any:
    """Return a component that has what the program calls and reads of its kind.

    Raises:
        ConfigError: It has not.
    """
    for step in getattr(component, "steps", None) or [] if group == "augment" else []:
        check(group, step)
    _require(group, component, type(component), CONTRACTS[group].needs)
    if group == "regularizer":
        _require(group, component, type(component), PENALTY if component.scope != "none" else ())
        _require(group, component, type(component), PROJECTION if component.constraint != "none" else ())
    return component


def try_augment(augment: Any, data: Dataset, rows: Tensor) -> Tensor:
    """Augment a few examples and return their targets; of pairs each input by itself, as training does.

    Raises:
        ConfigError: It cannot be done to examples of this kind.
    """
    x, targets = data.inputs[data.input_rows(rows)], data.targets[rows].repeat_interleave(data.inputs_each, dim=0)
    images = x.movedim(-1, -3) if data.is_image else x
    _, mixed = augment(images.clone(), targets, torch.Generator().manual_seed(0))
    return mixed[:: data.inputs_each]


def _require(group: str, component: Any, kind: Any, needs: tuple[str, ...]) -> None:
    if kind.__module__.startswith("dlexp."):
        return
    if group in MODULES and not issubclass(kind, nn.Module):
        raise _lack(group, kind, "which is no torch.nn.Module")
    for need in needs:
        name, _, arguments = need.partition("(")
        member = getattr(component, name, None)
        if member is None or getattr(member, "__func__", member) is getattr(nn.Module, name, None):
            raise _lack(group, kind, f"which has no {need}")
        if arguments and component is not kind and not _takes(member, arguments):
            shown = inspect.signature(member)
            raise _lack(group, kind, f"whose {name} takes {shown} where {need} is called")


def _takes(method: Any, arguments: str) -> bool:
    """Say whether a method can be called with as many arguments, those that end in = by name."""
    names = re.findall(r"\w+=?", arguments)
    positional = [name for name in names if not name.endswith("=")]
    try:
        inspect.signature(method).bind(*positional, **{name[:-1]: None for name in names if name.endswith("=")})
    except TypeError:
        return False
    return True


def _check_constructor(node: Config, group: str) -> None:
    """Check that a constructor asks the program for nothing that it does not give, and takes what it passes."""
    if node["_target_"].startswith("dlexp."):
        return
    kind, contract = factory(node).func, CONTRACTS[group]
    takes_nothing = getattr(kind, "__init__", None) is nn.Module.__init__
    parameters = [] if takes_nothing else list(inspect.signature(kind).parameters.values())
    is_open = any(each.kind is each.VAR_KEYWORD for each in parameters)
    names = {each.name for each in parameters}
    if lacking := [name for name in contract.insists if name not in names and not is_open]:
        raise _lack(group, kind, f"whose constructor has no keyword {lacking[0]}")
    program_only = [each.name for each in parameters if each.kind is each.KEYWORD_ONLY and each.default is each.empty]
    if unknown := [name for name in program_only if name not in contract.gives]:
        gives = f"only {', '.join(contract.gives)}" if contract.gives else "nothing"
        raise _lack(group, kind, f"whose constructor needs {unknown[0]}, where the program gives {gives}")


def _lack(group: str, kind: Any, what: str) -> ConfigError:
    name = f"{kind.__module__}.{kind.__qualname__}"
    cure = "" if group in UNWRITTEN else f"`dlexp new {group} NAME` writes a whole one, "
    return ConfigError(f"{group}: got {name}, {what}; {cure}see {PAGE}")
