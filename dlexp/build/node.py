"""Builds the objects that a checked configuration names: the only caller of a `_target_`."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any, get_args

import torch

from dlexp.config import trust
from dlexp.config.signature import read
from dlexp.config.source.reference import resolve_text
from dlexp.error import ConfigError
from dlexp.type import PerTrialMarker

# the packages of dlexp whose classes and functions are components
COMPONENTS = (
    "activation",
    "augment",
    "data",
    "dropout",
    "embedding",
    "engine",
    "init",
    "launcher",
    "loss",
    "metric",
    "model",
    "norm",
    "normalize",
    "optimizer",
    "regularizer",
    "schedule",
    "search",
    "tracking",
)


def build(node: dict[str, Any], **program: Any) -> Any:
    """Construct what a node describes.

    Args:
        node: ``{"_target_": ..., parameter: value}`` that passed `dlexp.config.check`.
        **program: What the program can offer; the component gets the keyword-only parameters that it names.

    Returns:
        The object; nested nodes are built first.
    """
    wanted = {name: program[name] for name in read(node["_target_"]).program if name in program}
    return factory(node, **program)(**wanted)


def factory(node: dict[str, Any], **program: Any) -> "partial[Any]":
    """Return a partial that constructs what a node describes each time it is called with the program's parameters."""
    values = {name: _build_value(value, program) for name, value in node.items() if name != "_target_"}
    return partial(_resolve(node["_target_"]), **values)


def _build_value(value: Any, program: dict[str, Any]) -> Any:
    if isinstance(value, dict) and "_target_" in value:
        return build(value, **program)
    if isinstance(value, list):
        return [_build_value(item, program) for item in value]
    return resolve_text(value) if isinstance(value, str) else value


def _resolve(target: str) -> Callable[..., Any]:
    """Import the class or function; a package may pass on what a trusted one defines, no more."""
    module, _, name = target.rpartition(".")
    package, inner, *_ = [*module.split("."), ""]
    if not (inner in COMPONENTS if package == "dlexp" else trust.is_granted(package)):
        raise ConfigError(f"_target_: got {target}; only dlexp and trusted packages are built")
    try:
        component = getattr(import_module(module), name, None)
    except ImportError as error:
        raise ConfigError(f"_target_: got {target}; importing it failed: {error}") from error
    if not callable(component) or not _is_defined_in(component, module):
        raise ConfigError(f"_target_: got {target}; {name} is not defined in {module}")
    if package != "dlexp" and not isinstance(component, type):
        raise ConfigError(f"_target_: got {target}; a class is needed")
    return component


def _is_defined_in(component: Any, module: str) -> bool:
    origin = str(getattr(component, "__module__", ""))
    return origin == module or (not module.startswith("dlexp.") and trust.is_granted(origin.split(".")[0]))


def build_per_trial(nodes: list[dict[str, Any]], *, dtype: Any, device: Any, **program: Any) -> Any:
    """Construct one object that serves T trials: their PerTrial values become tensors (T, 1).

    A PerTrial list that differs between trials becomes a list of tensors (T, 1), in float64 on the CPU: what is
    computed of it is few numbers, and they must be those of a trial alone.

    Args:
        nodes: One node a trial, equal but for the parameters annotated PerTrial.
        dtype: torch type of those tensors.
        device: Where they live.
        **program: As for `build`.
    """
    merged = dict(nodes[0])
    for name, parameter in read(nodes[0]["_target_"]).parameters.items():
        values = [node.get(name, parameter.default) for node in nodes]
        if is_per_trial(parameter.annotation):
            merged[name] = _stack(name, values, dtype, device)
        else:
            assert all(value == values[0] for value in values), f"{name} differs between trials of one program"
    return build(merged, **program)


def _stack(name: str, values: list[Any], dtype: Any, device: Any) -> Any:

    if all(isinstance(value, int | float) for value in values):
        # off for every trial: a plain zero lets a rule skip the work
        return torch.tensor([[value] for value in values], dtype=dtype, device=device) if any(values) else values[0]
    if all(value == values[0] for value in values):
        return values[0]
    assert all(isinstance(value, list) for value in values), f"{name} is set for some trials of a program only"
    together = zip(*values, strict=True)
    return [torch.tensor(numbers, dtype=torch.float64, device="cpu").unsqueeze(1) for numbers in together]


def is_per_trial(annotation: Any) -> bool:
    """Whether an annotation, or one of its alternatives, carries the PerTrial mark."""
    if any(isinstance(mark, PerTrialMarker) for mark in getattr(annotation, "__metadata__", ())):
        return True
    return any(is_per_trial(argument) for argument in get_args(annotation) if get_args(argument))
