"""Builds the objects that a checked configuration names: the only caller of a `_target_`."""

from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Any

from dlexp.config.signature import read
from dlexp.error import ConfigError


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


def factory(node: dict[str, Any], **program: Any) -> Callable[..., Any]:
    """Return a partial that constructs what a node describes each time it is called with the program's parameters."""
    values = {name: _build_value(value, program) for name, value in node.items() if name != "_target_"}
    return partial(_resolve(node["_target_"]), **values)


def _build_value(value: Any, program: dict[str, Any]) -> Any:
    if isinstance(value, dict) and "_target_" in value:
        return build(value, **program)
    if isinstance(value, list):
        return [_build_value(item, program) for item in value]
    return value


def _resolve(target: str) -> Callable[..., Any]:
    """Import the class or function; only one that the named module itself defines, so no detour to others."""
    module, _, name = target.rpartition(".")
    try:
        found = getattr(import_module(module), name, None)
    except ImportError as error:
        raise ConfigError(f"_target_: got {target}; importing it failed: {error}") from error
    if not callable(found) or found.__module__ != module:
        raise ConfigError(f"_target_: got {target}; {name} is not defined in {module}")
    return found
