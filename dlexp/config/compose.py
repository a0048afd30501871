"""Composes a configuration from YAML and overrides with Hydra, and turns every failure into one clear line."""

from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import Any, cast

import yaml
from hydra import compose as hydra_compose
from hydra._internal.hydra import Hydra
from hydra._internal.utils import create_config_search_path
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dlexp.config import catalog, guard
from dlexp.config.key import unknown_key
from dlexp.config.override import Override, override_of, parse
from dlexp.config.rule.expansion import require_bounded
from dlexp.config.source.defaults import SHIPPED, read_defaults
from dlexp.config.source.literal import as_declared, as_option, no_sweep
from dlexp.config.trust import look_in_working_directory
from dlexp.config.wording import show
from dlexp.error import ConfigError, did_you_mean

# what Hydra and OmegaConf raise for values and files that they cannot use
REFUSED = (
    HydraException,
    OmegaConfBaseException,
    yaml.YAMLError,
    ValueError,
    TypeError,
    AttributeError,
    LookupError,
    RecursionError,
)

LIST_OPTION = "compose"  # the option that a list of a group's options stands for


@dataclass(frozen=True)
class Composed:
    """A resolved configuration and where it came from.

    Attributes:
        config: Plain nested dicts and lists, interpolations resolved; "???" where a value is missing.
        choices: The option chosen for each group.
        overrides: What the user wrote.
        changed: The overrides, parsed, one for each key of a dict.
        config_dir: The user's folder of YAML files.
        references: What refers to other values, such as ``optimizer.weight_decay: ${optimizer.lr}``, as it was written.
        defaults: The keys that ``dlexp.toml`` set.
    """

    config: dict[str, Any]
    choices: dict[str, str]
    overrides: list[str]
    changed: list[Override]
    config_dir: Path | None = None
    references: dict[str, Any] = field(default_factory=dict)
    defaults: frozenset[str] = frozenset()


def compose(overrides: list[str], *, config_dir: Path | None = None, job: str = "train") -> Composed:
    """Compose one configuration.

    Hydra puts the chosen options together, once for each set of choices (0.1 s); the values are then set on a copy.

    Args:
        overrides: Hydra overrides without sweep expressions.
        config_dir: A user's folder of YAML files, searched before the shipped ones.
        job: Name of the primary config.

    Raises:
        ConfigError: Anything wrong with the overrides, the files or their values.
    """
    groups = catalog.list_groups(config_dir)
    catalog.require_all_groups(job, config_dir)
    written = [as_option(override, groups) for override in parse(overrides)]
    lists = {o.key: _list_steps(o, groups, config_dir) for o in written if _is_list(o, groups)}
    parsed = [replace(o, value=LIST_OPTION) if o.key in lists else o for o in written]
    for override in parsed:
        _check_override(override, groups, config_dir)
        _check_group(override, groups, job, config_dir)
    base, choices = _compose_choices(job, _choose(parsed, groups, config_dir), config_dir)
    tree = base.copy()
    plain = OmegaConf.to_container(base)
    assert isinstance(plain, dict)
    catalog.require_every_choice(plain, job, config_dir)
    keys = flat_keys(plain)
    if config_dir is not None:
        look_in_working_directory()  # the user's signatures are read there
    typed = [o if o.key in groups else as_declared(o, cast("dict[str, Any]", plain)) for o in parsed]
    changed = [leaf for override in typed for leaf in _leaves(override, override.key, override.value, keys)]
    for override in changed:
        if override.key in choices and isinstance(override.value, str):
            continue
        if override.action in ("change", "delete") and override.key not in keys:
            raise unknown_key(override.key, keys, groups, config_dir)
        _set(tree, override, keys)
    defaults = _default_keys(tree, {override.key for override in changed})
    for key in defaults:
        OmegaConf.update(tree, key, read_defaults().values[key])
    for group, steps in lists.items():
        OmegaConf.update(tree, f"{group}.steps", list(steps.values()))
        choices = {**choices, group: ",".join(steps)}
    choices = {group: option for group, option in choices.items() if group in groups}
    return Composed(_resolve(tree), choices, list(overrides), changed, config_dir, _references(tree), defaults)


def _default_keys(tree: DictConfig, changed: set[str]) -> frozenset[str]:
    """Return the keys that the user's defaults set: their value is still the shipped one."""
    open_keys = SHIPPED.keys() & read_defaults().values.keys() - changed
    return frozenset(key for key in open_keys if OmegaConf.select(tree, key, default="") == SHIPPED[key])


