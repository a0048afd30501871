"""The JSON Schema of a whole configuration, and of the files in a user's folder from which one is composed."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dlexp.config import catalog
from dlexp.config.check import NODES
from dlexp.config.schema import node
from dlexp.config.schema.value import ANY, REFERENCE, Schema, in_file, of_parameter
from dlexp.config.signature import ROOT, read
from dlexp.config.trust import look_in_working_directory

DIALECT = "https://json-schema.org/draft/2020-12/schema"
_ANY: Schema = {
    "if": {"type": "object", "required": ["_target_"]},
    "then": {"$ref": "#/$defs/component"},
    "else": {"if": {"type": "array"}, "then": {"items": ANY}},
}


def schema(config_dir: Path | None = None) -> Schema:
    """Return the schema: at its root a checked configuration, under ``$defs`` the files by their group.

    Args:
        config_dir: A user's folder of YAML files, whose options are choices too.

    Raises:
        ConfigError: A file of the folder cannot be read.
    """
    groups = catalog.list_groups(config_dir)
    if config_dir is not None:
        look_in_working_directory()
    options = {group: node.of_options(group, groups[group], config_dir) for group in groups}
    options = {group: schemas for group, schemas in options.items() if schemas}
    root, nodes = _root(), node.of_nodes()
    targets = {target: value for schemas in options.values() for target, value in schemas.items()}
    targets |= {NODES[name]: value for name, value in nodes.items()}
    files = {group: _file(group, schemas, groups) for group, schemas in options.items()}
    chosen = {name: _reference("targets", NODES[name]) for name in nodes}
    chosen |= {group: _reference("group", group) for group in options}
    return {
        "$schema": DIALECT,
        "title": "A configuration of dlexp",
        "type": "object",
        "properties": root | chosen,
        "required": [*root, *nodes, *catalog.default_choices()],
        "additionalProperties": False,
        "$defs": {
            "any": _ANY,
            "component": _choice([target for schemas in options.values() for target in schemas]),
            "targets": targets,
            "group": {group: _choice(list(schemas)) for group, schemas in options.items()},
            "file": files | {catalog.EXPERIMENT: _experiment(root, nodes, files, groups)},
        },
    }


def _reference(*place: str) -> Schema:
    return {"$ref": "/".join(("#/$defs", *place))}


def _choice(targets: list[str]) -> Schema:
    """Return the schema of a component that is one of several classes, told apart by `_target_`."""
    return {
        "type": "object",
        "required": ["_target_"],
        "properties": {"_target_": _target(targets)},
        "allOf": [
            {
                "if": {"properties": {"_target_": {"const": target}}, "required": ["_target_"]},
                "then": _reference("targets", target),
            }
            for target in targets
        ],
    }


def _target(targets: Iterable[str]) -> Schema:
    """Return the schema of a `_target_`: a class of dlexp's that fits, or one of the user's."""
    return {"anyOf": [{"enum": sorted(targets)}, {"type": "string", "pattern": node.FOREIGN}]}


def _root() -> dict[str, Schema]:
    said = node.root_comments()
    root = {name: of_parameter(parameter, said.get(name, "")) for name, parameter in read(ROOT).parameters.items()}
    root["runs_dir"]["minLength"] = 1
    return root


def _file(group: str, schemas: dict[str, Schema], groups: dict[str, list[str]]) -> Schema:
    """Return the schema of ``conf/GROUP/NAME.yaml``, which may inherit the class that it sets parameters of."""
    properties: dict[str, Any] = {}
    for schema_ in schemas.values():
        for name, value in schema_["properties"].items():
            if name != "_target_":
                known = properties.setdefault(name, [])
                known += [value] if value not in known else []
    taken = {name: _either([in_file(value) for value in values]) for name, values in properties.items()}
    is_open = any(value["additionalProperties"] for value in schemas.values())
    return {
        "type": "object",
        "properties": {"defaults": _defaults(groups, [], groups[group]), "_target_": _target(schemas), **taken},
        "if": {"properties": {"_target_": {"pattern": r"^dlexp\."}}},
        "then": {} if is_open else {"propertyNames": {"enum": ["defaults", "_target_", *taken]}},
    }


def _either(schemas: list[Schema]) -> Schema:
    """Return the schema of a key that options have with other meanings."""
    if len(schemas) == 1:
        return schemas[0]
    words = dict.fromkeys(schema_["description"] for schema_ in schemas)
    return {"description": "; or: ".join(words), "anyOf": schemas}


def _defaults(groups: dict[str, list[str]], chosen: list[str], inherited: list[str]) -> Schema:
    """Return the schema of a list of defaults: options to inherit, and options of other groups to bring along."""
    brought = {rf"^override /{group}(@_global_\.{group})?$": {"enum": options} for group, options in groups.items()}
    return {
        "type": "array",
        "items": {
            "anyOf": [
                {"enum": ["_self_", *inherited]},
                {"type": "string", "pattern": "^_"},
                {
                    "type": "object",
                    "properties": {group: {"enum": groups[group]} for group in chosen},
                    "patternProperties": brought,
                    "additionalProperties": False,
                },
            ]
        },
    }


def _experiment(
    root: dict[str, Schema], nodes: dict[str, Schema], files: dict[str, Schema], groups: dict[str, list[str]]
) -> Schema:
    """Return the schema of a file with ``# @package _global_``: what it changes of all groups, and what it searches."""
    expressions = {"type": "object", "additionalProperties": {"type": "string"}}
    sweeper = {"type": "object", "properties": {"params": expressions}, "additionalProperties": False}
    inherited = [*groups[catalog.EXPERIMENT], *catalog.list_jobs()]
    return {
        "type": "object",
        "properties": {
            "defaults": _defaults(groups, list(groups), inherited),
            "hydra": {"type": "object", "properties": {"sweeper": sweeper}, "additionalProperties": False},
            **{name: in_file(value) for name, value in root.items()},
            **{name: _of_node(value) for name, value in nodes.items()},
            **{group: {"anyOf": [_reference("file", group), REFERENCE]} for group in files},
        },
        "additionalProperties": False,
    }


def _of_node(schema_: Schema) -> Schema:
    properties = {key: in_file(value) for key, value in schema_["properties"].items() if key != "_target_"}
    properties["_target_"] = schema_["properties"]["_target_"]
    return {"type": "object", "properties": properties, "additionalProperties": False}
