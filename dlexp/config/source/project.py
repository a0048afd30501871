"""Writes a project that works as it stands: questions, a network of its own with a test, schema, CI and a README."""

import contextlib
from pathlib import Path

from typing_extensions import TypedDict

from dlexp.config.schema import write as schema
from dlexp.config.source.template import TEMPLATES, write_component
from dlexp.disk.durable import disk_faults
from dlexp.error import ConfigError

PACKAGE, MODEL = "my_parts", "two_paths"
FILES = {
    "README.md": "readme",
    "dlexp.toml": "toml",
    ".gitignore": "ignore",
    ".github/workflows/check.yml": "check",
    "conf/experiment/first.yaml": "first",
    "conf/experiment/rates.yaml": "rates",
    "conf/experiment/models.yaml": "models",
}


class WrittenProject(TypedDict):
    """What was written.

    Attributes:
        folder: Of the project.
        files: In it, relative to it, without the schema's.
        schema: The JSON Schema of its YAML files.
    """

    folder: str
    files: list[str]
    schema: str


def write_project(folder: Path) -> WrittenProject:
    """Write a project into a folder that is absent or empty.

    Raises:
        ConfigError: There is something in the folder, or a file in its place.
        DiskFault: The disk refuses.
    """
    if folder.exists() and not folder.is_dir():
        raise ConfigError(f"DIR: got {folder}, a file; name a folder that is absent or empty")
    above = next((parent for parent in folder.parents if parent.is_file()), None)
    if above is not None:
        raise ConfigError(f"DIR: got {folder}, below the file {above}; name a folder that is absent or empty")
    if folder.is_dir() and any(folder.iterdir()):
        raise ConfigError(f"DIR: got {folder}, which is not empty; name a folder that is absent or empty")
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        title = folder.resolve().name
        for name, template in FILES.items():
            text = (TEMPLATES / "project" / f"{template}.txt").read_text(encoding="utf-8")
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_text(text.replace("$title", title), encoding="utf-8")
    with contextlib.chdir(folder):
        network = write_component("model", MODEL, PACKAGE, Path("conf"))
        written = schema.write(Path("conf"))
    files = sorted([*FILES, network["code"], network["test"], network["settings"], f"{PACKAGE}/__init__.py"])
    return {"folder": str(folder), "files": files, "schema": written["schema"]}
