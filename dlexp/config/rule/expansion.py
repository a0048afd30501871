"""Refuses references that grow: twelve lines of ten references each stand for a million million values."""

import re
from typing import Any

from dlexp.error import ConfigError

MAX_SIZE = 100_000  # values and characters that all references stand for
MAX_DEPTH = 20  # references that lead to each other
ENVIRONMENT = "oc.env"  # the only resolver that there is a use for
_REFERENCE = re.compile(r"\$\{([^${}]*)\}")
_RESOLVER = re.compile(r"\$\{([^${}:]*):")
_COMPUTED = re.compile(r"\$\{[^{}:]*\$\{")

Path = tuple[str | int, ...]


def require_bounded(raw: dict[str, Any]) -> None:
    """Check what the references of a configuration stand for, before any is resolved.

    Args:
        raw: Nested dicts and lists, references unresolved.

    Raises:
        ConfigError: They stand for too much, lead too far, name a resolver other than `oc.env` or compute their keys.
    """
    try:
        _Expansion(raw).measure(())
    except RecursionError:
        raise ConfigError(f"got references that lead through more than {MAX_DEPTH}; shorten") from None


class _Expansion:
    """Sizes of nodes with every reference written out, and how many references lead to their end; each counted once."""

    def __init__(self, raw: dict[str, Any]) -> None:
        self._raw, self._measures = raw, dict[Path, tuple[int, int]]()

    def measure(self, path: Path) -> tuple[int, int]:
        """Return values and characters of a node, and the longest way of references from it.

        One that stands in itself counts nothing: resolving says it better.
        """
        if path not in self._measures:
            self._measures[path] = (0, 0)
            size, depth = self._measures[path] = self._sum(path)
            if size > MAX_SIZE:
                raise ConfigError(
                    f"{_name(path)}: got references that stand for more than {MAX_SIZE:,} values; shorten"
                )
            if depth > MAX_DEPTH:
                raise ConfigError(f"{_name(path)}: got references that lead through more than {MAX_DEPTH}; shorten")
        return self._measures[path]

    def _sum(self, path: Path) -> tuple[int, int]:
        node = self._node(path)
        if isinstance(node, dict | list):
            measures = [self.measure((*path, key)) for key in (node if isinstance(node, dict) else range(len(node)))]
            return 1 + sum(size for size, _ in measures), max((depth for _, depth in measures), default=0)
        if not isinstance(node, str) or "${" not in node:
            return len(node) if isinstance(node, str) else 1, 0
        if strange := [name for name in _RESOLVER.findall(node) if name.strip() != ENVIRONMENT]:
            raise ConfigError(f"{_name(path)}: got a reference by {strange[0][:40]}; keys and {ENVIRONMENT} are known")
        if _COMPUTED.search(node):
            raise ConfigError(f"{_name(path)}: got a reference whose key is made of references; write the key")
        targets = [_target(path, inner) for inner in _REFERENCE.findall(node) if ":" not in inner]
        measures = [self.measure(target) for target in targets]
        return len(node) + sum(size for size, _ in measures), 1 + max((depth for _, depth in measures), default=0)

    def _node(self, path: Path) -> Any:
        node: Any = self._raw
        for key in path:
            try:
                node = node[key]
            except (KeyError, IndexError, TypeError):
                return None
        return node


def _target(path: Path, inner: str) -> Path:
    """Return what a reference at a path names: from the root, or from as many levels up as it has dots."""
    up = len(inner) - len(inner.lstrip("."))
    words = [word for word in re.split(r"[.\[\]]+", inner.strip()) if word]
    return (*(path[:-up] if up else ()), *(int(word) if word.isdigit() else word for word in words))


def _name(path: Path) -> str:
    return ".".join(str(key) for key in path)[:80] or "configuration"
