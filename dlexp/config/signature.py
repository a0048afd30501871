"""Reads a component's signature and documentation from its source, without importing it (and thus torch).

The constructor's signature is the schema: positional-or-keyword parameters are the user's, keyword-only ones the
program's. A dataclass's fields are its parameters, those of its base dataclasses first.
"""

import ast
import re
import typing
from dataclasses import dataclass
from functools import cache
from typing import Any

import annotated_types

import dlexp.type
from dlexp.config.source.definition import locate

ROOT = "dlexp.config.root.Root"
REQUIRED = object()  # the user has to give a value
COMPUTED = object()  # a user's class computes its default: only Python knows it
NAMESPACE: dict[str, Any] = {
    **{name: getattr(typing, name) for name in ("Any", "Annotated", "Literal", "Optional", "Union")},
    **{
        name: getattr(annotated_types, name) for name in ("Ge", "Gt", "Le", "Lt", "Interval", "MinLen", "MaxLen", "Len")
    },
    **{name: value for name, value in vars(dlexp.type).items() if not name.startswith("_")},
    **{kind.__name__: kind for kind in (int, float, bool, str, list, dict, tuple)},
}


@dataclass(frozen=True)
class Parameter:
    """One user parameter: its type as Python object and as text, its default (or REQUIRED, COMPUTED) and its words."""

    name: str
    annotation: Any
    text: str
    default: Any
    doc: str


@dataclass(frozen=True)
class Signature:
    """What a component takes.

    Attributes:
        target: Dotted path of the class or function, where it is defined.
        doc: First line of its docstring.
        source: First reference of its docstring, "" if none.
        parameters: The user's parameters by name.
        program: Names of the keyword-only parameters that the program passes.
        is_open: Whether it takes any other keyword, by ``**kwargs``.
    """

    target: str
    doc: str
    source: str
    parameters: dict[str, Parameter]
    program: tuple[str, ...]
    is_open: bool = False


@cache
def read(target: str) -> Signature:
    """Return the signature of ``package.module.Name``.

    Raises:
        ConfigError: No such module or no such class or function, defined in it or imported by it from another.
    """
    definition = locate(target)
    tree, node = definition.tree, definition.node
    doc = ast.get_docstring(node) or ""
    parameters, program = _parameters(node, tree, _described_parameters(doc))
    is_open = isinstance(init := _init(node), ast.FunctionDef) and init.args.kwarg is not None
    first = doc.split("\n")[0]
    return Signature(definition.target, first, _first_reference(doc), parameters, program, is_open)


def declaration(config: dict[str, Any], key: str) -> Parameter | None:
    """Return the declaration of a key; None for one inside a list or a user's own structure."""
    words = key.split(".")
    if len(words) == 1:
        return read(ROOT).parameters.get(key)
    node = config.get(words[0])
    if len(words) > 2 or not isinstance(node, dict):
        return None
    target = node.get("_target_")
    return read(target).parameters.get(words[1]) if isinstance(target, str) else None


def _init(node: ast.ClassDef | ast.FunctionDef) -> ast.FunctionDef | None:
    if isinstance(node, ast.FunctionDef):
        return node
    return next((item for item in node.body if isinstance(item, ast.FunctionDef) and item.name == "__init__"), None)


def _parameters(
    node: ast.ClassDef | ast.FunctionDef, tree: ast.Module, described: dict[str, str]
) -> tuple[dict[str, Parameter], tuple[str, ...]]:
    init = _init(node)
    if init is None and isinstance(node, ast.ClassDef):
        return _inherited(node, tree, described)
    assert init is not None
    described = described | _described_parameters(ast.get_docstring(init) or "")
    positional = [*init.args.posonlyargs, *init.args.args]
    if isinstance(node, ast.ClassDef):
        positional = positional[1:]
    padding: list[ast.expr | None] = [None] * (len(positional) - len(init.args.defaults))
    parameters = {
        argument.arg: _parameter(argument.arg, argument.annotation, default, tree, described)
        for argument, default in zip(positional, [*padding, *init.args.defaults], strict=True)
    }
    return parameters, tuple(argument.arg for argument in init.args.kwonlyargs)


def _inherited(
    node: ast.ClassDef, tree: ast.Module, described: dict[str, str]
) -> tuple[dict[str, Parameter], tuple[str, ...]]:
    """Read a class without constructor: its bases' parameters, and its own fields if it is a dataclass."""
    inherited: dict[str, Parameter] = {}
    program: tuple[str, ...] = ()
    for base in node.bases:
        parameters, names = _of_base(base, tree)
        inherited, program = inherited | parameters, program + names
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        for item in node.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                inherited[item.target.id] = _parameter(item.target.id, item.annotation, item.value, tree, described)
    return inherited, program


