"""`config.yaml` and `overrides.txt`: a run's resolved configuration, what was typed, and where its data lay then."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from dlexp.config.rule.moved import config_now
from dlexp.config.source.place import contents, resolved
from dlexp.disk.regular import read_bytes
from dlexp.error import RunError

MOVED = {"dlexp.tracker.": "dlexp.tracking."}  # what configurations of older runs name, and where it is now
PLACES = "places"  # the field of a manifest that has the relative paths of the configuration, resolved, by key
CONTENTS = "contents"  # the field of a manifest that has the SHA-256 of files of the configuration, by key
# libyaml's are ten times as fast; not every build of PyYAML has them
_Dumper, _Loader = getattr(yaml, "CSafeDumper", yaml.SafeDumper), getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def text(config: dict[str, Any]) -> str:
    """Return a configuration as the file has it."""
    return yaml.dump(config, Dumper=_Dumper, sort_keys=False, allow_unicode=True)


def read(path: Path) -> dict[str, Any]:
    """Return the configuration in a file.

    Raises:
        RunError: The file is damaged.
    """
    try:
        content = read_bytes(path).decode()
        for before, after in MOVED.items():
            content = content.replace(f"_target_: {before}", f"_target_: {after}")
        config = yaml.load(content, _Loader)  # a safe loader
    except (OSError, ValueError, yaml.YAMLError, RecursionError) as error:
        raise RunError(f"{path}: cannot be read; restore it from a copy") from error
    if not isinstance(config, dict) or not all(isinstance(key, str) for key in config):
        raise RunError(f"{path}: damaged, holds no configuration; restore it from a copy")
    return config_now(config)


def digest(text: str) -> str:
    """Return the SHA-256 of a file's text, for the manifest."""
    return hashlib.sha256(text.encode()).hexdigest()


def read_lines(path: Path, recorded: str | None) -> list[str]:
    """Return the overrides in a file, a line each.

    Args:
        path: The file.
        recorded: Its `digest` when the run began; None where an earlier version wrote none.

    Raises:
        RunError: The file is damaged, or was edited.
    """
    try:
        text = read_bytes(path).decode()
        if recorded not in (None, digest(text)):
            raise ValueError
    except (OSError, ValueError) as error:
        raise RunError(f"{path}: damaged, or edited after the run began; restore it from a copy") from error
    return split_lines(text)


def paths_of(config: dict[str, Any]) -> dict[str, dict[str, str]]:
    """Return what a manifest says of the paths in a configuration: where relative ones lead, and what files hold."""
    fields = {PLACES: resolved(config), CONTENTS: contents(config)}
    return {name: content for name, content in fields.items() if content}


def join_lines(texts: Iterable[str]) -> str:
    """Return texts as lines: one that holds a line break is written in JSON, which begins with a quote."""
    return "".join(f"{json.dumps(text) if _is_broken(text) else text}\n" for text in texts)


def split_lines(content: str) -> list[str]:
    """Return the texts that `join_lines` was given."""
    return [_read(line) for line in content.removesuffix("\n").split("\n")] if content else []


def _is_broken(text: str) -> bool:
    return text.startswith('"') or len(text.splitlines()) > 1 or text.endswith(("\n", "\r"))


def _read(line: str) -> str:
    if not line.startswith('"'):
        return line
    try:
        text = json.loads(line)
    except ValueError:
        return line
    return text if isinstance(text, str) else line
