"""Patterns of names of layers and weights, as `dlexp summary` prints them; a `net.` before all may be left out."""

from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

WRAPPER = (
    "net."  # what a net of torchvision is called inside the model, whose names then differ from the published ones
)


def wrapper_of(names: Iterable[str]) -> str:
    """Return what all names of a model begin with if it is one net under a name of its own; else nothing."""
    return WRAPPER if all(name.startswith(WRAPPER) for name in names) else ""


def is_named(name: str, patterns: Iterable[str], wrapper: str = "") -> bool:
    """Say whether a pattern matches a weight's name or that of a layer around it: `hidden.0` is all that is in it.

    Args:
        name: As the model has it.
        patterns: Shell-style, with or without the wrapper.
        wrapper: Of the model, see `wrapper_of`.
    """
    forms = {name, name.removeprefix(wrapper)}
    names = [each for form in forms for each in _around(form)]
    return any(fnmatchcase(each, pattern) for pattern in patterns for each in names)


def idle_patterns(names: Iterable[str], patterns: Iterable[str]) -> list[str]:
    """Return the patterns that match no name."""
    names = list(names)
    wrapper = wrapper_of(names)
    return [pattern for pattern in patterns if not any(is_named(name, [pattern], wrapper) for name in names)]


def owners(names: Iterable[str]) -> list[str]:
    """Return the layers that have the weights, each once, in their order."""
    return list(dict.fromkeys(name.rpartition(".")[0] or name for name in names))


def _around(name: str) -> Iterator[str]:
    while name:
        yield name
        name = name.rpartition(".")[0]
