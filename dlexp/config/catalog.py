"""What can be chosen: groups and options, found by looking at the YAML folders."""

from importlib.util import find_spec
from pathlib import Path

import yaml


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
    """
    groups: dict[str, set[str]] = {}
    for root in [conf_folder(), *([config_dir] if config_dir else [])]:
        for folder in sorted(path for path in root.iterdir() if path.is_dir() and not path.name.startswith(("_", "."))):
            options = {path.stem for path in folder.glob("*.yaml") if not path.stem.startswith("_")}
            groups.setdefault(folder.name, set()).update(options)
    return {group: sorted(options) for group, options in sorted(groups.items()) if options}


def option_file(group: str, option: str, config_dir: Path | None = None) -> Path:
    """Return the YAML file of one option, the user's before the shipped one."""
    candidates = [root / group / f"{option}.yaml" for root in [*([config_dir] if config_dir else []), conf_folder()]]
    return next(path for path in candidates if path.is_file())


def read_option(group: str, option: str, config_dir: Path | None = None) -> dict:
    """Return an option's own keys, with those of the underscore files named in its defaults list."""
    content = _read(option_file(group, option, config_dir))
    merged: dict = {}
    for entry in content.pop("defaults", []):
        if isinstance(entry, str) and entry.startswith("_") and entry != "_self_":
            merged |= read_option(group, entry, config_dir)
    return merged | content


def default_choices(job: str = "train") -> dict[str, str]:
    """Return the options that a job's config chooses when the user says nothing."""
    entries = _read(conf_folder() / f"{job}.yaml")["defaults"]
    return {group: option for entry in entries if isinstance(entry, dict) for group, option in entry.items()}


def _read(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8")) or {}