def _of_base(base: ast.expr, tree: ast.Module) -> tuple[dict[str, Parameter], tuple[str, ...]]:
    if not isinstance(base, ast.Name):
        return {}, ()
    for item in tree.body:
        if isinstance(item, ast.ClassDef) and item.name == base.id:
            return _parameters(item, tree, _described_parameters(ast.get_docstring(item) or ""))
        if isinstance(item, ast.ImportFrom) and (item.module or "").startswith("dlexp."):
            for alias in item.names:
                if (alias.asname or alias.name) == base.id:
                    signature = read(f"{item.module}.{alias.name}")
                    return signature.parameters, signature.program
    return {}, ()


def _parameter(
    name: str, annotation: ast.expr | None, default: ast.expr | None, tree: ast.Module, described: dict[str, str]
) -> Parameter:
    if annotation is None:
        return Parameter(name, Any, "Any", _literal(default), described.get(name, ""))
    text = ast.unparse(annotation)
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        text = annotation.value
    expanded = _Expander(tree).visit(ast.parse(text, mode="eval")).body
    return Parameter(name, _evaluate(expanded), ast.unparse(expanded), _literal(default), described.get(name, ""))


class _Expander(ast.NodeTransformer):
    """Replaces the module's own names for types, such as ``Depth = Literal[18, 34]``, by what they stand for."""

    def __init__(self, tree: ast.Module) -> None:
        assigned = [item for item in tree.body if isinstance(item, ast.Assign)]
        self.aliases = {t.id: item.value for item in assigned for t in item.targets if isinstance(t, ast.Name)}

    def visit_Name(self, node: ast.Name) -> ast.expr:
        """Return what a name stands for."""
        return self.visit(self.aliases[node.id]) if node.id in self.aliases else node


# What the text of a type is made of: no attribute leads out of it, and nothing is called but a bound.
_OF_TYPES = (ast.Name, ast.Constant, ast.Subscript, ast.Tuple, ast.List, ast.keyword, ast.expr_context, ast.BitOr)
_BOUNDS = ("Ge", "Gt", "Le", "Lt", "Interval", "MinLen", "MaxLen", "Len")


def _is_type(node: ast.AST) -> bool:
    """Say whether a node may stand in an annotation that is evaluated: its file may be a stranger's."""
    if isinstance(node, ast.Call):
        return isinstance(node.func, ast.Name) and node.func.id in _BOUNDS
    if isinstance(node, ast.BinOp):
        return isinstance(node.op, ast.BitOr)
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.USub)
    return isinstance(node, (*_OF_TYPES, ast.USub))


def _evaluate(annotation: ast.expr) -> Any:
    if not all(_is_type(node) for node in ast.walk(annotation)):
        return Any
    names = {node.id for node in ast.walk(annotation) if isinstance(node, ast.Name)}
    if not names <= set(NAMESPACE):
        return Any  # a user's own type: only its constructor can check it
    try:
        return eval(compile(ast.Expression(annotation), "<annotation>", "eval"), {"__builtins__": {}}, dict(NAMESPACE))
    except TypeError:  # a quoted name in an expression, such as int | "Width"
        return Any


def _literal(default: ast.expr | None) -> Any:
    if default is None:
        return REQUIRED
    if isinstance(default, ast.Call):
        return _called(default)
    try:
        return ast.literal_eval(default)
    except ValueError:
        return COMPUTED


def _called(default: ast.Call) -> Any:
    """Read ``float("inf")``, and of a dataclass ``field(default=...)`` and ``field(default_factory=lambda: [...])``."""
    name = default.func.id if isinstance(default.func, ast.Name) else ""
    if name == "float" and len(default.args) == 1 and isinstance(default.args[0], ast.Constant):
        return float(str(default.args[0].value))
    values = {keyword.arg: keyword.value for keyword in default.keywords}
    if name != "field":
        return COMPUTED
    if "default" in values:
        return _literal(values["default"])
    factory = values.get("default_factory")
    if isinstance(factory, ast.Lambda):
        return _literal(factory.body)
    empty = {"list": [], "dict": {}}
    if isinstance(factory, ast.Name):
        return empty.get(factory.id, COMPUTED)
    return COMPUTED if factory else REQUIRED


def _described_parameters(doc: str) -> dict[str, str]:
    section = re.search(r"^(?:Args|Attributes):\n((?:[ \t]+.*\n?|\n)*)", doc, re.MULTILINE)
    if section is None:
        return {}
    descriptions: dict[str, str] = {}
    name = ""
    for line in section[1].splitlines():
        start = re.match(r" {4}\*{0,2}(\w+)(?: \([^)]*\))?: (.*)", line)
        if start:
            name, descriptions[start[1]] = start[1], start[2].strip()
        elif name and line.strip():
            descriptions[name] += " " + line.strip()
    return descriptions


def _first_reference(doc: str) -> str:
    section = re.search(r"^References?:\n((?:[ \t]+.*\n?)*)", doc, re.MULTILINE)
    if section is None:
        return ""
    lines = section[1].splitlines()
    first = [lines[0].strip()]
    for line in lines[1:]:
        if len(line) - len(line.lstrip()) <= 4 or not line.strip():
            break
        first.append(line.strip())
    return " ".join(first)
