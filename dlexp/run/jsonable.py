"""Values that JSON can say: numbers of numpy and torch become Python's, and what is not finite becomes null."""

import json
import math
from collections.abc import Mapping
from typing import Any


def plain(value: Any) -> Any:
    """Return the value with every part of it a dict, list, text, finite number, truth value or None."""
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    number = float(value)
    return number if math.isfinite(number) else None


def document(fields: Mapping[str, Any]) -> str:
    """Return the JSON of a file, a line for each field: Python's own indentation is several times slower."""
    lines = [f" {json.dumps(name)}: {json.dumps(value)}" for name, value in plain(fields).items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"
