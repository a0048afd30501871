"""`note.json`: what the user wrote about a run, and the tags that it bears; beside the run, so that it may change."""

import json
from pathlib import Path
from typing import Any

from typing_extensions import TypedDict

from dlexp.disk.durable import write_text
from dlexp.disk.regular import read_bytes
from dlexp.error import ConfigError
from dlexp.number import noun
from dlexp.run.jsonable import document

FILE = "note.json"
MOST_CHARACTERS = 10_000


class Noted(TypedDict):
    """What the user wrote about a run.

    Attributes:
        note: A text; empty where there is none.
        tags: In the order in which they were given.
    """

    note: str
    tags: list[str]


class NotedRun(Noted):
    """What the user wrote about a run, and about which.

    Attributes:
        run_id: Names the run.
    """

    run_id: str


def read(path: Path) -> Noted:
    """Return the note and tags of a run's folder; empty ones where there are none or the file is damaged."""
    try:
        content: Any = json.loads(read_bytes(path / FILE))
        return {"note": str(content["note"]), "tags": [str(tag) for tag in content["tags"]]}
    except (OSError, ValueError, KeyError, TypeError):
        return {"note": "", "tags": []}


def write(path: Path, *, note: str | None = None, add: list[str], remove: list[str]) -> Noted:
    """Change the note and tags of a run's folder and return them.

    Args:
        path: The folder.
        note: Replaces the note; empty takes it away, None leaves it.
        add: Tags to add.
        remove: Tags to take away.

    Raises:
        ConfigError: A tag has a comma, a space or nothing in it, is not there to be taken away, or the note is long.
    """
    before = read(path)
    for tag in add:
        if not tag or any(character.isspace() or character == "," for character in tag):
            raise ConfigError(f"--tag: got {tag!r}; a word without space and comma is needed")
    for tag in remove:
        if tag not in before["tags"]:
            raise ConfigError(f"--untag: got {tag}; the run has {', '.join(before['tags']) or 'no tags'}")
    text = before["note"] if note is None else note.strip()
    if len(text) > MOST_CHARACTERS:
        raise ConfigError(f"TEXT: got {noun(len(text), 'character')}; at most {MOST_CHARACTERS:,} are allowed")
    tags = [tag for tag in dict.fromkeys([*before["tags"], *add]) if tag not in remove]
    after: Noted = {"note": text, "tags": tags}
    write_text(path / FILE, document(after))
    return after
