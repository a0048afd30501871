"""Composes a configuration from YAML and overrides with Hydra, and turns every failure into one clear line."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra import compose as hydra_compose
from hydra import initialize_config_module
from hydra.core.global_hydra import GlobalHydra
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from dlexp.config import catalog, guard
from dlexp.config.override import Override, parse
from dlexp.error import ConfigError, did_you_mean


@dataclass(frozen=True)
class Composed:
    """A resolved configuration and where it came from.

    Attributes:
        config: Plain nested dicts and lists, interpolations resolved, nothing missing.
        choices: The option chosen for each group.
        overrides: What the user wrote.
        changed: The overrides, parsed.
    """

    config: dict[str, Any]
    choices: dict[str, str]
    overrides: list[str]
    changed: list[Override]


def compose(overrides: list[str], *, config_dir: Path | None = None, job: str = "train") -> Composed:
    """Compose one configuration.

    Args:
        overrides: Hydra overrides without sweep expressions.
        config_dir: A user's folder of YAML files, searched after the shipped ones.
        job: Name of the primary config.

    Raises:
        ConfigError: Anything wrong with the overrides, the files or their values.
    """
    if config_dir is not None:
        guard.check_folder(config_dir)
    parsed = parse(overrides)
    groups = catalog.list_groups(config_dir)
    for override in parsed:
        _check_override(override, groups, job)
    search_path = [f"hydra.searchpath=[file://{config_dir.resolve()}]"] if config_dir else []
    try:
        tree = _compose(job, [*search_path, *overrides])
    except (HydraException, OmegaConfBaseException, ValueError, AttributeError, TypeError) as error:
        raise _explain(error, parsed, groups, job, search_path) from error
    choices = {group: str(option) for group, option in tree.hydra.runtime.choices.items() if group in groups}
    del tree["hydra"]
    return Composed(_resolve(tree), choices, list(overrides), parsed)


def _check_override(override: Override, groups: dict[str, list[str]], job: str) -> None:
    key, value = override.key, override.value
    if override.is_sweep:
        raise ConfigError(
            f"{key}: got the sweep expression {override.text}; use `dlexp sweep {override.text}` to search"
        )
    if key not in groups or override.action == "delete" or isinstance(value, dict):
        if "/" in key or (key in groups and override.action == "delete"):
            raise ConfigError(f"{override.text}: not possible; choose {key.split('/')[0].lstrip('~')}=option")
        return
    if not isinstance(value, str) or value not in groups[key]:
        options = ", ".join(groups[key])
        shown = "null" if value is None else value
        raise ConfigError(f"{key}: got {shown}; choose one of {options}{did_you_mean(str(value), groups[key])}")


def _compose(job: str, overrides: list[str]) -> DictConfig:
    GlobalHydra.instance().clear()
    with initialize_config_module("dlexp.conf", version_base="1.3"):
        tree = hydra_compose(job, overrides, return_hydra_config=True)
    OmegaConf.set_readonly(tree, False)
    OmegaConf.set_struct(tree, False)
    return tree


def _explain(
    error: Exception, parsed: list[Override], groups: dict[str, list[str]], job: str, search_path: list[str]
) -> ConfigError:
    """Find the override that a failed composition is about."""
    chosen = [o.text for o in parsed if o.key in groups and isinstance(o.value, str)]
    try:
        base = _compose(job, [*search_path, *chosen])
    except (HydraException, OmegaConfBaseException, ValueError) as cause:
        return ConfigError(f"{_one_line(cause)}")
    del base["hydra"]
    keys = flat_keys(OmegaConf.to_container(base))
    for override in parsed:
        if override.action != "add" and override.key not in keys and override.key not in groups:
            return unknown_key(override.key, keys, groups)
    return ConfigError(_one_line(error))


def unknown_key(key: str, keys: list[str], groups: dict[str, list[str]]) -> ConfigError:
    """Return the error for a key that the chosen options do not have, with the likeliest cure."""
    group, _, leaf = key.partition(".")
    owners = [o for o in groups.get(group, []) if leaf and leaf.split(".")[0] in catalog.read_option(group, o)]
    if owners:
        return ConfigError(f"unknown key {key}: it has no effect here; {group}={'|'.join(owners)} has it")
    same_leaf = [known for known in keys if known.rsplit(".", 1)[-1] == key.rsplit(".", 1)[-1]]
    if same_leaf:
        return ConfigError(f"unknown key {key}; did you mean {same_leaf[0]}?")
    return ConfigError(f"unknown key {key}{did_you_mean(key, [*keys, *groups]) or '; see `dlexp options`'}")


def flat_keys(tree: Any, prefix: str = "") -> list[str]:
    """Return the dotted path of every node of nested dicts, inner nodes included."""
    if not isinstance(tree, dict):
        return []
    found = []
    for name, value in tree.items():
        found += [f"{prefix}{name}", *flat_keys(value, f"{prefix}{name}.")]
    return found


def _resolve(tree: DictConfig) -> dict[str, Any]:
    missing = sorted(OmegaConf.missing_keys(tree))
    if missing:
        raise ConfigError(f"missing values: {', '.join(missing)}; set each as key=value")
    try:
        resolved = OmegaConf.to_container(tree, resolve=True, throw_on_missing=True)
    except (OmegaConfBaseException, ValueError, RecursionError) as error:
        raise ConfigError(_one_line(error)) from error
    assert isinstance(resolved, dict)
    return {str(key): value for key, value in resolved.items()}


def _one_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
