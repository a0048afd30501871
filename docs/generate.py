"""Writes the pages that come from the code: the commands from their signatures, the options from YAML and docstrings.

Run ``python -m docs.generate`` after a change of a command or an option; a test holds the pages against the code. It
takes about two seconds and imports no torch: what it knows is what ``dlexp --help`` and ``dlexp options --json`` say.
"""

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import typer

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- written by python -m docs.generate -->"


def pages() -> dict[Path, str]:
    """Return the text of every generated page."""
    return {FOLDER / "commands.md": commands_page(), FOLDER / "options.md": options_page(read_options())}


def commands_page() -> str:
    """Return the page of commands: what each does, an example, its arguments and flags."""
    group: Any = typer.main.get_command(import_module("dlexp.cli.app").app)  # type checkers cannot see dlexp.cli
    commands = {name: command for name, command in group.commands.items() if not command.hidden}
    lines = [
        "# Commands",
        NOTE,
        "What holds for all of them (`RUN`, exit codes, errors) stands in the [reference](index.md).",
        table(
            ["command", "does"],
            ([f"[`dlexp {name}`](#dlexp-{name})", summary(command.help)] for name, command in commands.items()),
        ),
    ]
    for name, command in commands.items():
        lines += [f"## dlexp {name}", help_text(command.help)]
        lines.append(table(["argument or flag", "default", "means"], map(parameter_row, command.params)))
    return "\n\n".join(lines) + "\n"


def summary(text: str) -> str:
    """Return the first line of a command's help."""
    return text.strip().partition("\n")[0]


def help_text(text: str) -> str:
    """Return a command's help, each of its paragraphs on one line."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def parameter_row(parameter: Any) -> list[str]:
    """Return the cells of one argument or flag, as click knows it."""
    value = parameter.metavar or parameter.name.rpartition("_")[2].upper()
    if parameter.param_type_name == "argument":
        name = value
    else:
        name = ", ".join(sorted([*parameter.opts, *parameter.secondary_opts], key=len))
        name += "" if parameter.is_flag else f" {value}"
    return [f"`{name}`", default_text(parameter.default), escape(parameter.help or "")]


def default_text(default: Any) -> str:
    """Return a flag's default; nothing for one that is off or not given."""
    return "" if default in (None, False, [], ()) or callable(default) else f"`{str(default).lower()}`"


def read_options() -> dict[str, Any]:
    """Return what `dlexp options --json` prints."""
    command = [str(Path(sys.executable).parent / "dlexp"), "options", "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def options_page(groups: dict[str, Any]) -> str:
    """Return the page of options: each group's options with their sources, and every parameter.

    Args:
        groups: `{group: {option: {doc, source, parameters: {name: {default, type, doc}}}}}`, the default first.
    """
    lines = [
        "# Options",
        NOTE,
        "Chosen by `group=option`, set by `group.parameter=value`; the first option of a group is the default. "
        "`dlexp options GROUP OPTION` prints one of them. A default of `???` has to be given.",
        ", ".join(f"[{group}](#{group})" for group in groups),
    ]
    for group, options in groups.items():
        lines += [f"## {group}", table(["option", "is"], option_rows(options))]
        rows = list(parameter_rows(group, options))
        if rows:
            head = ["parameter", "default", "takes", "means", "of"]
            lines.append(table(head[: len(rows[0])], rows))
    return "\n\n".join(lines) + "\n"


def option_rows(options: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the cells of every option: its name; what it is, and the source."""
    for name, option in options.items():
        source = f"<br>*{escape(option['source'])}*" if option["source"] else ""
        yield [f"`{name}`", escape(option["doc"]) + source]


def parameter_rows(group: str, options: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the cells of every parameter; what several options share alike is one row, a sole option is not named."""
    owners: dict[tuple[str, ...], list[str]] = {}
    for option, about in options.items():
        for name, parameter in about["parameters"].items():
            default = json.dumps(parameter["default"], separators=(",", ":")).strip('"')
            cells = (f"`{group}.{name}`", f"`{default}`", choices(parameter["type"]), escape(parameter["doc"]))
            owners.setdefault(cells, []).append(option)
    for cells, names in owners.items():
        owner = "all" if len(names) == len(options) else ", ".join(names)
        yield [*cells, owner] if len(options) > 1 else list(cells)


def choices(text: str) -> str:
    """Return a type's words with commas between its choices: a bar would end a cell."""
    return escape(text.replace("|", ", "))


def escape(text: str) -> str:
    """Return text that Markdown shows as it stands, in a cell too."""
    for mark in ("*", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return text.replace("<", "&lt;").replace("|", "&#124;")


def table(head: list[str], rows: Iterable[list[str]]) -> str:
    """Return a Markdown table."""
    return "\n".join(f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows))


def write(files: dict[Path, str]) -> None:
    """Write the files whose text is another, and print their names."""
    old = {path: path.read_text(encoding="utf-8") if path.is_file() else None for path in files}
    changed = [path for path, text in files.items() if text != old[path]]
    for path in changed:
        path.write_text(files[path], encoding="utf-8")
        print(f"changed {path.relative_to(ROOT)}")
    if not changed:
        print("nothing changed")


def main() -> None:
    """Write every generated page."""
    write(pages())


if __name__ == "__main__":
    main()
