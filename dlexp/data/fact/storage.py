"""Columns that are taken as numbers though their file has them in another type: text, categories, spans of time."""

import json
from itertools import islice
from pathlib import Path
from typing import Any

from dlexp.data.file.column import Columns
from dlexp.data.file.columnar import open_columnar
from dlexp.data.file.number import is_code
from dlexp.data.file.record import records

_SAMPLED = 200  # rows


def stated_otherwise(table: Columns) -> dict[str, str]:
    """Return, for columns of a table's first file, what a user should know if they are taken as numbers.

    Of a text file the first 200 rows are looked at: a number loses the zeros that a code begins with.
    """
    path, _, is_text = table.files[0]
    return _codes(table, path) if is_text else _types(path)


def _codes(table: Columns, path: Path) -> dict[str, str]:
    header, *rows = islice(records(path, table.dialect), 1 + _SAMPLED)
    lines: dict[str, str] = {}
    for name, *entries in zip(map(str.strip, header), *rows, strict=False):
        code = next((entry.strip() for entry in entries if is_code(entry.strip())), None)
        if name in table.content and code is not None:
            lines[name] = (
                f"column {name} is taken as numbers, without the zeros that entries such as {code} begin with"
                f"{_as_text(name)}"
            )
    return lines


def _types(path: Path) -> dict[str, str]:
    schema = next(open_columnar(path)).schema
    kinds = {field.name.strip(): _kind(field.type) for field in schema}
    about = json.loads((schema.metadata or {}).get(b"pandas", b"{}"))
    kinds |= {
        column["name"]: "categories"
        for column in about.get("columns", [])
        if column["pandas_type"] == "categorical" and column["name"] in kinds
    }
    lines = {name: f"column {name} is {kind} in the file, and taken as numbers" for name, kind in kinds.items() if kind}
    return {
        name: f"{line}: seconds" if kinds[name] == "a span of time" else line + _as_text(name)
        for name, line in lines.items()
    }


def _kind(kind: Any) -> str:
    import pyarrow

    types = pyarrow.types
    if types.is_dictionary(kind):
        return "categories"
    if types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind):
        return "text"
    return "a span of time" if types.is_duration(kind) else ""


def _as_text(name: str) -> str:
    return f": data.categorical='[{name}]' takes it as text"
