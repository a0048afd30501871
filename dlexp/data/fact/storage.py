"""Columns that are taken as numbers though their file has them in another type: text, categories, spans of time."""

import json
from pathlib import Path
from typing import Any

from dlexp.data.fact.code import find_codes
from dlexp.data.file.column import Columns
from dlexp.data.file.columnar import open_columnar


def stated_otherwise(table: Columns, names: list[str]) -> dict[str, str]:
    """Return, for columns that are taken as numbers, what a user should know of how the files have them.

    Args:
        table: The file; of several .parquet files the first one's types are looked at.
        names: Columns that are taken as numbers.
    """
    path, _, is_text = table.files[0]
    if not is_text:
        return _types(path)
    return {
        name: f"column {name} is taken as numbers, without the zeros that entries such as {code} begin with"
        f"{_as_text(name)}"
        for name, code in find_codes(table, names).items()
    }


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
