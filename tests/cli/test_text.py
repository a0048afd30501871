"""What a terminal would obey never reaches it."""

import io
from importlib import import_module

import pytest
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from tests.console.test_printable import HOSTILE

text = import_module("dlexp.cli.text")  # installed from cli/, which type checkers cannot see


def printed(*renderables):
    file = io.StringIO()
    console = text.SafeConsole(file=file, width=60, emoji=False)
    for renderable in renderables:
        console.print(renderable)
    return file.getvalue()


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_raw_passes_however_it_is_printed(name):
    table = Table(title=name)
    table.add_column(name)
    table.add_row(name)
    table.add_row(Text(name))
    out = printed(text.escape(name), Text(name), table, Panel(Text(name), title=name))
    assert all(character.isprintable() or character == "\n" for character in out)


def test_a_table_of_hostile_names_stays_aligned():
    table = Table()
    table.add_column("class")
    for name in ("cat", "\x1b[31mred"):
        table.add_row(name)
    assert len({len(line) for line in printed(table).splitlines()}) == 1


def test_markup_and_emoji_of_foreign_text_are_shown_as_they_are():
    assert printed(text.escape("[bold]a[/] :dog:")) == "[bold]a[/] :dog:\n"


def test_colours_of_our_own_still_work():
    console = text.SafeConsole(file=io.StringIO(), force_terminal=True, color_system="standard")
    with console.capture() as capture:
        console.print(f"[red]{text.escape(chr(27))}[/]")
    assert capture.get() == "\x1b[31m\\x1b\x1b[0m\n"


@pytest.mark.parametrize(
    ("number", "shown"),
    [(0, "0 B"), (1023, "1,023 B"), (1024, "1.0 KiB"), (8499, "8.3 KiB"), (47 * 2**20, "47 MiB"), (2**31, "2.0 GiB")],
)
def test_a_size_is_told_in_what_suits_it(number, shown):
    assert text.size_text(number) == shown
