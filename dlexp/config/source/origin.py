"""Where every value of a configuration comes from: a file and its line, the project's defaults, or the command line."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml
from typing_extensions import TypedDict

from dlexp.config import catalog
from dlexp.config.compose import Composed
from dlexp.config.override import Override
from dlexp.config.rule.fitted import is_settled
from dlexp.config.source.defaults import read_defaults

Source = Literal["command line", "default", "file", "shipped", "class"]


class OriginRecord(TypedDict):
    """A value and where it comes from.

    `source` is "command line"; "default", of `dlexp.toml`; "file", the user's; "shipped"; or "class", whose signature
    states what no file does, or which leaves no choice, as the one epoch of a model that is fitted in one step. `file`
    and `line` are null where there is none. `chosen_by` says what chose the option that the value belongs to: "command
    line", an option such as "model=vgg", or null for the job's own choice.
    """

    value: Any
    source: Source
    file: str | None
    line: int | None
    chosen_by: str | None


Origins = dict[str, OriginRecord]  # by key


def origins(composed: Composed, job: str = "train") -> Origins:
    """Return the origin of every value.

    Args:
        composed: Checked.
        job: Whose configuration it is: train, sweep or cv.
    """
    lines = _file_lines(composed, job)
    table: Origins = {}
    for key, value in _leaves(composed.config):
        source, file, line = _origin(key, composed, lines)
        table[key] = OriginRecord(value=value, source=source, file=file, line=line, chosen_by=_chooser(key, composed))
    return table


def _origin(key: str, composed: Composed, lines: dict[str, tuple[Path, int]]) -> tuple[Source, str | None, int | None]:
    if any(_sets(override, key, composed.choices) for override in composed.changed):
        return "command line", None, None
    if key in composed.defaults:
        defaults = read_defaults()
        return "default", str(defaults.path), defaults.lines[key]
    if key not in lines or is_settled(composed.config, key):
        return "class", None, None
    path, line = lines[key]
    shipped = catalog.conf_folder()
    if path.is_relative_to(shipped):
        return "shipped", f"conf/{path.relative_to(shipped).as_posix()}", line
    return "file", str(path), line


def _sets(override: Override, key: str, choices: dict[str, str]) -> bool:
    """Return whether an override gives a key its value; one that chooses an option leaves values to its file."""
    is_choice = override.value == choices.get(override.key)
    return not is_choice and (key == override.key or key.startswith(f"{override.key}."))


def _file_lines(composed: Composed, job: str) -> dict[str, tuple[Path, int]]:
    """Return file and line of every key that a file states, the file that is merged last."""
    table: dict[str, tuple[Path, int]] = {}
    for prefix, path in _files(composed, job):
        table |= {f"{prefix}{key}": (path, line) for key, line in _lines(path).items()}
    return table


def _files(composed: Composed, job: str) -> Iterator[tuple[str, Path]]:
    """Yield the key that a file's keys stand below, and the file, in the order in which they are merged."""
    is_global = {
        group: catalog.is_global(group, option, composed.config_dir)
        for group, option in composed.choices.items()
        if "," not in option  # a list of options is typed on the command line
    }
    for group in is_global:
        if not is_global[group]:
            for path in catalog.option_files(group, composed.choices[group], composed.config_dir):
                yield f"{group}.", path
    for name in dict.fromkeys(("train", job)):
        yield "", catalog.job_file(name, composed.config_dir)
    for group in is_global:
        if is_global[group]:
            for path in catalog.option_files(group, composed.choices[group], composed.config_dir):
                yield "", path


def user_place(message: str, composed: Composed) -> str:
    """Return where in the user's files the key of an error stands, `` (conf/optimizer/mine.yaml, line 3)``; else "".

    Args:
        message: Begins with the key, which "unknown key" may precede.
        composed: Whose configuration is wrong.
    """
    key = re.split(r"[^\w.]", message.removeprefix("unknown key "), maxsplit=1)[0]
    file = _user_file(key, composed)
    if file is not None:
        return f" ({file[0]}, line {file[1]})"
    option = composed.choices.get(key, ",")
    path = None if "," in option else catalog.option_file(key, option, composed.config_dir)
    is_user = path is not None and composed.config_dir is not None and path.is_relative_to(composed.config_dir)
    return f" ({path} states no _target_)" if is_user else ""


