"""A component as JSON Schema: every option of a group by its `_target_`, with its parameters."""

import re
from pathlib import Path
from typing import Any

from dlexp.config import catalog
from dlexp.config.check import NODES
from dlexp.config.schema.value import ANY, MISSING, Schema, of_parameter
from dlexp.config.signature import REQUIRED, read

_COMMENT = re.compile(r"^(\w+):.*?\s#\s+(.+)$", re.MULTILINE)
FOREIGN = r"^(?!dlexp(\.|$))"  # a class of the user's, whose parameters only its own file tells


def comments(group: str, option: str, config_dir: Path | None = None) -> dict[str, str]:
    """Return what the YAML files of an option say of its keys."""
    said: dict[str, str] = {}
    for path in catalog.option_files(group, option, config_dir):
        said |= dict(_COMMENT.findall(path.read_text(encoding="utf-8")))
    return said


def of_target(target: str, values: dict[str, Any], said: dict[str, str]) -> Schema:
    """Return the parameters that a class takes.

    Args:
        target: Its dotted path.
        values: What its YAML file states, by key.
        said: The comments of the file.
    """
    signature = read(target)
    properties = {
        name: of_parameter(parameter, said.get(name, ""), values.get(name, REQUIRED))
        for name, parameter in signature.parameters.items()
    }
    needed = [name for name, parameter in signature.parameters.items() if parameter.default in (REQUIRED, MISSING)]
    return {
        "type": "object",
        "title": signature.doc,
        "properties": {"_target_": {"const": target}, **properties},
        "required": ["_target_", *needed],
        "additionalProperties": ANY if signature.is_open else False,
    }


def of_options(group: str, options: list[str], config_dir: Path | None = None) -> dict[str, Schema]:
    """Return the schema of each option of a group that is a class of dlexp's, by its target."""
    schemas: dict[str, Schema] = {}
    for option in options:
        values = catalog.read_option(group, option, config_dir)
        target = values.get("_target_", "")
        if target.startswith("dlexp.") and target not in schemas:
            schemas[target] = of_target(target, values, comments(group, option, config_dir))
    return schemas


def of_nodes() -> dict[str, Schema]:
    """Return the schema of each node of the root that is no choice of an option, by its name."""
    text = catalog.job_file("train").read_text(encoding="utf-8")
    nested = dict(re.findall(r"^  (\w+):.*?\s#\s+(.+)$", text, re.MULTILINE))
    return {name: of_target(target, {}, nested) for name, target in NODES.items()}


def root_comments() -> dict[str, str]:
    """Return what the shipped file says of the keys that belong to no group."""
    return dict(_COMMENT.findall(catalog.job_file("train").read_text(encoding="utf-8")))
