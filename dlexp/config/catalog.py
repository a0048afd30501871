"""What can be chosen: groups and options, found by looking at the YAML folders."""

import re
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import yaml

from dlexp.config import guard
from dlexp.error import ConfigError

LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times as fast where PyYAML was built with libyaml


def conf_folder() -> Path:
    """Return the folder of the YAML files that dlexp ships."""
    spec = find_spec("dlexp.conf")
    assert spec is not None
    assert spec.submodule_search_locations
    return Path(next(iter(spec.submodule_search_locations)))


def list_groups(config_dir: Path | None = None) -> dict[str, list[str]]:
    """Return every group with its options, sorted; files that begin with an underscore are not options.

    Args:
        config_dir: A user's own folder, searched too.

    Raises:
        ConfigError: The user's folder is absent or has a file that cannot be read safely.
    """
    if config_dir is not None:
        guard.check_folder(config_dir)
    groups: dict[str, set[str]] = {}
    for root in [conf_folder(), *([config_dir] if config_dir else [])]:
        for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))):
            options = {path.stem for path in folder.glob("*.yaml") if not path.stem.startswith("_")}
            groups.setdefault(folder.name, set()).update(options)
    return {group: sorted(options) for group, options in sorted(groups.items()) if options}


def option_file(group: str, option: str, config_dir: Path | None = None) -> Path:
    """Return the YAML file of one option, the shipped one before the user's, as Hydra finds it."""
    for root in [conf_folder(), *([config_dir] if config_dir else [])]:
        path = root / group / f"{option}.yaml"
        if path.is_file():
            return path
    raise ConfigError(f"{group}: got {option}; no file {group}/{option}.yaml was found")


def read_option(group: str, option: str, config_dir: Path | None = None) -> dict:
    """Return an option's own keys, with those of the underscore files named in its defaults list."""
    content = _read(option_file(group, option, config_dir))
    merged: dict = {}
    for entry in content.pop("defaults", None) or []:
        if isinstance(entry, str) and entry.startswith("_") and entry not in ("_self_", option):
            merged |= read_option(group, entry, config_dir)
    return merged | content


def implied_choices(group: str, option: str, config_dir: Path | None = None) -> dict[str, str]:
    """Return the options of other groups that an option brings along (``override /norm@_global_.norm: batch``)."""
    implied = {}
    for entry in _read(option_file(group, option, config_dir)).get("defaults") or []:
        for key, choice in entry.items() if isinstance(entry, dict) else ():
            group_override = re.fullmatch(r"override /(\w+)(@\S+)?", str(key))
            if group_override:
                implied[group_override[1]] = str(choice)
    return implied


def list_jobs() -> list[str]:
    """Return the names of the primary configs: train, sweep, ..."""
    return sorted(path.stem for path in conf_folder().glob("*.yaml"))


def default_choices(job: str = "train") -> dict[str, str]:
    """Return the options that a job's config chooses when the user says nothing, those of configs it builds on too."""
    choices: dict[str, str] = {}
    for entry in _read(conf_folder() / f"{job}.yaml")["defaults"]:
        if isinstance(entry, dict):
            choices |= entry
        elif entry != "_self_":
            choices |= default_choices(entry)
    return choices


@cache
def shipped_targets(group: str) -> frozenset[str]:
    """Return the `_target_` of every option of a group that dlexp ships; empty where it ships no such group."""
    paths = [path for path in (conf_folder() / group).glob("*.yaml") if not path.stem.startswith("_")]
    return frozenset(_read(path)["_target_"] for path in paths)


def _read(path: Path) -> dict:
    return yaml.load(path.read_text(encoding="utf-8"), LOADER) or {}
