"""What YAML reads otherwise than it is written (010 is eight, 1:30 is ninety), and what would be read by nobody."""

import re
from collections.abc import Iterator
from pathlib import Path

import yaml

from dlexp.error import ConfigError

_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
_OTHER_BASE = re.compile(r"[-+]?0[0-7_]+|.*:.*")  # octal, and numbers to the base of 60

_OF_HYDRA = re.compile(r"(override\s+)?/?hydra/.*")  # an option of Hydra's in a list of defaults


def check_spelling(path: Path, root: yaml.Node) -> None:
    """Refuse numbers that mean others than they show, keys written twice, and settings of Hydra itself.

    Args:
        path: Of the file.
        root: Of its nodes; what aliases name is looked at once.

    Raises:
        ConfigError: Names the line, and what to write.
    """
    for node in _nodes(root, set()):
        if isinstance(node, yaml.ScalarNode) and node.tag in _NUMBERS and _OTHER_BASE.fullmatch(node.value):
            read = yaml.safe_load(node.value)
            cure = f"which YAML reads as {read}; write {read}, or '{node.value}' for the text"
            raise ConfigError(f"{_place(path, node)}: got {node.value}, {cure}")
        if isinstance(node, yaml.MappingNode):
            _check_keys(path, node, is_root=node is root)


def _check_keys(path: Path, mapping: yaml.MappingNode, *, is_root: bool) -> None:
    lines: dict[str, int] = {}
    for key, value in mapping.value:
        if not isinstance(key, yaml.ScalarNode):
            continue
        if (is_root and key.value == "hydra" and not _is_sweeper(value)) or _OF_HYDRA.fullmatch(key.value):
            cure = "of Hydra's own settings dlexp reads hydra.sweeper.params alone; runs_dir is where runs are written"
            raise ConfigError(f"{_place(path, key)}: got {key.value}; {cure}")
        if key.value in lines:
            before = lines[key.value]
            raise ConfigError(f"{_place(path, key)}: got {key.value} again, which line {before} has; remove one")
        lines[key.value] = key.start_mark.line + 1


def _is_sweeper(node: yaml.Node) -> bool:
    """Say whether the block for Hydra holds nothing but ``sweeper.params``, a mapping."""
    for name in ("sweeper", "params"):
        if not isinstance(node, yaml.MappingNode) or [key.value for key, _ in node.value] != [name]:
            return False
        node = node.value[0][1]
    return isinstance(node, yaml.MappingNode)


def _nodes(node: yaml.Node, seen: set[int]) -> Iterator[yaml.Node]:
    if id(node) in seen:
        return
    seen.add(id(node))
    yield node
    inner = node.value if isinstance(node, yaml.CollectionNode) else []
    for entry in inner:
        for child in entry if isinstance(entry, tuple) else (entry,):
            yield from _nodes(child, seen)


def _place(path: Path, node: yaml.Node) -> str:
    return f"{path}, line {node.start_mark.line + 1}"
