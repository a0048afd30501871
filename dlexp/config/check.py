"""Checks a composed configuration against the signatures of the components it names."""

import os
import re
import sys
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

from pydantic import TypeAdapter, ValidationError

from dlexp.config import catalog, trust
from dlexp.config.compose import Composed, flat_keys
from dlexp.config.key import unknown_key
from dlexp.config.rule.effect import check_effects
from dlexp.config.rule.fitted import settled
from dlexp.config.rule.relation import check_fractions, check_relations
from dlexp.config.rule.target import require_class
from dlexp.config.signature import COMPUTED, REQUIRED, ROOT, Parameter, read
from dlexp.config.source.environment import HIDDEN, from_environment, hide_passwords, with_references
from dlexp.config.source.origin import as_written, user_place
from dlexp.config.wording import show, type_text
from dlexp.error import ConfigError, did_you_mean
from dlexp.type import MOST

# nodes of the root that are no choice of an option, with the only target that each takes
NODES = {
    "seeds": "dlexp.config.root.Seeds",
    "metric": "dlexp.metric.choice.Metrics",
    "pairs": "dlexp.data.pair.draw.Pairs",
}
FOLD = Parameter("fold", dict[str, int | None] | None, "a fold's numbers", None, "")  # of a run inside a cv
MISSING = "???"  # OmegaConf's mark of a value that the user has to give


@dataclass(frozen=True)
class Scope:
    """What a check looks things up in, and the missing values that it has met so far."""

    composed: Composed
    groups: dict[str, list[str]]
    trusted: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    is_stored: bool = False  # of a run folder, whose words get no cure that would run its code


def check(composed: Composed, groups: dict[str, list[str]]) -> Composed:
    """Return the configuration with every value checked, in its declared type, and no parameter unstated.

    Args:
        composed: From `dlexp.config.compose.compose`.
        groups: The groups and their options, for the cure in a message.

    Raises:
        ConfigError: The first value that cannot be, or all values that are missing.
    """
    root = read(ROOT).parameters
    trusted = check_value("trusted", composed.config.get("trusted", []), root["trusted"])
    trust.accept(trusted)
    scope = Scope(composed, groups, trusted, is_stored=trust.is_foreign())
    try:
        checked = {key: _check_top(key, value, root, scope) for key, value in composed.config.items()}
    except ConfigError as error:
        raise ConfigError(f"{error}{user_place(str(error), composed)}") from error.__cause__
    scope.missing.extend(name for name in (*root, *NODES) if name not in checked)
    if scope.missing:
        raise ConfigError(f"missing values: {', '.join(scope.missing)}; set each as key=value")
    check_effects(composed, checked)
    check_relations(checked)
    check_fractions({override.key for override in composed.changed}, checked["data"])
    referring = with_references(checked, composed.references)
    trust.accept_references([composed.references, referring])
    _check_uri(referring["tracking"].get("uri"))
    return replace(composed, config=settled(referring))


def _check_uri(uri: str | None) -> None:
    """Refuse a password in the address of the tracking server that is no reference: files would keep it."""
    if uri is not None and (shown := hide_passwords(uri)) != uri:
        typed = shown.replace(HIDDEN, "${oc.env:NAME}")
        raise ConfigError(
            f"tracking.uri: got {shown} with a password, which the run's folder would keep; name a variable of the "
            f"environment that holds it: tracking.uri='{typed}'"
        )


