"""Patterns of names of layers and weights, as `dlexp summary` prints them."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase


def is_named(name: str, patterns: Iterable[str]) -> bool:
    """Say whether a pattern matches a weight's name or that of a layer around it: `hidden.0` is all that is in it."""
    names = list(_around(name))
    return any(fnmatchcase(each, pattern) for pattern in patterns for each in names)


def idle_patterns(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Return the patterns that match no name."""
    names = list(names)
    return [pattern for pattern in patterns if not any(is_named(name, [pattern]) for name in names)]


def owners(names: Iterable[str]) -> list[str]:
    """Return the layers that have the weights, each once, in their order."""
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))


def _around(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