def as_written(key: str, value: Any, composed: Composed) -> Any:
    """Return the texts that stand in the user's file for numbers: a column 1_0 is not called 10.

    Args:
        key: Of texts.
        value: A number, or a list with numbers, as YAML reads it.
        composed: With the file.
    """
    file = _user_file(key, composed)
    if file is None:
        return value
    node = yaml.compose(file[0].read_text(encoding="utf-8"), yaml.BaseLoader)
    for name in _below(key, file[0], composed):
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((inner for entry, inner in pairs if entry.value == name), None)
    if isinstance(node, yaml.ScalarNode):
        return _text_of(node, value)
    if isinstance(node, yaml.SequenceNode) and isinstance(value, list) and len(node.value) == len(value):
        return [_text_of(inner, item) for inner, item in zip(node.value, value, strict=True)]
    return value


def _text_of(node: yaml.Node, value: Any) -> Any:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    is_plain = isinstance(node, yaml.ScalarNode) and "${" not in node.value
    return node.value if is_number and is_plain else value


def _below(key: str, path: Path, composed: Composed) -> list[str]:
    """Return the names that lead to a key inside of a file that states it."""
    group, *names = key.split(".")
    return names if any(file == path and prefix for prefix, file in _files(composed, "train")) else [group, *names]


def _user_file(key: str, composed: Composed) -> tuple[Path, int] | None:
    """Return the user's file that gives a key its value, and the line; None where something else does."""
    if composed.config_dir is None or any(_sets(override, key, composed.choices) for override in composed.changed):
        return None
    file = _file_lines(composed, "train").get(key)
    return file if file is not None and file[0].is_relative_to(composed.config_dir) else None


def _lines(path: Path) -> dict[str, int]:
    return _read_lines(path, path.stat().st_mtime_ns)


@cache
def _read_lines(path: Path, changed_ns: int) -> dict[str, int]:
    root = yaml.compose(path.read_text(encoding="utf-8"), yaml.SafeLoader)
    return dict(_key_lines(root, "")) if root is not None else {}


def _key_lines(node: yaml.Node, prefix: str) -> Iterator[tuple[str, int]]:
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            yield f"{prefix}{name.value}", name.start_mark.line + 1
            yield from _key_lines(value, f"{prefix}{name.value}.")


def _chooser(key: str, composed: Composed) -> str | None:
    group = key.partition(".")[0]
    if any(override.key == group for override in composed.changed):
        return "command line"
    for other, option in composed.choices.items():
        if (
            other != group
            and "," not in option
            and group in catalog.implied_choices(other, option, composed.config_dir)
        ):
            return f"{other}={option}"
    return None


def _leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield dotted key and value of everything that is no dict; a dict without keys counts as a value."""
    if not isinstance(node, dict) or not node:
        yield prefix.removesuffix("."), node
        return
    for name, value in node.items():
        yield from _leaves(value, f"{prefix}{name}.")


def to_yaml(table: Origins) -> str:
    """Return the configuration as YAML, the origin of each value as a comment behind it."""
    text, before = [], []
    for key, record in table.items():
        *parents, leaf = key.split(".")
        for depth, parent in enumerate(parents):
            if before[: depth + 1] != parents[: depth + 1]:
                text.append(f"{'  ' * depth}{parent}:")
        before = parents
        value = yaml.safe_dump(record["value"], default_flow_style=True, allow_unicode=True, width=10_000)
        line = f"{'  ' * len(parents)}{leaf}: {value.removesuffix('...' + chr(10)).strip()}"
        text.append(f"{line:<48}  # {_words(key, record)}")
    return "\n".join(text) + "\n"


def _words(key: str, record: OriginRecord) -> str:
    place = record["source"] if record["file"] is None else f"{record['file']}:{record['line']}"
    chosen = record["chosen_by"] if key.endswith("._target_") else None
    return f"{place}, chosen by {chosen}" if chosen else place