def check_stored(config: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration that was checked when its run began, checked again; what it lacks gets its default.

    Args:
        config: Of a run folder, which anybody may have written.

    Raises:
        ConfigError: The first value that cannot be.
    """
    root = read(ROOT).parameters
    trusted = check_value("trusted", config.get("trusted", []), root["trusted"])
    trust.look_where_named(trusted)
    scope = Scope(Composed(config, {}, [], []), catalog.list_groups(), trusted, is_stored=True)
    place = check_value("fold", config.get("fold"), FOLD)
    lacking = {name: {"_target_": target} for name, target in NODES.items() if name not in config}
    stored = lacking | {key: value for key, value in config.items() if key != "fold"}
    absent = [group for group in catalog.default_choices() if group not in stored]
    if absent:
        raise ConfigError(f"missing groups: {', '.join(absent)}; restore the file from a copy")
    defaults = {name: parameter.default for name, parameter in root.items() if name not in stored}
    checked = {key: _check_top(key, value, root, scope) for key, value in {**defaults, **stored}.items()}
    if scope.missing:
        raise ConfigError(f"missing values: {', '.join(scope.missing)}; restore the file from a copy")
    return checked if place is None else {**checked, "fold": place}


def _check_top(key: str, value: Any, root: dict[str, Parameter], scope: Scope) -> Any:
    if key in root:
        return _check_parameter(key, value, root[key], scope)
    if key in scope.groups or key in NODES:
        if isinstance(value, dict) and "_target_" in value:
            return _check_node(key, value, scope)
        if key in NODES:
            cure = f"set {key}.{next(iter(read(NODES[key]).parameters))}=1 or others"
        else:
            cure = f"choose one of {', '.join(scope.groups[key])}"
        raise ConfigError(f"{key}: got {show(value)}; {cure}")
    known = [name for name in flat_keys(scope.composed.config) if name.split(".")[0] != key]
    raise unknown_key(key, [*known, *root], scope.groups, scope.composed.config_dir)


def _check_node(path: str, node: dict, scope: Scope) -> dict[str, Any]:
    target = check_target(path, node["_target_"], scope)
    parameters = read(target).parameters
    for name in node:
        if name != "_target_" and name not in parameters and not read(target).is_open:
            known = [f"{path}.{parameter}" for parameter in parameters]
            chosen = scope.composed.choices.get(path)  # its own file may be what has the mistake
            others = {group: [option for option in scope.groups[group] if option != chosen] for group in scope.groups}
            raise unknown_key(f"{path}.{name}", known, others, scope.composed.config_dir)
    checked: dict[str, Any] = {"_target_": target}
    checked |= {name: _check_inner_nodes(f"{path}.{name}", node[name], scope) for name in node if name not in checked}
    for name, parameter in parameters.items():
        value = node.get(name, MISSING if parameter.default is REQUIRED else parameter.default)
        if value is not COMPUTED:
            checked[name] = _check_parameter(f"{path}.{name}", value, parameter, scope)
    return checked


def check_target(path: str, target: Any, scope: Scope) -> str:
    """Return a `_target_` that may be built.

    Raises:
        ConfigError: It is neither a component of dlexp fit for the place nor below a trusted package.
    """
    if not isinstance(target, str):
        raise ConfigError(f"{path}._target_: got {show(target)}; the dotted path of a class is needed")
    package = target.split(".")[0]
    if package != "dlexp" and package not in scope.trusted:
        cure = "only dlexp and trusted packages are built"
        if not scope.is_stored and package not in sys.stdlib_module_names:
            cure += f": trusted=[{show(package)}]"
        raise ConfigError(f"{path}._target_: got {show(target)}; {cure}")
    root = read(target).target.split(".")[0] if package != "dlexp" else package
    if root != "dlexp" and root not in scope.trusted:  # the package passes on what another defines
        raise ConfigError(f"{path}._target_: got {show(target)}; {package} takes it from {root}, which is not trusted")
    if root == "dlexp" and package != "dlexp":
        raise ConfigError(f"{path}._target_: got {show(target)}; dlexp defines it: name {read(target).target}")
    if package == "dlexp":
        # other functions of dlexp write files or start programs: a YAML file from elsewhere must not reach them
        allowed = _shipped(path, scope)
        if target not in allowed:
            near = did_you_mean(target, allowed)
            raise ConfigError(f"{path}._target_: got {show(target)}; the target of a shipped option is needed{near}")
    else:
        require_class(path, target)
    return target


def _shipped(path: str, scope: Scope) -> set[str]:
    """Return the targets of dlexp that may stand at a place."""
    if path.partition(".")[0] in NODES:
        return {NODES[path]} if path in NODES else set()
    places = [path] if path in scope.groups else list(scope.groups)
    return {shipped for group in places for shipped in catalog.shipped_targets(group)}


def _check_parameter(path: str, value: Any, parameter: Parameter, scope: Scope) -> Any:
    if isinstance(value, str) and value == MISSING:
        scope.missing.append(path)
        return value
    if parameter.text == "list[Component]" and isinstance(value, list):
        value = [{"_target_": item} if isinstance(item, str) else item for item in value]
    if re.search(r"\bName\b", parameter.text) and _has_number(value) and not scope.is_stored:
        value = as_written(path, value, scope.composed)
    checked = check_value(path, value, parameter, scope.composed.references.get(path))
    return _check_inner_nodes(path, checked, scope)


def _check_inner_nodes(path: str, value: Any, scope: Scope) -> Any:
    """Check components given as a parameter, alone or in a list."""
    if isinstance(value, dict) and "_target_" in value:
        return _check_node(path, value, scope)
    if isinstance(value, list):
        return [_check_inner_nodes(f"{path}[{i}]", item, scope) for i, item in enumerate(value)]
    return value


def check_value(path: str, value: Any, parameter: Parameter, reference: Any = None) -> Any:
    """Return a value in the type that its parameter declares.

    Args:
        path: Its key.
        value: Resolved.
        parameter: What declares it.
        reference: What it was written as; a number from the environment is a text at first.

    Raises:
        ConfigError: It is of another type or outside what is allowed.
    """
    if re.search(r"\bName\b", parameter.text):
        value = _as_name(value)
    if re.search(r"\bPlace\b", parameter.text) and isinstance(value, str):
        value = os.path.expanduser(value)
    adapter = _adapter(parameter.annotation)
    try:
        return adapter.validate_python(value, strict=True)
    except ValidationError:
        with suppress(ValidationError):
            return adapter.validate_python(from_environment(value, reference), strict=True)
        raise ConfigError(f"{path}: got {show(value)}; {_cure(parameter, value)}") from None


def _adapter(annotation: Any) -> TypeAdapter[Any]:
    """Return what checks values of a type: to make it takes fifty times as long as to use it, so it is kept."""
    try:
        return _kept_adapter(annotation)
    except TypeError:  # a user's annotation that cannot be hashed
        return TypeAdapter(annotation)


_kept_adapter = lru_cache(1024)(TypeAdapter[Any])


def _has_number(value: Any) -> bool:
    return any(isinstance(item, int | float) for item in (value if isinstance(value, list) else [value]))


def _as_name(value: Any) -> Any:
    """Return the text of numbers: columns may be called 0, 1, 2."""
    if isinstance(value, list):
        return [_as_name(item) for item in value]
    return str(value) if isinstance(value, int | float) and not isinstance(value, bool) else value


def _cure(parameter: Parameter, value: Any) -> str:
    """Say what is allowed, from the annotation."""
    wanted = type_text(parameter.text)
    if _largest(value) > MOST:
        wanted = wanted.replace(">= 1", f"from 1 to {MOST:,}")
    if "|" not in wanted:
        if re.search(r"\bName\b", parameter.text) and _has_number(value):
            return f"{wanted} is needed: put into quotes what YAML reads otherwise, such as 'yes'"
        is_whole = wanted.startswith("an integer") and isinstance(value, float) and value.is_integer()
        return f"{wanted} is needed" + (f": write {value:.0f}" if is_whole else "")
    choices = wanted.replace(" or ", "|").split("|")
    return f"choose one of {', '.join(choices)}{did_you_mean(str(value), choices)}"


def _largest(value: Any) -> float:
    """Return the largest integer in a value, 0 without one."""
    values = value if isinstance(value, list) else [value]
    return max((item for item in values if isinstance(item, int)), default=0)
