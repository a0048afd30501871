"""Refuses YAML that would hurt before OmegaConf reads it: huge files, alias bombs and deep nesting."""

import os
import stat
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from dlexp.config.source.spelling import check_spelling
from dlexp.error import ConfigError

MAX_BYTES = 1_000_000
MAX_NODES = 20_000  # values of one file once every alias is written out
MAX_DEPTH = 30
MAX_ENTRIES = 20_000  # files and folders that are looked at for YAML: half a second


State = tuple[tuple[str, int, int], ...]  # path, time of change in ns and bytes of each file


def check_folder(folder: Path) -> State:
    """Check every YAML file below a user's config folder, each once for as long as it does not change.

    Returns:
        The state of the files.

    Raises:
        ConfigError: The folder is absent or holds too much, or one of its files cannot be read safely.
    """
    if not folder.is_dir():
        raise ConfigError(f"--config-dir: got {folder}; a folder that exists is needed")
    state = []
    for path in _yaml_files(folder):
        try:
            status = path.stat()
        except OSError as error:
            raise ConfigError(f"{path}: got a file that cannot be read ({error.strerror})") from None
        state.append((str(path), status.st_mtime_ns, status.st_size))
        _check_once(*state[-1], is_regular=stat.S_ISREG(status.st_mode))
    return tuple(state)


def _yaml_files(folder: Path) -> list[Path]:
    """Return the YAML files below a folder, hidden folders left out; links to folders are not followed."""
    files, entries = [], 0
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        entries += len(folders) + len(names)
        if entries > MAX_ENTRIES:
            raise ConfigError(
                f"--config-dir: got {folder}; it holds more than {MAX_ENTRIES:,} files, so name a folder of YAML files"
            )
        files += [Path(place) / name for name in sorted(names) if name.endswith((".yaml", ".yml"))]
    return files


@lru_cache(maxsize=1024)
def _check_once(path: str, changed_ns: int, size: int, *, is_regular: bool) -> None:
    if not is_regular:
        raise ConfigError(f"{path}: got no regular file; a file of text is needed")
    check_file(Path(path))


def check_file(path: Path) -> None:
    """Check one YAML file by its size and its event stream, which expands nothing.

    Raises:
        ConfigError: It is no readable file, too large, no YAML, no mapping, or too large once its aliases are expanded.
    """
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise ConfigError(f"{path}: got {size:,} bytes; a config file of at most {MAX_BYTES:,} is read")
        with path.open(encoding="utf-8") as text:
            _check_events(path, yaml.parse(text, Loader=yaml.SafeLoader))
            text.seek(0)
            check_spelling(path, yaml.compose(text, Loader=yaml.SafeLoader))
    except OSError as error:
        raise ConfigError(f"{path}: got a file that cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f", line {place.line + 1}" if place else ""
        raise ConfigError(f"{path}{where}: got text that is no YAML; check indentation and colons") from None


def _check_events(path: Path, events: Iterable[Any]) -> None:
    """Count the nodes that the file has with every alias replaced by what it names."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # anchor and the count of nodes before it
    nodes = 0
    for event in events:
        if isinstance(event, yaml.NodeEvent):
            if not open_nodes and nodes == 0 and not isinstance(event, yaml.MappingStartEvent):
                raise ConfigError(f"{path}: got a file without keys; lines of the form `key: value` are needed")
            nodes += _size(path, event, sizes) if isinstance(event, yaml.AliasEvent) else 1
        if isinstance(event, yaml.CollectionStartEvent):
            open_nodes.append((event.anchor, nodes - 1))
        elif isinstance(event, yaml.CollectionEndEvent):
            anchor, before = open_nodes.pop()
            sizes |= {anchor: nodes - before} if anchor else {}
        elif isinstance(event, yaml.ScalarEvent) and event.anchor:
            sizes[event.anchor] = 1
        if nodes > MAX_NODES or len(open_nodes) > MAX_DEPTH:
            raise ConfigError(
                f"{path}: got more than {MAX_NODES:,} values (aliases written out) or {MAX_DEPTH} levels; shorten it"
            )


def _size(path: Path, alias: yaml.AliasEvent, sizes: dict[str, int]) -> int:
    if alias.anchor not in sizes:
        raise ConfigError(f"{path}: got the alias *{alias.anchor}, which is unknown or stands in itself; write it out")
    return sizes[alias.anchor]
