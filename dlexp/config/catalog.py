"""What can be chosen: groups and options, found by looking at the YAML folders."""

import itertools
import re
from collections.abc import Collection
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, ClassVar

import yaml

from dlexp.config import guard
from dlexp.error import ConfigError

EXPERIMENT = "experiment"  # the group whose options set keys of all others
_FASTEST: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml's is ten times as fast


class Loader(_FASTEST):
    """Reads numbers as OmegaConf does: 1e-3 is one, where YAML 1.1 wants 1.0e-3; a date is the text that it is."""

    yaml_implicit_resolvers: ClassVar[dict[str, Any]] = {
        first: [(tag, form) for tag, form in forms if tag != "tag:yaml.org,2002:timestamp"]
        for first, forms in _FASTEST.yaml_implicit_resolvers.items()
    }


Loader.add_implicit_resolver(
    "tag:yaml.org,2002:float", re.compile(r"[-+]?\d[\d_]*\.?[\d_]*[eE][-+]?\d+$"), list("-+.0123456789")
)


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


def roots(config_dir: Path | None = None) -> list[Path]:
    """Return the folders that are searched for a file, the user's before the shipped one."""
    return [*([config_dir] if config_dir else []), conf_folder()]


def option_file(group: str, option: str, config_dir: Path | None = None) -> Path:
    """Return the YAML file of one option, the user's before the shipped one.

    Raises:
        ConfigError: There is none, or the user's ends in .yml, which Hydra does not read.
    """
    for root in roots(config_dir):
        path = root / group / f"{option}.yaml"
        if path.is_file():
            return path
        if path.with_suffix(".yml").is_file():
            raise ConfigError(f"{group}: got {option}, which is {path.with_suffix('.yml')}; rename it to {path.name}")
    raise ConfigError(f"{group}: got {option}; no file {group}/{option}.yaml was found")


def replaced_files(config_dir: Path) -> list[str]:
    """Return the shipped files, such as ``optimizer/adam.yaml``, that files of a user's folder stand in for."""
    shipped = [
        path.relative_to(conf_folder()) for pattern in ("*.yaml", "*/*.yaml") for path in conf_folder().glob(pattern)
    ]
    return sorted(str(path) for path in shipped if (config_dir / path).is_file())


def misnamed_files(config_dir: Path) -> list[Path]:
    """Return files of a user's folder that would be options if their names ended in .yaml."""
    return sorted(path for group in list_groups() for path in (config_dir / group).glob("*.yml"))


def option_files(group: str, option: str, config_dir: Path | None = None) -> list[Path]:
    """Return the files that make up an option, those it inherits from first, in the order in which they are merged.

    Raises:
        ConfigError: One is absent, or inherits from itself.
    """
    return [path for path, _ in _layers(group, option, config_dir, ())]


def read_option(group: str, option: str, config_dir: Path | None = None) -> dict:
    """Return an option's keys, those that it inherits by its defaults list (``defaults: [adam, _self_]``) included.

    Raises:
        ConfigError: A file is absent, or inherits from itself.
    """
    merged: dict = {}
    for _, content in _layers(group, option, config_dir, ()):
        merged |= content
    return merged


def _layers(group: str, option: str, config_dir: Path | None, heirs: tuple[Path, ...]) -> list[tuple[Path, dict]]:
    path = option_file(group, option, config_dir)
    if path in heirs:
        raise ConfigError(f"{path}: inherits from itself by its defaults list; give the file another name")
    content = _read(path)
    names = [entry for entry in content.pop("defaults", None) or [] if isinstance(entry, str)]
    layers = []
    for name in names if "_self_" in names else [*names, "_self_"]:
        if name == "_self_":
            layers.append((path, content))
        elif not name.startswith("/") and "@" not in name:
            layers += _layers(group, name, config_dir, (*heirs, path))
    return layers


def implied_choices(group: str, option: str, config_dir: Path | None = None) -> dict[str, str]:
    """Return the options of other groups that an option brings along (``override /norm@_global_.norm: batch``)."""
    implied = {}
    for path in option_files(group, option, config_dir):
        for entry in _read(path).get("defaults") or []:
            for key, choice in entry.items() if isinstance(entry, dict) else ():
                group_override = re.fullmatch(r"override /(\w+)(@\S+)?", str(key))
                if group_override:
                    implied[group_override[1]] = str(choice)
    return implied


def sweeper_params(group: str, option: str, config_dir: Path | None = None) -> dict[str, Any]:
    """Return what an option that sets keys of all groups has under ``hydra.sweeper.params``, by key."""
    params: dict[str, Any] = {}
    for path in option_files(group, option, config_dir):
        node: Any = _read(path)
        for name in ("hydra", "sweeper", "params"):
            node = node.get(name) or {}
        params |= node
    return params


