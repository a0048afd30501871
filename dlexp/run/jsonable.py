"""Values that JSON can say: numbers of numpy and torch become Python's, and what is not finite becomes null.

A sealed document ends with the SHA-256 of all of its bytes before, so that one flipped bit is no other number.
"""

import hashlib
import json
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dlexp.disk.regular import read_bytes
from dlexp.error import RunError

# raw in JSON they would be obeyed by a terminal, or could not be encoded: C1 controls, directions, lone surrogates
_SEAL = re.compile(rb',\n "sha256": "([0-9a-f]{64})"\n}\n$')
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


def sealed(fields: Mapping[str, Any]) -> str:
    """Return a `document` with the hash of what is before as its last field."""
    body = document(fields).removesuffix("\n}\n")
    return f'{body},\n "sha256": "{hashlib.sha256(body.encode()).hexdigest()}"\n}}\n'


def unsealed(content: bytes) -> dict[str, Any]:
    """Return the fields of a `document`, sealed or, of an earlier version, not.

    Raises:
        ValueError: It is no object of JSON, or not the one that was sealed.
    """
    fields, seal = json.loads(content), _SEAL.search(content)
    if not isinstance(fields, dict):
        raise ValueError("no object of JSON")
    if seal is not None and hashlib.sha256(content[: seal.start()]).hexdigest() != fields.pop("sha256"):
        raise ValueError("not the recorded SHA-256")
    return fields


def read_document(path: Path, cure: str, *needed: str) -> dict[str, Any]:
    """Return the fields of a file as `unsealed` does.

    Args:
        path: The file.
        cure: What the user can do besides restoring it, for the message.
        needed: Fields that it must have.

    Raises:
        RunError: It is damaged or was edited.
    """
    try:
        return {**(content := unsealed(read_bytes(path))), **{name: content[name] for name in needed}}
    except (OSError, KeyError, ValueError) as error:
        raise RunError(f"{path}: damaged or edited; restore it from a copy, or {cure}") from error
