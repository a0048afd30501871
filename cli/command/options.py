"""`dlexp options`: what can be chosen."""

from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ..argument import ConfigDir, Debug, Json, Quiet
from ..output import people, show_json, yaml_text


def options(
    group: Annotated[str | None, typer.Argument(help="Only this group.", show_default=False)] = None,
    option: Annotated[
        str | None,
        typer.Argument(help="Only this option, with all parameters.", show_default=False),
    ] = None,
    config_dir: ConfigDir = None,
    json: Json = False,
    quiet: Quiet = False,
    debug: Debug = False,
) -> None:
    """List what can be chosen, the default first.

    Example: `dlexp options optimizer adam`
    """
    from dlexp.config.options import describe

    found = describe(group, option, config_dir)
    if json:
        show_json(found)
        return
    console = people(is_quiet=quiet)
    if group is None:
        for name, choices in found.items():
            _show_group(console, name, choices)
    else:
        for name, choice in found[group].items():
            _show_option(console, group, name, choice)


def _show_group(console: Console, group: str, choices: dict[str, Any]) -> None:
    table = Table(title=f"[bold]{group}[/]", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    for name, choice in choices.items():
        table.add_row(name, escape(choice["doc"]))
    console.print(table)
    console.print()


def _show_option(console: Console, group: str, name: str, choice: dict[str, Any]) -> None:
    console.print(f"[bold cyan]{group}={name}[/]  {escape(choice['doc'])}")
    if choice["source"]:
        console.print(f"  [dim]{escape(choice['source'])}[/]")
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column(no_wrap=True, style="green")
    table.add_column()
    table.add_column(style="dim")
    for parameter, about in choice["parameters"].items():
        table.add_row(
            escape(f"{group}.{parameter}={yaml_text(about['default'])}"), escape(about["doc"]), escape(about["type"])
        )
    console.print(table)
