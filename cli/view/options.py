"""What `dlexp options` prints: a table of options, or the parameters of each."""

from typing import TYPE_CHECKING

from rich.console import Console
from rich.padding import Padding
from rich.table import Table

from dlexp.config.wording import yaml_value

from ..text import escape

if TYPE_CHECKING:
    from dlexp.config.options import OptionRecord

WIDE = 110  # columns from which on a parameter, what it does and its type have room side by side


def show_group(console: Console, group: str, choices: "dict[str, OptionRecord]") -> None:
    """Print the options of a group with a line each."""
    table = Table(title=f"[bold]{group}[/]", title_justify="left", show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True, style="cyan")
    table.add_column()
    for name, choice in choices.items():
        table.add_row(name, escape(choice["doc"]))
    console.print(table)
    console.print()


def show_option(console: Console, group: str, name: str, choice: "OptionRecord") -> None:
    """Print an option with all its parameters."""
    title = name if group == "metric" else f"{group}={name}"
    console.print(f"[bold cyan]{title}[/]  {escape(choice['doc'])}")
    if choice["source"]:
        console.print(f"  [dim]{escape(choice['source'])}[/]")
    rows = [
        (escape(f"{group}.{parameter}={yaml_value(about['default'])}"), escape(about["doc"]), escape(about["type"]))
        for parameter, about in choice["parameters"].items()
    ]
    if console.is_terminal and console.width < WIDE:
        for parameter, doc, kind in rows:
            console.print(f"  [green]{parameter}[/]", soft_wrap=True)
            console.print(Padding(f"{doc} [dim]{kind}[/]", (0, 0, 0, 6)))
        return
    table = Table(show_header=False, box=None, padding=(0, 2))
    table.add_column(no_wrap=True, style="green")
    table.add_column()
    table.add_column(style="dim")
    for row in rows:
        table.add_row(*row)
    console.print(table)
