"""Texts as the lines of a file: one that holds a line break is written in JSON, which begins with a quote."""

import json
from collections.abc import Iterable


def join(texts: Iterable[str]) -> str:
    """Return the file's content."""
    return "".join(f"{json.dumps(text) if _is_broken(text) else text}\n" for text in texts)


def split(content: str) -> list[str]:
    """Return the texts of a file's content, as they were."""
    return [_read(line) for line in content.removesuffix("\n").split("\n")] if content else []


def _is_broken(text: str) -> bool:
    return text.startswith('"') or len(text.splitlines()) > 1 or text.endswith(("\n", "\r"))


def _read(line: str) -> str:
    if not line.startswith('"'):
        return line
    try:
        text = json.loads(line)
    except ValueError:
        return line
    return text if isinstance(text, str) else line
