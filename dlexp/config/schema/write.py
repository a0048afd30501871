"""Writes the schema into a user's folder of YAML files, and the line that tells an editor of it into each of them."""

import json
from pathlib import Path

from typing_extensions import TypedDict

from dlexp.config import catalog, guard
from dlexp.config.schema.whole import DIALECT, Schema, schema
from dlexp.disk.durable import write_text

FOLDER = ".schema"  # hidden: no group of options
WHOLE = "dlexp.json"
MARK = "# yaml-language-server: $schema="


class WrittenSchema(TypedDict):
    """What was written.

    Attributes:
        schema: The file with the whole of it.
        files: YAML files that have the line now.
        changed: Those of them that had it not, or another.
    """

    schema: str
    files: list[str]
    changed: list[str]


def write(config_dir: Path) -> WrittenSchema:
    """Write the schema, a small file for each group that points into it, and the line of every YAML file.

    Args:
        config_dir: The user's folder of YAML files; made if it is absent.

    Raises:
        ConfigError: One of its files cannot be read.
    """
    folder = config_dir / FOLDER
    folder.mkdir(parents=True, exist_ok=True)
    whole = schema(config_dir)
    write_text(folder / WHOLE, _text(whole))
    names = list(whole["$defs"]["file"])
    for name in names:
        write_text(folder / f"{name}.json", _text({"$schema": DIALECT, "$ref": f"{WHOLE}#/$defs/file/{name}"}))
    files = {path: name for path in _files(config_dir) if (name := _kind(path, config_dir, names)) is not None}
    changed = [str(path) for path, name in files.items() if _mark(path, name, config_dir)]
    return {"schema": str(folder / WHOLE), "files": [str(path) for path in files], "changed": changed}


def _text(document: Schema) -> str:
    return f"{json.dumps(document, indent=1)}\n"


def _files(config_dir: Path) -> list[Path]:
    guard.check_folder(config_dir)
    return [path for pattern in ("*.yaml", "*/*.yaml") for path in sorted(config_dir.glob(pattern)) if path.is_file()]


def _kind(path: Path, config_dir: Path, names: list[str]) -> str | None:
    """Return whose schema a file keeps to; None for one of a group that dlexp does not read."""
    if path.parent == config_dir:
        return catalog.EXPERIMENT if path.stem in catalog.list_jobs() else None
    if catalog.is_global(path.parent.name, path.stem, config_dir):
        return catalog.EXPERIMENT
    return path.parent.name if path.parent.name in names else None


def _mark(path: Path, name: str, config_dir: Path) -> bool:
    """Put the line at the top, below that of Hydra's package, which has to be the first; return whether it was not."""
    up = "" if path.parent == config_dir else "../"
    line = f"{MARK}{up}{FOLDER}/{name}.json"
    lines = path.read_text(encoding="utf-8").splitlines()
    if line in lines:
        return False
    others = [other for other in lines if not other.startswith(MARK)]
    place = 1 if others and others[0].lstrip("# ").startswith("@package") else 0
    write_text(path, "\n".join([*others[:place], line, *others[place:]]) + "\n")
    return True