def _choose(parsed: list[Override], groups: dict[str, list[str]], config_dir: Path | None) -> tuple[str, ...]:
    """Return Hydra's overrides that choose options; one of a group that no command reads sets keys of all groups."""
    chosen = {o.key: o.value for o in parsed if o.key in groups and isinstance(o.value, str)}
    marks = {group: "+" if catalog.is_global(group, option, config_dir) else "" for group, option in chosen.items()}
    return tuple(sorted(f"{marks[group]}{override_of(group, option)}" for group, option in chosen.items()))


def _is_list(override: Override, groups: dict[str, list[str]]) -> bool:
    return isinstance(override.value, list) and LIST_OPTION in groups.get(override.key, ())


def _list_steps(override: Override, groups: dict[str, list[str]], config_dir: Path | None) -> dict[str, dict[str, Any]]:
    """Return the nodes of a list such as ``augment=[flip_crop,{cutout: {size: 4}}]`` by the options' names."""
    group = override.key
    steps: dict[str, dict[str, Any]] = {}
    options = [option for option in groups[group] if option != LIST_OPTION]
    for entry in override.value:
        name, values = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else (entry, {})
        if name not in options or not isinstance(values, dict):
            near = did_you_mean(str(name), options)
            raise ConfigError(f"{group}: got {show(entry)} in a list; each entry is one of {', '.join(options)}{near}")
        if name in steps:
            raise ConfigError(f"{group}: got {name} twice in a list; each option stands there once")
        steps[name] = {**catalog.read_option(group, name, config_dir), **values}
    return steps


def _check_override(override: Override, groups: dict[str, list[str]], config_dir: Path | None) -> None:
    key, value = override.key, override.value
    if override.is_sweep and key in groups:
        raise no_sweep(override)
    if "/" in key:
        raise ConfigError(f"{show(override.text)}: not possible; choose {show(key.split('/')[0])}=option")
    if key not in groups or isinstance(value, dict):
        return
    if override.action == "delete":
        raise ConfigError(f"{show(override.text)}: not possible; choose {key}=option")
    if not isinstance(value, str) or value not in groups[key]:
        if config_dir and (config_dir / key / f"{value}.yml").is_file():
            catalog.option_file(key, str(value), config_dir)  # says that the file has to be renamed
        options = ", ".join(groups[key])
        raise ConfigError(f"{key}: got {show(value)}; choose one of {options}{did_you_mean(str(value), groups[key])}")


def _check_group(override: Override, groups: dict[str, list[str]], job: str, config_dir: Path | None) -> None:
    group, _, name = override.key.partition(".")
    if group not in groups or group in catalog.default_choices(job, config_dir):
        return
    if not name and isinstance(override.value, str) and catalog.is_global(group, override.value, config_dir):
        return
    jobs = catalog.list_jobs()
    users = [f"`dlexp {other}`" for other in jobs if group in catalog.default_choices(other, config_dir)]
    verb = "read" if len(users) > 1 else "reads"
    raise ConfigError(f"{show(override.key)}: has no effect; {' and '.join(users) or 'no command'} {verb} it")


def _compose_choices(job: str, chosen: tuple[str, ...], config_dir: Path | None) -> tuple[DictConfig, dict[str, str]]:
    """Return the configuration before any value is set, and all choices; the caller must not change them."""
    files = guard.check_folder(config_dir) if config_dir else ()
    return _compose_files(job, chosen, config_dir.resolve() if config_dir else None, files)


@lru_cache(maxsize=128)  # 0.2 MB each
def _compose_files(
    job: str, chosen: tuple[str, ...], config_dir: Path | None, files: tuple[tuple[str, int, int], ...]
) -> tuple[DictConfig, dict[str, str]]:
    """Compose once for each set of choices and state of the user's files, which are looked for before the shipped ones.

    Hydra's public functions search the shipped files first.
    """
    search_path = create_config_search_path("pkg://dlexp.conf")
    if config_dir is not None:
        search_path.prepend("user", f"file://{config_dir}", anchor="main")
    other = catalog.choices_of_other_jobs(job, config_dir) if any(text.startswith("+") for text in chosen) else {}
    GlobalHydra.instance().clear()
    try:
        Hydra.create_main_hydra2("dlexp", search_path)
        tree = hydra_compose(job, [*(f"+{group}={other[group]}" for group in other), *chosen], return_hydra_config=True)
    except REFUSED as error:
        raise ConfigError(f"{' '.join(chosen)}: {_one_line(error)}") from error
    finally:
        GlobalHydra.instance().clear()
    OmegaConf.set_readonly(tree, False)
    OmegaConf.set_struct(tree, False)
    choices = {str(group): str(option) for group, option in tree.hydra.runtime.choices.items()}
    for name in ("hydra", *other):
        tree.pop(name, None)  # a defaults list may have overridden it with null
        choices.pop(name, None)
    OmegaConf.set_struct(tree, True)
    return tree, choices


