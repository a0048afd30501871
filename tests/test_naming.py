"""The policies of names: a variable names the thing, and a docstring says something."""

import ast
from pathlib import Path

from tests.test_layout import WRITTEN, modules, relative

# Words that fit any value, and so name none.
VAGUE = {"found", "one", "own", "kept", "asked", "several", "some"}
MIN_WORDS = 3  # a docstring below it says no more than the name, unless it points at another (`Forward`)
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def named(node: ast.AST) -> str | None:
    """Return the name that a node of the syntax tree reads, sets or passes; None for a node without one."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.arg if isinstance(node, ast.arg | ast.keyword) else None


def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def test_a_variable_names_the_thing():
    places = [(path, node) for path in modules(*WRITTEN, "docs") for node in nodes(path) if named(node) in VAGUE]
    assert [f"{relative(path)}:{getattr(node, 'lineno', 0)} {named(node)}" for path, node in places] == []


def test_a_docstring_says_more_than_a_word_or_two():
    empty = [
        f"{relative(path)}: {node.name}: {text}"
        for path in modules(*WRITTEN, "docs")
        for node in nodes(path)
        if isinstance(node, Documented) and (text := ast.get_docstring(node))
        if len(text.split()) < MIN_WORDS and "`" not in text
    ]
    assert empty == []
