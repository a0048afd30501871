"""The user's defaults: ``dlexp.toml`` of the project, found from the working directory upwards.

They stand in for shipped values; a YAML file of the user's and the command line come before them.
"""

import os
import re
import tomllib
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from dlexp.error import ConfigError, did_you_mean

FILES = ("dlexp.toml", "conf/dlexp.toml")
KEYS = ("config_dir", "runs_dir", "tracking.uri")
SHIPPED = {"runs_dir": "runs", "tracking.uri": None}  # what the shipped files say
SQLITE = "sqlite:///"


@dataclass(frozen=True)
class Defaults:
    """What a project's file sets.

    Attributes:
        path: The file; None where there is none.
        values: Text by key; paths are absolute unless the file lies in the working directory.
        lines: Number of the line by key.
    """

    path: Path | None = None
    values: dict[str, str] = field(default_factory=dict)
    lines: dict[str, int] = field(default_factory=dict)

    @property
    def config_dir(self) -> Path | None:
        """The folder of the user's YAML files."""
        return Path(self.values["config_dir"]) if "config_dir" in self.values else None

    @property
    def runs_dir(self) -> Path:
        """The folder of all runs."""
        return Path(self.values.get("runs_dir", "runs"))


def read_defaults() -> Defaults:
    """Return the defaults of the project around the working directory.

    Raises:
        ConfigError: The file cannot be read or sets what it may not.
    """
    here = Path.cwd()
    for folder in (here, *here.parents):
        for name in FILES:
            path = folder / name
            if path.is_file():
                status = path.stat()
                return _read(path, here, status.st_mtime_ns, status.st_uid)
    return Defaults()


@lru_cache(maxsize=8)
def _read(path: Path, here: Path, changed_ns: int, owner: int) -> Defaults:
    if owner not in (os.getuid(), 0):
        raise ConfigError(f"{path}: belongs to another user of this machine, so it is not read; work in another folder")
    try:
        text = path.read_text(encoding="utf-8")
        content = tomllib.loads(text)
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"{path}: got text that is no TOML ({str(error)[:80]}); write key = 'text'") from None
    values = {key: _text(path, key, value) for key, value in _flat(content).items()}
    folder = path.parent if path.name == FILES[0] and path.parent.name != "conf" else path.parent.parent
    if "config_dir" not in values and (folder / "conf").is_dir():
        values["config_dir"] = "conf"
    lines = {key: _line(text, key) for key in values}
    return Defaults(path, {key: _placed(key, value, folder, here) for key, value in values.items()}, lines)


def _flat(content: dict[str, object]) -> dict[str, object]:
    tracking = content.get("tracking")
    inner = {f"tracking.{key}": value for key, value in tracking.items()} if isinstance(tracking, dict) else {}
    return {key: value for key, value in content.items() if key != "tracking" or not inner} | inner


def _text(path: Path, key: str, value: object) -> str:
    if key not in KEYS:
        raise ConfigError(f"{path}: got the key {key}; it may set {', '.join(KEYS)}{did_you_mean(key, KEYS)}")
    if not isinstance(value, str) or not value:
        raise ConfigError(f"{path}: got {key} = {value}; a text in quotes is needed")
    return value


def _line(text: str, key: str) -> int:
    """Return the line on which a key is set; 1 where the file does not name it."""
    name = re.compile(rf"\s*(tracking\s*\.\s*)?[\"']?{key.rpartition('.')[2]}[\"']?\s*=")
    return next((i for i, line in enumerate(text.splitlines(), 1) if name.match(line)), 1)


def _placed(key: str, value: str, folder: Path, here: Path) -> str:
    """Return a path, relative to the project's folder, as it is named from the working directory."""
    if key == "tracking.uri":
        is_relative = value.startswith(SQLITE) and value.removeprefix(SQLITE)[:1] not in ("/", "~")
        return f"{SQLITE}{folder / value.removeprefix(SQLITE)}" if is_relative else value
    path = Path(value).expanduser()
    return str(path if folder == here or path.is_absolute() else folder / path)
