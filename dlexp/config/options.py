"""What can be chosen: every group and option with its documentation, source and parameters."""

from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from dlexp.config import catalog
from dlexp.config.check import NODES
from dlexp.config.metric import METRICS
from dlexp.config.signature import COMPUTED, REQUIRED, read
from dlexp.config.trust import look_in_working_directory
from dlexp.config.wording import type_text
from dlexp.error import ConfigError, did_you_mean

METRIC = "metric"


class ParameterRecord(TypedDict):
    """A parameter of an option: its `default` in the YAML, what it takes, and what it does."""

    default: Any
    type: str
    doc: str


class OptionRecord(TypedDict):
    """An option of a group: what it is, where it comes from, and its parameters by name."""

    doc: str
    source: str
    parameters: dict[str, ParameterRecord]


Options = dict[str, dict[str, OptionRecord]]  # by group and option


def describe_options(group: str | None = None, option: str | None = None, config_dir: Path | None = None) -> Options:
    """Return ``{group: {option: {doc, source, parameters: {name: {default, type, doc}}}}}``.

    Documentation comes from docstrings and annotations, defaults from the YAML. Under `metric`, which only that name
    asks for, stand the metrics of results with their formulas; nothing is chosen there.

    Args:
        group: Only this group.
        option: Only this option of it.
        config_dir: A user's own folder, searched too.

    Raises:
        ConfigError: No such group or option.
    """
    if group == METRIC:
        return {METRIC: _describe_metrics(option)}
    groups = catalog.list_groups(config_dir)
    if config_dir is not None:
        look_in_working_directory()
    if group is not None and group not in groups:
        known = sorted([*groups, METRIC])
        raise ConfigError(f"group: got {group}; choose one of {', '.join(known)}{did_you_mean(group, known)}")
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


def _describe_option(group: str, option: str, config_dir: Path | None) -> OptionRecord:
    if catalog.is_global(group, option, config_dir):
        question, *rest = catalog.header(group, option, config_dir)
        return {"doc": question, "source": " ".join(rest), "parameters": {}}
    values = catalog.read_option(group, option, config_dir)
    signature = read(values.get("_target_", ""))
    return {
        "doc": signature.doc,
        "source": signature.source,
        "parameters": {
            name: {
                "default": values.get(name, _stated(parameter.default)),
                "type": type_text(parameter.text),
                "doc": parameter.doc,
            }
            for name, parameter in signature.parameters.items()
        },
    }


def _stated(default: Any) -> Any:
    """Return a default of the signature; null where the user has to give one, or only Python knows it."""
    return None if default is REQUIRED or default is COMPUTED else default


def _describe_metrics(name: str | None) -> dict[str, Any]:
    known = [row.name for row in METRICS]
    if name is not None and name not in known:
        raise ConfigError(f"metric: got {name}; choose one of {', '.join(known)}{did_you_mean(name, known)}")
    parameters = read(NODES[METRIC]).parameters
    return {
        row.name: {
            "doc": f"{row.formula}{'; ' if row.note else ''}{row.note}",
            "source": row.source,
            "task": row.task,
            "parameters": {
                p.name: {"default": p.default, "type": type_text(p.text), "doc": p.doc}
                for p in parameters.values()
                if p.name == row.parameter
            },
        }
        for row in METRICS
        if name in (None, row.name)
    }
