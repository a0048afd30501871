"""Values that JSON can say: numbers of numpy and torch become Python's, and what is not finite becomes null."""

import json
import math
import re
from collections.abc import Mapping
from typing import Any

# raw in JSON they would be obeyed by a terminal, or could not be encoded: C1 controls, directions, lone surrogates
_UNSAFE = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")


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


def dumps(value: Any, *, indent: int | None = None) -> str:
    """Return the JSON of a value, letters of any script as they are; numbers that are not finite become null."""
    text = json.dumps(plain(value), ensure_ascii=False, indent=indent)
    return _UNSAFE.sub(lambda match: f"\\u{ord(match.group()):04x}", text)


def document(fields: Mapping[str, Any]) -> str:
    """Return the JSON of a file, a line for each field: Python's own indentation is several times slower."""
    lines = [f" {dumps(name)}: {dumps(value)}" for name, value in fields.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"
