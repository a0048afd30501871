"""Settings that are paths, wherever a command is given: where they lead, and which content decided numbers."""

import hashlib
import os
from functools import lru_cache
from typing import Any

from dlexp.config.signature import declaration

_KINDS = ("Place", "Path", "pathlib.Path", "PathLike", "os.PathLike")  # declared types of paths
_NAMES = ("path", "root", "dir", "directory", "folder", "file")  # last words of keys that are paths
_WRITTEN = ("data.cache",)  # made where it is missing


def paths(config: dict[str, Any]) -> dict[str, str]:
    """Return the settings of components that are paths to read, by key.

    Declared as such, as ``model.weights`` is, or settings of a user's class that lead to something: to a file, or to a
    folder that is written with a ``/`` or under a key such as ``root`` or ``picture_dir``.
    """
    keys = {
        f"{group}.{name}": value
        for group, node in config.items()
        if isinstance(node, dict) and isinstance(node.get("_target_"), str)
        for name, value in node.items()
        if isinstance(value, str) and value and not name.startswith("_")
    }
    return {key: value for key, value in keys.items() if key not in _WRITTEN and _is_path(config, key, value)}


def resolved(config: dict[str, Any]) -> dict[str, str]:
    """Return the paths that are relative to the working directory, resolved, by key."""
    return {key: os.path.abspath(path) for key, path in paths(config).items() if not os.path.isabs(path)}


def contents(config: dict[str, Any]) -> dict[str, str]:
    """Return the SHA-256 of the files that settings lead to, by key; of data their fingerprint says more."""
    outside = {key: path for key, path in paths(config).items() if not key.startswith("data.")}
    return {key: content for key, path in outside.items() if (content := content_of(path)) is not None}


def content_of(path: str) -> str | None:
    """Return the SHA-256 of a file's content; None where there is no file."""
    try:
        state = os.stat(path)
        return _sha256(os.path.realpath(path), state.st_mtime_ns, state.st_size) if os.path.isfile(path) else None
    except (OSError, ValueError):
        return None


@lru_cache(maxsize=16)
def _sha256(path: str, _changed: int, _size: int) -> str:
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _is_path(config: dict[str, Any], key: str, value: str) -> bool:
    declared = declaration(config, key)
    if declared is not None and any(kind.strip() in _KINDS for kind in declared.text.split("|")):
        return True
    group, _, name = key.partition(".")
    if config[group]["_target_"].startswith("dlexp.") or not os.path.exists(value):
        return False
    return os.path.isfile(value) or "/" in value or name.rpartition("_")[2] in _NAMES
