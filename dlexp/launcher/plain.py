"""Tasks and events as JSON: a folder that others may write to must hold data, never code, as a pickle would be."""

import dataclasses
import json
from importlib import import_module
from pathlib import Path
from typing import Any

KIND = "!"  # the key of what JSON has no form for


def dumps(value: Any) -> str:
    """Return a value as one line of JSON: numbers, texts, lists, tuples, mappings, paths and dataclasses of these.

    Floats come back bit for bit.
    """
    return json.dumps(_encode(value), separators=(",", ":"))


def loads(text: str) -> Any:
    """Return what `dumps` was given.

    Raises:
        ValueError: The text is not of its making.
    """
    try:
        return _decode(json.loads(text))
    except (AttributeError, ImportError, KeyError, TypeError) as error:
        raise ValueError(f"not a task or event of dlexp: {error}") from error


def name_of(public: Any) -> str:
    """Return the name under which a module's class or function is found by `resolve`."""
    return f"{public.__module__}:{public.__qualname__}"


def resolve(name: str) -> Any:
    """Return a module's class or function."""
    module, _, attribute = name.partition(":")
    return getattr(import_module(module), attribute)


def _encode(value: Any) -> Any:
    if value is None or type(value) in (bool, int, float, str):
        return value
    if isinstance(value, list):
        return [_encode(item) for item in value]
    if isinstance(value, tuple):
        return {KIND: "tuple", "items": [_encode(item) for item in value]}
    if isinstance(value, dict):
        return {KIND: "dict", "items": [[_encode(key), _encode(item)] for key, item in value.items()]}
    if isinstance(value, Path):
        return {KIND: "path", "text": str(value)}
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        fields: Any = value.__getstate__() or {}  # a class may leave out what is not sent
        return {KIND: name_of(type(value)), "fields": {name: _encode(item) for name, item in fields.items()}}
    raise TypeError(f"got {type(value).__name__}; a task or event consists of plain values")


def _decode(value: Any) -> Any:
    if isinstance(value, list):
        return [_decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    kind = value[KIND]
    if kind == "tuple":
        return tuple(_decode(item) for item in value["items"])
    if kind == "dict":
        return {_decode(key): _decode(item) for key, item in value["items"]}
    return Path(value["text"]) if kind == "path" else _made(kind, value["fields"])


def _made(kind: str, fields: dict[str, Any]) -> Any:
    """Return a dataclass as it was; nothing of any other class is called."""
    of = resolve(kind)
    if not (isinstance(of, type) and dataclasses.is_dataclass(of)):
        raise TypeError(f"{kind} is no dataclass")
    made = object.__new__(of)
    for name, item in fields.items():
        object.__setattr__(made, name, _decode(item))
    return made
