"""Checks a composed configuration against the signatures of the components it names."""

import math
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dlexp.config.compose import Composed, unknown_key
from dlexp.config.effect import check_effects
from dlexp.config.signature import REQUIRED, Parameter, Signature, import_path_of_user_code, read
from dlexp.config.wording import type_text
from dlexp.error import ConfigError, did_you_mean

ROOT = "dlexp.config.root.Root"


def check(composed: Composed, groups: dict[str, list[str]]) -> Composed:
    """Return the configuration with every value checked and in its declared type.

    Args:
        composed: From `dlexp.config.compose.compose`.
        groups: The groups and their options, for the cure in a message.

    Raises:
        ConfigError: The first value that cannot be.
    """
    trusted = _check_value("trusted", composed.config.get("trusted", []), read(ROOT).parameters["trusted"])
    if trusted:
        import_path_of_user_code()
    root = read(ROOT).parameters
    checked: dict[str, Any] = {}
    for key, value in composed.config.items():
        if isinstance(value, dict) and "_target_" in value:
            checked[key] = _check_node(key, value, trusted, groups)
        elif key in root:
            checked[key] = _check_value(key, value, root[key])
        elif key in groups:
            raise ConfigError(f"{key}: got {_show(value)}; choose one of {', '.join(groups[key])}")
        else:
            raise unknown_key(key, list(composed.config), groups)
    for name in root:
        if name not in checked:
            raise ConfigError(f"missing values: {name}; set each as key=value")
    check_effects(composed, checked)
    return Composed(checked, composed.choices, composed.overrides, composed.changed)


def _check_node(path: str, node: dict, trusted: list[str], groups: dict[str, list[str]]) -> dict[str, Any]:
    signature = read(check_target(path, node["_target_"], trusted))
    checked: dict[str, Any] = {"_target_": node["_target_"]}
    for name, value in node.items():
        if name == "_target_":
            continue
        if name not in signature.parameters:
            raise _unknown_parameter(f"{path}.{name}", name, signature, groups)
        checked[name] = _check_parameter(f"{path}.{name}", value, signature.parameters[name], trusted, groups)
    missing = [f"{path}.{n}" for n, p in signature.parameters.items() if p.default is REQUIRED and n not in checked]
    if missing:
        raise ConfigError(f"missing values: {', '.join(missing)}; set each as key=value")
    return checked


def check_target(path: str, target: Any, trusted: list[str]) -> str:
    """Return a `_target_` that may be built.

    Raises:
        ConfigError: It is neither below dlexp nor below a trusted package.
    """
    if not isinstance(target, str):
        raise ConfigError(f"{path}._target_: got {_show(target)}; the dotted path of a class is needed")
    package = target.split(".")[0]
    if package != "dlexp" and package not in trusted:
        raise ConfigError(
            f"{path}._target_: got {target}; only dlexp and trusted packages are built: trusted=[{package}]"
        )
    return target


def _check_parameter(
    path: str, value: Any, parameter: Parameter, trusted: list[str], groups: dict[str, list[str]]
) -> Any:
    if isinstance(value, dict) and "_target_" in value:
        return _check_node(path, value, trusted, groups)
    if isinstance(value, list) and any(isinstance(item, dict) and "_target_" in item for item in value):
        return [_check_parameter(f"{path}[{i}]", item, parameter, trusted, groups) for i, item in enumerate(value)]
    return _check_value(path, value, parameter)


def _check_value(path: str, value: Any, parameter: Parameter) -> Any:
    try:
        return TypeAdapter(parameter.annotation).validate_python(value, strict=True)
    except ValidationError:
        raise ConfigError(f"{path}: got {_show(value)}; {_cure(parameter, value)}") from None


def _cure(parameter: Parameter, value: Any) -> str:
    """Say what is allowed, from the annotation."""
    wanted = type_text(parameter.text)
    if "|" not in wanted:
        return f"{wanted} is needed"
    choices = wanted.replace(" or ", "|").split("|")
    return f"choose one of {', '.join(choices)}{did_you_mean(str(value), choices)}"


def _unknown_parameter(path: str, name: str, signature: Signature, groups: dict[str, list[str]]) -> ConfigError:
    near = did_you_mean(name, signature.parameters)
    if near:
        return ConfigError(f"unknown key {path}; did you mean {path.rsplit('.', 1)[0]}.{near.split()[3]}")
    return unknown_key(path, [f"{path.rsplit('.', 1)[0]}.{known}" for known in signature.parameters], groups)


def _show(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and not math.isfinite(value):
        return f"{value} (not finite)"
    text = str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."
