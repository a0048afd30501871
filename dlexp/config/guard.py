"""Refuses YAML that would hurt before OmegaConf reads it: huge files, alias bombs and deep nesting."""

from pathlib import Path

import yaml

from dlexp.error import ConfigError

MAX_BYTES = 1_000_000
MAX_NODES = 20_000  # values of one file once every alias is written out
MAX_DEPTH = 30


def check_folder(folder: Path) -> None:
    """Check every YAML file below a user's config folder.

    Raises:
        ConfigError: The folder is absent, or one of its files cannot be read safely.
    """
    if not folder.is_dir():
        raise ConfigError(f"--config-dir: got {folder}; a folder that exists is needed")
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        check_file(path)


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
    except OSError as error:
        raise ConfigError(f"{path}: got a file that cannot be read ({error.strerror})") from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f", line {place.line + 1}" if place else ""
        raise ConfigError(f"{path}{where}: got text that is no YAML; check indentation and colons") from None


def _check_events(path: Path, events: object) -> None:
    """Count the nodes that the file has with every alias replaced by what it names."""
    sizes: dict[str, int] = {}
    open_nodes: list[tuple[str | None, int]] = []  # anchor and the count of nodes before it
    nodes = 0
    for event in events:  # type: ignore[attr-defined]
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
        raise ConfigError(f"{path}: got the alias *{alias.anchor}, which is unknown or part of itself; write it out")
    return sizes[alias.anchor]
