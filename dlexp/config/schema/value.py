"""What a parameter takes as JSON Schema: from the annotation that the checker reads, so that both say the same."""

import math
import re
from typing import Any

from pydantic import TypeAdapter

from dlexp.config.signature import COMPUTED, REQUIRED, Parameter
from dlexp.config.wording import type_text

Schema = dict[str, Any]
ANY: Schema = {"$ref": "#/$defs/any"}  # anything, in which components are components of dlexp
REFERENCE: Schema = {"type": "string", "pattern": r"\$\{.*\}"}
MISSING = "???"


def of_parameter(parameter: Parameter, comment: str = "", default: Any = REQUIRED) -> Schema:
    """Return what a checked configuration may hold for a parameter.

    Args:
        parameter: From the signature.
        comment: Of its line in the YAML file; "" takes the docstring's words.
        default: What the YAML file states; REQUIRED where it states nothing.
    """
    stated = parameter.default if default is REQUIRED else default
    words = comment or f"{parameter.doc} {type_text(parameter.text)}".strip()
    known = {} if stated is REQUIRED or stated is COMPUTED or stated == MISSING else {"default": stated}
    if isinstance(stated, float) and not math.isfinite(stated):
        known = {}
    return {**_of_type(parameter), "description": words, **known}


def in_file(schema: Schema) -> Schema:
    """Return what a file may hold for a parameter: a reference to another value too, or nothing yet."""
    about = {name: schema[name] for name in ("description", "default") if name in schema}
    taken = {name: value for name, value in schema.items() if name not in about}
    return {**about, "anyOf": [_with_missing(taken), REFERENCE, {"const": MISSING}]}


def _with_missing(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_with_missing(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {name: _with_missing(value) for name, value in schema.items() if name != "not"}


def _of_type(parameter: Parameter) -> Schema:
    try:
        schema = TypeAdapter(parameter.annotation).json_schema()
    except Exception:  # a user's type that only its constructor can check
        return ANY
    return _plain(schema, is_name=bool(re.search(r"\bName\b", parameter.text)))


def _plain(node: Any, *, is_name: bool) -> Any:
    """Return a schema without titles and infinite bounds, in which a text is no value that is missing."""
    if isinstance(node, list):
        return [_plain(item, is_name=is_name) for item in node]
    if not isinstance(node, dict):
        return node
    if not node:
        return ANY
    inner = {
        name: _plain(value, is_name=is_name)
        for name, value in node.items()
        if name != "title" and not (isinstance(value, float) and math.isinf(value))
    }
    if inner.get("type") == "string" and "enum" not in inner and "const" not in inner:
        inner |= {"type": ["string", "number"] if is_name else "string", "not": {"const": MISSING}}
    if inner.get("type") == "object":
        inner |= ANY  # a mapping with a `_target_` is a component wherever it stands
    if inner.get("additionalProperties") is True:
        inner["additionalProperties"] = ANY
    return inner