def header(group: str, option: str, config_dir: Path | None = None) -> list[str]:
    """Return the comment at the top of an option's file, a line each, without the line that names its package."""
    lines = option_file(group, option, config_dir).read_text(encoding="utf-8").splitlines()
    comment = [line.lstrip("#").strip() for line in itertools.takewhile(lambda line: line.startswith("#"), lines)]
    return [line for line in comment if not line.startswith("@package")]


def is_global(group: str, option: str, config_dir: Path | None = None) -> bool:
    """Return whether an option sets keys of the whole configuration, as ``# @package _global_`` at its top says.

    Raises:
        ConfigError: The line stands below another, where Hydra does not look for it.
    """
    path = option_file(group, option, config_dir)
    lines = path.read_text(encoding="utf-8").splitlines()
    header = itertools.takewhile(lambda line: not line.strip() or line.startswith("#"), lines)
    marks = [line.lstrip("# ").split() == ["@package", "_global_"] for line in header if line.strip()]
    if any(marks) and not marks[0]:
        raise ConfigError(f"{path}: got `# @package _global_` below another line; Hydra reads it in the first alone")
    return any(marks)


def list_jobs() -> list[str]:
    """Return the names of the primary configs: train, sweep, ..."""
    return sorted(path.stem for path in conf_folder().glob("*.yaml"))


def job_file(job: str, config_dir: Path | None = None) -> Path:
    """Return a job's config, the user's before the shipped one."""
    return next(path for root in roots(config_dir) if (path := root / f"{job}.yaml").is_file())


def default_choices(job: str = "train", config_dir: Path | None = None) -> dict[str, str]:
    """Return the options that a job's config chooses when the user says nothing, those of configs it builds on too.

    Raises:
        ConfigError: A config builds on itself.
    """
    return _default_choices(job, config_dir, ())


def choices_of_other_jobs(job: str, config_dir: Path | None = None) -> dict[str, str]:
    """Return the default options of the groups that only other jobs read: an experiment's file may be for those too."""
    everything = {group: o for name in list_jobs() for group, o in default_choices(name, config_dir).items()}
    return {group: everything[group] for group in everything.keys() - default_choices(job, config_dir).keys()}


def _default_choices(job: str, config_dir: Path | None, heirs: tuple[Path, ...]) -> dict[str, str]:
    path = job_file(job, config_dir)
    if path in heirs:
        raise ConfigError(f"{path}: got itself in its defaults list; {_cure_of_job(job, path)}")
    choices: dict[str, str] = {}
    for entry in _read(path).get("defaults") or []:
        if isinstance(entry, dict):
            choices |= {str(group): str(option) for group, option in entry.items()}
        elif entry != "_self_":
            choices |= _default_choices(entry, config_dir, (*heirs, path))
    return choices


def require_all_groups(job: str, config_dir: Path | None) -> None:
    """Refuse a user's config of a job that chooses from fewer groups than the shipped one, for which it stands in.

    Raises:
        ConfigError: The groups, and how to change a few keys alone.
    """
    for name in dict.fromkeys(("train", job)) if config_dir else ():
        chosen = default_choices(name, config_dir)
        if absent := [group for group in default_choices(name) if group not in chosen]:
            path = job_file(name, config_dir)
            raise ConfigError(f"{path}: got no {', '.join(absent)} in its defaults list; {_cure_of_job(name, path)}")


def require_every_choice(config: Collection[Any], job: str, config_dir: Path | None) -> None:
    """Refuse a composition without a group that the job reads: a defaults list overrides the group with null.

    Args:
        config: The composed groups and keys.
        job: Name of the primary config.
        config_dir: A user's own folder.

    Raises:
        ConfigError: The first such group, and its options.
    """
    groups = list_groups(config_dir)
    for group in default_choices(job, config_dir):
        if group not in config:
            options = ", ".join(groups[group])
            raise ConfigError(f"{group}: got null in a defaults list; choose one of {options}")


def _cure_of_job(job: str, path: Path) -> str:
    return (
        f"it stands in for the whole of the shipped {job}.yaml: begin with a copy of that, or put what differs into "
        f"{path.parent / 'experiment' / 'NAME.yaml'} below `# @package _global_` and choose experiment=NAME"
    )


@cache
def shipped_targets(group: str) -> frozenset[str]:
    """Return the `_target_` of every option of a group that dlexp ships; empty where it ships no such group."""
    paths = [path for path in (conf_folder() / group).glob("*.yaml") if not path.stem.startswith("_")]
    return frozenset(_read(path)["_target_"] for path in paths if group != EXPERIMENT)


def _read(path: Path) -> dict:
    return yaml.load(path.read_text(encoding="utf-8"), Loader) or {}
