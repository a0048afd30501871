"""Finds the source of a class or function by its dotted path, without importing anything; re-exports are followed."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.machinery import ModuleSpec, PathFinder
from importlib.util import find_spec
from pathlib import Path

from dlexp.error import ConfigError, did_you_mean

MAX_STEPS = 10  # modules that a name is passed on through


@dataclass(frozen=True)
class Definition:
    """A class or function: its dotted path where it is defined, its module's source, its own."""

    target: str
    tree: ast.Module
    node: ast.ClassDef | ast.FunctionDef


def locate(target: str) -> Definition:
    """Return the definition of ``package.module.Name``, or of ``package.Name`` that the package imports from a module.

    Raises:
        ConfigError: No such module, or no such class or function in it.
    """
    module, _, name = target.rpartition(".")
    definition = _follow(module, name, MAX_STEPS)
    if definition is not None:
        return definition
    tree = _parse(module)
    if tree is None:
        hint = "" if module.startswith("dlexp") else f" in {Path.cwd()} or an installed package"
        raise ConfigError(f"_target_: got {target}; no module {module or target} was found{hint}")
    public = [word for word in _defined(tree) if not word.startswith("_")]
    raise ConfigError(
        f"_target_: got {target}; no class or function {name} is defined there{did_you_mean(name, public)}"
    )


def _follow(module: str, name: str, steps: int) -> Definition | None:
    """Return the definition of a name of a module, or of the module that it is imported from."""
    tree = _parse(module)
    if tree is None or steps == 0:
        return None
    if node := _defined(tree).get(name):
        return Definition(f"{module}.{name}", tree, node)
    for source, original in _imports(tree, module, name):
        if definition := _follow(source, original, steps - 1):
            return definition
    return None


def _imports(tree: ast.Module, module: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield module and name of what a module may import under a name; of several, the last import counts."""
    for item in reversed([item for item in tree.body if isinstance(item, ast.ImportFrom)]):
        for alias in item.names:
            if (alias.asname or alias.name) == name:
                yield _source(item, module), alias.name
            elif alias.name == "*" and not name.startswith("_"):
                yield _source(item, module), name


def _source(item: ast.ImportFrom, module: str) -> str:
    """Return the absolute name of the module that is imported from."""
    if not item.level:
        return item.module or ""
    spec = _spec(module)
    is_package = spec is not None and spec.submodule_search_locations is not None
    up = item.level - (1 if is_package else 0)
    base = module.rsplit(".", up)[0] if up else module
    return f"{base}.{item.module}" if item.module else base


def _defined(tree: ast.Module) -> dict[str, ast.ClassDef | ast.FunctionDef]:
    return {node.name: node for node in tree.body if isinstance(node, ast.ClassDef | ast.FunctionDef)}


def _parse(module: str) -> ast.Module | None:
    """Return a module's source, parsed; None where there is no such module, or none in Python.

    Raises:
        ConfigError: The source is no Python.
    """
    spec = _spec(module)
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return _read(spec.origin, Path(spec.origin).stat().st_mtime_ns)


@cache
def _read(origin: str, changed_ns: int) -> ast.Module:
    try:
        return ast.parse(Path(origin).read_text(encoding="utf-8"))
    except SyntaxError as error:
        raise ConfigError(f"_target_: error in {origin}, line {error.lineno}: {error.msg}") from None


def _spec(name: str) -> ModuleSpec | None:
    """Find a module; `importlib.util.find_spec` would import, and so run, the packages around it."""
    top, *inner = name.split(".")
    try:
        spec = find_spec(top) if top else None
    except (ImportError, ValueError):
        return None
    for step in inner:
        top = f"{top}.{step}"
        spec = PathFinder.find_spec(top, list(spec.submodule_search_locations or [])) if spec else None
    return spec