def _set(tree: DictConfig, override: Override, keys: list[str]) -> None:
    """Do what one override says, in place."""
    key, action = override.key, override.action
    if action == "add" and key in keys and not isinstance(override.value, dict | list):
        raise ConfigError(f"{show(override.text)}: {key} is there already; write {key}=value without the +")
    try:
        if action == "delete":
            parent, _, leaf = key.rpartition(".")
            OmegaConf.set_struct(tree, False)
            del (OmegaConf.select(tree, parent) if parent else tree)[leaf]
            OmegaConf.set_struct(tree, True)
        else:
            OmegaConf.update(tree, key, override.value, merge=True, force_add=action != "change")
    except REFUSED as error:
        raise ConfigError(f"{show(key)}: got {show(override.value)}; it cannot be set ({_one_line(error)})") from error


def _leaves(override: Override, key: str, value: Any, keys: list[str]) -> list[Override]:
    """Return an override of a component, such as ``model={depth: 50}``, as one for each of its parameters."""
    if not isinstance(value, dict) or f"{key}._target_" not in keys:
        return [replace(override, key=key, value=value)]
    return [leaf for name, inner in value.items() for leaf in _leaves(override, f"{key}.{name}", inner, keys)]


def flat_keys(tree: Any, prefix: str = "") -> list[str]:
    """Return the dotted path of every node of nested dicts, inner nodes included."""
    if not isinstance(tree, dict):
        return []
    paths = []
    for name, value in tree.items():
        paths += [f"{prefix}{name}", *flat_keys(value, f"{prefix}{name}.")]
    return paths


def resolve_again(config: dict[str, Any], references: dict[str, Any]) -> dict[str, Any]:
    """Return a configuration with its references resolved against the values that it has now.

    Args:
        config: Plain, with every value set.
        references: By key, as they were written.

    Raises:
        ConfigError: One refers to nothing, or to itself.
    """
    tree = OmegaConf.create(config)
    for key, text in references.items():
        OmegaConf.update(tree, key, text, merge=False)
    return _resolve(tree)


def _references(tree: DictConfig) -> dict[str, Any]:
    """Return the values that hold an interpolation, unresolved."""
    return {key: value for key, value in _leaf_values(OmegaConf.to_container(tree)) if "${" in str(value)}


def _leaf_values(node: Any, prefix: str = "") -> list[tuple[str, Any]]:
    """Return the dotted key and the value of everything that is no dict; lists count as one value."""
    if not isinstance(node, dict):
        return [(prefix.removesuffix("."), node)]
    return [leaf for name, value in node.items() for leaf in _leaf_values(value, f"{prefix}{name}.")]


def _resolve(tree: DictConfig) -> dict[str, Any]:
    require_bounded(cast("dict[str, Any]", OmegaConf.to_container(tree)))
    try:
        resolved = OmegaConf.to_container(tree, resolve=True)
    except REFUSED as error:
        raise ConfigError(_one_line(error)) from error
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items()}


def _one_line(error: BaseException) -> str:
    if isinstance(error, RecursionError):
        return "nested too deeply, or a value that refers to itself"
    key = getattr(error, "full_key", None)  # OmegaConf's errors know where they arose
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    line = lines[0].partition(" raised while resolving interpolation: ")[2].strip('"') or lines[0]
    return f"{key}: {line[:160]}" if key else line[:160]


def logged_params(composed: Composed) -> dict[str, Any]:
    """Return the group choices and the settings that the user changed, under their config path."""
    changed: dict[str, Any] = {}
    for override in composed.changed:
        if override.key not in composed.choices and override.action != "delete":
            changed[override.key] = override.value
    return {**composed.choices, "seed": composed.config["seed"], **changed}
