"""The options that dlexp ships, read from its YAML files, for tests that state a whole sentence."""

from pathlib import Path

import yaml

CONF = Path(__file__).parents[1] / "conf"


def names(group: str, *more: str) -> str:
    """Return a group's options as a refusal lists them: sorted, between commas.

    Args:
        group: Folder of the options.
        more: Options of a user, listed among them.
    """
    return ", ".join(sorted([*_files(group), *more]))


def having(group: str, parameter: str) -> str:
    """Return the options whose file states a parameter, as a refusal lists them: sorted, between bars."""
    files = _files(group)
    return "|".join(name for name in sorted(files) if parameter in yaml.safe_load(files[name].read_text("utf-8")))


def _files(group: str) -> dict[str, Path]:
    files = {path.stem: path for path in (CONF / group).glob("[!_]*.yaml")}
    assert files, group
    return files
