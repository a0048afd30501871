"""Refuses YAML that would hurt before OmegaConf reads it: huge files and alias bombs."""

from pathlib import Path

import yaml

from dlexp.error import ConfigError

MAX_BYTES = 1_000_000
MAX_ALIASES = 50


def check_folder(folder: Path) -> None:
    """Check every YAML file below a user's config folder.

    Raises:
        ConfigError: The folder is absent, or a file is too large, has too many aliases or is no YAML.
    """
    if not folder.is_dir():
        raise ConfigError(f"--config-dir: got {folder}; a folder that exists is needed")
    for path in sorted([*folder.rglob("*.yaml"), *folder.rglob("*.yml")]):
        check_file(path)


def check_file(path: Path) -> None:
    """Check one YAML file by its size and its event stream, which expands nothing.

    Raises:
        ConfigError: As for `check_folder`.
    """
    size = path.stat().st_size
    if size > MAX_BYTES:
        raise ConfigError(f"{path}: got {size:,} bytes; a config file of at most {MAX_BYTES:,} is read")
    aliases = 0
    try:
        with path.open(encoding="utf-8") as text:
            for event in yaml.parse(text, Loader=yaml.SafeLoader):
                aliases += isinstance(event, yaml.AliasEvent)
                if aliases > MAX_ALIASES:
                    raise ConfigError(f"{path}: got more than {MAX_ALIASES} YAML aliases; write the values out")
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        place = getattr(error, "problem_mark", None)
        where = f", line {place.line + 1}" if place else ""
        raise ConfigError(f"{path}{where}: got text that is no YAML; check indentation and colons") from None
