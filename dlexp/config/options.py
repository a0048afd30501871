"""What can be chosen: every group and option with its documentation, source and parameters."""

from pathlib import Path
from typing import Any

from dlexp.config import catalog
from dlexp.config.signature import read
from dlexp.config.trust import look_in_working_directory
from dlexp.config.wording import type_text
from dlexp.error import ConfigError, did_you_mean


def describe(group: str | None = None, option: str | None = None, config_dir: Path | None = None) -> dict[str, Any]:
    """Return ``{group: {option: {doc, source, parameters: {name: {default, type, doc}}}}}``.

    Documentation comes from docstrings and annotations, defaults from the YAML.

    Args:
        group: Only this group.
        option: Only this option of it.
        config_dir: A user's own folder, searched too.

    Raises:
        ConfigError: No such group or option.
    """
    groups = catalog.list_groups(config_dir)
    if config_dir is not None:
        look_in_working_directory()
    if group is not None and group not in groups:
        raise ConfigError(f"group: got {group}; choose one of {', '.join(groups)}{did_you_mean(group, groups)}")
    if group is not None and option is not None and option not in groups[group]:
        near = did_you_mean(option, groups[group])
        raise ConfigError(f"{group}: got {option}; choose one of {', '.join(groups[group])}{near}")
    defaults = {g: option for job in catalog.list_jobs() for g, option in catalog.default_choices(job).items()}
    return {
        name: {
            o: _describe_option(name, o, config_dir)
            for o in _default_first(options, defaults.get(name))
            if option in (None, o)
        }
        for name, options in groups.items()
        if group in (None, name)
    }


def _default_first(options: list[str], default: str | None) -> list[str]:
    return sorted(options, key=lambda option: (option != default, option))


def _describe_option(group: str, option: str, config_dir: Path | None) -> dict[str, Any]:
    values = catalog.read_option(group, option, config_dir)
    signature = read(values.get("_target_", ""))
    return {
        "doc": signature.doc,
        "source": signature.source,
        "parameters": {
            name: {"default": values.get(name), "type": type_text(parameter.text), "doc": parameter.doc}
            for name, parameter in signature.parameters.items()
        },
    }
