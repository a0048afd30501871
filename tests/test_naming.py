"""The policies of names: a variable names the thing, and a docstring says something."""

import ast
from functools import cache
from pathlib import Path

import pytest

from tests.test_layout import WRITTEN, modules, relative

# Words that fit any value, and so name none.
VAGUE = {"found", "one", "own", "kept", "asked", "several", "some"}
# Words that mean one thing (CONTRIBUTING, glossary), and where that thing is at home.
AT_HOME = {
    frozenset({"part", "parts"}): (
        *("dlexp/data", "dlexp/build", "dlexp/execution", "dlexp/run/division.py", "dlexp/run/folder.py"),
        *("dlexp/engine/task.py", "dlexp/engine/evaluate.py", "dlexp/engine/by_example.py"),
        *("dlexp/engine/divergence.py", "dlexp/job/export", "cli/view/data.py"),
    ),
    frozenset({"fold", "folds", "folded"}): (
        *("dlexp/data/fold.py", "dlexp/build/dataset.py", "dlexp/job/cv", "dlexp/job/compare", "dlexp/job/inference"),
        "dlexp/job/ensemble",  # folds of cvs, left out whole
        *("dlexp/figure/cv.py", "dlexp/figure/fold_map.py", "dlexp/job/report/cv.py", "dlexp/job/event.py"),
        *("dlexp/run/listing/page.py", "dlexp/run/document.py", "dlexp/tracking", "cli/view/cv"),
    ),
    frozenset({"unit", "units"}): (
        *("dlexp/data", "dlexp/build", "dlexp/engine", "dlexp/model", "dlexp/execution/save/saved_model.py"),
        *("dlexp/job/cv/audit.py", "dlexp/job/train/evidence.py", "dlexp/export", "dlexp/job/export", "cli/view"),
    ),
}
MIN_WORDS = 3  # a docstring below it says no more than the name, unless it points at another (`Forward`)
Documented = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef


def named(node: ast.AST) -> str | None:
    """Return the name that a node of the syntax tree reads, sets or passes; None for a node without one."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.arg if isinstance(node, ast.arg | ast.keyword) else None


@cache
def nodes(path: Path) -> list[ast.AST]:
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def test_a_variable_names_the_thing():
    places = [(path, node) for path in modules(*WRITTEN, "docs") for node in nodes(path) if named(node) in VAGUE]
    assert [f"{relative(path)}:{getattr(node, 'lineno', 0)} {named(node)}" for path, node in places] == []


@pytest.mark.parametrize("words", AT_HOME, ids=lambda words: min(words))
def test_a_word_of_the_glossary_names_nothing_else(words):
    away = [path for path in modules("dlexp", "cli") if not relative(path).startswith(AT_HOME[words])]
    uses = [f"{relative(path)}: {named(node)}" for path in away for node in nodes(path) if named(node) in words]
    assert uses == []
    home = [path for path in modules("dlexp", "cli") if path not in away]
    assert all(any(relative(path).startswith(place) for path in home) for place in AT_HOME[words])


def test_a_docstring_says_more_than_a_word_or_two():
    empty = [
        f"{relative(path)}: {node.name}: {text}"
        for path in modules(*WRITTEN, "docs")
        for node in nodes(path)
        if isinstance(node, Documented) and (text := ast.get_docstring(node))
        if len(text.split()) < MIN_WORDS and "`" not in text
    ]
    assert empty == []
